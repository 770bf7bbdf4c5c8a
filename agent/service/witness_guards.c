/* The guards that the firewall process has saved: after a loss, the journal does not name those of endpoints that left the
 * configuration. */
#include "curfew/state_tables.h"
#include "service/internal.h"

static void held_log(const struct kept_guard *k, int rc)
{
	char endpoint[ENDPOINT_TEXT_MAX];

	log_send(LOG_JOURNAL_FAILED, NULL,
		rc ? "the guard %s of server %s: %s; the packet filter keeps it while records are missing"
		   : "the guard %s of server %s stays, as the firewall process remembers it%s; records about "
		     "its logins are lost",
		endpoint_format(endpoint, &k->endpoint), k->server, rc ? journal_problem(rc) : "");
}

void witness_guards_take(struct service *s, const struct kept_guards *guards)
{
	if (s->journal)
		remembered_guards_hold(s->journal, guards, s->loaded.program, held_log);
}

void witness_guards(struct service *s)
{
	struct firewall_memory m = {0};

	if (!s->firewall || firewall_client_memory(&m, s->firewall) < 0)
		return;
	witness_guards_take(s, &m.guards);
	firewall_memory_free(&m);
}
