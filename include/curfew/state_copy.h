/* A copy in memory of the journal's tables that decide about access. Shared, and freed by its last user. */
#ifndef CURFEW_STATE_COPY_H
#define CURFEW_STATE_COPY_H

#include "curfew/journal.h"
#include "curfew/state_tables.h"

struct state_copy {
	unsigned users;
	bool has_revision;
	struct journal_revision revision; /* as of before it was read */
	struct identities identities;
	struct verified_level_list levels; /* that may still be in effect */
	struct verified_list verified;	   /* by server, login, database, letter case aside */
	struct kept_guards guards;
	struct overrides kept;
};
/* All of it, or an error. */
int state_copy_read(struct state_copy **out, struct journal *j);
/* The same; `last` again if the journal has not changed since it was read. */
int state_copy_renew(struct state_copy **out, struct state_copy *last, struct journal *j);
struct state_copy *state_copy_share(struct state_copy *c);
void state_copy_free(struct state_copy *c);
/* The verifications of a grant's place, which may be there in several letter cases: how many, and the first of them, or NULL. */
const struct verified *state_copy_verified(
	size_t *n, const struct state_copy *c, const struct grant *g);

#endif
