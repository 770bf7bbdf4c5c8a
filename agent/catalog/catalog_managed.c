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
		closing_observe_write(batch.to, selects[i], NULL, 0, sids, n);
		closing_unknown_sessions_write(batch.to, selects[i]);
		rc = question_ask(s, error, &batch, catalog_server_row, r);
	}
	r->o->sessions_visible = !rc;
	return rc == SQL_SERVER_ERROR ? catalog_unreadable_add(r->o, "session", NULL, error->text)
				      : rc;
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

/* ---- sessions of nobody known ---- */

/* Milliseconds in which a session that is logging in gets a login. */
#define LOGGING_IN 100

/* With a name, the session counts as one of the login of that name, but is not ended. */
static bool session_is_unknown(const struct observed_session *s)
{
	return !s->key.sid.size && !s->login[0];
}

static size_t unknown_count(const struct observed_server *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_sessions; i++)
		n += session_is_unknown(&o->sessions[i]);
	return n;
}

static bool was_unknown(
	const struct observed_session *before, size_t n, const struct observed_session *s)
{
	for (size_t i = 0; i < n; i++)
		if (session_is_unknown(&before[i]) && before[i].key.id == s->key.id &&
			streq(before[i].key.login_time, s->key.login_time))
			return true;
	return false;
}

/* Leaves those that are unknown for the first time. */
static void newcomers_drop(
	struct observed_server *o, const struct observed_session *before, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n_sessions; i++)
		if (session_is_unknown(&o->sessions[i]) && !was_unknown(before, n, &o->sessions[i]))
			session_free(&o->sessions[i]);
		else
			o->sessions[kept++] = o->sessions[i];
	o->n_sessions = kept;
}

int catalog_unknown_sessions_settle(struct server_reading *r, struct sql_error *error,
	struct sql_session *s, const struct wanted_server *w, const struct claims *c)
{
	struct observed_server *o = r->o;
	struct observed_session *before = o->sessions;
	size_t n_before = o->n_sessions, n;
	char which[64];

	if (!unknown_count(o))
		return 0;
	o->sessions = NULL;
	o->n_sessions = 0;
	pause_ms(LOGGING_IN);
	/* All of them: whoever has logged in meanwhile may be one of ours. */
	int rc = catalog_managed_ask(r, error, s, w, c);
	newcomers_drop(o, before, n_before);
	sessions_free(&before, &n_before);
	n = unknown_count(o);
	if (rc || !n)
		return rc;
	o->sessions_visible = false;
	snprintf(which, sizeof(which), "the logins of %zu sessions", n);
	return catalog_unreadable_add(o, which, NULL,
		"their access may have ended, but Curfew ends no session whose login is unknown; a DBA must check them");
}
