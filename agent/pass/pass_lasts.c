/* The last recorded access of each grant, and of what left the configuration. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

static void last_free(struct last_access *l)
{
	free(l->client);
	free(l->sources);
	free(l->network);
	free(l->outcome);
	free(l->person);
	free(l->unseen);
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

static int left_take(struct pass *p, const struct journal_entry *e, const struct grant *moved_to)
{
	struct left_access *l = ARRAY_MORE(p->lefts, p->n_lefts);

	if (!l)
		return -ENOMEM;
	*l = (struct left_access){e->client ? strdup(e->client) : NULL, strdup(e->login),
		strdup(e->server), strdup(e->database), false, e->before ? strdup(e->before) : NULL,
		e->after ? strdup(e->after) : NULL, moved_to};
	p->n_moved += moved_to != NULL;
	return !e->client == !l->client && !e->before == !l->person && !e->after == !l->network &&
			       l->login && l->server && l->database
		       ? 0
		       : -ENOMEM;
}

static bool is_newer(const struct journal_entry *e, const struct last_access *l)
{
	return e->at > l->at || (e->at == l->at && e->id > l->id);
}

/* A login that is written in a client's file stays when the file is renamed: what was recorded of the access is the same,
 * under the former name. */
static int last_take(void *context, const struct journal_entry *e)
{
	struct pass *p = context;
	const struct grant *g = e->login && e->server && e->database
					? pass_grant(p, e->server, e->login, e->database)
					: NULL;

	if (!g)
		return e->login && e->server && e->database ? left_take(p, e, NULL) : 0;
	int rc = e->client && !names_equal(e->client, g->client->name) ? left_take(p, e, g) : 0;
	struct last_access *l = &p->lasts[pass_grant_number(p, g)];
	if (rc || !is_newer(e, l))
		return rc;
	last_free(l);
	*l = (struct last_access){.level = level_of(e->level),
		.at = e->at,
		.id = e->id,
		.until = e->until,
		.client = strdup(e->client ? e->client : g->client->name),
		.sources = strdup(e->sources ? e->sources : ""),
		.network = strdup(e->after ? e->after : ""),
		.outcome = strdup(e->outcome ? e->outcome : ""),
		.person = strdup(e->before ? e->before : "")};
	bool unseen = e->detail && !strncmp(e->detail, UNSEEN, strlen(UNSEEN));
	if (unseen)
		l->unseen = strdup(e->detail + strlen(UNSEEN));
	return l->client && l->sources && l->network && l->outcome && l->person &&
			       (!unseen || l->unseen)
		       ? 0
		       : -ENOMEM;
}

/* Adds verified levels of grants that no longer exist, or whose names changed. */
static int verified_lefts_take(struct pass *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->levels.n && !rc; i++) {
		const struct verified_level *k = &p->levels.items[i];
		const struct grant *g = pass_grant(p, k->server, k->login, k->database);
		const struct journal_entry e = {
			.login = k->login, .server = k->server, .database = k->database};
		bool same = g && streq(g->user->login, k->login) &&
			    streq(g->database->name, k->database);

		if (k->level != LEVEL_NONE && !same)
			rc = left_take(p, &e, NULL);
	}
	return rc;
}

int pass_lasts_read(struct pass *p)
{
	if (p->lasts)
		return 0;
	p->lasts = p->o.journal ? calloc(p->grants.n + 1, sizeof(*p->lasts)) : NULL;
	if (!p->lasts)
		return p->o.journal ? -ENOMEM : -ENODEV;
	int rc = journal_access_last(p->o.journal, p->o.now, last_take, p);
	if (!rc)
		rc = verified_lefts_take(p);
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
		free(l->network);
		free(l->login);
		free(l->server);
		free(l->database);
	}
	free(p->lefts);
	p->lasts = NULL;
	p->lefts = NULL;
	p->n_lefts = p->n_moved = 0;
}
