/* Finds what was created, changed, or dropped since a baseline. The program forbids new customizations, so a new object
 * is a finding, whoever created it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/text.h"
#include "pass/baseline_kinds.h"
#include "pass/pass_internal.h"

struct comparison {
	struct pass *pass;
	struct server_work *work;
	const char *database;
	struct baseline_item *items; /* the current items of this database, sorted */
	size_t n_items;
	bool *known;   /* by item: whether the baseline has it */
	char **before; /* by item: its hash in the baseline */
	struct baseline_item *gone;
	size_t n_gone;
	const char *agent; /* the SID of the agent's login; NULL: the server did not tell */
	const char *users; /* that of USER_LOGIN */
	int kinds;	   /* which kinds the version that took it recorded (baseline_kind.since) */
	bool expected; /* a user has full access here, so changes of existing objects are expected */
};

static int items_order(const void *a, const void *b)
{
	const struct baseline_item *x = a, *y = b;
	int kind = strcmp(x->kind, y->kind);

	return kind ? kind : strcmp(x->name, y->name);
}

static size_t item_find(const struct comparison *c, const struct baseline_item *like)
{
	const struct baseline_item *found =
		c->n_items ? bsearch(like, c->items, c->n_items, sizeof(*like), items_order) : NULL;

	return found ? (size_t)(found - c->items) : SIZE_MAX;
}

/* Members and permissions bear a name alone, so whose they are is told by the principal of that name. */
static bool item_is_ours(const struct comparison *c, const struct baseline_item *i)
{
	struct baseline_item holder = {.hash = ""};
	size_t size;
	const char *name = baseline_holder_of(&size, &holder.kind, i);

	if (baseline_is_lock_role(i, c->database) || baseline_is_user_login(i, c->users))
		return true;
	if (!name)
		return streq(i->kind, "setting") && streq(i->name, "kinds");
	_cleanup_free_ char *plain = strndup(name, size);
	holder.name = plain;
	size_t at = plain ? item_find(c, &holder) : SIZE_MAX;
	return at != SIZE_MAX &&
	       baseline_principal_is_ours(c->pass, c->work, plain, c->items[at].hash, c->agent);
}

static int gone_add(struct comparison *c, const struct baseline_item *b)
{
	struct baseline_item *g = ARRAY_MORE(c->gone, c->n_gone);

	if (!g)
		return -ENOMEM;
	*g = (struct baseline_item){strdup(b->kind), strdup(b->name), strdup(b->hash)};
	return g->kind && g->name && g->hash ? 0 : -ENOMEM;
}

static int known_take(void *context, instant_t at, const struct baseline_item *b)
{
	struct comparison *c = context;
	size_t i = item_find(c, b);

	(void)at;
	if (streq(b->kind, "setting") && streq(b->name, "made") && !c->kinds)
		c->kinds = 1;
	if (streq(b->kind, "setting") && streq(b->name, "kinds"))
		c->kinds = atoi(b->hash);
	if (i == SIZE_MAX)
		return gone_add(c, b);
	c->known[i] = true;
	free(c->before[i]);
	c->before[i] = strdup(b->hash);
	return c->before[i] ? 0 : -ENOMEM;
}

static void item_tell(const struct comparison *c, const struct baseline_item *i, const char *before,
	bool changed, struct baseline_verdict v, const char *adopted)
{
	struct record r = {.kind = RECORD_FINDING, .finding.severity = v.severity};
	struct text text;

	if (text_begin(&text))
		sql_write_remedy(text.to, c->database,
			&(struct sql_item){i->kind, i->name, i->hash}, changed);
	_cleanup_free_ char *remedy = text_end(&text);
	RECORD_SET(&r, finding.remedy, remedy);
	RECORD_SET(&r, server, c->work->server->name);
	RECORD_SET(&r, database, c->database);
	RECORD_SET(&r, finding.name, v.check);
	RECORD_SET(&r, finding.reason, v.words);
	RECORD_PRINTF(&r, detail, "%s%s%s%s%s%s%s%s", i->name, *i->hash ? ": " : "", i->hash,
		before ? ", was " : "", before ? before : "",
		adopted ? ", the SID of a user of [" : "", adopted ? adopted : "",
		adopted ? "]" : "");
	c->pass->result.findings += v.severity > FINDING_LOW;
	pass_tell(c->pass, &r);
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && streq(text + n - m, end);
}

static bool became_disabled(const struct baseline_item *k, const char *before)
{
	return ends_in(k->hash, " disabled") && !ends_in(before, " disabled");
}

static struct baseline_verdict changed_verdict(const struct comparison *c,
	const struct baseline_kind *kind, const struct baseline_item *k, const char *before)
{
	struct baseline_verdict v = {kind->changed, kind->changed_words, kind->changed_severity};
	bool work = kind->work;

	if (streq(k->kind, "setting") && streq(k->name, "made"))
		return (struct baseline_verdict){"restored",
			"the database was re-created or restored since access started",
			FINDING_HIGH};
	if (streq(k->kind, "setting") && streq(k->name, "owner"))
		return (struct baseline_verdict){"new-owner",
			"the database has another owner since access started, who is dbo there",
			FINDING_HIGH};
	if (streq(k->kind, "login-state") && streq(k->hash, "disabled"))
		v = (struct baseline_verdict){
			kind->changed, "a login was disabled since access started", FINDING_LOW};
	if (streq(k->kind, "object")) {
		work = true;
		if (begins_with(k->hash, "USER_TABLE"))
			v = (struct baseline_verdict){
				"changed-table", kind->changed_words, FINDING_LOW};
		else if (became_disabled(k, before))
			v = (struct baseline_verdict){"trigger-disabled",
				"a trigger was disabled since access started", FINDING_HIGH};
	}
	if (streq(k->kind, "index") && became_disabled(k, before))
		v = (struct baseline_verdict){"index-disabled",
			"an index was disabled since access started", FINDING_HIGH};
	if ((work || streq(k->kind, "table")) && c->expected)
		v.severity = FINDING_LOW;
	return v;
}

/* The name of the table or module that an item belongs to. */
static char *whole_of(const struct baseline_item *part)
{
	size_t size = *part->name == '[' ? sql_quoted_size(part->name) : 0;

	if (size && part->name[size] == '.')
		size += 1 + sql_quoted_size(part->name + size + 1);
	return size ? strndup(part->name, size) : NULL;
}

static const char *whole_kind(const struct baseline_kind *kind)
{
	return kind->part_of ? kind->part_of : "object";
}

static bool is_among(
	const struct baseline_item *items, size_t n, const char *kind, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (streq(items[i].kind, kind) && streq(items[i].name, name))
			return true;
	return false;
}

/* CREATE USER also grants CONNECT, and CREATE TABLE adds columns. Report only the user or the table. */
static bool came_along(
	const struct comparison *c, const struct baseline_kind *kind, const struct baseline_item *k)
{
	static const char connect[] = "CONNECT TO ";
	struct baseline_item whole = {.kind = whole_kind(kind), .hash = ""};
	_cleanup_free_ char *name = NULL;

	if (streq(k->kind, "permission") && begins_with(k->name, connect)) {
		whole.kind = "principal";
		whole.name = k->name + strlen(connect);
	} else if (kind->since) {
		name = whole_of(k);
		whole.name = name;
	}
	size_t at = whole.name ? item_find(c, &whole) : SIZE_MAX;
	return at != SIZE_MAX && !c->known[at];
}

#define USER_SID  "SQL_USER 0x"
#define LOGIN_SID "SQL_LOGIN 0x"

/* A user who was there before: a login that is made later with this SID enters as that user. */
static int old_user_keep(const struct comparison *c, const struct baseline_item *k)
{
	if (!streq(k->kind, "principal") || !begins_with(k->hash, USER_SID))
		return 0;
	struct old_user *u = ARRAY_MORE(c->work->old_users, c->work->n_old_users);
	if (!u)
		return -ENOMEM;
	*u = (struct old_user){strdup(c->database), strdup(k->hash + strlen(USER_SID) - 2)};
	return u->database && u->sid ? 0 : -ENOMEM;
}

/* The database that the new login enters as a user who was there before it; or NULL. */
static const char *adopted_in(const struct comparison *c, const struct baseline_item *k)
{
	if (!streq(k->kind, "login") || !begins_with(k->hash, LOGIN_SID))
		return NULL;
	for (size_t i = 0; i < c->work->n_old_users; i++)
		if (streq(c->work->old_users[i].sid, k->hash + strlen(LOGIN_SID) - 2))
			return c->work->old_users[i].database;
	return NULL;
}

/* What the version that took the baseline did not record is not new. */
static bool was_recorded(const struct comparison *c, const struct baseline_kind *kind)
{
	return kind->since <= c->kinds &&
	       (!streq(c->database, SQL_SERVER_BASELINE) || kind->since_in_master <= c->kinds);
}

static void new_tell(const struct comparison *c, const struct baseline_kind *kind, size_t i)
{
	const struct baseline_item *k = &c->items[i];
	struct baseline_verdict v = {kind->new, kind->new_words, kind->new_severity};

	if (!kind->new || !was_recorded(c, kind) || came_along(c, kind, k) ||
		(c->kinds < 2 && baseline_login_was_left_out(k)))
		return;
	const char *database = adopted_in(c, k);
	if (database)
		v = (struct baseline_verdict){"adopted-user",
			"a login made since access started enters a database as a user who was there before",
			FINDING_HIGH};
	if (kind->work && c->expected)
		v.severity = FINDING_LOW;
	item_tell(c, k, NULL, false, v, database);
}

static void gone_tell(const struct comparison *c, const struct baseline_item *g)
{
	const struct baseline_kind *kind = baseline_kind_of(g);
	_cleanup_free_ char *whole = kind && kind->since ? whole_of(g) : NULL;

	if (!kind || !kind->gone || item_is_ours(c, g) ||
		is_among(c->gone, c->n_gone, whole_kind(kind), whole))
		return;
	item_tell(c, g, NULL, true,
		(struct baseline_verdict){kind->gone, kind->gone_words,
			c->expected ? FINDING_LOW : kind->gone_severity},
		NULL);
}

static int items_compare(const struct comparison *c)
{
	/* Also if it was there before access started: what it gets looks like the agent's own. */
	static const struct baseline_verdict agents_name = {"replaced-principal",
		"a user with the name of Curfew's login belongs to another one", FINDING_HIGH};
	int rc = 0;

	for (size_t i = 0; i < c->n_items; i++) {
		const struct baseline_item *k = &c->items[i];
		const struct baseline_kind *kind = baseline_kind_of(k);
		if (!kind || item_is_ours(c, k))
			continue;
		if (c->known[i] && !rc)
			rc = old_user_keep(c, k);
		if (baseline_bears_agents_name(c->work, k, c->agent))
			item_tell(c, k, c->before[i], false, agents_name, NULL);
		else if (!c->known[i])
			new_tell(c, kind, i);
		else if (kind->changed && !streq(c->before[i], k->hash))
			item_tell(c, k, c->before[i], true,
				changed_verdict(c, kind, k, c->before[i]), NULL);
	}
	for (size_t i = 0; i < c->n_gone; i++)
		gone_tell(c, &c->gone[i]);
	return rc;
}

/* What nobody can compare any more, a person judges; the acceptance is a record with its reason. */
#define REVIEW_BY_HAND                                                                                                     \
	"review it yourself, then run `curfew accept NUMBER --reason TEXT --until TIME` with the number of this finding: " \
	"audit and certificate then name who accepted it, and why"

static void no_baseline_tell(const struct comparison *c, int rc)
{
	struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED};

	RECORD_SET(&r, server, c->work->server->name);
	RECORD_SET(&r, database, c->database);
	RECORD_SET(&r, detail,
		rc == -ENOENT
			? "no baseline, so new and changed objects cannot be reported; Curfew takes a baseline before "
			  "access starts, never after; " REVIEW_BY_HAND
			: "cannot read the baseline");
	pass_tell(c->pass, &r);
}

/* Not compared is never unchanged. */
static void kinds_missing_tell(const struct comparison *c)
{
	struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED};

	if (!streq(c->database, SQL_SERVER_BASELINE) || c->kinds >= atoi(BASELINE_KINDS))
		return;
	RECORD_SET(&r, server, c->work->server->name);
	RECORD_SET(&r, database, c->database);
	RECORD_PRINTF(&r, detail,
		"the baseline is of an earlier version of Curfew: %s%susers and permissions in master are not compared; %s",
		c->kinds < 2
			? "logins of linked servers, DDL triggers in master, code marked as shipped with SQL "
			  "Server, "
			: "",
		c->kinds < 3 ? "endpoints, credentials, " : "", REVIEW_BY_HAND);
	pass_tell(c->pass, &r);
}

static void comparison_free(struct comparison *c)
{
	for (size_t i = 0; c->before && i < c->n_items; i++)
		free(c->before[i]);
	for (size_t i = 0; i < c->n_gone; i++) {
		free((char *)c->gone[i].kind);
		free((char *)c->gone[i].name);
		free((char *)c->gone[i].hash);
	}
	free(c->gone);
	free(c->before);
	free(c->known);
}

static bool change_is_expected(const struct server_work *work, const char *database)
{
	const struct wanted_server *w = &work->sql.wanted;

	for (size_t i = 0; i < w->n_grants; i++)
		if (w->grants[i]->level == LEVEL_FULL &&
			!strcasecmp(w->grants[i]->database->name, database))
			return true;
	return false;
}

int baseline_compare(struct pass *p, struct server_work *w, const char *database,
	struct baseline_item *items, size_t n)
{
	struct comparison c = {.pass = p,
		.work = w,
		.database = database,
		.items = items,
		.n_items = n,
		.known = calloc(n + 1, sizeof(*c.known)),
		.before = calloc(n + 1, sizeof(*c.before)),
		.expected = change_is_expected(w, database)};
	int rc = -ENOENT;

	if (n)
		qsort(items, n, sizeof(*items), items_order);
	size_t agent = item_find(&c, &(struct baseline_item){"agent", "sid", ""});
	size_t users = item_find(&c, &(struct baseline_item){"agent", "users", ""});
	if (agent != SIZE_MAX)
		c.agent = items[agent].hash;
	if (users != SIZE_MAX)
		c.users = items[users].hash;
	if (c.known && c.before && p->o.journal)
		rc = baseline_read(p->o.journal, pass_baseline_server(p, w, database), database,
			known_take, &c);
	if (rc) {
		no_baseline_tell(&c, rc);
		rc = 0;
	} else {
		rc = items_compare(&c);
		kinds_missing_tell(&c);
	}
	comparison_free(&c);
	return rc;
}
