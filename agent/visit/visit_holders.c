/* Who keeps the catalog from being read. A lock would hide what its holder has: a database that cannot be read counts as it
 * was verified last. So views of memory are asked whose open transaction changed something there. A managed login that is
 * scheduled to read only must not change anything: it is closed at once, and the database is read again. */
#include <errno.h>
#include <string.h>

#include "sql/question.h"
#include "sql/rows.h"
#include "visit/closing_run.h"
#include "visit/visit.h"

struct writers {
	struct observed_session *items;
	size_t n;
};

static int writer_row(void *context, const struct sql_value *v, int n)
{
	struct writers *w = context;
	struct observed_session *s = ARRAY_MORE(w->items, w->n);

	return s ? row_session(s, v, n) : -ENOMEM;
}

/* With `n` 0: everybody's. A server that lacks the views names nobody. Negative: the session is lost. */
static int writers_ask(
	struct writers *out, struct visit_run *run, int database, const struct sid *sids, size_t n)
{
	const char *const selects[] = {session_select, session_select_plain};
	struct sql_error ignored;
	int rc = SQL_SERVER_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(selects) && rc == SQL_SERVER_ERROR; i++) {
		struct text batch;
		if (!text_begin(&batch))
			return -ENOMEM;
		sessions_free(&out->items, &out->n);
		closing_writers_write(batch.to, selects[i], database, sids, n);
		rc = question_ask(run->session, &ignored, &batch, writer_row, out);
	}
	return rc == -EBADMSG || rc > 0 ? 0 : rc;
}

static size_t managed_sids(struct sid *sids, const struct observed_server *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_logins; i++)
		if (o->logins[i].ours && o->logins[i].sid.size)
			sids[n++] = o->logins[i].sid;
	return n;
}

static const struct observed_login *login_of(
	const struct observed_server *o, const struct observed_session *s)
{
	for (size_t i = 0; i < o->n_logins; i++)
		if (o->logins[i].ours && observed_session_is_of(s, &o->logins[i].sid))
			return &o->logins[i];
	return NULL;
}

static enum level scheduled_level(
	const struct visit_run *run, const struct observed_login *l, int database)
{
	const struct wanted_server *w = &run->visit->wanted;
	enum level level = LEVEL_NONE;

	for (size_t i = 0; i < w->n_grants; i++) {
		const struct observed_database *d =
			observed_find_database(&run->observed, w->grants[i]->database->name);
		if (d && d->id == database && names_equal(w->grants[i]->user->login, l->name) &&
			w->grants[i]->level > level)
			level = w->grants[i]->level;
	}
	return level;
}

static bool is_listed(const struct sql_closing *closings, size_t n, const struct observed_login *l)
{
	for (size_t i = 0; i < n; i++)
		if (sid_equal(&closings[i].sid, &l->sid))
			return true;
	return false;
}

/* Adds the logins whose transaction changed something in a database where they may only read. */
static void holders_list(struct sql_closing *closings, size_t *n, const struct visit_run *run,
	const struct writers *w, int database)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct observed_login *l = login_of(&run->observed, &w->items[i]);
		const char *client = l ? client_of_login(run, l->name) : NULL;

		if (!l || is_listed(closings, *n, l) ||
			scheduled_level(run, l, database) > LEVEL_READ_ONLY ||
			!(client ? pass_is_for(run->visit, client) : !run->visit->only_client))
			continue;
		closings[(*n)++] = (struct sql_closing){.login = l->name,
			.sid = l->sid,
			.client = client,
			.reason =
				"it holds a lock on the catalog of a database where it may only read: it has more "
				"access than scheduled"};
	}
}

int holders_close(bool *closed, struct visit_run *run, struct sql_error *error)
{
	const struct observed_server *o = &run->observed;
	_cleanup_free_ struct sql_closing *closings = calloc(o->n_logins + 1, sizeof(*closings));
	_cleanup_free_ struct sid *sids = calloc(o->n_logins + 1, sizeof(*sids));
	size_t n = 0, n_sids;
	int rc = 0;

	if (!closings || !sids)
		return -ENOMEM;
	n_sids = managed_sids(sids, o);
	for (size_t i = 0; i < run->blocked.n && !rc; i++) {
		struct writers w = {0};
		/* In master everybody may change its own login, and in tempdb everybody makes temporary tables. */
		if (run->blocked.ids[i] == MASTER_ID || run->blocked.ids[i] == TEMPDB_ID || !n_sids)
			continue;
		rc = writers_ask(&w, run, run->blocked.ids[i], sids, n_sids);
		if (!rc)
			holders_list(closings, &n, run, &w, run->blocked.ids[i]);
		sessions_free(&w.items, &w.n);
	}
	*closed = !rc && n > 0;
	return *closed ? closings_run(run, error, closings, n) : rc;
}

/* ---- the server's own catalog ---- */

static const struct claim *claim_of(const struct visit_run *run, const struct observed_session *s)
{
	for (size_t i = 0; i < run->claims.n; i++) {
		const struct claim *k = &run->claims.items[i];
		if (streq(k->server, run->visit->server->name) && sid_equal(&k->sid, &s->key.sid))
			return k;
	}
	return NULL;
}

static size_t claimed_sids(struct sid *sids, const struct visit_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->claims.n; i++)
		if (run->claims.items[i].sid.size &&
			streq(run->claims.items[i].server, run->visit->server->name))
			sids[n++] = run->claims.items[i].sid;
	return n;
}

static int sessions_end(struct visit_run *run, const struct writers *w)
{
	_cleanup_free_ struct sql_closing *closings = calloc(w->n + 1, sizeof(*closings));
	struct sql_error ignored;
	size_t n = 0;

	if (!closings)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++) {
		const struct claim *k = claim_of(run, &w->items[i]);
		const char *client = k ? client_of_login(run, k->login) : NULL;
		if (k && (client ? pass_is_for(run->visit, client) : !run->visit->only_client))
			closings[n++] = (struct sql_closing){.login = k->login,
				.sid = k->sid,
				.client = client,
				.reason =
					"end the session: its open transaction keeps the server's list of logins "
					"from being read",
				.session = &w->items[i].key};
	}
	return closings_run(run, &ignored, closings, n);
}

int server_holders_end(struct visit_run *run)
{
	_cleanup_free_ struct sid *sids = calloc(run->claims.n + 1, sizeof(*sids));
	struct writers w = {0};

	if (!sids)
		return -ENOMEM;
	size_t n = claimed_sids(sids, run);
	int rc = n ? writers_ask(&w, run, MASTER_ID, sids, n) : 0;
	if (!rc)
		rc = sessions_end(run, &w);
	sessions_free(&w.items, &w.n);
	return rc;
}

/* Not ours to end: a DBA decides. */
int server_holder_name(struct visit_run *run, struct sql_error *error)
{
	struct writers w = {0};
	int rc = writers_ask(&w, run, MASTER_ID, NULL, 0);
	size_t used = strlen(error->text);

	if (!rc && w.n)
		snprintf(error->text + used, sizeof(error->text) - used,
			"; perhaps session %u of %.128s, which has an open transaction in master",
			w.items[0].key.id, w.items[0].login);
	sessions_free(&w.items, &w.n);
	return rc;
}
