/* Logins that the workers report: they go to the login inventory. */
#include <string.h>

#include "curfew/state_tables.h"
#include "pass/pass_internal.h"

static bool is_forgotten(const struct forgotten_databases *f, const struct left_access *l)
{
	for (size_t i = 0; i < f->n; i++)
		if (streq(f->items[i].server, l->server) &&
			names_equal(f->items[i].database, l->database))
			return true;
	return false;
}

static bool is_still_on_record(
	const struct pass *p, const struct left_access *l, const struct identity *known)
{
	return l->client && !l->on_record && !l->moved_to && streq(l->server, known->server) &&
	       names_equal(l->login, known->login) &&
	       !pass_is_former(p, l->server, l->login, l->database);
}

/* What was forgotten with its server is not looked for. If a pass removes it all the same, because the server is in the
 * configuration again, the records must not go on to show access. A database that was forgotten was not seen here. */
static int forgotten_gone(struct pass *p, const struct identity *known)
{
	struct forgotten_databases forgotten = {0};
	bool read = false, ended = false;
	int rc = pass_lasts_read(p);

	for (size_t i = 0; i < p->n_lefts && !rc; i++) {
		const struct left_access *l = &p->lefts[i];

		if (!is_still_on_record(p, l, known))
			continue;
		rc = read ? 0 : forgotten_databases_read(&forgotten, p->o.journal);
		read = true;
		if (rc || is_forgotten(&forgotten, l))
			continue;
		rc = pass_record_gone(p, l->server, l->login, l->database);
		ended = true;
	}
	forgotten_databases_free(&forgotten);
	if (!rc && ended && !pass_login_is_named(p, known->server, known->login))
		rc = pass_prove_gone(p, known->server, known->login, NULL, NULL);
	return rc;
}

static void login_gone(struct pass *p, const struct record *r)
{
	const struct identity *known = pass_identity(p, r->server, r->login);

	pass_former_login_gone(p, r->server, r->login);
	if (known && !known->removed && !pass_journal_begin(p) &&
		(ledger_remove(p->o.journal, known->server, known->login, pass_written_at(p)) ||
			pass_record_gone(p, r->server, r->login, NULL) ||
			(!pass_login_is_named(p, r->server, r->login) &&
				pass_prove_gone(p, known->server, known->login, NULL, NULL))))
		p->result.journal_failed = true;
	if (known && known->removed && forgotten_gone(p, known))
		p->result.journal_failed = true;
}

static void login_shut_note(struct pass *p, const struct record *r)
{
	size_t n;
	const struct grant *const *grants = pass_grants_of(&n, p, r->server, r->login);

	for (size_t i = 0; i < n; i++)
		p->works[pass_grant_number(p, grants[i])].login_shut =
			r->identity.status != LOGIN_ENABLED;
}

void pass_login_take(struct pass *p, const struct record *r)
{
	const struct identity *known = pass_identity(p, r->server, r->login);
	const struct record_login *l = &r->identity;

	if (p->o.mode != PASS_APPLY)
		return;
	login_shut_note(p, r);
	if (l->status == LOGIN_GONE) {
		login_gone(p, r);
		return;
	}
	bool same = known && !known->removed && known->sid && known->sid_size == l->sid.size &&
		    !memcmp(known->sid, l->sid.bytes, l->sid.size);
	struct identity i = {.server = r->server,
		.login = r->login,
		.sid = l->sid.bytes,
		.sid_size = l->sid.size,
		.created = l->created};
	if (!same && !pass_journal_begin(p) && ledger_put(p->o.journal, &i))
		p->result.journal_failed = true;
}
