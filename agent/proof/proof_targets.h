/* Used only by proof/: the users that a verification asks about, and the answers. */
#ifndef CURFEW_PROOF_TARGETS_H
#define CURFEW_PROOF_TARGETS_H

#include "proof/proof.h"

struct target {
	const struct grant *grant;
	size_t number; /* of the grant */
	struct grant_place place;
	bool asked;
	bool held;
	bool unknown; /* the server did not answer for some permission */
	int waited;   /* number of the error that a lock ended the question with; 0: none did */
	char evidence[RECORD_TEXT_MAX];
};

struct targets {
	struct target *items;
	size_t n;
};

__attribute__((format(printf, 2, 3))) void evidence_add(struct target *k, const char *format, ...);
/* Users of one database stand together. 0, or negative errno if the session was lost. */
int targets_ask(struct visit_run *run, struct sql_error *error, struct targets *t);

#endif
