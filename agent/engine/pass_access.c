/* Who has what from now on, put on record where it is another than before: what `history --at` answers from. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/pass_internal.h"

struct before { /* the last access on record of each grant */
	const struct pass *pass;
	struct last {
		enum level level;
		char *sources;
		instant_t until;
	} * lasts;
};

static enum level level_of(const char *name)
{
	static const enum level levels[] = {LEVEL_READ_ONLY, LEVEL_FULL};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (name && !strcmp(name, level_name(levels[i])))
			return levels[i];
	return LEVEL_NONE;
}

static int before_take(void *context, const struct journal_entry *e)
{
	struct before *b = context;
	const struct grant *g = e->login && e->server && e->database
					? pass_grant(b->pass, e->server, e->login, e->database)
					: NULL;

	if (!g)
		return 0;
	struct last *l = &b->lasts[pass_grant_number(b->pass, g)];
	free(l->sources);
	*l = (struct last){.level = level_of(e->level),
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

/* What was observed counts, not what was wanted: a user who still holds more is on record with more. */
static bool grant_is_known(const struct grant_work *w)
{
	return w->seen && w->state != STATE_UNPROVED;
}

int pass_record_access(struct pass *p)
{
	struct before b = {.pass = p, .lasts = calloc(p->grants.n + 1, sizeof(*b.lasts))};
	int rc = b.lasts ? 0 : -ENOMEM;

	if (!rc)
		rc = journal_access_at(p->o.journal, p->o.now, NULL, before_take, &b);
	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		const struct grant *g = &p->grants.items[i];
		const struct grant_work *w = &p->works[i];
		const struct proved *proved = pass_proved(p, g);
		/* Held by a disabled login, or one that must not be there: not an access that anybody may use. */
		enum level level =
			w->admissible || w->observed > g->level ? w->observed : LEVEL_NONE;
		if (!grant_is_known(w) && !w->admissible)
			continue;
		_cleanup_free_ char *sources = sources_text(g->user);
		if (!sources) {
			rc = -ENOMEM;
			break;
		}
		bool same = level == b.lasts[i].level &&
			    (level == LEVEL_NONE ? (!proved || proved->level == LEVEL_NONE)
						 : b.lasts[i].until == g->until &&
							   !strcmp(b.lasts[i].sources, sources) &&
							   proved && proved->level == level);
		if (!same)
			rc = access_write(p, g, level, sources);
	}
	for (size_t i = 0; b.lasts && i < p->grants.n; i++)
		free(b.lasts[i].sources);
	free(b.lasts);
	return rc;
}
