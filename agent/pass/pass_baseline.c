/* Baselines: taken when access to a database opens, kept in the journal, compared by the audit: what is new or changed
 * since. The program forbids new customisations, so a new object is a finding, whoever made it. The server has one of its
 * own, under the name of master. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "pass/baseline_remedy.h"
#include "pass/pass_internal.h"

static int none_take(void *context, instant_t at, const struct baseline_item *i)
{
	(void)context, (void)at, (void)i;
	return 0;
}

static bool baseline_is_missing(
	const struct pass *p, const struct server_work *w, const char *database)
{
	return p->o.journal &&
	       baseline_read(p->o.journal, w->server->name, database, none_take, NULL) == -ENOENT;
}

/* An apply asks for the databases that have none yet and where access is open now; an audit for those that have one, and
 * for those that should: where access has not opened yet, there is nothing to compare with and nothing amiss. */
static bool baseline_is_asked(
	const struct pass *p, const struct server_work *w, const struct grant *g)
{
	if (p->o.mode != PASS_AUDIT && p->o.mode != PASS_APPLY)
		return false;
	bool missing = baseline_is_missing(p, w, g->database->name);
	return p->o.mode == PASS_AUDIT ? !missing || g->level != LEVEL_NONE
				       : missing && g->level != LEVEL_NONE;
}

int pass_baselines_ask(struct pass *p, struct server_work *w)
{
	const struct wanted_server *wanted = &w->sql.wanted;
	size_t n = 0;

	w->baselines = calloc(wanted->n_grants + 2, sizeof(*w->baselines));
	if (!w->baselines)
		return -ENOMEM;
	for (size_t i = 0; i < wanted->n_grants; i++) {
		bool known = false;
		for (size_t k = 0; k < n && !known; k++)
			known = !strcasecmp(w->baselines[k], wanted->grants[i]->database->name);
		if (!known && baseline_is_asked(p, w, wanted->grants[i]))
			w->baselines[n++] = wanted->grants[i]->database->name;
	}
	if (n && (p->o.mode == PASS_AUDIT || baseline_is_missing(p, w, SERVER_BASELINE)))
		w->baselines[n] = SERVER_BASELINE;
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

/* Compares a quoted name with a plain one. */
static bool is_quoted(const char *quoted, size_t size, const char *name)
{
	struct text text;

	if (text_begin(&text))
		sql_write_name(text.to, name);
	_cleanup_free_ char *plain = text_end(&text);
	return plain && text.size == size && !strncasecmp(quoted, plain, size);
}

/* Users, roles and logins of Curfew's own come and go by the schedule. */
static bool name_is_ours(
	const struct pass *p, const struct server_work *w, const char *quoted, size_t size)
{
	for (int l = LEVEL_READ_ONLY; l <= LEVEL_FULL; l++)
		if (w->server->terms[l].role && is_quoted(quoted, size, w->server->terms[l].role))
			return true;
	if (is_quoted(quoted, size, w->server->login) || is_quoted(quoted, size, MARK_ROLE))
		return true;
	for (size_t i = 0; i < w->sql.wanted.n_grants; i++)
		if (is_quoted(quoted, size, w->sql.wanted.grants[i]->user->login))
			return true;
	for (size_t i = 0; i < p->identities.n; i++)
		if (!strcmp(p->identities.items[i].server, w->server->name) &&
			is_quoted(quoted, size, p->identities.items[i].login))
			return true;
	return false;
}

static bool item_is_ours(
	const struct pass *p, const struct server_work *w, const struct baseline_item *i)
{
	const char *to;

	if (!strcmp(i->kind, "principal") || !strcmp(i->kind, "login"))
		return name_is_ours(p, w, i->name, strlen(i->name));
	if (!strcmp(i->kind, "member") || !strcmp(i->kind, "server-member"))
		return name_is_ours(p, w, i->name, baseline_quoted_size(i->name));
	if (strcmp(i->kind, "permission") != 0 && strcmp(i->kind, "server-permission") != 0)
		return false;
	/* The first of them: behind it stands nothing but the name, or it is none of ours. */
	to = strstr(i->name, " TO ");
	return to && name_is_ours(p, w, to + strlen(" TO "), strlen(to + strlen(" TO ")));
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

static void item_tell(const struct comparison *c, size_t index, const char *check,
	enum finding_severity severity, const char *words)
{
	const struct baseline_item *i = &c->items[index];
	struct record r = {.kind = RECORD_FINDING, .finding.severity = severity};
	struct text text;

	if (text_begin(&text))
		baseline_remedy_write(text.to, c->database, i, c->before[index] != NULL);
	_cleanup_free_ char *remedy = text_end(&text);
	RECORD_SET(&r, finding.remedy, remedy);
	RECORD_SET(&r, server, c->work->server->name);
	RECORD_SET(&r, database, c->database);
	RECORD_SET(&r, finding.name, check);
	RECORD_SET(&r, finding.reason, words);
	RECORD_PRINTF(&r, detail, "%s%s%s%s%s", i->name, *i->hash ? ": " : "", i->hash,
		c->before[index] ? ", was " : "", c->before[index] ? c->before[index] : "");
	c->pass->result.findings += severity > FINDING_LOW;
	pass_tell(c->pass, &r);
}

/* As long as somebody has full access here, changing what is there is what the access is for. */
static bool change_is_expected(const struct comparison *c)
{
	const struct wanted_server *w = &c->work->sql.wanted;

	for (size_t i = 0; i < w->n_grants; i++)
		if (w->grants[i]->level == LEVEL_FULL &&
			!strcasecmp(w->grants[i]->database->name, c->database))
			return true;
	return false;
}

static void changed_tell(const struct comparison *c, size_t index)
{
	const struct baseline_item *k = &c->items[index];

	if (!strcmp(k->kind, "setting"))
		item_tell(c, index, "changed-setting", FINDING_MEDIUM,
			"a setting changed since access opened");
	else if (!strcmp(k->kind, "principal") || !strcmp(k->kind, "login"))
		item_tell(c, index, "replaced-principal", FINDING_HIGH,
			"made anew under the same name since access opened");
	else if (baseline_begins(k->hash, "USER_TABLE") || change_is_expected(c))
		item_tell(c, index,
			baseline_begins(k->hash, "USER_TABLE") ? "changed-table"
							       : "changed-definition",
			FINDING_LOW, "changed since access opened");
	else
		item_tell(c, index, "changed-definition", FINDING_MEDIUM,
			"changed since access opened");
}

/* CREATE USER gives it: the user itself is the news. */
static bool permission_came_along(const struct comparison *c, const struct baseline_item *k)
{
	static const char connect[] = "CONNECT TO ";

	if (strcmp(k->kind, "permission") != 0 || !baseline_begins(k->name, connect))
		return false;
	for (size_t i = 0; i < c->n_items; i++)
		if (!strcmp(c->items[i].kind, "principal") && !c->known[i] &&
			!strcmp(c->items[i].name, k->name + strlen(connect)))
			return true;
	return false;
}

static void items_compare(const struct comparison *c)
{
	static const struct {
		const char *kind, *check, *words;
		enum finding_severity severity;
	} news[] = {
		{"object", "new-object", "made since access opened: a new customisation",
			FINDING_HIGH},
		{"type", "new-object", "a type made since access opened: a new customisation",
			FINDING_HIGH},
		{"certificate", "new-certificate", "a certificate made since access opened",
			FINDING_MEDIUM},
		{"principal", "new-principal", "a user or role made since access opened",
			FINDING_HIGH},
		{"member", "new-member", "put into a role since access opened", FINDING_HIGH},
		{"permission", "new-permission", "a permission given since access opened",
			FINDING_HIGH},
		/* A server of many clients gets logins every day; what they may do there is what counts. */
		{"login", "new-login", "a login or server role made since access opened",
			FINDING_LOW},
		{"server-member", "new-server-member", "put into a server role since access opened",
			FINDING_HIGH},
		{"server-permission", "new-server-permission",
			"a right on the server given since access opened", FINDING_HIGH},
	};

	for (size_t i = 0; i < c->n_items; i++) {
		const struct baseline_item *k = &c->items[i];
		if (item_is_ours(c->pass, c->work, k) || permission_came_along(c, k))
			continue;
		for (size_t n = 0; !c->known[i] && n < ARRAY_SIZE(news); n++)
			if (!strcmp(k->kind, news[n].kind))
				item_tell(c, i, news[n].check, news[n].severity, news[n].words);
		if (c->known[i] && c->before[i] && strcmp(c->before[i], k->hash) != 0)
			changed_tell(c, i);
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
		struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED};
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

	if (r->baseline.mark == BASELINE_ITEM)
		return item_keep(w, database, r);
	if (r->baseline.mark == BASELINE_WHOLE)
		return database_end(p, w, database);
	items_drop(w, database);
	return 0;
}
