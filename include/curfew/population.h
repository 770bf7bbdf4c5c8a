/* Who had access to anything between two times, from the journal's records alone: what an auditor samples from. */
#ifndef CURFEW_POPULATION_H
#define CURFEW_POPULATION_H

#include "curfew/journal.h"
#include "curfew/person.h"

/* One user at one level on one database, without a gap. Borrows the entries. */
struct population_row {
	const struct journal_entry *first, *last; /* the records that it begins and goes on with */
	const struct journal_entry *end;	  /* the record that ended it; NULL: none has */
	const struct journal_entry *proof;	  /* the verification that followed; NULL: none */
	struct person person;			  /* as last recorded */
	instant_t opened, due, ended;		  /* ended 0: not, or not confirmed */
	int64_t late; /* seconds after `due`, so far where it has not ended; 0: not late */
};
struct population {
	struct population_row *items; /* by client, login, server, database, time */
	size_t n;
	const char *client; /* or NULL: all */
	instant_t from, to, at,
		begins; /* begins: the first record; earlier access is not recorded */
	bool practice;
	int64_t head;
	uint8_t head_hash[JOURNAL_HASH_SIZE];
};
/* `access` and `proofs` in the order of their time; from, to, at, and client are set. 0 or -ENOMEM. */
int population_make(struct population *out, const struct journal_entries *access,
	const struct journal_entries *proofs);
void population_free(struct population *p);
/* Something ended late, or is past its end and not confirmed. */
bool population_is_late(const struct population *p);
int population_print(const struct population *p, bool csv, FILE *to);
int population_html(const struct population *p, const char *zone, FILE *to);
struct json_t;
struct json_t *population_json(const struct population *p);

#endif
