/* The lines of a preflight: what would keep access from being reduced or ending on time. Pure. */
#ifndef CURFEW_PREFLIGHT_H
#define CURFEW_PREFLIGHT_H

#include "curfew/record.h"

/* Borrows from the record. */
struct preflight_line {
	enum check_result result;
	const char *name, *server, *database, *login;
	const char *detail, *why, *fix; /* `why` it matters: NULL or a sentence; `fix` may be "" */
};
/* False: the record does not concern a coming removal. */
bool preflight_line(struct preflight_line *out, const struct record *r);

/* "certificate [sql01]: valid until ...; renew ..." */
void preflight_line_write(FILE *to, const struct preflight_line *l);
/* A new reference; NULL without memory. */
struct json_t *preflight_line_json(const struct preflight_line *l);

#endif
