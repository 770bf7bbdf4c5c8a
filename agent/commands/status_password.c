/* The passwords of logins, and whether they were handed over, in `curfew status`. */
#include "commands/status_password.h"

#include <string.h>

#include "curfew/report.h"

int status_handovers(struct journal_entries *out, bool *archived, struct journal *j)
{
	const struct journal_filter events = {.kind = JOURNAL_EVENT, .action = "handover"};
	uint8_t hash[JOURNAL_HASH_SIZE];
	int64_t before = 0;
	int rc = j ? journal_anchor(hash, &before, j) : 0;

	*archived = before != 0;
	return rc || !j ? rc : journal_read(j, &events, journal_entries_keep, out);
}

const char *status_password(const struct records *k, const struct journal_entries *handovers,
	bool archived, const struct grant *g)
{
	const struct record *r = NULL;

	for (size_t i = 0; i < k->n && !r; i++)
		if (k->items[i].kind == RECORD_LOGIN &&
			streq(k->items[i].server, g->server->name) &&
			names_equal(k->items[i].login, g->user->login))
			r = &k->items[i];
	if (!r || r->identity.status == LOGIN_GONE)
		return NULL;
	if (r->identity.status == LOGIN_DISABLED)
		return "disabled";
	if (r->identity.locked == ANSWER_YES)
		return "locked";
	if (r->identity.expired == ANSWER_YES)
		return "expired";
	if (!handed_over_at(handovers, g->server->name, g->user->login, r->identity.created))
		return archived ? NULL : "not handed over";
	return r->identity.must_change == ANSWER_YES ? "must change" : "set";
}
