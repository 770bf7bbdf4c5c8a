/* Records the verified removal of a login or a user, also of one that the configuration no longer names, for which there is
 * no grant. */
#include "pass/pass_internal.h"

static const char *why_gone(const struct pass *p, const char *client)
{
	if (!client)
		return NULL;
	return program_client(p->o.program, client)
		       ? "the configuration does not name it any more"
		       : "the client is no longer in the configuration";
}

int pass_prove_gone(struct pass *p, const char *server, const char *login, const char *database,
	const char *seen)
{
	struct journal_entry e = pass_entry(p, JOURNAL_PROOF);
	_cleanup_free_ char *client = NULL;
	int rc = pass_journal_begin(p);

	if (!rc)
		rc = journal_client_of(&client, p->o.journal, server, login, database);
	e.client = client;
	e.login = login;
	e.server = server;
	e.database = database;
	e.level = level_name(LEVEL_NONE);
	e.outcome = verification_name(VERIFICATION_VERIFIED);
	e.reason = why_gone(p, client);
	e.detail =
		seen && *seen ? seen
		: database
			? "sys.database_principals read: no user of that login, by name or by SID"
			: "sys.server_principals read: no such login";
	return rc ? rc : journal_write(NULL, p->o.journal, &e);
}
