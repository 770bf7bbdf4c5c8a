/* Baselines: taken when access to a database opens, kept in the journal, compared by the audit: what is new or changed
 * since. The program forbids new customisations, so a new object is a finding, whoever made it. */
#include <errno.h>
#include <string.h>

#include "engine/pass_internal.h"

static int none_take(void *context, instant_t at, const struct baseline_item *i)
{
	(void)context, (void)at, (void)i;
	return 0;
}

/* An apply asks for the databases that have none yet and where access is open now; an audit for all that have one. */
static bool baseline_is_asked(const struct pass *p, const struct grant *g)
{
	if (p->o.mode == PASS_AUDIT)
		return true;
	return p->o.mode == PASS_APPLY && g->level != LEVEL_NONE && p->o.journal &&
	       baseline_read(p->o.journal, g->server->name, g->database->name, none_take, NULL) ==
		       -ENOENT;
}

int pass_baselines_ask(struct pass *p, struct server_work *w)
{
	const struct wanted_server *wanted = &w->sql.wanted;
	size_t n = 0;

	w->baselines = calloc(wanted->n_grants + 1, sizeof(*w->baselines));
	if (!w->baselines)
		return -ENOMEM;
	for (size_t i = 0; i < wanted->n_grants; i++) {
		bool known = false;
		for (size_t k = 0; k < n && !known; k++)
			known = names_equal(w->baselines[k], wanted->grants[i]->database->name);
		if (!known && baseline_is_asked(p, wanted->grants[i]))
			w->baselines[n++] = wanted->grants[i]->database->name;
	}
	w->sql.baselines = w->baselines;
	return 0;
}

static void item_free(struct kept_item *k)
{
	free(k->database);
	free((char *)k->item.kind);
	free((char *)k->item.name);
	free((char *)k->item.hash);
}

/* Drops what was kept of one database; NULL: of all. */
static void items_drop(struct server_work *w, const char *database)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_items; i++)
		if (database && strcmp(w->items[i].database, database) != 0)
			w->items[kept++] = w->items[i];
		else
			item_free(&w->items[i]);
	w->n_items = kept;
}

void pass_baselines_free(struct server_work *w)
{
	items_drop(w, NULL);
	free(w->items);
	free(w->baselines);
}

/* Users and roles of Curfew's own come and go by the schedule. */
static bool name_is_ours(const struct server_work *w, const char *name)
{
	for (int l = LEVEL_READ_ONLY; l <= LEVEL_FULL; l++)
		if (w->server->terms[l].role && names_equal(w->server->terms[l].role, name))
			return true;
	if (names_equal(w->server->login, name))
		return true;
	for (size_t i = 0; i < w->sql.wanted.n_grants; i++)
		if (names_equal(w->sql.wanted.grants[i]->user->login, name))
			return true;
	return false;
}

static bool item_is_ours(const struct server_work *w, const struct baseline_item *i)
{
	const char *to = !strcmp(i->kind, "permission") ? strstr(i->name, " to ") : NULL;

	if (!strcmp(i->kind, "principal"))
		return name_is_ours(w, i->name);
	return to && name_is_ours(w, to + strlen(" to "));
}

struct comparison {
	struct pass *pass;
	struct server_work *work;
	const char *database;
	const struct baseline_item *items; /* of this database, as it is now */
	size_t n_items;
	bool *known;   /* by item: the baseline has it */
	char **before; /* its hash then */
	instant_t at;
};

static int known_take(void *context, instant_t at, const struct baseline_item *b)
{
	struct comparison *c = context;

	c->at = at;
	for (size_t i = 0; i < c->n_items; i++) {
		const struct baseline_item *k = &c->items[i];
		if (strcmp(k->name, b->name) != 0 || strcmp(k->kind, b->kind) != 0)
			continue;
		c->known[i] = true;
		free(c->before[i]);
		c->before[i] = strdup(b->hash);
		return c->before[i] ? 0 : -ENOMEM;
	}
	return 0; /* dropped since: that is what access is for */
}

static void drop_write(struct record *r, const struct baseline_item *i)
{
	static const struct {
		const char *type, *statement;
	} kinds[] = {{"SQL_STORED_PROCEDURE", "DROP PROCEDURE"}, {"USER_TABLE", "DROP TABLE"},
		{"VIEW", "DROP VIEW"}, {"SQL_TRIGGER", "DROP TRIGGER"}, {"SYNONYM", "DROP SYNONYM"},
		{"SEQUENCE_OBJECT", "DROP SEQUENCE"}, {"SQL_SCALAR_FUNCTION", "DROP FUNCTION"},
		{"SQL_INLINE_TABLE_VALUED_FUNCTION", "DROP FUNCTION"},
		{"SQL_TABLE_VALUED_FUNCTION", "DROP FUNCTION"}};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (!strncmp(i->hash, kinds[k].type, strlen(kinds[k].type)))
			RECORD_PRINTF(r, statement, "USE [%s]; %s %s;", r->database,
				kinds[k].statement, i->name);
}

static void item_tell(const struct comparison *c, size_t index, const char *check,
	enum finding_severity severity, const char *words)
{
	const struct baseline_item *i = &c->items[index];
	struct record r = {.kind = RECORD_FINDING, .severity = severity, .at = c->pass->o.now};

	RECORD_SET(&r, server, c->work->server->name);
	RECORD_SET(&r, database, c->database);
	RECORD_SET(&r, action, check);
	RECORD_SET(&r, reason, words);
	RECORD_PRINTF(&r, detail, "%s: %s%s%s", i->name, i->hash, c->before[index] ? ", was " : "",
		c->before[index] ? c->before[index] : "");
	if (!strcmp(check, "new-object"))
		drop_write(&r, i);
	else if (!strcmp(check, "new-principal"))
		RECORD_PRINTF(&r, statement, "USE [%s]; DROP USER [%s]; -- or DROP ROLE",
			c->database, i->name);
	c->pass->result.findings += severity > FINDING_LOW;
	pass_tell(c->pass, &r);
}

static void items_compare(const struct comparison *c)
{
	static const struct {
		const char *kind, *check, *words;
		enum finding_severity severity;
	} news[] = {
		{"object", "new-object", "made since access opened: a new customisation",
			FINDING_HIGH},
		{"principal", "new-principal", "a user or role made since access opened",
			FINDING_HIGH},
		{"permission", "new-permission", "a permission given since access opened",
			FINDING_HIGH},
	};

	for (size_t i = 0; i < c->n_items; i++) {
		const struct baseline_item *k = &c->items[i];
		if (item_is_ours(c->work, k))
			continue;
		for (size_t n = 0; !c->known[i] && n < ARRAY_SIZE(news); n++)
			if (!strcmp(k->kind, news[n].kind))
				item_tell(c, i, news[n].check, news[n].severity, news[n].words);
		if (!c->known[i] || !c->before[i] || !strcmp(c->before[i], k->hash))
			continue;
		bool table = !strncmp(k->hash, "USER_TABLE", strlen("USER_TABLE"));
		item_tell(c, i, table ? "changed-table" : "changed-definition",
			table ? FINDING_LOW : FINDING_MEDIUM, "changed since access opened");
	}
}

static void baseline_compare(struct comparison *c)
{
	struct pass *p = c->pass;
	int rc = -ENOENT;

	c->known = calloc(c->n_items + 1, sizeof(*c->known));
	c->before = calloc(c->n_items + 1, sizeof(*c->before));
	if (c->known && c->before && p->o.journal)
		rc = baseline_read(p->o.journal, c->work->server->name, c->database, known_take, c);
	if (!rc) {
		items_compare(c);
	} else {
		struct record r = {.kind = RECORD_NOTE, .state = STATE_UNPROVED};
		RECORD_SET(&r, server, c->work->server->name);
		RECORD_SET(&r, database, c->database);
		RECORD_SET(&r, detail,
			rc == -ENOENT
				? "no baseline: what is new or changed cannot be said; one is taken when access opens"
				: "the baseline cannot be read");
		pass_tell(p, &r);
	}
	for (size_t i = 0; c->before && i < c->n_items; i++)
		free(c->before[i]);
	free(c->before);
	free(c->known);
}

/* The configuration's spelling, whatever letter case the server answers in. */
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
		.item = {.kind = strdup(r->action),
			.name = strdup(r->statement),
			.hash = strdup(r->detail)}};
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
		if (!strcmp(w->items[i].database, database))
			items[n++] = w->items[i].item;
	if (p->o.mode == PASS_AUDIT)
		baseline_compare(&(struct comparison){
			.pass = p, .work = w, .database = database, .items = items, .n_items = n});
	else if (!(rc = pass_journal_begin(p)))
		rc = baseline_put(p->o.journal, w->server->name, database, p->o.now, items, n);
	items_drop(w, database);
	return rc;
}

int pass_baseline_take(struct pass *p, struct server_work *w, const struct record *r)
{
	const char *database = database_name(w, r->database);

	if (*r->statement)
		return item_keep(w, database, r);
	/* Begins anew, or is whole. */
	if (r->code) {
		items_drop(w, database);
		return 0;
	}
	return database_end(p, w, database);
}
