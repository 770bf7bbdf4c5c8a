/* CSV as spreadsheets save it: RFC 4180 with commas or semicolons, with or without a byte order mark. */
#ifndef PROGRAM_CSV_H
#define PROGRAM_CSV_H

#include "curfew/base.h"

#define CSV_FIELDS_MAX 32

struct csv {
	const char *at;
	int line; /* of the row that comes next */
	char separator;
	char *fields[CSV_FIELDS_MAX]; /* of the current row; owned */
	size_t n;
};
/* `text` is borrowed. The separator is the one that comes first. */
void csv_begin(struct csv *c, const char *text);
/* The next row; false at the end, and when it is malformed, with `why`. */
bool csv_row(struct csv *c, char why[256]);
bool csv_row_is_empty(const struct csv *c);
/* The place of a column in the current row, which is the first; -1: there is none. Compares without case. */
int csv_column(const struct csv *c, const char *name);
/* "" where the row is shorter, and for -1. */
const char *csv_cell(const struct csv *c, int column);
void csv_clear(struct csv *c);

#endif
