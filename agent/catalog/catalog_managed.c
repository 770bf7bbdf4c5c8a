/* Managed logins: which they are, their sessions, and LOGINPROPERTY of each. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/closing.h"
#include "sql/rows.h"
#include "sql/question.h"

static bool login_is_concerned(
	const struct observed_login *l, const struct wanted_server *w, const struct claims *c)
{
	if (l->marked || claims_have_sid(c, &l->sid))
		return true;
	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, l->name))
			return true;
	for (size_t i = 0; i < c->n; i++)
		if (names_equal(c->items[i].login, l->name))
			return true;
	return false;
}

int catalog_managed_sids(struct sid **out, size_t *n, const struct observed_server *o,
	const struct wanted_server *w, const struct claims *c)
{
	struct sid *sids = calloc(o->n_logins + c->n + 1, sizeof(*sids));
	size_t count = 0;

	if (!sids)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_logins; i++)
		if (o->logins[i].sid.size && login_is_concerned(&o->logins[i], w, c))
			sids[count++] = o->logins[i].sid;
	/* A login that was dropped may still have a session, or a user in a restored database. */
	for (size_t i = 0; i < c->n; i++) {
		bool known = !c->items[i].sid.size || !streq(c->items[i].server, w->server->name);
		for (size_t k = 0; k < count && !known; k++)
			known = sid_equal(&sids[k], &c->items[i].sid);
		if (!known)
			sids[count++] = c->items[i].sid;
	}
	*out = sids;
	*n = count;
	return 0;
}

/* Only sessions of managed logins, so that many other sessions cannot hide one. */
static int sessions_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct sid *sids, size_t n)
{
	const char *const selects[] = {session_select, session_select_plain};
	int rc = SQL_SERVER_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(selects) && rc == SQL_SERVER_ERROR; i++) {
		struct text batch;
		if (!text_begin(&batch))
			return -ENOMEM;
		sessions_free(&r->o->sessions, &r->o->n_sessions);
		closing_sessions_write(batch.to, selects[i], NULL, 0, sids, n);
		closing_unknown_sessions_write(batch.to, selects[i]);
		rc = question_ask(s, error, &batch, catalog_server_row, r);
	}
	r->o->sessions_visible = !rc;
	return rc == SQL_SERVER_ERROR ? catalog_unreadable_add(r->o, "session", NULL, error->text)
				      : rc;
}

/* With a name, the session counts as one of the login of that name, but is not ended. */
int catalog_sessions_judge(struct observed_server *o)
{
	char which[64];
	size_t n = 0;

	for (size_t i = 0; i < o->n_sessions; i++)
		n += !o->sessions[i].key.sid.size && !o->sessions[i].login[0];
	if (!n)
		return 0;
	snprintf(which, sizeof(which), "the logins of %zu sessions", n);
	return catalog_unreadable_add(o, which, NULL,
		"their access may have ended, but Curfew ends no session whose login is unknown; a DBA must check them");
}

/* If the server does not have LOGINPROPERTY, every condition stays unknown. */
static int conditions_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct sid *sids, size_t n)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	catalog_conditions_write(batch.to, sids, n, NULL, 0);
	int rc = question_ask(s, error, &batch, catalog_server_row, r);
	return rc < 0 ? rc : 0;
}

int catalog_managed_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c)
{
	_cleanup_free_ struct sid *sids = NULL;
	size_t n;
	int rc = catalog_managed_sids(&sids, &n, r->o, w, c);

	if (!rc)
		rc = sessions_ask(r, error, s, sids, n);
	if (!rc && n)
		rc = conditions_ask(r, error, s, sids, n);
	return rc;
}
