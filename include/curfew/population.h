/* Who had access between two times, from the journal alone: the population that an auditor takes samples from. */
#ifndef CURFEW_POPULATION_H
#define CURFEW_POPULATION_H

#include "curfew/journal.h"
#include "curfew/person.h"

/* A period in which one user has one level on one database. Borrows the entries. */
struct population_row {
	const struct journal_entry *first, *last; /* the records that start and continue it */
	const struct journal_entry *end;	  /* the record that ends it; NULL: none */
	const struct journal_entry *proof;	  /* the verification after that; NULL: none */
	struct person person;			  /* as last recorded */
	instant_t opened, due, ended;		  /* ended 0: not ended, or not confirmed */
	int64_t late; /* seconds between `due` and the end, or now if it has not ended; 0: not late */
};
struct population {
	struct population_row *items; /* by client, login, server, database, time */
	size_t n;
	const char *client; /* NULL: all */
	instant_t from, to, at,
		begins; /* begins: the time of the first record; earlier access is not recorded */
	bool practice;
	int64_t head;
	uint8_t head_hash[JOURNAL_HASH_SIZE];
};
/* Requires `access` and `proofs` sorted by time, and from, to, at, and client. 0 or -ENOMEM. */
int population_make(struct population *out, const struct journal_entries *access,
	const struct journal_entries *proofs);
void population_free(struct population *p);
/* Whether any period ended late, or should have ended and is not confirmed. */
bool population_is_late(const struct population *p);
int population_print(const struct population *p, bool csv, FILE *to);
int population_html(const struct population *p, const char *zone, FILE *to);
struct json_t;
struct json_t *population_json(const struct population *p);

#endif
