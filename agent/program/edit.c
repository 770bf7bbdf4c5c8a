/* An edit replaces one or two pieces of the text. Their places depend on the layout: if a setting has a line of its
 * own, its new neighbor gets the next line with the same indentation; if a line has several settings, the new one
 * goes into the same line. */
#include "program/edit.h"
#include "program/edit_check.h"
#include "program/layout.h"
#include "curfew/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

struct splice {
	size_t at, removed;
	char *text; /* owned; NULL: nothing replaces it */
};
#define SPLICES_MAX 4
struct splices {
	struct splice items[SPLICES_MAX]; /* in ascending order */
	size_t n;
	int failure;
};

__attribute__((format(printf, 4, 5))) static void splice_add(
	struct splices *s, size_t at, size_t removed, const char *format, ...)
{
	struct splice new = {.at = at, .removed = removed};
	va_list args;

	va_start(args, format);
	if (s->n == SPLICES_MAX || vasprintf(&new.text, format, args) < 0)
		s->failure = -ENOMEM;
	else
		s->items[s->n++] = new;
	va_end(args);
}

static char *splices_write(const struct splices *s, const char *text)
{
	struct text out;
	size_t at = 0;

	if (!text_begin(&out))
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		const struct splice *p = &s->items[i];

		fwrite(text + at, 1, p->at - at, out.to);
		fputs(p->text, out.to);
		at = p->at + p->removed;
	}
	fputs(text + at, out.to);
	return text_end(&out);
}

static size_t indentation(const char *text, size_t at, const char **begin)
{
	size_t from = at;

	while (from > 0 && text[from - 1] != '\n')
		from--;
	*begin = text + from;
	return strspn(*begin, " \t");
}

static const char *newline_of(const char *text)
{
	const char *first = strchr(text, '\n');

	return first && first > text && first[-1] == '\r' ? "\r\n" : "\n";
}

/* Inserts after a value or setting that ends at `end`; on a new line if that one has a line of its own. */
static void splice_behind(struct splices *s, const char *text, const struct layout *neighbor,
	size_t end, const char *name, const char *value, const char *close)
{
	size_t line = layout_line_end(text, end);
	const char *indent;
	size_t n = indentation(text, neighbor->whole, &indent);
	const char *equals = *name ? " = " : "";

	if (line != SIZE_MAX && layout_begins_line(text, neighbor->whole))
		splice_add(s, line, 0, "%s%.*s%s%s%s%s", newline_of(text), (int)n, indent, name,
			equals, value, close);
	else
		splice_add(s, end, 0, " %s%s%s%s", name, equals, value, close);
}

static void setting_insert(
	struct splices *s, const char *text, const struct layout *group, const struct edit *e)
{
	const struct layout *near = e->after ? layout_find(group, text, e->after) : NULL;

	if (!near && group->n)
		near = &group->items[group->n - 1];
	if (near)
		splice_behind(s, text, near, near->whole_end, e->name, e->value, ";");
	else if (text[group->begin] == group->open)
		splice_add(s, group->begin + 1, 0, " %s = %s;", e->name, e->value);
	else
		s->failure = -ENOENT;
}

/* Removes from..to, and the line if nothing else is on it. A comment on the line stays. */
static void splice_out(struct splices *s, const char *text, size_t from, size_t to)
{
	size_t rest = to + strspn(text + to, " \t\r"), line = from;

	if (layout_begins_line(text, from) && (!text[rest] || text[rest] == '\n')) {
		while (line > 0 && text[line - 1] != '\n')
			line--;
		splice_add(s, line, rest + (text[rest] == '\n') - line, "%s", "");
	} else {
		/* Also removes one of the spaces around it. */
		bool between = from > 0 && isblank((unsigned char)text[from - 1]);
		bool last = !text[to] || strchr("\r\n", text[to]);

		from -= between && last;
		splice_add(s, from, to - from + (between && !last && text[to] == ' '), "%s", "");
	}
}

static void element_add(
	struct splices *s, const char *text, const struct layout *list, const struct edit *e)
{
	if (!list->n) {
		splice_add(s, list->begin + 1, 0, " %s%s", e->value,
			isspace((unsigned char)text[list->begin + 1]) ? "" : " ");
	} else {
		const struct layout *last = &list->items[list->n - 1];
		size_t comma = layout_skip(text, last->end, list->end);
		bool ended = text[comma] == ',';

		if (!ended)
			splice_add(s, last->end, 0, ",");
		splice_behind(s, text, last, ended ? comma + 1 : last->end, "", e->value, "");
	}
}

/* Only a list in ( ) can hold groups besides strings. */
static bool list_must_open(const struct layout *list, const struct edit *e)
{
	return (e->kind == EDIT_ADD || e->kind == EDIT_REPLACE) && list->open == '[' &&
	       e->value[0] == '{';
}

static void element_remove(
	struct splices *s, const char *text, const struct layout *list, size_t index)
{
	const struct layout *element = &list->items[index];
	size_t comma = layout_skip(text, element->end, list->end);
	bool last = index + 1 == list->n, ended = text[comma] == ',';
	size_t end = ended && text[element->end + strspn(text + element->end, " \t")] == ','
			     ? comma + 1
			     : element->end;

	if (last && index > 0) {
		const struct layout *before = &list->items[index - 1];
		size_t at = layout_skip(text, before->end, list->end);

		/* On one line, remove the comma together with the element. */
		if (at + 1 + strspn(text + at + 1, " \t") == element->begin) {
			splice_add(s, at, end - at, "%s", "");
			return;
		}
		splice_add(s, at, 1, "%s", "");
	}
	splice_out(s, text, element->begin, end);
	/* The comma comes after a comment. */
	if (ended && end == element->end)
		splice_add(s, comma, 1, "%s", "");
}

static void edit_place(
	struct splices *s, const char *text, const struct layout *root, const struct edit *e)
{
	const struct layout *at = layout_find(root, text, e->path), *item = NULL;

	if (!at || (e->kind >= EDIT_ADD ? at->open != '(' && at->open != '[' : at->open != '{')) {
		s->failure = -ENOENT;
		return;
	}
	if (e->kind == EDIT_SET || e->kind == EDIT_UNSET)
		item = layout_find(at, text, e->name);
	else if (e->kind != EDIT_ADD && e->index < at->n)
		item = &at->items[e->index];
	bool opens = list_must_open(at, e);
	if (opens)
		splice_add(s, at->begin, 1, "(");
	if (e->kind == EDIT_SET && !item)
		setting_insert(s, text, at, e);
	else if (e->kind == EDIT_UNSET && item)
		splice_out(s, text, item->whole, item->whole_end);
	else if (e->kind == EDIT_ADD)
		element_add(s, text, at, e);
	else if (e->kind != EDIT_UNSET && !item)
		s->failure = -ENOENT;
	else if (e->kind == EDIT_REMOVE)
		element_remove(s, text, at, e->index);
	else if (item)
		splice_add(s, item->begin, item->end - item->begin, "%s", e->value);
	if (opens)
		splice_add(s, at->end - 1, 1, ")");
}

int edit_apply(char **out, const char *text, const struct edit *e)
{
	struct splices splices = {0};
	struct layout root;
	char *after = NULL;
	int rc = layout_scan(&root, text);

	if (rc < 0)
		return rc;
	edit_place(&splices, text, &root, e);
	layout_free(&root);
	rc = splices.failure;
	if (!rc) {
		after = splices_write(&splices, text);
		rc = after ? edit_check(text, after, e) : -ENOMEM;
	}
	for (size_t i = 0; i < splices.n; i++)
		free(splices.items[i].text);
	if (rc)
		free(after);
	else
		*out = after;
	return rc;
}

char *edit_quote(const char *text)
{
	struct text out;

	if (!text_begin(&out))
		return NULL;
	fputc('"', out.to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out.to);
		fputc(*text, out.to);
	}
	fputc('"', out.to);
	return text_end(&out);
}

int edit_managed_line(const char *text)
{
	static const char *const marks[] = {"managed by", "ansible managed", "do not edit"};
	size_t first = layout_skip(text, 0, strlen(text));
	int line = 1;

	for (size_t at = 0; at < first; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
			size_t n = strlen(marks[i]);
			if (n <= first - at && !strncasecmp(text + at, marks[i], n))
				return line;
		}
		line += text[at] == '\n';
	}
	return 0;
}
