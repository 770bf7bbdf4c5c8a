/* The intake form as a table or as JSON. */
#include "program/intake.h"
#include "program/names.h"
#include "curfew/text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

enum intake_column {
	COLUMN_CLIENT,
	COLUMN_FIRST,
	COLUMN_LAST,
	COLUMN_EMAIL,
	COLUMN_ADDRESSES,
	COLUMNS
};
static const char *const column_names[COLUMNS] = {"client", "first", "last", "email", "addresses"};

#define FIELDS_MAX 32

struct form {
	const char *at;
	int line;
	char separator;
	char *fields[FIELDS_MAX];
	size_t n;
	int place[COLUMNS]; /* -1: there is none */
};

static void form_clear(struct form *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->fields[i]);
	f->n = 0;
}

/* As RFC 4180 has it: in quotes a separator, a newline, and a doubled quote stand for themselves. NULL: no memory, or no
 * end of the quotes. */
static char *field_take(struct form *f)
{
	bool quoted = *f->at == '"';
	struct text text;

	if (!text_begin(&text))
		return NULL;
	f->at += quoted;
	while (*f->at) {
		if (quoted && *f->at == '"' && f->at[1] != '"')
			break;
		if (!quoted && (*f->at == f->separator || *f->at == '\n' || *f->at == '\r'))
			break;
		f->at += quoted && *f->at == '"';
		f->line += *f->at == '\n';
		fputc(*f->at++, text.to);
	}
	if (quoted && *f->at != '"') {
		text_drop(&text);
		return NULL;
	}
	f->at += quoted;
	return text_end(&text);
}

/* The next row's fields; false at the end, and when it is malformed, with `why`. */
static bool row_take(struct form *f, char why[256])
{
	int line = f->line;

	form_clear(f);
	if (!*f->at)
		return false;
	do {
		f->at += f->n > 0;
		f->fields[f->n] = f->n < FIELDS_MAX - 1 ? field_take(f) : NULL;
		if (!f->fields[f->n]) {
			snprintf(why, 256, "line %d: too many fields, or quotes without an end",
				line);
			return false;
		}
		f->n++;
	} while (*f->at == f->separator);
	f->at += *f->at == '\r';
	if (*f->at && *f->at != '\n') {
		snprintf(why, 256, "line %d: text behind closing quotes", line);
		return false;
	}
	f->line += *f->at == '\n';
	f->at += *f->at == '\n';
	return true;
}

static bool header_read(struct form *f, char why[256])
{
	for (size_t c = 0; c < COLUMNS; c++) {
		f->place[c] = -1;
		for (size_t i = 0; i < f->n; i++)
			if (names_equal(f->fields[i] + strspn(f->fields[i], " "), column_names[c]))
				f->place[c] = (int)i;
		if (f->place[c] < 0 && c != COLUMN_CLIENT) {
			snprintf(why, 256,
				"line 1: no column \"%s\"; the first line must name the columns client, first, last, email, and addresses",
				column_names[c]);
			return false;
		}
	}
	return true;
}

/* "" where the row is shorter. */
static const char *cell(const struct form *f, enum intake_column c)
{
	return f->place[c] >= 0 && (size_t)f->place[c] < f->n ? f->fields[f->place[c]] : "";
}

static char *trimmed(const char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n > 0 && strchr(" \t", text[n - 1]))
		n--;
	return strndup(text, n);
}

static int person_take(struct intake *i, const char *first, const char *last, const char *email,
	const char *addresses)
{
	struct intake_person *p = intake_person_add(i);

	if (!p)
		return -ENOMEM;
	p->first = trimmed(first);
	p->last = trimmed(last);
	p->email = trimmed(email);
	return p->first && p->last && p->email ? intake_addresses_add(p, addresses) : -ENOMEM;
}

static bool is_of_client(const struct intake *i, const char *client)
{
	_cleanup_free_ char *name = trimmed(client);

	return !name || !*name || names_equal(name, i->name);
}

static bool row_is_empty(const struct form *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (*f->fields[i])
			return false;
	return true;
}

int intake_read_csv(struct intake *i, const char *text, char why[256])
{
	struct form f = {.at = text, .line = 1};
	size_t before = i->n_people;
	int rc = 0;

	/* As spreadsheets save it. */
	f.at += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	f.separator = strcspn(f.at, ";\n") < strcspn(f.at, ",\n") ? ';' : ',';
	why[0] = '\0';
	if (row_take(&f, why) && header_read(&f, why))
		while (rc == 0 && row_take(&f, why))
			if (!row_is_empty(&f) && is_of_client(i, cell(&f, COLUMN_CLIENT)))
				rc = person_take(i, cell(&f, COLUMN_FIRST), cell(&f, COLUMN_LAST),
					cell(&f, COLUMN_EMAIL), cell(&f, COLUMN_ADDRESSES));
	form_clear(&f);
	if (rc == 0 && why[0])
		rc = -EINVAL;
	return rc ? rc : i->n_people == before ? -ENOENT : 0;
}

static const char *member(const json_t *o, enum intake_column c)
{
	const char *text = json_string_value(json_object_get(o, column_names[c]));

	return text ? text : "";
}

static int json_person_take(struct intake *i, const json_t *o)
{
	const json_t *addresses = json_object_get(o, column_names[COLUMN_ADDRESSES]), *one;
	size_t k;
	int rc = person_take(i, member(o, COLUMN_FIRST), member(o, COLUMN_LAST),
		member(o, COLUMN_EMAIL), member(o, COLUMN_ADDRESSES));

	json_array_foreach(addresses, k, one)
	{
		if (rc == 0 && json_is_string(one))
			rc = intake_addresses_add(
				&i->people[i->n_people - 1], json_string_value(one));
	}
	return rc;
}

int intake_read_json(struct intake *i, const char *text, char why[256])
{
	size_t before = i->n_people, k;
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error), *o;
	int rc = 0;

	if (!json_is_array(root)) {
		snprintf(why, 256, "line %d: %s", root ? 1 : error.line,
			root ? "not a list of objects with client, first, last, email, and addresses"
			     : error.text);
		json_decref(root);
		return -EINVAL;
	}
	json_array_foreach(root, k, o)
	{
		if (rc == 0 && !json_is_object(o)) {
			snprintf(why, 256, "element %zu is not an object", k + 1);
			rc = -EINVAL;
		}
		if (rc == 0 && is_of_client(i, member(o, COLUMN_CLIENT)))
			rc = json_person_take(i, o);
	}
	json_decref(root);
	return rc ? rc : i->n_people == before ? -ENOENT : 0;
}
