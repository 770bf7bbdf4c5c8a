/* Merges decisions from an edited list: by object, never overwritten, with a notice about each that does not fit. */
#include "inventory/inventory_internal.h"
#include "curfew/text.h"
#include "program/csv.h"
#include "program/visible_text.h"

#include <errno.h>
#include <stdarg.h>

enum { KEY_SERVER, KEY_DATABASE, KEY_TYPE, KEY_OBJECT, KEYS };
enum { WORD_DECISION, WORD_REPLACEMENT, WORD_OWNER, WORD_DUE, WORD_NOTE, WORDS };

struct deciding {
	struct inventory *v;
	struct csv csv;
	int keys[KEYS], words[WORDS], color;
	bool *seen;  /* items that have a row in the file */
	size_t *odd; /* items whose names a table shows otherwise than they are */
	size_t n_odd;
};

static int notice(struct inventory *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int notice(struct inventory *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	if (!text)
		return -ENOMEM;
	const char *kept = inventory_text(v, text);
	return kept ? ARRAY_ADD(v->notices, v->n_notices, kept) : -ENOMEM;
}

/* Removes the apostrophe that keeps a spreadsheet from reading the cell as a formula. */
static const char *cell_of(const struct deciding *d, int column)
{
	const char *text = csv_cell(&d->csv, column);

	return *text == '\'' && text[1] && strchr("=+-@\t\r", text[1]) ? text + 1 : text;
}

static bool is_shown_as(const char *name, const char *cell)
{
	_cleanup_free_ char *shown = text_shown(name);

	/* The table does not show leading spaces either. */
	return shown && streq(shown + strspn(shown, " "), cell + strspn(cell, " "));
}

static bool is_odd(const char *name)
{
	return *name == ' ' || !is_shown_as(name, name);
}

/* They are few: a file of thousands of objects that are gone must not be compared with each of thousands. */
static void odd_find(struct deciding *d)
{
	for (size_t i = 0; i < d->v->n; i++) {
		const struct inventory_item *t = &d->v->items[i];
		if (inventory_is_custom(t) && (is_odd(t->database) || is_odd(t->full)))
			d->odd[d->n_odd++] = i;
	}
}

static struct inventory_item *item_of(const struct deciding *d)
{
	const char *keys[KEYS];

	for (int k = 0; k < KEYS; k++)
		keys[k] = cell_of(d, d->keys[k]);
	struct inventory_item *found = inventory_called(
		d->v, keys[KEY_SERVER], keys[KEY_DATABASE], keys[KEY_TYPE], keys[KEY_OBJECT]);
	if (found && inventory_is_custom(found))
		return found;
	/* Names that the table shows in escaped form. */
	for (size_t i = 0; i < d->n_odd; i++) {
		struct inventory_item *t = &d->v->items[d->odd[i]];
		if (streq(t->type, keys[KEY_TYPE]) && streq(t->server, keys[KEY_SERVER]) &&
			is_shown_as(t->database, keys[KEY_DATABASE]) &&
			is_shown_as(t->full, keys[KEY_OBJECT]))
			return t;
	}
	return NULL;
}

static bool is_date(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	return end && !*end && strlen(text) == 10;
}

#define NONE "none"

/* Rejects a row with an error, because only its author can correct it. Nothing is guessed or dropped. */
static int row_check(const struct deciding *d, int line, char why[256])
{
	static const char *const decisions[] = {"", "keep", "replace", "drop", NONE};
	const char *decision = cell_of(d, d->words[WORD_DECISION]);
	const char *due = cell_of(d, d->words[WORD_DUE]);
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(decisions); i++)
		known = known || streq(decision, decisions[i]);
	if (!known)
		snprintf(why, 256,
			"line %d: invalid decision \"%.60s\"; use keep, replace, drop, or none",
			line, decision);
	else if (*due && !is_date(due))
		snprintf(why, 256,
			"line %d: invalid date for \"due\": \"%.60s\"; use \"2027-01-11\"", line,
			due);
	return *why ? -EINVAL : 0;
}

/* Of two rows of one file the first counts; a file counts more than what was decided before it. */
static int words_take(struct deciding *d, struct inventory_item *t, bool again)
{
	const char **const words[WORDS] = {
		&t->decision, &t->replacement, &t->owner, &t->due, &t->note};
	const char *before = t->decision;
	bool conflict = false;

	for (int w = 0; w < WORDS; w++) {
		const char *text = cell_of(d, d->words[w]);
		if (!*text)
			continue;
		if (again && *words[w])
			conflict = conflict || !streq(*words[w], text);
		else if (w == WORD_DECISION && streq(text, NONE))
			*words[w] = NULL;
		else if (!(*words[w] = inventory_text(d->v, text)))
			return -ENOMEM;
	}
	if (conflict)
		return notice(d->v, "conflict: %s %s has two rows that differ; the first counts",
			t->type, t->full);
	if (before && (!t->decision || !streq(before, t->decision)))
		return notice(d->v, "decided anew: %s %s was %s and is %s", t->type, t->full,
			before, t->decision ? t->decision : NONE);
	return 0;
}

static int row_merge(struct deciding *d)
{
	struct inventory_item *t = item_of(d);
	const char *decision = cell_of(d, d->words[WORD_DECISION]);
	const char *color = cell_of(d, d->color);

	if (!t)
		return notice(d->v, "gone: %s %s%s%s", cell_of(d, d->keys[KEY_TYPE]),
			cell_of(d, d->keys[KEY_OBJECT]), *decision ? "; the decision was " : "",
			decision);
	bool *seen = &d->seen[t - d->v->items];
	int rc = words_take(d, t, *seen);
	*seen = true;
	if (!rc && *color && !streq(color, inventory_color_name(t->color)))
		rc = notice(d->v, "changed: %s %s was %s and is %s: %s", t->type, t->full, color,
			inventory_color_name(t->color), t->reason);
	return rc;
}

/* Also of what was decided before, and has been seen in use since. */
static int conflicts_tell(struct inventory *v)
{
	int rc = 0;

	for (size_t i = 0; i < v->n && !rc; i++) {
		const struct inventory_item *t = &v->items[i];
		if (t->color == COLOR_GREEN && t->decision && streq(t->decision, "drop"))
			rc = notice(v,
				"conflict: %s %s must be dropped by decision, but is in use: %s",
				t->type, t->full, t->reason);
	}
	return rc;
}

static bool header_read(struct deciding *d, char why[256])
{
	static const char *const keys[KEYS] = {"server", "database", "type", "object"};
	static const char *const words[WORDS] = {"decision", "replacement", "owner", "due", "note"};

	for (int k = 0; k < KEYS; k++)
		if ((d->keys[k] = csv_column(&d->csv, keys[k])) < 0) {
			snprintf(why, 256,
				"line 1: no column \"%s\"; use a file that `curfew inventory CLIENT --csv` wrote",
				keys[k]);
			return false;
		}
	for (int w = 0; w < WORDS; w++)
		d->words[w] = csv_column(&d->csv, words[w]);
	d->color = csv_column(&d->csv, "color");
	return true;
}

static int new_tell(struct inventory *v, const bool *seen)
{
	size_t new = 0;

	for (size_t i = 0; i < v->n; i++)
		new += inventory_is_custom(&v->items[i]) && !seen[i];
	return new ? notice(v, "new: %zu objects have no row in the file", new) : 0;
}

int inventory_decide(struct inventory *v, const char *text, char why[256])
{
	_cleanup_free_ bool *seen = calloc(v->n + 1, sizeof(*seen));
	_cleanup_free_ size_t *odd = calloc(v->n + 1, sizeof(*odd));
	struct deciding d = {.v = v, .seen = seen, .odd = odd};
	int rc = seen && odd ? 0 : -ENOMEM;

	why[0] = '\0';
	if (!rc)
		odd_find(&d);
	csv_begin(&d.csv, text);
	if (!*d.csv.at)
		snprintf(why, 256, "the file is empty");
	if (!rc && !*why && csv_row(&d.csv, why) && header_read(&d, why))
		for (int line = d.csv.line; !rc && csv_row(&d.csv, why); line = d.csv.line)
			if (!csv_row_is_empty(&d.csv) && !(rc = row_check(&d, line, why)))
				rc = row_merge(&d);
	csv_clear(&d.csv);
	if (rc || *why)
		return rc ? rc : -EINVAL;
	rc = conflicts_tell(v);
	return rc ? rc : new_tell(v, seen);
}
