/* Reads the server and compares. Logins that the server-level views show as too much are disabled before any database
 * is read. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "visit/closing_run.h"
#include "proof/residual.h"
#include "sql/question.h"
#include "sql/rows.h"
#include "sql/session_settings.h"
#include "visit/visit.h"

static bool holds_server_rights(const struct observed_server *o, const char *login)
{
	for (size_t i = 0; i < o->n_members; i++)
		if (names_equal(o->members[i].member, login))
			return true;
	for (size_t i = 0; i < o->n_permissions; i++)
		if (names_equal(o->permissions[i].grantee, login) &&
			permission_is_right(&o->permissions[i]) &&
			!permission_is_entry(&o->permissions[i]))
			return true;
	for (size_t i = 0; i < o->n_owned; i++)
		if (owned_is_of(&o->owned[i], login))
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

static int rollback_row(void *observed, const struct sql_value *v, int n)
{
	struct observed_server *o = observed;
	int rc = row_rollback(o->sessions, o->n_sessions, v, n);

	return rc < 0 ? rc : 0;
}

/* Sessions that should be gone may have been killed and take back what they did: only then the server is asked. A
 * server that does not tell has them end again. */
static int rollbacks_observe(struct visit_run *run)
{
	struct observed_server *o = &run->observed;
	struct sql_error ignored;
	struct text batch;
	bool any = false;

	for (size_t i = 0; i < o->n_logins && !any; i++)
		any = (o->logins[i].disabled ||
			      !wanted_find(&run->visit->wanted, o->logins[i].name)) &&
		      has_live_session(o, &o->logins[i]);
	if (!any)
		return 0;
	if (!text_begin(&batch))
		return -ENOMEM;
	closing_rollbacks_write(batch.to, false);
	int rc = question_ask(run->session, &ignored, &batch, rollback_row, o);
	return rc == -EBADMSG || rc > 0 ? 0 : rc;
}

void visit_ahead_forget(struct visit_run *run)
{
	if (run->is_ahead)
		observed_free(&run->ahead);
	run->is_ahead = false;
}

static int server_read_once(
	struct visit_run *run, struct sql_error *error, const struct sql_head *head)
{
	const struct sql_visit *v = run->visit;

	return sql_observe_server(&run->observed, error, run->session, &v->wanted, &run->claims,
		v->formers, v->n_formers, head);
}

static bool is_locked(int rc, const struct sql_error *error)
{
	return rc == SQL_SERVER_ERROR && error->number == ERROR_LOCK_TIMEOUT;
}

/* Anybody may lock its own login's row, and everybody's rows are read: once who does so is ended, it is read again. */
static int server_read(struct visit_run *run, struct sql_error *error, const struct sql_head *head)
{
	int rc = server_read_once(run, error, head);

	if (!is_locked(rc, error) || run->visit->mode != SQL_APPLY || run->server_holders_ended)
		return rc;
	run->server_holders_ended = true;
	rc = server_holders_end(run);
	if (rc)
		return rc;
	*error = (struct sql_error){0};
	rc = server_read_once(run, error, NULL);
	return is_locked(rc, error) && server_holder_name(run, error) < 0 ? -ECONNRESET : rc;
}

/* The first reading of an apply takes the lock with it. If another agent holds it, the reading goes on without it, and
 * lock_take() waits for it before anything is changed. */
static int server_observe(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *v = run->visit;
	struct sql_head lock = lock_head(run);
	bool try = v->mode == SQL_APPLY && !run->lock_tried;
	int rc = 0;

	observed_free(&run->observed);
	if (run->is_ahead) {
		run->observed = run->ahead;
		run->ahead = (struct observed_server){0};
		run->is_ahead = false;
	} else {
		run->lock_tried = run->lock_tried || try;
		rc = server_read(run, error, try ? &lock : NULL);
	}
	if (!rc)
		observed_claim(&run->observed, &v->wanted, &run->claims,
			v->program->settings.server_deadline);
	if (!rc)
		rc = rollbacks_observe(run);
	return rc ? rc : hidden_observe(run, error);
}

/* One that is disabled because it is about to be made, or about to get more, is no closing. */
static bool closes_something(const void *context, const struct change *c)
{
	const struct visit_run *run = context;

	return change_closes(c->kind) && !c->before_opening &&
	       (!c->login || observed_find_login(&run->observed, c->login));
}

static int difference_make(struct visit_run *run)
{
	const struct sql_visit *v = run->visit;
	int rc = entries_note(run);

	run->observed.additions_refused = run->additions_refused;
	run->observed.unseen_users = run->unseen_users;
	run->observed.n_unseen_users = run->n_unseen_users;
	if (!rc)
		rc = observed_mark_hidden(&run->observed, v->server);
	if (!rc)
		rc = entries_judge(run);
	if (!rc)
		rc = baselines_mark_held(run);

	difference_free(&run->difference);
	if (!rc)
		rc = difference_build(
			&run->difference, &v->wanted, &run->observed, &run->claims, v->now);
	if (run->closing_only)
		difference_filter(&run->difference, closes_something, run);
	return rc;
}

int visit_compare(struct visit_run *run)
{
	int rc;

	do
		rc = difference_make(run);
	while ((rc == -ENOMEM || (!rc && !memory_is_left())) &&
		database_largest_outgrow(&run->observed, 0));
	return rc;
}

static const struct observed_database *database_before(
	const struct observed_server *before, const struct observed_database *d)
{
	for (size_t i = 0; i < before->n_databases; i++)
		if (before->databases[i].id == d->id &&
			names_equal(before->databases[i].name, d->name))
			return &before->databases[i];
	return NULL;
}

/* Whether each database that would be read again was read before. */
static bool databases_are_same(
	const struct observed_server *now, const struct observed_server *before)
{
	for (size_t i = 0; i < now->n_databases; i++) {
		const struct observed_database *d = &now->databases[i];
		const struct observed_database *b = database_before(before, d);
		if (!d->system && !d->unread && (!b || (!b->read && !b->unread) || !b->id))
			return false;
	}
	/* Parts of databases that could not be read are named there too. */
	return now->n_unreadable == before->n_unreadable;
}

static void databases_keep(struct observed_server *now, struct observed_server *before)
{
	for (size_t i = 0; i < now->n_databases; i++) {
		struct observed_database *d = &now->databases[i], fresh = *d;
		struct observed_database *b =
			(struct observed_database *)database_before(before, d);
		if (d->unread || !b)
			continue;
		*d = *b;
		*b = fresh;
		d->managed = d->managed || fresh.managed;
		d->secondary = d->secondary || fresh.secondary;
		free(d->unwritable);
		d->unwritable = b->unwritable;
		b->unwritable = NULL;
	}
}

static int databases_read(struct visit_run *run, struct sql_error *error)
{
	int rc = enders_mark(run);

	if (rc)
		return rc;
	run->blocked.apart = run->visit->apart;
	run->blocked.first = enders_first(run);
	entered_ask(run, NULL);
	rc = sql_observe_databases(&run->observed, error, run->session, &run->visit->wanted,
		&run->claims, &run->blocked);
	if (rc < 0 && run->blocked.lost)
		entered_note(run, run->blocked.lost->name);
	return entered_leave(run, rc);
}

/* Those that a login of ours keeps from being read are read again, once, when it is closed. */
static int databases_observe(struct visit_run *run, struct sql_error *error)
{
	bool closed = false;
	int rc = databases_read(run, error);

	if (rc || !run->blocked.n || run->visit->mode != SQL_APPLY || run->holders_closed)
		return rc;
	rc = holders_close(&closed, run, error);
	if (rc || !closed)
		return rc;
	run->holders_closed = true;
	sql_blocked_free(&run->blocked);
	rc = server_observe(run, error);
	return rc ? rc : databases_read(run, error);
}

static int observe(struct visit_run *run, struct sql_error *error, struct observed_server *before)
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
	if (before && !closed && databases_are_same(&run->observed, before))
		databases_keep(&run->observed, before);
	else
		rc = databases_observe(run, error);
	if (!rc)
		rc = moved_mark(run);
	return rc ? rc : visit_compare(run);
}

int visit_observe(struct visit_run *run, struct sql_error *error)
{
	return observe(run, error, NULL);
}

int visit_look(struct visit_run *run, struct sql_error *error)
{
	struct observed_server before = run->observed;

	run->observed = (struct observed_server){0};
	int rc = observe(run, error, &before);
	observed_free(&before);
	return rc;
}
