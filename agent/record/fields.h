/* Inside the records: which fields each kind has. Not for other modules. */
#ifndef CURFEW_RECORD_FIELDS_H
#define CURFEW_RECORD_FIELDS_H

#include "curfew/record.h"

enum field_type {
	FIELD_WORD, /* an enumeration; numbers up to here */
	FIELD_CODE,
	FIELD_COUNT,
	FIELD_INSTANT,
	FIELD_TEXT, /* texts from here on */
	FIELD_SID,
	FIELD_SOURCE,
	FIELD_ENDPOINT,
};

struct field {
	const char *name; /* in JSON, and in errors about a malformed record */
	enum field_type type;
	size_t offset, size;
	/* FIELD_WORD: a name for each number up to `last`. */
	const char *(*word)(unsigned value);
	unsigned last;
};

struct record_type {
	const char *name;
	const struct field *fields; /* end with a NULL name */
};
/* NULL: there is no such kind. */
const struct record_type *record_type(enum record_kind kind);

/* As numbers and as texts: a field is one of both. False: not a value of that field. */
bool field_is_text(const struct field *f);
int64_t field_number(const struct field *f, const struct record *r);
bool field_set_number(const struct field *f, struct record *r, int64_t value);
#define FIELD_TEXT_MAX RECORD_STATEMENT_MAX
/* In `buf`, or in the record itself. */
const char *field_text(const struct field *f, const struct record *r, char buf[FIELD_TEXT_MAX]);
bool field_set_text(const struct field *f, struct record *r, const char *text, size_t size);

#endif
