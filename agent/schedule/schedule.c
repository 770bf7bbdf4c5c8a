/* The scheduled access of every grant at a given time: at most four periods (none, before go-live, read-only, none).
 * Neighbors of one level are one period, so `until` is always a real change of what a user can do. */
#include "schedule/dates.h"

#include <errno.h>
#include <string.h>

/* none, before go-live, read-only, none */
#define COURSE_MAX 4

struct step {
	instant_t from;
	enum level level;
};
struct course {
	struct step steps[COURSE_MAX]; /* the first begins at 0: before anything was known */
	size_t n;
};

const char *phase_name(enum phase p)
{
	static const char *const names[] = {
		"pending", "testing", "live", "ended", "lapsed", "revoked"};

	return names[p];
}

static instant_t client_opens(const struct client *c)
{
	return later(c->starts, c->approved);
}

static enum phase phase_at(const struct client_dates *d, const struct client *c, instant_t now)
{
	if (now >= d->end)
		return d->has_go_live ? PHASE_ENDED : PHASE_LAPSED;
	if (now < client_opens(c))
		return PHASE_PENDING;
	return d->has_go_live && now >= d->go_live ? PHASE_LIVE : PHASE_TESTING;
}

enum phase client_phase(const struct client *c, const struct overrides *o, instant_t now)
{
	struct client_dates d = client_dates(c, o, now);

	return phase_at(&d, c, now);
}

instant_t client_end(const struct client *c, const struct overrides *o, instant_t now)
{
	return client_dates(c, o, now).end;
}

/* A period that is empty, or of the level that holds already, is no step. */
static void course_add(struct course *course, instant_t from, instant_t until, enum level level)
{
	struct step *last = &course->steps[course->n - 1];

	if (from >= until || last->level == level)
		return;
	course->steps[course->n++] = (struct step){from, level};
}

static struct course database_course(const struct client *c, const struct client_dates *dates,
	const struct database *d, instant_t end)
{
	struct course course = {.steps = {{0, LEVEL_NONE}}, .n = 1};
	instant_t opens = client_opens(c);
	instant_t narrows = dates->has_go_live ? earlier(dates->go_live, end) : end;

	course_add(&course, opens, narrows, d->before_go_live);
	course_add(&course, later(opens, narrows), end, LEVEL_READ_ONLY);
	/* Without any access before it, the end is no change. */
	course_add(&course, end, INT64_MAX, LEVEL_NONE);
	return course;
}

static void grant_place(
	struct grant *g, const struct client_dates *dates, instant_t end, instant_t now)
{
	struct course course = database_course(g->client, dates, g->database, end);
	size_t i = course.n - 1;

	while (i > 0 && course.steps[i].from > now)
		i--;
	g->phase = phase_at(dates, g->client, now);
	g->level = g->next_level = course.steps[i].level;
	g->from = course.steps[i].from;
	g->until = g->end = end;
	if (i + 1 < course.n) {
		g->next_level = course.steps[i + 1].level;
		g->until = course.steps[i + 1].from;
	}
}

/* The earliest revocation, or NULL. Each is in force, whatever its time: one that was made while the system clock was
 * ahead would otherwise be lost when the clock is corrected. */
static const struct override *override_find(
	const struct overrides *o, const struct client *c, const struct user *u)
{
	const struct override *found = NULL;

	for (size_t i = 0; o && i < o->n; i++) {
		const struct override *item = &o->items[i];

		if (override_blocks(item, c->name, u->login) && (!found || item->at < found->at))
			found = item;
	}
	return found;
}

/* Nothing is left to revoke once the course itself is over. */
static void grant_revoke(
	struct grant *g, const struct client_dates *dates, const struct override *o, instant_t now)
{
	if (now >= dates->end)
		return;
	g->phase = PHASE_REVOKED;
	if (now >= g->end)
		return;
	g->level = g->next_level = LEVEL_NONE;
	g->from = earlier(o->at, now);
	g->until = g->end;
}

static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int order = strcmp(x->client->name, y->client->name);

	if (!order)
		order = strcmp(x->user->login, y->user->login);
	if (!order)
		order = strcmp(x->server->name, y->server->name);
	if (!order)
		order = strcmp(x->database->name, y->database->name);
	return order;
}

static size_t program_grants(const struct program *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t d = 0; d < p->clients[i].n_databases; d++)
			n += p->clients[i].n_users *
			     (1 + p->servers[p->clients[i].databases[d].server].replicas.n);
	return n;
}

/* On the server that the client's file names, and the same on each of its replicas. */
static struct grant *database_grants_put(
	struct grant *next, const struct program *p, const struct grant *named)
{
	const struct server *first = named->server;

	*next++ = *named;
	for (size_t i = 0; i < first->replicas.n; i++) {
		*next = *named;
		next++->server = program_server(p, first->replicas.items[i]);
	}
	return next;
}

static struct grant *client_grants(struct grant *next, const struct program *p,
	const struct client *c, const struct overrides *o, instant_t now)
{
	const struct client_dates dates = client_dates(c, o, now);

	for (size_t u = 0; u < c->n_users; u++) {
		const struct override *revoked = override_find(o, c, &c->users[u]);

		for (size_t d = 0; d < c->n_databases; d++) {
			const struct database *database = &c->databases[d];

			struct grant g = {.client = c,
				.user = &c->users[u],
				.server = &p->servers[database->server],
				.database = database};

			grant_place(&g, &dates, database_end(&dates, p, c, database, o, now), now);
			if (revoked)
				grant_revoke(&g, &dates, revoked, now);
			next = database_grants_put(next, p, &g);
		}
	}
	return next;
}

int schedule_at(
	struct grants *out, const struct program *p, const struct overrides *o, instant_t now)
{
	/* One more than needed: calloc(0) may give NULL, which would look like a failure. */
	struct grants g = {.items = calloc(program_grants(p) + 1, sizeof(*g.items))};
	struct grant *next = g.items;

	if (!g.items)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_clients; i++)
		next = client_grants(next, p, &p->clients[i], o, now);
	g.n = (size_t)(next - g.items);
	array_sort(g.items, g.n, sizeof(*g.items), grant_compare);
	*out = g;
	return 0;
}

void grants_free(struct grants *g)
{
	if (!g)
		return;
	free(g->items);
	*g = (struct grants){0};
}

/* A source that ends while its user has access is a change too. */
static instant_t sources_next(const struct grant *g, instant_t now)
{
	instant_t next = INT64_MAX;

	for (size_t i = 0; g->level != LEVEL_NONE && i < g->user->n_sources; i++)
		if (user_source_end(g->user, i) > now)
			next = earlier(next, user_source_end(g->user, i));
	return next;
}

bool schedule_next(instant_t *out, const struct grants *g, instant_t now)
{
	instant_t next = INT64_MAX;

	for (size_t i = 0; i < g->n; i++) {
		const struct grant *grant = &g->items[i];

		if (grant->next_level != grant->level && grant->until > now)
			next = earlier(next, grant->until);
		next = earlier(next, sources_next(grant, now));
	}
	if (next == INT64_MAX)
		return false;
	*out = next;
	return true;
}

bool grant_is_behind(
	const struct grant *g, const struct source *source, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < g->user->n_sources; i++)
		if (!source_compare(&g->user->sources[i], source))
			for (size_t k = 0; k < g->server->n_endpoints; k++)
				if (!endpoint_compare(&g->server->endpoints[k], endpoint))
					return true;
	return false;
}
