/* Who had access between two times, from the journal alone: the population that an auditor takes samples from. */
#ifndef CURFEW_POPULATION_H
#define CURFEW_POPULATION_H

#include "curfew/lost_records.h"
#include "curfew/person.h"

/* A period in which one person has one level on one database, by one approval. Borrows the entries. */
struct population_row {
	const struct journal_entry *first, *last; /* the records that start and continue it */
	const struct journal_entry *end;	  /* the record that ends it; NULL: none */
	const struct journal_entry *proof;	  /* the verification after that; NULL: none */
	const struct journal_entry
		*worst;	      /* that of them which says most: more than scheduled, or the last */
	struct person person; /* as last recorded */
	instant_t opened, due, ended; /* ended: the row; 0: not ended, or not confirmed */
	int64_t late; /* seconds between `due` and the end, or now if it has not ended; 0: not late */
	bool left;    /* not ended, and the configuration does not have it */
	/* The next row has no less, with the same login: nothing ended. */
	bool continues;
	bool passed_on; /* and it is another person's, with the password that this one knows */
	instant_t gone; /* passed_on: when the login had nothing there any more; 0: it has */
	const struct journal_entry
		*moved_to, /* of the client whose login it is now; NULL: the same */
		*handover; /* of another person's new password, which ended it; NULL: none */
};
struct population {
	struct population_row *items; /* by client, login, server, database, time */
	size_t n;
	const char *client; /* NULL: all */
	instant_t from, to, at,
		begins;	 /* begins: the time of the first record; earlier access is not recorded */
	bool unrecorded; /* `from` is earlier than anything that the journal and its archives have */
	instant_t first;	  /* then the time of their first record; 0: they have none */
	struct lost_records lost; /* of that time; freed by population_free() */
	/* One record of each other client that had a database which `client` has now. */
	const struct journal_entry **former; /* owned; the entries are borrowed */
	size_t n_former;
	bool practice;
	int64_t head;
	uint8_t head_hash[JOURNAL_HASH_SIZE];
};
struct population_records {
	const struct journal_entries *access, *proofs, *events; /* sorted by time */
	const struct program *program;				/* as of now; NULL: not known */
};
/* What a pass may take that follows an end or a revocation, in seconds: what it confirms until then is not late. */
#define POPULATION_PASS 60
/* Requires from, to, at, and client. What is of the second `from` belongs to it, and of `to` only if that is now. 0 or -ENOMEM. */
int population_make(struct population *out, const struct population_records *records);
void population_free(struct population *p);
/* Whether it ended as far as anybody knows: what goes on did not. */
bool population_row_ended(const struct population_row *r);
/* Whether any period ended late, or should have ended and is not confirmed. */
bool population_is_late(const struct population *p);
/* "database A on B, which client C has now, was of client D then; ...": `former` is a record of D's access. The caller
 * frees it; NULL: no memory. */
char *former_client_text(const struct journal_entry *former, const char *client);
int population_print(const struct population *p, bool csv, FILE *to);
int population_html(const struct population *p, const char *zone, FILE *to);
struct json_t;
struct json_t *population_json(const struct population *p);

#endif
