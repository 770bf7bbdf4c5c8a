/* Records who has which access from now on, where it changed. `history --at` reads these records. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "curfew/person.h"
#include "pass/pass_internal.h"

static void last_free(struct last_access *l)
{
	free(l->sources);
	free(l->network);
	free(l->outcome);
	free(l->person);
	free(l->left);
}

static enum level level_of(const char *name)
{
	static const enum level levels[] = {LEVEL_READ_ONLY, LEVEL_WRITE, LEVEL_FULL};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (name && streq(name, level_name(levels[i])))
			return levels[i];
	return LEVEL_NONE;
}

/* Access that the journal shows and the configuration no longer has. */
struct left_access {
	char *client, *login, *server,
		*database; /* client: NULL if the journal has only a verified level */
	bool on_record;	   /* the journal shows it as ended */
	char *person;	   /* as last recorded; or NULL */
};

static int left_take(struct pass *p, const struct journal_entry *e)
{
	struct left_access *items = array_grown(p->lefts, p->n_lefts, sizeof(*items));

	if (!items)
		return -ENOMEM;
	p->lefts = items;
	struct left_access *l = &items[p->n_lefts++];
	*l = (struct left_access){e->client ? strdup(e->client) : NULL, strdup(e->login),
		strdup(e->server), strdup(e->database), false,
		e->before ? strdup(e->before) : NULL};
	return !e->client == !l->client && !e->before == !l->person && l->login && l->server &&
			       l->database
		       ? 0
		       : -ENOMEM;
}

static int last_take(void *context, const struct journal_entry *e)
{
	struct pass *p = context;
	const struct grant *g = e->login && e->server && e->database
					? pass_grant(p, e->server, e->login, e->database)
					: NULL;

	if (!g)
		return e->login && e->server && e->database ? left_take(p, e) : 0;
	struct last_access *l = &p->lasts[pass_grant_number(p, g)];
	last_free(l);
	*l = (struct last_access){.level = level_of(e->level),
		.until = e->until,
		.sources = strdup(e->sources ? e->sources : ""),
		.network = strdup(e->after ? e->after : ""),
		.outcome = strdup(e->outcome ? e->outcome : ""),
		.person = strdup(e->before ? e->before : "")};
	return l->sources && l->network && l->outcome && l->person ? 0 : -ENOMEM;
}

/* What was found: of SQL and of the network apart. */
struct found {
	enum level level;
	const char *sources; /* those that the packet filter allows; "": none */
	const char *network, *outcome;
	const char *detail; /* or NULL */
	const char *person;
};

static int access_write(struct pass *p, const struct grant *g, const struct found *f)
{
	struct journal_entry e = pass_access_entry(p, g);
	struct proved proved = {.server = g->server->name,
		.login = g->user->login,
		.database = g->database->name,
		.level = f->level,
		.at = p->o.now};
	int rc = pass_journal_begin(p);

	e.level = level_name(f->level);
	e.sources = f->sources;
	e.until = f->level == LEVEL_NONE ? 0 : g->until;
	e.outcome = f->outcome;
	e.after = f->network;
	e.detail = f->detail;
	e.before = f->person;
	e.reason = p->o.reason;
	if (!rc)
		rc = journal_write(NULL, p->o.journal, &e);
	return rc ? rc : proved_put(p->o.journal, &proved);
}

/* Adds verified levels of grants that no longer exist, or whose names changed. */
static int proved_lefts_take(struct pass *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->proved.n && !rc; i++) {
		const struct proved *k = &p->proved.items[i];
		const struct grant *g = pass_grant(p, k->server, k->login, k->database);
		const struct journal_entry e = {
			.login = k->login, .server = k->server, .database = k->database};
		bool same = g && streq(g->user->login, k->login) &&
			    streq(g->database->name, k->database);

		if (k->level != LEVEL_NONE && !same)
			rc = left_take(p, &e);
	}
	return rc;
}

int pass_lasts_read(struct pass *p)
{
	if (p->lasts)
		return 0;
	if (!p->o.journal)
		return -ENODEV;
	p->lasts = calloc(p->grants.n + 1, sizeof(*p->lasts));
	if (!p->lasts)
		return -ENOMEM;
	int rc = journal_access_last(p->o.journal, p->o.now, last_take, p);
	if (!rc)
		rc = proved_lefts_take(p);
	/* Drop a partial list, which must not be taken for the whole. */
	if (rc)
		pass_lasts_free(p);
	return rc;
}

void pass_lasts_free(struct pass *p)
{
	for (size_t i = 0; p->lasts && i < p->grants.n; i++)
		last_free(&p->lasts[i]);
	free(p->lasts);
	for (size_t i = 0; i < p->n_lefts; i++) {
		struct left_access *l = &p->lefts[i];
		free(l->client);
		free(l->person);
		free(l->login);
		free(l->server);
		free(l->database);
	}
	free(p->lefts);
	p->lasts = NULL;
	p->lefts = NULL;
	p->n_lefts = 0;
}

/* Record observed access, not scheduled access: a user who still has more is recorded with more. Skip servers that did
 * not answer. */
static bool grant_is_known(const struct grant_work *w)
{
	return w->seen && w->state != STATE_UNREAD &&
	       (w->state != STATE_UNVERIFIED || w->told_admission == ADMIT);
}

static enum verification grant_verification(const struct pass *p, const struct grant *g)
{
	const struct grant_work *w = &p->works[pass_grant_number(p, g)];

	if (w->told_admission == ADMIT_NOBODY)
		return VERIFICATION_EXCESS;
	return w->has_verified ? w->verified.result : VERIFICATION_UNVERIFIED;
}

/* Whether the recorded level counts as access. A disabled login gives no access at its scheduled level. An excess level
 * always counts, and so does an enabled login: there may be ways to the server that this packet filter does not guard. */
static bool is_held(
	const struct grant *g, const struct grant_work *w, enum verification v, bool open)
{
	return open || w->observed > g->level || v == VERIFICATION_EXCESS || !w->login_shut;
}

static bool is_on_record(const struct last_access *last, const struct found *f,
	const struct grant *g, const struct proved *proved)
{
	bool excess = streq(f->outcome, verification_name(VERIFICATION_EXCESS));

	if (f->level == LEVEL_NONE && !excess)
		return last->level == LEVEL_NONE &&
		       (!last->outcome || !*last->outcome || streq(last->outcome, f->outcome)) &&
		       (!proved || proved->level == LEVEL_NONE);
	return last->outcome && f->level == last->level &&
	       last->until == (f->level == LEVEL_NONE ? 0 : g->until) &&
	       streq(last->sources, f->sources) && streq(last->network, f->network) &&
	       streq(last->outcome, f->outcome) && streq(last->person, f->person) && proved &&
	       proved->level == f->level;
}

static int grant_record(struct pass *p, const struct grant *g, const struct grant_work *w,
	const struct last_access *last)
{
	const struct proved *proved = proved_find(&p->proved, g);
	enum verification v = grant_verification(p, g);
	bool open = pass_admission(g, p) == ADMIT;
	enum level level = is_held(g, w, v, open) ? w->observed : LEVEL_NONE;
	_cleanup_free_ char *sources = user_sources_text(g->user, p->o.now);
	_cleanup_free_ char *person = person_text(g);

	if (!sources || !person)
		return -ENOMEM;
	if (level == LEVEL_NONE && v != VERIFICATION_EXCESS)
		v = VERIFICATION_VERIFIED;
	const struct found f = {.level = level,
		.sources = open ? sources : "",
		.network = !p->o.network		 ? ACCESS_UNFILTERED
			   : open && level != LEVEL_NONE ? ACCESS_ALLOWED
							 : ACCESS_CLOSED,
		.outcome = verification_name(v),
		.detail = w->shown,
		.person = person};
	return is_on_record(last, &f, g, proved) ? 0 : access_write(p, g, &f);
}

static int left_record(struct pass *p, struct left_access *l)
{
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);
	/* Reset the verified level, so that the old login's level cannot open the network for a new login of the same
	 * name. */
	const struct proved nothing = {.server = l->server,
		.login = l->login,
		.database = l->database,
		.level = LEVEL_NONE,
		.at = p->o.now};
	int rc = pass_journal_begin(p);

	e.client = l->client;
	e.login = l->login;
	e.server = l->server;
	e.database = l->database;
	e.phase = phase_name(PHASE_ENDED);
	e.level = level_name(LEVEL_NONE);
	e.before = l->person;
	e.outcome = verification_name(VERIFICATION_VERIFIED);
	e.after = p->o.network ? ACCESS_CLOSED : ACCESS_UNFILTERED;
	e.reason = p->o.reason;
	/* client == NULL: the journal already shows this access as ended. */
	if (!rc && l->client)
		rc = journal_write(NULL, p->o.journal, &e);
	if (!rc)
		rc = proved_put(p->o.journal, &nothing);
	l->on_record = !rc;
	return rc;
}

int pass_record_gone(struct pass *p, const char *server, const char *login, const char *database)
{
	int rc = pass_lasts_read(p);

	for (size_t i = 0; i < p->n_lefts && !rc; i++) {
		struct left_access *l = &p->lefts[i];

		if (!l->on_record && streq(l->server, server) && names_equal(l->login, login) &&
			(database ? names_equal(l->database, database)
				  : !pass_is_former(p, server, login, l->database)))
			rc = left_record(p, l);
	}
	return rc;
}

static int former_save(struct pass *p, struct former *r)
{
	struct verified v = {.server = r->server,
		.login = r->login,
		.database = r->database,
		.sid = r->sid,
		.level = LEVEL_NONE,
		.result = VERIFICATION_VERIFIED,
		.at = p->o.now};
	int rc = pass_journal_begin(p);

	if (!rc)
		rc = pass_record_gone(p, r->server, r->login, r->database);
	if (!rc)
		rc = pass_prove_gone(p, r->server, r->login, r->database);
	if (!rc)
		rc = verified_save(p->o.journal, &v);
	r->saved = !rc;
	return rc;
}

static int formers_save(struct pass *p)
{
	int rc = 0;

	pass_replicas_settle(p);
	for (size_t i = 0; i < p->n_formers && !rc; i++)
		if (p->formers[i].gone && p->formers[i].database && !p->formers[i].saved)
			rc = former_save(p, &p->formers[i]);
	return rc;
}

int pass_record_access(struct pass *p)
{
	int rc = pass_lasts_read(p);

	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		struct grant_work *w = &p->works[i];

		if (w->on_record || !grant_is_known(w))
			continue;
		rc = grant_record(p, &p->grants.items[i], w, &p->lasts[i]);
		w->on_record = !rc;
	}
	if (!rc)
		rc = formers_save(p);
	if (!rc)
		rc = pass_verified_save(p);
	return rc;
}

static bool user_has_source(const struct user *u, const struct source *s, instant_t now)
{
	for (size_t i = 0; i < u->n_sources; i++)
		if (!source_compare(&u->sources[i], s) && user_source_end(u, i) > now)
			return true;
	return false;
}

/* The sources in the text "203.0.113.7, 198.51.100.0/29" that the user does not have, or no longer. */
static int sources_parse(struct last_access *l, const struct user *u, instant_t now)
{
	_cleanup_free_ char *text = strdup(l->sources);
	char *rest = text;

	if (!text)
		return -ENOMEM;
	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		struct source s, *items;

		one += strspn(one, " ");
		if (!*one || source_parse(&s, one) || user_has_source(u, &s, now))
			continue;
		items = array_grown(l->left, l->n_left, sizeof(*items));
		if (!items)
			return -ENOMEM;
		l->left = items;
		items[l->n_left++] = s;
	}
	return 0;
}

int pass_sources_left(struct source **out, size_t *n, struct pass *p, const struct grant *g)
{
	int rc = p->o.journal && !p->memory_failed ? pass_lasts_read(p) : 0;

	*n = 0;
	if (rc || !p->lasts)
		return rc == -ENOMEM ? rc : 0;
	struct last_access *l = &p->lasts[pass_grant_number(p, g)];
	if (l->level == LEVEL_NONE || !l->sources)
		return 0;
	if (!l->left)
		rc = sources_parse(l, g->user, p->o.now);
	*out = l->left;
	*n = l->n_left;
	return rc;
}
