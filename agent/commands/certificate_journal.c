/* What a certificate reads from the journal and its archives. */
#include "commands/certificate_journal.h"

#include <unistd.h>

#include "commands/past_records.h"

int certificate_history(struct collected *c, struct journal_entries *events, const struct cli *cli)
{
	const struct journal_filter of_client = {.client = c->report.client, .kind = -1},
				    all = {.kind = JOURNAL_EVENT};
	const instant_t from = c->context.client->starts;
	struct journal *j = c->context.journal;
	struct journal_entries whole = {0};
	int code = j ? past_read(&whole, cli, j, &of_client, from) : 0;

	if (!code && j)
		code = past_read(events, cli, j, &all, from);
	if (code) {
		journal_entries_free(&whole);
		return code;
	}
	journal_entries_free(&c->history);
	c->history = whole;
	c->report.history = whole.items;
	c->report.n_history = whole.n;
	return 0;
}

int64_t certificate_drop(const struct collected *c, const char *login, const char *server)
{
	const struct journal_filter f = {.login = login, .kind = JOURNAL_OUTCOME};
	struct journal_entries outcomes = {0};
	int64_t id = 0;

	if (past_read(&outcomes, c->context.cli, c->context.journal, &f,
		    c->context.client->starts) == 0)
		for (size_t i = outcomes.n; i-- > 0 && !id;) {
			const struct journal_entry *e = &outcomes.items[i];
			if (e->server && streq(e->server, server) && e->action &&
				streq(e->action, "login-drop") && e->outcome &&
				streq(e->outcome, "done"))
				id = e->id;
		}
	journal_entries_free(&outcomes);
	return id;
}

const char *certificate_host(void)
{
	static char name[256];

	return gethostname(name, sizeof(name) - 1) || !*name ? NULL : name;
}
