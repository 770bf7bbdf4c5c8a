/* A stage for the difference: one client, one server as a model, Jane on it, and what is to be done there. */
#ifndef TESTS_ACCESS_STAGE_H
#define TESTS_ACCESS_STAGE_H

#include "scene.h"

#define JANE	  "acme.jane.doe"
#define FULL	  "curfew_full"
#define READ_ONLY "curfew_read_only"

/* One client in its testing window (or 5 days after go-live), with staging and production on one server. */
struct stage {
	struct scene scene;
	struct model model;
	struct observed_database *test, *prod;
	struct claim claims[4];
	size_t n_claims;
	struct difference d;
};

struct stage *stage_new(bool live);
void stage_free(struct stage *s);
/* Jane's login, marked, enabled, a member of `role` in staging. */
struct observed_login *stage_jane(struct stage *s, const char *role);

/* The ledger has it, living. */
struct observed_login *stage_claim(struct stage *s, struct observed_login *l);

/* What is to be done now. */
void compare(struct stage *s);
/* Does all of it, and compares again. */
void apply_all(struct stage *s);
/* The kinds, in order, as one text: "login-disable revoke ..."; the caller frees it. */
char *kinds(const struct difference *d);
/* Compares; these kinds are to be done. */
void expect(struct stage *s, const char *wanted);
const struct obstacle *obstacle_of(
	const struct stage *s, enum state state); /* NULL: none in that state */

#endif
