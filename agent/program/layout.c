/* Parses as much of libconfig's syntax as is needed to locate each value. It is lenient, because libconfig has
 * accepted the text before and checks the edited text again. */
#include "program/layout.h"

#include <errno.h>
#include <string.h>

/* Curfew's files have five levels. A deeper text is rejected. */
#define DEPTH_MAX 16

struct layout_scan {
	const char *text;
	size_t at, end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* Skips one comment, if there is one. An unterminated comment extends to the end. */
static size_t comment_skip(const char *text, size_t at, size_t end)
{
	const char *close;

	if (text[at] == '#' || (text[at] == '/' && at + 1 < end && text[at + 1] == '/')) {
		while (at < end && text[at] != '\n')
			at++;
	} else if (text[at] == '/' && at + 1 < end && text[at + 1] == '*') {
		close = strstr(text + at + 2, "*/");
		at = close && (size_t)(close - text) + 2 <= end ? (size_t)(close - text) + 2 : end;
	}
	return at;
}

size_t layout_skip(const char *text, size_t at, size_t end)
{
	for (size_t before = SIZE_MAX; at != before && at < end;) {
		before = at;
		while (at < end && (is_blank(text[at]) || text[at] == '\n'))
			at++;
		if (at < end)
			at = comment_skip(text, at, end);
	}
	return at;
}

bool layout_begins_line(const char *text, size_t at)
{
	while (at > 0 && is_blank(text[at - 1]))
		at--;
	return at == 0 || text[at - 1] == '\n';
}

size_t layout_line_end(const char *text, size_t at)
{
	size_t end = strlen(text), next;

	for (;;) {
		while (at < end && is_blank(text[at]))
			at++;
		if (at == end || text[at] == '\n')
			break;
		next = comment_skip(text, at, end);
		if (next == at || memchr(text + at, '\n', next - at))
			return SIZE_MAX;
		at = next;
	}
	/* CR LF is one line end. */
	return at > 0 && text[at - 1] == '\r' ? at - 1 : at;
}

static void scan_blanks(struct layout_scan *s)
{
	s->at = layout_skip(s->text, s->at, s->end);
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-_*", c));
}

/* Skips a string, or several that libconfig joins. False if the end is missing. */
static bool scan_string(struct layout_scan *s, size_t *end)
{
	while (s->at < s->end && s->text[s->at] == '"') {
		for (s->at++; s->at < s->end && s->text[s->at] != '"'; s->at++)
			if (s->text[s->at] == '\\' && s->at + 1 < s->end)
				s->at++;
		if (s->at >= s->end)
			return false;
		*end = ++s->at;
		scan_blanks(s);
	}
	s->at = *end;
	return true;
}

static bool scan_scalar(struct layout_scan *s, struct layout *out)
{
	out->begin = s->at;
	if (s->at < s->end && s->text[s->at] == '"')
		return scan_string(s, &out->end);
	while (s->at < s->end && (is_name(s->text[s->at]) || strchr("+.", s->text[s->at])))
		s->at++;
	out->end = s->at;
	return out->end > out->begin;
}

static struct layout *layout_add(struct layout *l)
{
	return ARRAY_MORE(l->items, l->n);
}

static int scan_value(struct layout_scan *s, struct layout *out, int depth);

/* "name = value;" */
static int scan_setting(struct layout_scan *s, struct layout *out, int depth)
{
	out->whole = out->name = s->at;
	while (s->at < s->end && is_name(s->text[s->at]))
		s->at++;
	out->name_size = s->at - out->name;
	scan_blanks(s);
	if (!out->name_size || s->at >= s->end || !strchr("=:", s->text[s->at]))
		return -EINVAL;
	s->at++;
	scan_blanks(s);
	int rc = scan_value(s, out, depth);
	if (rc < 0)
		return rc;
	out->whole_end = out->end;
	size_t next = layout_skip(s->text, s->at, s->end);
	if (next < s->end && strchr(";,", s->text[next]))
		out->whole_end = s->at = next + 1;
	return 0;
}

/* Scans members up to the closing character or the end of the text. */
static int scan_members(struct layout_scan *s, struct layout *out, char close, int depth)
{
	bool group = close == '}' || !close;
	int rc = 0;

	for (scan_blanks(s); rc == 0; scan_blanks(s)) {
		if (s->at >= s->end)
			return close ? -EINVAL : 0;
		if (s->text[s->at] == '\0')
			return -EINVAL;
		if (s->text[s->at] == close)
			return 0;
		if (!group && s->text[s->at] == ',') {
			s->at++;
			continue;
		}
		struct layout *item = layout_add(out);
		if (!item)
			return -ENOMEM;
		rc = group ? scan_setting(s, item, depth) : scan_value(s, item, depth);
	}
	return rc;
}

static int scan_value(struct layout_scan *s, struct layout *out, int depth)
{
	static const char opens[] = "{([", closes[] = "})]";
	const char *open = s->at < s->end && s->text[s->at] ? strchr(opens, s->text[s->at]) : NULL;

	if (depth >= DEPTH_MAX)
		return -EINVAL;
	if (!open) {
		if (!scan_scalar(s, out))
			return -EINVAL;
	} else {
		out->open = *open;
		out->begin = s->at++;
		int rc = scan_members(s, out, closes[open - opens], depth + 1);
		if (rc < 0)
			return rc;
		out->end = ++s->at;
	}
	if (!out->name_size) {
		out->whole = out->begin;
		out->whole_end = out->end;
	}
	return 0;
}

int layout_scan(struct layout *out, const char *text)
{
	struct layout_scan s = {.text = text, .end = strlen(text)};
	struct layout root = {.end = s.end, .whole_end = s.end, .open = '{'};
	int rc = scan_members(&s, &root, '\0', 0);

	if (rc < 0) {
		layout_free(&root);
		return rc;
	}
	*out = root;
	return 0;
}

void layout_free(struct layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		layout_free(&l->items[i]);
	free(l->items);
	*l = (struct layout){0};
}

static const struct layout *layout_item(
	const struct layout *l, const char *text, const char *word, size_t size)
{
	if (*word == '[') {
		char *end;
		unsigned long i = strtoul(word + 1, &end, 10);

		return l->open != '{' && *end == ']' && i < l->n ? &l->items[i] : NULL;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].name_size == size && !memcmp(text + l->items[i].name, word, size))
			return &l->items[i];
	return NULL;
}

const struct layout *layout_find(const struct layout *l, const char *text, const char *path)
{
	while (l && *path) {
		size_t size = strcspn(path, ".");

		l = layout_item(l, text, path, size);
		path += size + (path[size] == '.');
	}
	return l;
}
