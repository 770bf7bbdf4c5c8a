/* Reads the server and compares. Logins that the server-level views show as too much are disabled before any database
 * is read. */
#include <errno.h>
#include <string.h>

#include "sql/closing.h"
#include "sql/visit.h"

/* The client of this login; NULL: it is not configured. */
static const char *client_of_login(const struct visit_run *run, const char *login)
{
	const struct wanted_server *w = &run->visit->wanted;

	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, login))
			return w->grants[i]->client->name;
	return NULL;
}

static bool holds_server_rights(const struct observed_server *o, const char *login)
{
	for (size_t i = 0; i < o->n_members; i++)
		if (names_equal(o->members[i].member, login))
			return true;
	for (size_t i = 0; i < o->n_permissions; i++)
		if (names_equal(o->permissions[i].grantee, login) &&
			permission_is_right(&o->permissions[i]) &&
			!streq(o->permissions[i].name, "CONNECT SQL"))
			return true;
	return false;
}

static bool has_live_session(const struct observed_server *o, const struct observed_login *l)
{
	for (size_t i = 0; i < o->n_sessions; i++)
		if (observed_session_is_of(&o->sessions[i], &l->sid) && !o->sessions[i].ending)
			return true;
	return false;
}

/* Why this login must be disabled, by server-level views only; NULL: it need not be. */
static const char *server_reason(const struct visit_run *run, const struct observed_login *l)
{
	const struct observed_server *o = &run->observed;
	bool live = has_live_session(o, l);

	if (!l->ours || (l->disabled && !live))
		return NULL;
	if (!wanted_find(&run->visit->wanted, l->name))
		return "no access is scheduled for the login now";
	if (holds_server_rights(o, l->name))
		return "managed logins must not have server permissions";
	return l->disabled ? "end the session: the login is disabled" : NULL;
}

/* Disables, before any database is read, logins that the journal did not name but the server shows. */
static int server_close(bool *closed, struct visit_run *run, struct sql_error *error)
{
	const struct observed_server *o = &run->observed;
	_cleanup_free_ struct sql_closing *closings = calloc(o->n_logins + 1, sizeof(*closings));
	size_t n = 0;

	if (!closings)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_logins; i++) {
		const struct observed_login *l = &o->logins[i];
		const char *client = client_of_login(run, l->name);
		const char *reason = server_reason(run, l);
		if (reason && (client ? pass_is_for(run->visit, client) : !run->visit->only_client))
			closings[n++] = (struct sql_closing){.login = l->name,
				.sid = l->sid,
				.client = client,
				.reason = reason};
	}
	*closed = n > 0;
	return n ? closings_run(run, error, closings, n) : 0;
}

static int server_observe(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *v = run->visit;

	observed_free(&run->observed);
	int rc = sql_observe_server(&run->observed, error, run->session, &v->wanted, &run->claims,
		v->remnants, v->n_remnants);
	if (!rc)
		observed_claim(&run->observed, &v->wanted, &run->claims,
			v->program->settings.server_deadline);
	return rc;
}

/* One that is disabled because it is about to be made is no closing yet. */
static bool closes_something(const struct visit_run *run, const struct change *c)
{
	return change_closes(c->kind) &&
	       (!c->login || observed_find_login(&run->observed, c->login));
}

int visit_observe(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *v = run->visit;
	bool closed = false;

	difference_free(&run->difference);
	int rc = server_observe(run, error);
	if (!rc && v->mode == SQL_APPLY)
		rc = server_close(&closed, run, error);
	if (!rc && closed)
		rc = server_observe(run, error);
	if (rc)
		return rc;
	rc = sql_observe_databases(
		&run->observed, error, run->session, &v->wanted, &run->claims, &run->blocked);
	if (rc)
		return rc;
	rc = baselines_mark_held(run);
	if (!rc)
		rc = difference_build(
			&run->difference, &v->wanted, &run->observed, &run->claims, v->now);
	for (size_t i = run->difference.n_changes; i-- > 0 && run->closing_only;)
		if (!closes_something(run, &run->difference.changes[i]))
			difference_drop(&run->difference, i);
	return rc;
}
