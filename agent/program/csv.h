/* Reads CSV as spreadsheets write it: RFC 4180 with commas, semicolons, or tabs, with or without a byte order mark. */
#ifndef PROGRAM_CSV_H
#define PROGRAM_CSV_H

#include "curfew/base.h"

#define CSV_FIELDS_MAX 32

struct csv {
	const char *at;
	int line, row; /* of the next row, and of the current one */
	char separator;
	char *fields[CSV_FIELDS_MAX]; /* of the current row; owned */
	size_t n;
};
/* `text` is borrowed. The separator is the first comma, semicolon, or tab of the first line. */
void csv_begin(struct csv *c, const char *text);
/* Reads the next row. False at the end, or with `why` for a malformed row. */
bool csv_row(struct csv *c, char why[256]);
bool csv_row_is_empty(const struct csv *c);
/* The column's index in the current row, which must be the header; -1: none. Ignores case. */
int csv_column(const struct csv *c, const char *name);
/* "" if the row is too short, or for -1. */
const char *csv_cell(const struct csv *c, int column);
void csv_clear(struct csv *c);

#endif
