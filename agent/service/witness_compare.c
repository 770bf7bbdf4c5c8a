/* Compares the revocations, the journal's head, and the guards that the firewall process has saved with the service's own
 * records. */
#include <errno.h>
#include <string.h>
#include "curfew/state_tables.h"
#include "service/internal.h"

/* If the service does not know the revocation, it is in force again, unless the journal shows that it was reinstated. */
static int revocation_take(struct service *s, const struct firewall_record *r)
{
	const char *login = r->login[0] ? r->login : NULL;
	bool ended = false;

	if (records_are_revoked(s, r->client, login))
		return 0;
	const struct override was = {(char *)r->client, (char *)login, r->at, NULL};
	if (s->journal &&
		override_was_reinstated(&ended, s->journal, &was, r->client, login) == 0 && ended)
		return witness_reinstated(s, r->client, login, r->at);
	static const char reason[] = "the firewall process remembers it; the journal does not";
	int rc = overrides_add(&s->overrides, r->client, login, r->at, reason);
	if (rc < 0)
		return rc;
	log_send(LOG_JOURNAL_FAILED, NULL,
		"the revocation of %s%s%s is not in the journal; the firewall process remembers it: it stays in force",
		r->client, login ? " / " : "", login ? login : "");
	const struct revocation again = {r->client, login, r->at, "service", reason};
	if (s->copy)
		revocation_copy_add(s->copy, &again);
	/* If the journal cannot take it now, it is written later from the second copy. */
	if (!s->journal ||
		override_add(s->journal, r->client, login, r->at, "service", reason) != 0)
		s->unsettled = true;
	return 0;
}

static void head_compare(struct service *s, const struct firewall_record *head)
{
	const struct seen_head seen = {head->id, head->at, head->hash};
	bool lost = false;
	instant_t now;

	clock_now(&now, NULL, &s->clock);
	if (s->journal && remembered_head_compare(&lost, s->journal, &seen, now) == 0 && lost)
		log_send(LOG_JOURNAL_FAILED, NULL,
			"the journal is not the one that the firewall process saw, or an older copy of it: records are missing");
}

int witness_open(struct service *s)
{
	struct firewall_memory m = {0};

	if (!s->firewall)
		return 0;
	int rc = firewall_client_memory(&m, s->firewall);
	/* The firewall process logs its own errors. Continue: an error there must not keep access open. */
	if (rc < 0 && rc != -EPIPE && rc != -ETIMEDOUT)
		return 0;
	for (size_t i = 0; rc == 0 && i < m.n; i++)
		rc = revocation_take(s, &m.revoked[i]);
	for (size_t i = 0; rc == 0 && i < s->overrides.n; i++) {
		const struct override *o = &s->overrides.items[i];
		if (!firewall_memory_find(&m, o->client, o->login ? o->login : ""))
			witness_revoked(s, o->client, o->login, o->at);
	}
	if (rc == 0)
		head_compare(s, &m.head);
	if (rc == 0)
		witness_guards_take(s, &m.guards);
	firewall_memory_free(&m);
	witness_head(s);
	return rc;
}
