/* The timeline of a client's databases: asks the schedule at each of its changes. */
#include "curfew/report.h"
#include "schedule/dates.h"

#include <errno.h>
#include <string.h>

/* Changes of one client: at most three a database. */
#define TURNS_MAX 4096

const char *timeline_mark_name(enum timeline_mark_kind k)
{
	static const char *const names[] = {
		[MARK_START] = "access starts",
		[MARK_GO_LIVE] = "go-live",
		[MARK_STAGING_END] = "staging ends",
		[MARK_TESTING_END] = "testing ends",
		[MARK_END] = "access ends",
		[MARK_REVOKED] = "revoked",
	};

	return (size_t)k < ARRAY_SIZE(names) ? names[k] : "?";
}

static int mark_compare(const void *a, const void *b)
{
	const struct timeline_mark *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : (int)x->kind - (int)y->kind;
}

static void mark_add(struct timeline *t, enum timeline_mark_kind kind, instant_t at)
{
	t->marks[t->n_marks++] = (struct timeline_mark){kind, at};
}

static bool has_staging(const struct client *c)
{
	for (size_t i = 0; i < c->n_databases; i++)
		if (c->databases[i].role == ROLE_STAGING)
			return true;
	return false;
}

/* Dates that have passed hold, whatever the file says now. Revocations have a mark of their own. */
static struct overrides passed_of(const struct overrides *o)
{
	struct overrides passed = o ? *o : (struct overrides){0};

	passed.items = NULL;
	passed.n = 0;
	return passed;
}

static void marks_make(struct timeline *t, const struct overrides *o)
{
	const struct client *c = t->client;
	const struct client_dates d = client_dates(c, o, t->now);
	instant_t opens = c->starts > c->approved ? c->starts : c->approved;

	mark_add(t, MARK_START, opens);
	/* A later one that the file names now does not come. */
	if (d.has_go_live && d.go_live < d.end) {
		mark_add(t, MARK_GO_LIVE, d.go_live);
		if (has_staging(c) && d.staging_end < d.end)
			mark_add(t, MARK_STAGING_END, d.staging_end);
	}
	mark_add(t, d.has_go_live ? MARK_END : MARK_TESTING_END, d.end);
	for (size_t i = 0; o && i < o->n; i++) {
		/* The revocation of one user is not part of the client's timeline. */
		if (!o->items[i].login && names_compare(o->items[i].client, c->name) == 0) {
			mark_add(t, MARK_REVOKED, o->items[i].at);
			break;
		}
	}
	qsort(t->marks, t->n_marks, sizeof(t->marks[0]), mark_compare);
}

/* Adds the levels of one period as bars; extends a bar of the same level that ends where the period begins. */
static int bars_add(struct timeline *t, const struct grants *g, instant_t from, instant_t until)
{
	for (size_t i = 0; i < g->n; i++) {
		size_t database = (size_t)(g->items[i].database - t->client->databases);
		enum level level = g->items[i].level;
		struct timeline_bar *more;
		bool known = level == LEVEL_NONE;

		for (size_t k = 0; k < t->n_bars && !known; k++) {
			struct timeline_bar *b = &t->bars[k];

			if (b->database != database || b->level != level || b->until < from)
				continue;
			b->until = until;
			known = true;
		}
		if (known)
			continue;
		more = reallocarray(t->bars, t->n_bars + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->bars = more;
		t->bars[t->n_bars++] = (struct timeline_bar){database, level, from, until};
	}
	return 0;
}

static int bar_compare(const void *a, const void *b)
{
	const struct timeline_bar *x = a, *y = b;

	if (x->database != y->database)
		return x->database < y->database ? -1 : 1;
	return x->from != y->from ? (x->from < y->from ? -1 : 1) : 0;
}

/* The schedule before a date that has passed names the file's date, not that one. */
static bool passed_between(
	const struct timeline *t, const struct overrides *o, instant_t at, instant_t *next)
{
	bool found = false;

	for (size_t i = 0; i < o->n_passed; i++) {
		const struct passed *k = &o->passed[i];
		if (!names_equal(k->client, t->client->name) || k->instant <= at ||
			k->instant >= *next)
			continue;
		*next = k->instant;
		found = true;
	}
	return found;
}

static int bars_make(struct timeline *t, const struct overrides *o)
{
	/* A program with one client and one user: all users have the same schedule. */
	struct client alone = *t->client;
	struct program p = {
		.servers = t->program->servers,
		.n_servers = t->program->n_servers,
		.clients = &alone,
		.n_clients = 1,
	};
	instant_t at = t->marks[0].at < t->now ? t->marks[0].at : t->now;
	int rc = 0;

	/* No sources, because a temporary source does not appear in the timeline. */
	struct user user = alone.n_users ? alone.users[0] : (struct user){0};
	if (alone.n_users) {
		user.n_sources = 0;
		alone.users = &user;
		alone.n_users = 1;
	}
	at -= 1;
	for (size_t turns = 0; !rc && turns < TURNS_MAX; turns++) {
		struct grants g;
		instant_t next;
		bool more;

		rc = schedule_at(&g, &p, o, at);
		if (rc)
			break;
		more = schedule_next(&next, &g, at);
		if (!more)
			next = INT64_MAX;
		more |= passed_between(t, o, at, &next);
		rc = bars_add(t, &g, at, more ? next : client_end(t->client, o, t->now));
		grants_free(&g);
		if (!more)
			break;
		at = next;
	}
	if (t->n_bars)
		qsort(t->bars, t->n_bars, sizeof(*t->bars), bar_compare);
	return rc;
}

/* Revoked access is shown as ended from the revocation on. */
static void bars_revoke(struct timeline *t)
{
	instant_t at = INT64_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < t->n_marks; i++)
		if (t->marks[i].kind == MARK_REVOKED)
			at = t->marks[i].at;
	for (size_t i = 0; i < t->n_bars; i++) {
		if (t->bars[i].from >= at)
			continue;
		t->bars[kept] = t->bars[i];
		if (t->bars[kept].until > at)
			t->bars[kept].until = at;
		kept++;
	}
	t->n_bars = kept;
}

/* Access starts and ends with that of any database: production alone starts at go-live, staging alone ends with
 * staging. */
static void marks_fit(struct timeline *t)
{
	instant_t opens = INT64_MAX, ends = 0;
	size_t kept = 0;

	for (size_t i = 0; i < t->n_bars; i++) {
		opens = t->bars[i].from < opens ? t->bars[i].from : opens;
		ends = t->bars[i].until > ends ? t->bars[i].until : ends;
	}
	for (size_t i = 0; t->n_bars && i < t->n_marks; i++) {
		struct timeline_mark *m = &t->marks[i];

		if (m->kind == MARK_START)
			m->at = opens;
		if (m->kind == MARK_END || m->kind == MARK_TESTING_END)
			m->at = ends;
		if (m->kind != MARK_STAGING_END || m->at < ends)
			t->marks[kept++] = *m;
	}
	if (t->n_bars)
		t->n_marks = kept;
	qsort(t->marks, t->n_marks, sizeof(t->marks[0]), mark_compare);
}

int timeline_make(struct timeline *out, const struct program *p, const struct client *c,
	const struct overrides *o, instant_t now)
{
	struct timeline t = {.client = c, .program = p, .overrides = o, .now = now};
	const struct overrides passed = passed_of(o);
	instant_t span;
	int rc;

	marks_make(&t, o);
	rc = bars_make(&t, &passed);
	if (rc) {
		timeline_free(&t);
		return rc;
	}
	marks_fit(&t);
	bars_revoke(&t);
	t.from = t.marks[0].at;
	t.until = t.marks[t.n_marks - 1].at;
	/* Today is part of the picture only if it is near, so that an old client's timeline is not squeezed. */
	span = t.until - t.from > 30 * DAY ? t.until - t.from : 30 * DAY;
	if (now < t.from && t.from - now < span)
		t.from = now;
	if (now > t.until && now - t.until < span)
		t.until = now;
	span = t.until - t.from > DAY ? t.until - t.from : DAY;
	t.from -= span / 25;
	t.until += span / 25;
	*out = t;
	return 0;
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	free(t->bars);
	*t = (struct timeline){0};
}
