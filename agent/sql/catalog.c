/* Observes a server: its version, the agent login's permissions, principals, databases, and sessions of managed logins.
 * A server that lacks one of the views fails the whole batch. Then each question is asked by itself, and `unreadable`
 * names the views that are missing. That is not an error, but nothing is verified on such a server. */
#include "sql/catalog.h"

#include <errno.h>
#include <string.h>

#include "sql/closing.h"
#include "sql/rights.h"
#include "sql/rows.h"

static void reading_forget(struct server_reading *r)
{
	observed_free(r->o);
	raw_catalog_free(&r->raw);
}

static int ask(
	struct server_reading *r, struct sql_error *error, struct sql_session *s, const char *batch)
{
	return sql_session_run(s, error, batch, catalog_server_row, r);
}

int catalog_unreadable_add(
	struct observed_server *o, const char *part, const char *database, const char *why)
{
	char **more = row_array_more(o->unreadable, &o->n_unreadable, sizeof(*more));

	if (!more)
		return -ENOMEM;
	o->unreadable = more;
	return asprintf(&more[o->n_unreadable - 1], "%s%s%s: %s", part, database ? " of " : "",
		       database ? database : "", why) < 0
		       ? -ENOMEM
		       : 0;
}

/* ---- version and permissions ---- */

static bool right_is_missing(const struct server_reading *r, size_t right)
{
	const signed char *held = r->rights[right];
	bool others = server_rights[right].permissions[1] != NULL;

	for (size_t k = 1; k < RIGHT_ALTERNATIVES && server_rights[right].permissions[k]; k++)
		others = others && held[k] == 1;
	return held[0] == 0 && !others;
}

static int rights_judge(struct server_reading *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++) {
		if (!right_is_missing(r, i))
			continue;
		char **name = ROW_MORE(r->o->missing_rights, r->o->n_missing_rights);
		if (!name || !(*name = strdup(server_rights[i].permissions[0])))
			return -ENOMEM;
	}
	return 0;
}

static int probe(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);

	if (!to)
		return -ENOMEM;
	memset(r->rights, -1, sizeof(r->rights));
	catalog_probe_write(to);
	int rc = fclose(to) ? -ENOMEM : ask(r, error, s, batch);
	free(batch);
	if (!rc)
		return rights_judge(r);
	if (rc != SQL_SERVER_ERROR)
		return rc;
	/* A server that does not have HAS_PERMS_BY_NAME may still grant everything. */
	rc = ask(r, error, s, catalog_probe_plain);
	return rc ? rc
		  : catalog_unreadable_add(r->o, "the agent login's permissions", NULL,
			    "the permission query failed");
}

/* ---- the server ---- */

/* Asks each question by itself. An unreadable part is added to `unreadable`; an unreadable part that is needed ends the
 * reading. */
static int parts_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	for (const struct part *p = server_parts; p->name; p++) {
		int rc = ask(r, error, s, p->text);
		if (rc < 0 || (rc && p->needed))
			return rc;
		if (rc && catalog_unreadable_add(r->o, p->name, NULL, error->text))
			return -ENOMEM;
	}
	return 0;
}

/* Parts of a failed batch may have been answered. Drop them before asking again, but keep the answers of the first
 * question. */
static int parts_forget(struct server_reading *r)
{
	struct observed_server kept = {.version = r->o->version,
		.clock = r->o->clock,
		.missing_rights = r->o->missing_rights,
		.n_missing_rights = r->o->n_missing_rights,
		.unreadable = r->o->unreadable,
		.n_unreadable = r->o->n_unreadable};

	r->o->version = NULL;
	r->o->missing_rights = r->o->unreadable = NULL;
	r->o->n_missing_rights = r->o->n_unreadable = 0;
	reading_forget(r);
	*r->o = kept;
	return 0;
}

static int server_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);

	if (!to)
		return -ENOMEM;
	for (const struct part *p = server_parts; p->name; p++)
		fputs(p->text, to);
	int rc = fclose(to) ? -ENOMEM : ask(r, error, s, batch);
	free(batch);
	if (rc != SQL_SERVER_ERROR)
		return rc;
	rc = parts_forget(r);
	return rc ? rc : parts_ask(r, error, s);
}

/* ---- configured names ---- */

struct names {
	const char **items;
	size_t n;
	size_t n_managed; /* configured databases: the first ones */
};

static void name_add(struct names *names, const char *name)
{
	for (size_t k = 0; k < names->n; k++)
		if (!strcmp(names->items[k], name))
			return;
	names->items[names->n++] = name;
}

static void names_collect(struct names *names, const struct wanted_server *w,
	const struct sql_remnant *remnants, size_t n_remnants)
{
	for (size_t i = 0; i < w->n_grants; i++)
		name_add(names, w->grants[i]->database->name);
	names->n_managed = names->n;
	for (size_t i = 0; i < n_remnants; i++)
		name_add(names, remnants[i].database);
}

static struct observed_database *database_by(struct observed_server *o, int id)
{
	for (size_t i = 0; id && i < o->n_databases; i++)
		if (o->databases[i].id == id)
			return &o->databases[i];
	return NULL;
}

/* A configured database for which the server returned no row. It may exist: entering it shows whether it does. */
static int database_unseen_add(struct server_reading *r, const char *name, int id, bool managed)
{
	struct observed_database *d = ROW_MORE(r->o->databases, r->o->n_databases);

	if (!d)
		return -ENOMEM;
	d->id = id;
	d->name = strdup(name);
	d->managed = managed;
	return d->name ? 0 : -ENOMEM;
}

/* Let the server compare the names. If it does not answer, compare them here. */
static int names_resolve(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct sql_remnant *remnants, size_t n_remnants)
{
	size_t room = w->n_grants + n_remnants + 1, size;
	_cleanup_free_ const char **items = calloc(room, sizeof(*items));
	_cleanup_free_ int *ids = calloc(room, sizeof(*ids));
	struct names names = {.items = items};
	char *batch = NULL;
	FILE *to = items && ids ? open_memstream(&batch, &size) : NULL;
	int rc;

	if (!to)
		return -ENOMEM;
	names_collect(&names, w, remnants, n_remnants);
	r->n_ids = names.n;
	r->ids = ids;
	catalog_names_write(to, items, names.n);
	rc = fclose(to) ? -ENOMEM : names.n ? ask(r, error, s, batch) : 0;
	free(batch);
	r->ids = NULL;
	r->n_ids = 0;
	for (size_t i = 0; i < names.n && (rc == 0 || rc == SQL_SERVER_ERROR); i++) {
		struct observed_database *d =
			ids[i] ? database_by(r->o, ids[i]) : observed_find_database(r->o, items[i]);
		bool managed = i < names.n_managed;
		if (d)
			d->managed = d->managed || managed;
		else if (database_unseen_add(r, items[i], ids[i], managed))
			return -ENOMEM;
	}
	return rc < 0 ? rc : 0;
}

/* ---- sessions ---- */

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

int catalog_sids_of_ours(struct sid **out, size_t *n, const struct observed_server *o,
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
		bool known =
			!c->items[i].sid.size || strcmp(c->items[i].server, w->server->name) != 0;
		for (size_t k = 0; k < count && !known; k++)
			known = sid_equal(&sids[k], &c->items[i].sid);
		if (!known)
			sids[count++] = c->items[i].sid;
	}
	*out = sids;
	*n = count;
	return 0;
}

static void sessions_forget(struct observed_server *o)
{
	for (size_t i = 0; i < o->n_sessions; i++)
		session_free(&o->sessions[i]);
	free(o->sessions);
	o->sessions = NULL;
	o->n_sessions = 0;
}

/* Only sessions of managed logins, so that many other sessions cannot hide one. */
static int sessions_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct sid *sids, size_t n)
{
	const char *const selects[] = {session_select, session_select_plain};
	int rc = SQL_SERVER_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(selects) && rc == SQL_SERVER_ERROR; i++) {
		char *batch = NULL;
		size_t size;
		FILE *to = open_memstream(&batch, &size);
		if (!to)
			return -ENOMEM;
		sessions_forget(r->o);
		closing_sessions_write(to, selects[i], NULL, 0, sids, n);
		rc = fclose(to) ? -ENOMEM : ask(r, error, s, batch);
		free(batch);
	}
	r->o->sessions_visible = !rc;
	return rc == SQL_SERVER_ERROR ? catalog_unreadable_add(r->o, "session", NULL, error->text)
				      : rc;
}

/* If the server does not have LOGINPROPERTY, every condition stays unknown. */
static int conditions_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct sid *sids, size_t n)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);

	if (!to)
		return -ENOMEM;
	catalog_conditions_write(to, sids, n);
	int rc = fclose(to) ? -ENOMEM : ask(r, error, s, batch);
	free(batch);
	return rc < 0 ? rc : 0;
}

static int ours_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c)
{
	_cleanup_free_ struct sid *sids = NULL;
	size_t n;
	int rc = catalog_sids_of_ours(&sids, &n, r->o, w, c);

	if (!rc)
		rc = sessions_ask(r, error, s, sids, n);
	if (!rc && n)
		rc = conditions_ask(r, error, s, sids, n);
	return rc;
}

int sql_observe_server(struct observed_server *out, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, const struct sql_remnant *remnants,
	size_t n_remnants)
{
	struct observed_server o = {0};
	struct server_reading r = {.o = &o};
	int rc = probe(&r, error, s);

	if (!rc && sql_session_unsettled(s))
		rc = catalog_unreadable_add(
			&o, "the session's settings", NULL, sql_session_unsettled(s));
	if (!rc)
		rc = server_ask(&r, error, s);
	/* The server changed between two of its views: read once more. */
	if (!rc && (rc = catalog_server_join(&o, &r.raw)) == -ESTALE) {
		rc = parts_forget(&r);
		if (!rc)
			rc = server_ask(&r, error, s);
		if (!rc)
			rc = catalog_server_join(&o, &r.raw);
	}
	if (!rc)
		rc = names_resolve(&r, error, s, w, remnants, n_remnants);
	if (!rc)
		rc = ours_ask(&r, error, s, w, c);
	raw_catalog_free(&r.raw);
	if (rc) {
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text), "%s",
				rc == -ESTALE ? "the server catalog changes while Curfew reads it"
					      : strerror(rc < 0 ? -rc : EIO));
		observed_free(&o);
		return rc;
	}
	for (size_t i = 0; i < o.n_databases; i++)
		o.databases[i].system = names_equal(o.databases[i].name, "tempdb") ||
					names_equal(o.databases[i].name, "model");
	*out = o;
	return 0;
}
