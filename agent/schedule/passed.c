/* What has passed does not come back by a date in a file alone.
 *
 * Once go-live, the end of staging or the end of all access has come, a later date would grant again access whose end was
 * verified. It takes a new decision: a ticket that the passed instant did not have, and, but for staging, an approval of
 * that day or later. Without it the passed instant holds on. The same goes for a staging database that is given another
 * role. */
#include <string.h>

#include "schedule/dates.h"

const char *passed_what_name(enum passed_what w)
{
	static const char *const names[] = {"go-live", "staging-end", "end"};

	return names[w];
}

bool passed_is_same(const struct passed *a, const struct passed *b)
{
	if (a->what != b->what || !names_equal(a->client, b->client) ||
		!a->database != !b->database)
		return false;
	return !a->database ||
	       (names_equal(a->server, b->server) && names_equal(a->database, b->database));
}

static int passed_compare(const void *a, const void *b)
{
	const struct passed *x = a, *y = b;

	return names_compare(x->client, y->client);
}

void passed_sort(struct overrides *o)
{
	array_sort(o->passed, o->n_passed, sizeof(*o->passed), passed_compare);
	o->n_sorted = o->n_passed;
}

/* Index of the client's first entry from `i` on; entries added since passed_sort() stand behind the sorted ones. */
static size_t passed_from(const struct overrides *o, const char *client, size_t i)
{
	if (i < o->n_sorted && !names_equal(o->passed[i].client, client))
		i = o->n_sorted;
	while (i < o->n_passed && !names_equal(o->passed[i].client, client))
		i++;
	return i;
}

static int client_compare(const void *item, const void *client)
{
	const struct passed *p = item;

	return names_compare(p->client, client);
}

size_t passed_first(const struct overrides *o, const char *client)
{
	return passed_from(o, client,
		array_first(o->passed, o->n_sorted, sizeof(*o->passed), client, client_compare));
}

size_t passed_next(const struct overrides *o, const char *client, size_t i)
{
	return passed_from(o, client, i + 1);
}

const struct passed *passed_find(const struct overrides *o, const struct passed *key)
{
	if (!o)
		return NULL;
	for (size_t i = passed_first(o, key->client); i < o->n_passed;
		i = passed_next(o, key->client, i))
		if (passed_is_same(&o->passed[i], key))
			return &o->passed[i];
	return NULL;
}

static const struct passed *passed_of_client(
	const struct overrides *o, const struct client *c, enum passed_what what)
{
	return passed_find(o, &(struct passed){.client = c->name, .what = what});
}

static const struct passed *passed_of_database(const struct program *p, const struct client *c,
	const struct database *d, const struct overrides *o)
{
	const struct passed key = {.client = c->name,
		.what = PASSED_STAGING_END,
		.server = p->servers[d->server].name,
		.database = d->name};

	return passed_find(o, &key);
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
	const struct passed *p = passed_of_client(o, c, what);
	instant_t wanted = date_of(c, what);

	if (!p || p->instant > now)
		return NULL;
	/* Without a go-live, staging ends with production: PASSED_GO_LIVE decides. */
	if (what == PASSED_STAGING_END && !c->has_go_live)
		return NULL;
	return !wanted || wanted > now ? p : NULL;
}

/* Finds a passed end that the file would undo: by a later date, or by changing a staging database to production. Several
 * such databases give one result. */
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
		const struct passed *then_staging = passed_of_client(o, c, PASSED_STAGING_END);
		const struct passed *then_end = passed_of_client(o, c, PASSED_END);

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
	const struct passed *end = passed_of_client(o, c, PASSED_END);
	size_t n = 0;

	/* A held date is recorded with the decision under which it passed, and with its end times. */
	if (is_undecided(c, o, PASSED_GO_LIVE, now) || now < later(c->starts, c->approved))
		return 0;
	for (int what = 0; what < PASSED_WHATS; what++) {
		bool of_go_live = live && (what == PASSED_GO_LIVE || what == PASSED_STAGING_END);
		/* The recorded end belongs to a go-live that was moved since. Replace it before it comes, or access would
		 * end at the old time. */
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
	const struct passed *held = is_undecided(c, o, of, now) ? passed_of_client(o, c, of) : NULL;

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
