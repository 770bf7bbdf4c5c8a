/* Baselines: taken before access to a database starts, stored in the journal, and compared by the audit. The program
 * forbids new customizations, so a new object is a finding, whoever created it. The server's own baselines are stored
 * under the names of master, msdb, and model. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "pass/pass_internal.h"

/* What cannot be read is not known to be missing: no baseline is then taken over an older one. */
static bool baseline_is_missing(struct pass *p, const struct server_work *w, const char *database)
{
	if (!p->baselines_read && p->o.journal)
		p->baselines_read = !baseline_places_read(&p->baselines, p->o.journal);
	return p->baselines_read &&
	       !baseline_places_have(&p->baselines, pass_baseline_server(p, w, database), database);
}

void pass_baselines_forget(struct pass *p)
{
	baseline_places_free(&p->baselines);
	p->baselines_read = false;
}

/* A user already has access there, so changes made since would count as part of the baseline. */
static bool access_is_given(const struct pass *p, const char *server, const char *database)
{
	for (size_t i = 0; i < p->levels.n; i++) {
		const struct verified_level *v = &p->levels.items[i];
		if (v->level != LEVEL_NONE && streq(v->server, server) &&
			names_equal(v->database, database))
			return true;
	}
	return false;
}

/* By the schedule; and somebody had access there once, or the journal does not tell. */
static bool access_has_ended(const struct pass *p, const struct grant *g)
{
	bool given = false;

	return g->level == LEVEL_NONE && g->from && p->o.journal &&
	       (journal_access_was_given(
			&given, p->o.journal, g->server->name, g->database->name) ||
		       given);
}

/* An apply asks for databases without a baseline to which access is open now. An audit asks for databases with a
 * baseline, and for those that should have one, also after the end: without it nobody can tell what came meanwhile.
 * Before access starts there is nothing to compare, and nothing is wrong. */
static bool baseline_is_asked(struct pass *p, const struct server_work *w, const struct grant *g)
{
	const char *database = g->database->name;

	if (p->o.mode == PASS_AUDIT)
		return g->level != LEVEL_NONE || !baseline_is_missing(p, w, database) ||
		       access_has_ended(p, g);
	return p->o.mode == PASS_APPLY && g->level != LEVEL_NONE &&
	       baseline_is_missing(p, w, database) &&
	       !access_is_given(p, w->server->name, database);
}

/* By database; of one database first the grant that gives most. */
static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = *(const struct grant *const *)a,
			   *y = *(const struct grant *const *)b;
	int order = names_compare(x->database->name, y->database->name);

	return order ? order : (y->level > x->level) - (y->level < x->level);
}

/* Each database of a server once, by the grant that gives most there. The caller frees the array; NULL: no memory. */
static const struct grant **databases_once(size_t *n, const struct wanted_server *wanted)
{
	const struct grant **once = calloc(wanted->n_grants + 1, sizeof(const struct grant *));

	*n = 0;
	if (!once)
		return NULL;
	memcpy(once, wanted->grants, wanted->n_grants * sizeof(*once));
	array_sort(once, wanted->n_grants, sizeof(*once), grant_compare);
	for (size_t i = 0; i < wanted->n_grants; i++)
		if (!*n || !names_equal(once[*n - 1]->database->name, once[i]->database->name))
			once[(*n)++] = once[i];
	return once;
}

int pass_baselines_ask(struct pass *p, struct server_work *w)
{
	static const char *const of_server[] = {
		SQL_SERVER_BASELINE, SQL_AGENT_BASELINE, SQL_MODEL_BASELINE};
	size_t n_databases, n = 0;
	_cleanup_free_ const struct grant **databases =
		databases_once(&n_databases, &w->sql.wanted);

	if (!databases)
		return -ENOMEM;
	w->baselines = calloc(n_databases + 4, sizeof(*w->baselines));
	if (!w->baselines)
		return -ENOMEM;
	for (size_t i = 0; i < n_databases; i++)
		if (baseline_is_asked(p, w, databases[i]))
			w->baselines[n++] = databases[i]->database->name;
	size_t n_own = n;
	for (size_t i = 0; i < ARRAY_SIZE(of_server) && n_own; i++)
		if (p->o.mode == PASS_AUDIT || baseline_is_missing(p, w, of_server[i]))
			w->baselines[n++] = of_server[i];
	w->sql.baselines = w->baselines;
	return 0;
}

/* A note of the database. Nobody's access is in doubt, and nothing that a pass does would end it: it is not counted. */
static void missing_tell(struct pass *p, const struct grant *g)
{
	struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED};

	RECORD_SET(&r, server, g->server->name);
	RECORD_SET(&r, database, g->database->name);
	RECORD_PRINTF(&r, detail,
		"database [%s] has no baseline, and access was given before one could be taken: new and changed objects "
		"are not reported; to take one, review the database, then revoke and reinstate its users",
		g->database->name);
	pass_tell(p, &r);
}

int pass_baselines_tell(struct pass *p)
{
	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server_work *w = &p->servers[i];
		size_t n;
		_cleanup_free_ const struct grant **databases = databases_once(&n, &w->sql.wanted);
		if (!databases)
			return -ENOMEM;
		for (size_t k = 0; k < n; k++) {
			const struct grant *g = databases[k];
			/* First what is seldom so; the other question reads every verification. */
			if (g->level != LEVEL_NONE &&
				baseline_is_missing(p, w, g->database->name) &&
				access_is_given(p, w->server->name, g->database->name))
				missing_tell(p, g);
		}
	}
	return 0;
}

static void item_free(struct kept_item *k)
{
	free(k->database);
	free((char *)k->item.kind);
	free((char *)k->item.name);
	free((char *)k->item.hash);
}

/* Drops the items of one database; NULL: of all. */
static void items_drop(struct server_work *w, const char *database)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_items; i++)
		if (database && !streq(w->items[i].database, database))
			w->items[kept++] = w->items[i];
		else
			item_free(&w->items[i]);
	w->n_items = kept;
}

void pass_baselines_free(struct server_work *w)
{
	items_drop(w, NULL);
	for (size_t i = 0; i < w->n_old_users; i++) {
		free(w->old_users[i].database);
		free(w->old_users[i].sid);
	}
	free(w->old_users);
	free(w->items);
	free(w->baselines);
}

/* The name as configured, in whatever case the server returns it. */
static const char *database_name(const struct server_work *w, const char *name)
{
	for (size_t i = 0; w->baselines && w->baselines[i]; i++)
		if (names_equal(w->baselines[i], name))
			return w->baselines[i];
	return name;
}

static int item_keep(struct server_work *w, const char *database, const struct record *r)
{
	struct kept_item *items = reallocarray(w->items, w->n_items + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	w->items = items;
	struct kept_item *k = &items[w->n_items++];
	*k = (struct kept_item){.database = strdup(database),
		.item = {.kind = strdup(r->baseline.kind),
			.name = strdup(r->baseline.name),
			.hash = strdup(r->baseline.hash)}};
	return k->database && k->item.kind && k->item.name && k->item.hash ? 0 : -ENOMEM;
}

static int database_end(struct pass *p, struct server_work *w, const char *database)
{
	_cleanup_free_ struct baseline_item *items = calloc(w->n_items + 1, sizeof(*items));
	size_t n = 0;
	int rc = 0;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_items; i++)
		if (streq(w->items[i].database, database))
			items[n++] = w->items[i].item;
	if (p->o.mode == PASS_AUDIT)
		rc = baseline_compare(p, w, database, items, n);
	else if (!(rc = pass_journal_begin(p)))
		rc = baseline_put(p->o.journal, pass_baseline_server(p, w, database), database,
			p->o.now, items, n);
	pass_baselines_forget(p);
	items_drop(w, database);
	return rc;
}

int pass_baseline_take(struct pass *p, struct server_work *w, const struct record *r)
{
	const char *database = database_name(w, r->database);

	if (r->baseline.mark == BASELINE_ITEM)
		return item_keep(w, database, r);
	if (r->baseline.mark == BASELINE_WHOLE)
		return database_end(p, w, database);
	items_drop(w, database);
	return 0;
}
