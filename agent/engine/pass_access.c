/* Who has what from now on, put on record where it is another than before: what `history --at` answers from. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/pass_internal.h"

struct last_access { /* on record */
	enum level level;
	char *sources;
	instant_t until;
};

static enum level level_of(const char *name)
{
	static const enum level levels[] = {LEVEL_READ_ONLY, LEVEL_FULL};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (name && !strcmp(name, level_name(levels[i])))
			return levels[i];
	return LEVEL_NONE;
}

static int last_take(void *context, const struct journal_entry *e)
{
	const struct pass *p = context;
	const struct grant *g = e->login && e->server && e->database
					? pass_grant(p, e->server, e->login, e->database)
					: NULL;

	if (!g)
		return 0;
	struct last_access *l = &p->lasts[pass_grant_number(p, g)];
	free(l->sources);
	*l = (struct last_access){.level = level_of(e->level),
		.until = e->until,
		.sources = strdup(e->sources ? e->sources : "")};
	return l->sources ? 0 : -ENOMEM;
}

static char *sources_text(const struct user *u)
{
	char *text = NULL, one[SOURCE_TEXT_MAX];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (size_t i = 0; i < u->n_sources; i++)
		fprintf(to, "%s%s", i ? ", " : "", source_format(one, &u->sources[i]));
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

static int access_write(
	struct pass *p, const struct grant *g, enum level level, const char *sources)
{
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);
	struct proved proved = {.server = g->server->name,
		.login = g->user->login,
		.database = g->database->name,
		.level = level,
		.at = p->o.now};
	int rc = pass_journal_begin(p);

	e.client = g->client->name;
	e.login = g->user->login;
	e.server = g->server->name;
	e.database = g->database->name;
	e.phase = phase_name(g->phase);
	e.level = level_name(level);
	e.sources = sources;
	e.until = level == LEVEL_NONE ? 0 : g->until;
	e.reason = p->o.reason;
	if (!rc)
		rc = journal_write(NULL, p->o.journal, &e);
	return rc ? rc : proved_put(p->o.journal, &proved);
}

static int lasts_read(struct pass *p)
{
	if (p->lasts)
		return 0;
	p->lasts = calloc(p->grants.n + 1, sizeof(*p->lasts));
	if (!p->lasts)
		return -ENOMEM;
	return journal_access_at(p->o.journal, p->o.now, NULL, last_take, p);
}

void pass_lasts_free(struct pass *p)
{
	for (size_t i = 0; p->lasts && i < p->grants.n; i++)
		free(p->lasts[i].sources);
	free(p->lasts);
}

/* What was observed counts, not what was wanted: a user who still holds more is on record with more. Of a server that
 * did not answer nothing new is known. */
static bool grant_is_known(const struct grant_work *w)
{
	return w->seen && (w->state != STATE_UNPROVED || w->admission == ADMIT);
}

static int grant_record(struct pass *p, const struct grant *g, const struct grant_work *w,
	const struct last_access *last)
{
	const struct proved *proved = proved_find(&p->proved, g);
	/* Held by a disabled login, or one that must not be there: not an access that anybody may use. */
	enum level level =
		w->admission == ADMIT || w->observed > g->level ? w->observed : LEVEL_NONE;
	_cleanup_free_ char *sources = sources_text(g->user);

	if (!sources)
		return -ENOMEM;
	bool same =
		level == last->level &&
		(level == LEVEL_NONE ? (!proved || proved->level == LEVEL_NONE)
				     : last->until == g->until && !strcmp(last->sources, sources) &&
					       proved && proved->level == level);
	return same ? 0 : access_write(p, g, level, sources);
}

int pass_record_access(struct pass *p)
{
	int rc = lasts_read(p);

	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		struct grant_work *w = &p->works[i];

		if (w->on_record || !grant_is_known(w))
			continue;
		rc = grant_record(p, &p->grants.items[i], w, &p->lasts[i]);
		w->on_record = !rc;
	}
	return rc;
}

struct gone {
	struct pass *pass;
	const char *server, *login;
};

static int gone_take(void *context, const struct journal_entry *last)
{
	const struct gone *gone = context;
	struct pass *p = gone->pass;
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);

	if (!last->server || strcmp(last->server, gone->server) != 0 || !last->login ||
		!names_equal(last->login, gone->login) || !last->database ||
		pass_grant(p, last->server, last->login, last->database))
		return 0;
	e.client = last->client;
	e.login = last->login;
	e.server = last->server;
	e.database = last->database;
	e.phase = phase_name(PHASE_REMOVED);
	e.level = level_name(LEVEL_NONE);
	e.reason = p->o.reason;
	/* Should he come back, what was proved of his old login opens nothing for the new one. */
	const struct proved nothing = {.server = last->server,
		.login = last->login,
		.database = last->database,
		.level = LEVEL_NONE,
		.at = p->o.now};
	int rc = journal_write(NULL, p->o.journal, &e);
	return rc ? rc : proved_put(p->o.journal, &nothing);
}

int pass_record_gone(struct pass *p, const char *server, const char *login)
{
	struct gone gone = {p, server, login};
	int rc = pass_journal_begin(p);

	return rc ? rc : journal_access_at(p->o.journal, p->o.now, NULL, gone_take, &gone);
}
