/* A login that has access and is hidden from the agent login: what it has on the server is not shown, so it is closed
 * like one that could not be verified. It is disabled by name and SID, and its sessions are ended by SID; both work
 * unless that is denied too. */
#include <errno.h>

#include "visit/closing_run.h"
#include "proof/proof.h"
#include "visit/visit.h"

static const struct claim *claim_of(const struct visit_run *run, const char *login)
{
	const struct claim *found = NULL;

	for (size_t i = 0; i < run->claims.n; i++) {
		const struct claim *c = &run->claims.items[i];
		if (streq(c->server, run->visit->server->name) && names_equal(c->login, login) &&
			(!found || c->living))
			found = c;
	}
	return found;
}

int unseen_shut(struct visit_run *run, struct sql_error *error)
{
	const struct observed_server *o = &run->observed;
	_cleanup_free_ struct sql_closing *closings = calloc(o->n_unseen + 1, sizeof(*closings));
	size_t n = 0;

	if (!closings)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_unseen; i++) {
		const struct wanted_login *l =
			o->unseen[i].login ? wanted_find(&run->visit->wanted, o->unseen[i].login)
					   : NULL;
		const struct claim *c = l ? claim_of(run, l->login) : NULL;
		/* Without a SID or the mark nothing says that the login is managed. */
		if (!c || !pass_is_for(run->visit, l->client))
			continue;
		closings[n++] = (struct sql_closing){.login = l->login,
			.sid = c->sid,
			.client = l->client,
			.reason = "the login is hidden from Curfew"};
	}
	return closings_run(run, error, closings, n);
}
