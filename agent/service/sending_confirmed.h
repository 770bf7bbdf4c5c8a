/* What the servers confirmed, by the journal: mails say nothing else of access. */
#ifndef SERVICE_SENDING_CONFIRMED_H
#define SERVICE_SENDING_CONFIRMED_H

#include "curfew/access.h"
#include "curfew/notice.h"
#include "curfew/state_tables.h"

struct confirmed {
	struct verified_level_list levels;
	struct verified_list verified;
	struct identities ledger;
	struct grants grants; /* as scheduled now */
};
/* 0 or negative errno, with nothing to free. */
int confirmed_read(struct confirmed *out, struct journal *j, const struct program *p,
	const struct overrides *o, instant_t now);
void confirmed_free(struct confirmed *c);
/* Access that starts: some is verified and let in. Access that is reduced: none is above the schedule. Access that ended:
 * nothing of the login is left on any server. */
bool confirmed_is(const struct confirmed *c, const struct notice *n);

#endif
