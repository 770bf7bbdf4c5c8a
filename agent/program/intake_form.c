/* Reads the intake form as CSV. */
#include "program/csv.h"
#include "program/intake.h"
#include "program/names.h"
#include "curfew/text.h"

#include <errno.h>
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

struct form {
	struct csv csv;
	int place[COLUMNS]; /* -1: missing */
	size_t n_columns;
};

static bool header_read(struct form *f, char why[256])
{
	for (size_t c = 0; c < COLUMNS; c++) {
		f->place[c] = csv_column(&f->csv, column_names[c]);
		if (f->place[c] < 0 && c != COLUMN_CLIENT) {
			snprintf(why, 256,
				"line 1: no column \"%s\"; the first line must name the columns client, first, last, email, and addresses",
				column_names[c]);
			return false;
		}
	}
	f->n_columns = f->csv.n;
	return true;
}

/* A list of addresses without quotes around it would lose all but the first. */
static bool row_fits(const struct form *f, char why[256])
{
	for (size_t k = f->n_columns; k < f->csv.n; k++)
		if (*f->csv.fields[k]) {
			snprintf(why, 256,
				"line %d: more fields than the first line has columns; put several addresses in quotes, as in "
				"\"203.0.113.7, 198.51.100.0/29\"",
				f->csv.row);
			return false;
		}
	return true;
}

bool intake_is_table(const char *text)
{
	struct csv csv;
	char why[256];

	csv_begin(&csv, text);
	bool is = csv_row(&csv, why) && csv_column(&csv, "email") >= 0 &&
		  csv_column(&csv, "addresses") >= 0;
	csv_clear(&csv);
	return is;
}

static const char *cell(const struct form *f, enum intake_column c)
{
	return csv_cell(&f->csv, f->place[c]);
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

int intake_person_take(struct intake *i, int place, const char *first, const char *last,
	const char *email, const char *addresses)
{
	struct intake_person *p = intake_person_add(i);

	if (!p)
		return -ENOMEM;
	p->place = place;
	p->first = trimmed(first);
	p->last = trimmed(last);
	p->email = trimmed(email);
	return p->first && p->last && p->email ? intake_addresses_add(p, addresses) : -ENOMEM;
}

bool intake_is_of_client(const struct intake *i, const char *client)
{
	_cleanup_free_ char *name = trimmed(client);

	return !name || !*name || names_equal(name, i->name);
}

int intake_read_csv(struct intake *i, const char *text, char why[256])
{
	struct form f;
	size_t before = i->n_people;
	int rc = 0;

	csv_begin(&f.csv, text);
	why[0] = '\0';
	if (csv_row(&f.csv, why) && header_read(&f, why))
		while (rc == 0 && csv_row(&f.csv, why) && row_fits(&f, why))
			if (!csv_row_is_empty(&f.csv) &&
				intake_is_of_client(i, cell(&f, COLUMN_CLIENT)))
				rc = intake_person_take(i, f.csv.row, cell(&f, COLUMN_FIRST),
					cell(&f, COLUMN_LAST), cell(&f, COLUMN_EMAIL),
					cell(&f, COLUMN_ADDRESSES));
	csv_clear(&f.csv);
	if (rc == 0 && why[0])
		rc = -EINVAL;
	return rc ? rc : i->n_people == before ? -ENOENT : 0;
}
