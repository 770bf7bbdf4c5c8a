/* What an operator decided to look for no more: the certificate lists it, and verifies none of it. */
#include "commands/certificate_forgotten.h"

#include "curfew/unread_names.h"

#define EVERY_LOGIN "every login"

struct certificate_item forgotten_item(const struct journal_entry *forget, const char *login,
	const char *server, const char *database)
{
	return (struct certificate_item){.what = CERTIFICATE_FORGOTTEN,
		.name = login,
		.server = server,
		.database = database,
		.at = forget->at,
		.observation = forget->reason,
		.evidence = forget->actor ? forget->actor : "?"};
}

/* Some end was verified without the database. */
static bool is_left_out(const struct collected *c, const struct certificate_scope *scope,
	const struct journal_entry *forget)
{
	for (size_t i = 0; i < c->report.n_proofs; i++) {
		const struct audit_proof *p = &c->report.proofs[i];
		if (scope_has(scope, p->login) && streq(p->server, forget->server) &&
			unread_names_forgotten(p->detail, forget->database))
			return true;
	}
	return false;
}

static bool is_listed(
	const struct certificate_item *items, size_t n, const struct journal_entry *forget)
{
	for (size_t i = 0; i < n; i++)
		if (streq(items[i].what, CERTIFICATE_FORGOTTEN) &&
			streq(items[i].name, EVERY_LOGIN) &&
			streq(items[i].server, forget->server) &&
			streq(items[i].database, forget->database))
			return true;
	return false;
}

size_t forgotten_unread_add(struct certificate_item *items, size_t n, const struct collected *c,
	const struct certificate_scope *scope, const struct journal_entries *events)
{
	/* The last decision counts. */
	for (size_t i = events->n; i-- > 0;) {
		const struct journal_entry *e = &events->items[i];

		if (e->server && e->database && e->action && streq(e->action, "forget") &&
			!is_listed(items, n, e) && is_left_out(c, scope, e))
			items[n++] = forgotten_item(e, EVERY_LOGIN, e->server, e->database);
	}
	return n;
}
