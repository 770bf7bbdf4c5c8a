/* What has passed does not come back by a date in a file alone.
 *
 * Once go-live, the end of staging or the end of all access has come, moving the date ahead would give again what was
 * taken and proved. It takes a new decision: a ticket that the passed instant did not have, and, but for staging, an
 * approval of that day or later. Without it the passed instant holds on. The same goes for a staging database that is
 * given another role. */
#include <errno.h>
#include <string.h>

#include "schedule/dates.h"

#define DAY 86400

const char *passed_what_name(enum passed_what w)
{
	static const char *const names[] = {"go-live", "staging-end", "end"};

	return names[w];
}

static const struct passed *passed_find(
	const struct overrides *o, const struct client *c, enum passed_what what)
{
	for (size_t i = 0; o && i < o->n_passed; i++)
		if (o->passed[i].what == what && !o->passed[i].database &&
			names_equal(o->passed[i].client, c->name))
			return &o->passed[i];
	return NULL;
}

bool passed_is_same(const struct passed *a, const struct passed *b)
{
	if (a->what != b->what || !names_equal(a->client, b->client) ||
		!a->database != !b->database)
		return false;
	return !a->database ||
	       (names_equal(a->server, b->server) && names_equal(a->database, b->database));
}

static const struct passed *passed_of_database(const struct program *p, const struct client *c,
	const struct database *d, const struct overrides *o)
{
	const struct passed key = {.client = c->name,
		.what = PASSED_STAGING_END,
		.server = p->servers[d->server].name,
		.database = d->name};

	for (size_t i = 0; o && i < o->n_passed; i++)
		if (passed_is_same(&o->passed[i], &key))
			return &o->passed[i];
	return NULL;
}

/* The end that the database had as staging, if another role would undo it; NULL: none. */
static const struct passed *undone_by_role(const struct program *p, const struct client *c,
	const struct database *d, const struct overrides *o, instant_t now)
{
	const struct passed *of = d->role == ROLE_STAGING ? NULL : passed_of_database(p, c, d, o);

	return of && of->instant <= now && now < c->end ? of : NULL;
}

/* `approved` is where the day of approved_on begins: the instant lies before that day's end. */
static bool is_approved(const struct client *c, const struct passed *p)
{
	if (!c->ticket || streq(c->ticket, p->ticket))
		return false;
	return p->what == PASSED_STAGING_END || p->instant < c->approved + DAY;
}

static instant_t date_of(const struct client *c, enum passed_what what)
{
	if (what == PASSED_GO_LIVE)
		return c->has_go_live ? c->go_live : 0;
	if (what == PASSED_STAGING_END)
		return c->has_go_live ? c->staging_end : 0;
	return c->end;
}

/* The passed instant that the files' date would undo; NULL: none. */
static const struct passed *undone_by(
	const struct client *c, const struct overrides *o, enum passed_what what, instant_t now)
{
	const struct passed *p = passed_find(o, c, what);
	instant_t wanted = date_of(c, what);

	if (!p || p->instant > now)
		return NULL;
	/* Without a go-live, staging is as production is: the go-live tells. */
	if (what == PASSED_STAGING_END && !c->has_go_live)
		return NULL;
	return !wanted || wanted > now ? p : NULL;
}

/* By a date; of databases that were staging, one for all. */
static bool reopening_find(struct reopening *out, const struct program *program,
	const struct client *c, const struct overrides *o, enum passed_what what, instant_t now)
{
	const struct passed *p = undone_by(c, o, what, now);
	instant_t wanted = date_of(c, what);

	for (size_t i = 0; !p && what == PASSED_STAGING_END && i < c->n_databases; i++) {
		p = undone_by_role(program, c, &c->databases[i], o, now);
		wanted = p ? c->end : wanted;
	}
	if (p)
		*out = (struct reopening){c, what, p->instant, wanted, is_approved(c, p)};
	return p != NULL;
}

size_t client_reopenings(struct reopening out[REOPENINGS_MAX], const struct program *p,
	const struct client *c, const struct overrides *o, instant_t now)
{
	size_t n = 0;

	for (int what = 0; what < PASSED_WHATS; what++)
		n += reopening_find(&out[n], p, c, o, (enum passed_what)what, now);
	return n;
}

instant_t database_end(const struct client_dates *dates, const struct program *p,
	const struct client *c, const struct database *d, const struct overrides *o, instant_t now)
{
	const struct passed *was = undone_by_role(p, c, d, o, now);

	if (dates->has_go_live && d->role == ROLE_STAGING)
		return earlier(dates->staging_end, dates->end);
	return was && !is_approved(c, was) ? earlier(was->instant, dates->end) : dates->end;
}

struct client_dates client_dates(const struct client *c, const struct overrides *o, instant_t now)
{
	struct client_dates d = {c->has_go_live, c->go_live, c->staging_end, c->end};
	const struct passed *go_live = undone_by(c, o, PASSED_GO_LIVE, now);
	const struct passed *staging = undone_by(c, o, PASSED_STAGING_END, now);
	const struct passed *end = undone_by(c, o, PASSED_END, now);

	if (go_live && !is_approved(c, go_live)) {
		/* With the ends that went with it. */
		const struct passed *then_staging = passed_find(o, c, PASSED_STAGING_END);
		const struct passed *then_end = passed_find(o, c, PASSED_END);

		d.end = earlier(d.end, then_end ? then_end->instant : d.end);
		d.staging_end = d.has_go_live ? d.staging_end : d.end;
		if (then_staging)
			d.staging_end = earlier(d.staging_end, then_staging->instant);
		d.has_go_live = true;
		d.go_live = go_live->instant;
	}
	if (staging && !is_approved(c, staging))
		d.staging_end = earlier(d.staging_end, staging->instant);
	if (end && !is_approved(c, end))
		d.end = earlier(d.end, end->instant);
	return d;
}

static bool is_undecided(
	const struct client *c, const struct overrides *o, enum passed_what what, instant_t now)
{
	const struct passed *p = undone_by(c, o, what, now);

	return p && !is_approved(c, p);
}

size_t client_passed(struct passed out[PASSED_WHATS], const struct client *c,
	const struct overrides *o, instant_t now)
{
	struct client_dates d = client_dates(c, o, now);
	bool live = d.has_go_live && now >= d.go_live;
	const instant_t instants[] = {d.go_live, d.staging_end, d.end};
	const struct passed *end = passed_find(o, c, PASSED_END);
	size_t n = 0;

	/* A held date is recorded with the decision under which it passed, and with its end times. */
	if (is_undecided(c, o, PASSED_GO_LIVE, now) || now < later(c->starts, c->approved))
		return 0;
	for (int what = 0; what < PASSED_WHATS; what++) {
		bool of_go_live = live && (what == PASSED_GO_LIVE || what == PASSED_STAGING_END);
		/* The end that went with a go-live since moved has not come: it must not hold when it would have. */
		bool moved = end && end->instant > now && end->instant != d.end;

		if ((of_go_live || (what == PASSED_END && (live || now >= d.end || moved))) &&
			!is_undecided(c, o, (enum passed_what)what, now))
			out[n++] = (struct passed){.client = c->name,
				.what = (enum passed_what)what,
				.instant = instants[what],
				.ticket = c->ticket,
				.approved = c->approved};
	}
	return n;
}

bool database_passed(struct passed *out, const struct program *p, const struct client *c,
	const struct database *d, const struct overrides *o, instant_t now)
{
	const struct client_dates dates = client_dates(c, o, now);
	const struct passed *known = passed_of_database(p, c, d, o);
	enum passed_what of =
		is_undecided(c, o, PASSED_GO_LIVE, now) ? PASSED_GO_LIVE : PASSED_STAGING_END;
	const struct passed *held = is_undecided(c, o, of, now) ? passed_find(o, c, of) : NULL;

	if (!dates.has_go_live || now < dates.go_live || now < later(c->starts, c->approved))
		return false;
	/* Before it comes, another role is no reopening: then the database ends with production. */
	if (d->role != ROLE_STAGING && (!known || known->instant <= now))
		return false;
	*out = (struct passed){.client = c->name,
		.what = PASSED_STAGING_END,
		.instant = d->role == ROLE_STAGING ? dates.staging_end : dates.end,
		.ticket = held ? held->ticket : c->ticket,
		.approved = held ? held->approved : c->approved,
		.server = p->servers[d->server].name,
		.database = d->name};
	return true;
}

static void override_clear(struct override *o)
{
	free(o->client);
	free(o->login);
	free(o->reason);
}

int overrides_add(struct overrides *o, const char *client, const char *login, instant_t at,
	const char *reason)
{
	/* Not array_grown(): the list may have been read, and is then as long as it is. */
	struct override *items = reallocarray(o->items, o->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	o->items = items;
	struct override *fresh = &items[o->n];
	*fresh = (struct override){
		strdup(client), login ? strdup(login) : NULL, at, strdup(reason ? reason : "")};
	if (!fresh->client || !fresh->reason || (login && !fresh->login)) {
		override_clear(fresh);
		return -ENOMEM;
	}
	o->n++;
	return 0;
}

/* SQL Server does not tell letter case apart: neither may a revocation. */
bool override_is_same(
	const char *client, const char *login, const char *other_client, const char *other_login)
{
	return login && other_login ? names_equal(login, other_login)
				    : !login && !other_login && names_equal(client, other_client);
}

void overrides_remove(struct overrides *o, const char *client, const char *login)
{
	for (size_t i = o->n; i-- > 0;) {
		struct override *k = &o->items[i];
		if (!override_is_same(k->client, k->login, client, login))
			continue;
		override_clear(k);
		*k = o->items[--o->n];
	}
}

void overrides_as_of(struct overrides *o, instant_t then)
{
	for (size_t i = o->n; i-- > 0;) {
		if (o->items[i].at <= then)
			continue;
		override_clear(&o->items[i]);
		o->items[i] = o->items[--o->n];
	}
}

void overrides_free(struct overrides *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n; i++)
		override_clear(&o->items[i]);
	for (size_t i = 0; i < o->n_passed; i++) {
		free(o->passed[i].client);
		free(o->passed[i].ticket);
		free(o->passed[i].server);
		free(o->passed[i].database);
	}
	free(o->items);
	free(o->passed);
	*o = (struct overrides){0};
}
