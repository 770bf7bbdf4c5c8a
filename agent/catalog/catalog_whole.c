/* Reads the server in one batch: version, permissions, principals, databases, ids of configured names, sessions and
 * conditions of managed logins. Which logins are managed is known only from the answer. So the batch asks for those
 * that are expected, and a further one is sent when there are others. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "catalog/catalog.h"
#include "sql/closing.h"
#include "sql/question.h"

/* Logins that are expected to exist: by their recorded SIDs, and by name if no SID is recorded yet. */
struct expected {
	struct sid *sids;
	size_t n_sids;
	struct sql_closing *named;
	size_t n_named;
};

static void expected_name(struct expected *e, const char *login)
{
	for (size_t i = 0; i < e->n_named; i++)
		if (names_equal(e->named[i].login, login))
			return;
	e->named[e->n_named++] = (struct sql_closing){.login = login};
}

static bool has_sid_on_record(const struct claims *c, const char *server, const char *login)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].sid.size && streq(c->items[i].server, server) &&
			names_equal(c->items[i].login, login))
			return true;
	return false;
}

static int expected_collect(
	struct expected *e, const struct wanted_server *w, const struct claims *c)
{
	*e = (struct expected){.sids = calloc(c->n + 1, sizeof(*e->sids)),
		.named = calloc(w->n_grants + c->n + 1, sizeof(*e->named))};
	if (!e->sids || !e->named)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		const struct claim *k = &c->items[i];
		if (!streq(k->server, w->server->name))
			continue;
		if (k->sid.size)
			e->sids[e->n_sids++] = k->sid;
		else if (!has_sid_on_record(c, k->server, k->login))
			expected_name(e, k->login);
	}
	for (size_t i = 0; i < w->n_grants; i++)
		if (!has_sid_on_record(c, w->server->name, w->grants[i]->user->login))
			expected_name(e, w->grants[i]->user->login);
	return 0;
}

/* Whether the question about sessions named every managed login. A login asked for by name counts only if it is marked:
 * the question has that condition. */
static int expected_covers(bool *enough, const struct expected *e, const struct server_reading *r,
	const struct wanted_server *w, const struct claims *c)
{
	_cleanup_free_ struct sid *sids = NULL;
	size_t n;
	int rc = catalog_managed_sids(&sids, &n, r->o, w, c);

	*enough = !rc;
	for (size_t i = 0; !rc && i < n && *enough; i++) {
		bool known = false;
		for (size_t k = 0; k < e->n_sids && !known; k++)
			known = sid_equal(&e->sids[k], &sids[i]);
		for (size_t k = 0; k < r->o->n_logins && !known; k++)
			if (sid_equal(&r->o->logins[k].sid, &sids[i]) && r->o->logins[k].marked)
				for (size_t m = 0; m < e->n_named && !known; m++)
					known = names_equal(
						e->named[m].login, r->o->logins[k].name);
		*enough = known;
	}
	return rc;
}

struct whole_rows {
	struct server_reading *reading;
	const struct sql_head *head;
	bool observes; /* the rows of the head are over */
};

static int whole_row(void *rows, const struct sql_value *v, int n)
{
	struct whole_rows *w = rows;

	if (!w->observes) {
		int headed = w->head->row(w->head->context, v, n);
		w->observes = headed == SQL_HEAD_ENDED;
		return w->observes ? 0 : headed;
	}
	int rc = catalog_server_row(w->reading, v, n);

	return rc == -EBADMSG && w->head ? w->head->row(w->head->context, v, n) : rc;
}

static int whole_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct expected *e, const struct sql_head *head)
{
	struct whole_rows rows = {
		.reading = r, .head = head, .observes = !head || !head->comes_first};
	struct text text;
	FILE *to = text_begin(&text);

	if (!to)
		return -ENOMEM;
	if (head && head->hasty)
		closing_patience_write(to, CLOSING_PATIENCE);
	if (head)
		fputs(head->batch, to);
	catalog_probe_write(to);
	for (const struct part *p = server_parts; p->name; p++)
		fputs(p->text, to);
	catalog_names_write(to, r->names, r->n_names);
	closing_observe_write(to, session_select, e->named, e->n_named, e->sids, e->n_sids);
	closing_unknown_sessions_write(to, session_select);
	catalog_conditions_write(to, e->sids, e->n_sids, e->named, e->n_named);
	if (head && head->hasty)
		closing_patience_write(to, LOCK_PATIENCE);
	char *batch = text_end(&text);
	int rc = batch ? sql_session_run(s, error, batch, whole_row, &rows) : -ENOMEM;
	/* The head may hold a password. */
	if (batch)
		sodium_memzero(batch, text.size);
	free(batch);
	return rc;
}

int catalog_whole_read(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, const struct sql_head *head)
{
	struct expected e;
	bool enough = false;
	int rc = expected_collect(&e, w, c);

	if (!rc)
		rc = whole_ask(r, error, s, &e, head);
	r->o->sessions_visible = !rc;
	if (!rc)
		rc = catalog_server_join(r->o, &r->raw);
	if (!rc)
		rc = expected_covers(&enough, &e, r, w, c);
	if (!rc && !enough)
		rc = catalog_managed_ask(r, error, s, w, c);
	free(e.sids);
	free(e.named);
	return rc;
}
