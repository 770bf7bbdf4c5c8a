/* Sets a one-time password for a managed login. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "sql/statement.h"
#include "visit/visit.h"
#include "curfew/text.h"

int visit_handover(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *p = run->visit;
	const struct wanted_login *w = wanted_find(&p->wanted, p->handover_login);
	const struct observed_login *l = observed_find_login(&run->observed, p->handover_login);
	struct text statement;
	struct record r;

	record_of(&r, p, RECORD_PLAN, w ? w->client : NULL, p->handover_login, NULL);
	r.change.number = ++run->numbers;
	r.change.kind = CHANGE_HANDOVER;
	RECORD_SET(&r, change.reason, "a one-time password was requested");
	if (!text_begin(&statement))
		return -ENOMEM;
	sql_write_handover(statement.to, p->handover_login, NULL, p->server->must_change);
	char *text = text_end(&statement);
	if (!text)
		return -ENOMEM;
	RECORD_SET(&r, change.statement, text);
	free(text);
	if (!w || !l || !l->ours) {
		snprintf(error->text, sizeof(error->text), "%s",
			!w   ? "no access on this server is scheduled now"
			: !l ? "the login does not exist yet; run `curfew apply`"
			     : "the login exists but is not managed by Curfew, so its password was not changed");
		return -ENOENT;
	}
	worker_tell(run->worker, &r);
	struct record intent;
	record_of(&intent, p, RECORD_INTENT, NULL, NULL, NULL);
	intent.intent.number = run->numbers;
	if (worker_ask(run->worker, &intent))
		return -ECANCELED;
	if (!text_begin(&statement))
		return -ENOMEM;
	statement_write_server_guard(statement.to, &run->observed, &p->server->known_triggers);
	sql_write_handover(
		statement.to, p->handover_login, p->handover_password, p->server->must_change);
	text = text_end(&statement);
	if (!text)
		return -ENOMEM;
	int rc = statement_insist(run, error, text);
	sodium_memzero(text, statement.size);
	free(text);
	if (rc && sql_password_is_told(error->text, p->handover_password))
		snprintf(error->text, sizeof(error->text),
			"the server's message is withheld, because it contains a password");
	outcome_tell(run, &r, rc, error, false);
	return rc;
}
