/* Which notices a schedule yields. Asks the schedule at each of its own changes, so that a notice says what will
 * happen and nothing else. */
#include "curfew/notice.h"

#include "curfew/calendar.h"
#include "schedule/dates.h"

#include <errno.h>
#include <string.h>

/* Three changes a database, of one client; more would be a bug. */
#define TURNS_MAX 4096

/* Users of one client share its dates, so one user stands for all. Revocations are left out, because they concern one
 * user; dates that the latest time seen has passed count as they do at `dates`' time. */
static int client_grants_at(struct grants *out, const struct program *p, const struct client *c,
	const struct client_dates *dates, instant_t at)
{
	struct client alone = *c;
	struct user user = c->users[0];
	const struct program one = {.servers = p->servers,
		.n_servers = p->n_servers,
		.clients = &alone,
		.n_clients = 1};

	alone.has_go_live = dates->has_go_live;
	alone.go_live = dates->go_live;
	alone.staging_end = dates->staging_end;
	alone.end = dates->end;
	user.n_sources = 0;
	alone.users = &user;
	alone.n_users = 1;
	int rc = schedule_at(out, &one, NULL, at);
	/* Do not return pointers to `alone` and `user`, which end with this function. */
	for (size_t i = 0; rc == 0 && i < out->n; i++) {
		out->items[i].client = c;
		out->items[i].user = &c->users[0];
	}
	return rc;
}

static void turn_note(struct notice_dates *d, const struct grants *before,
	const struct grants *after, instant_t at)
{
	bool had = false, has = false, narrows = false, ends = false;

	for (size_t i = 0; i < after->n; i++) {
		enum level was = i < before->n ? before->items[i].level : LEVEL_NONE;
		enum level is = after->items[i].level;

		had |= was != LEVEL_NONE;
		has |= is != LEVEL_NONE;
		narrows |= is != LEVEL_NONE && is < was;
		ends |= is == LEVEL_NONE && was != LEVEL_NONE;
	}
	if (!had && has && !d->opens)
		d->opens = at;
	if (narrows)
		d->read_only = at;
	if (ends && has)
		d->staging_ends = at;
	if (had && !has)
		d->ends = at;
}

int notice_dates_find(struct notice_dates *out, const struct program *p, const struct client *c,
	const struct overrides *o, instant_t now)
{
	const struct client_dates dates = client_dates(c, o, now);
	struct notice_dates d = {0};
	struct grants before = {0}, after = {0};
	instant_t opens = c->starts > c->approved ? c->starts : c->approved;
	instant_t at = opens < now ? opens - 1 : now - 1;
	int rc = c->n_users ? client_grants_at(&before, p, c, &dates, at) : 0;

	for (size_t turns = 0; rc == 0 && c->n_users && turns < TURNS_MAX; turns++) {
		if (!schedule_next(&at, &before, at))
			break;
		rc = client_grants_at(&after, p, c, &dates, at);
		if (rc)
			break;
		turn_note(&d, &before, &after, at);
		grants_free(&before);
		before = after;
	}
	grants_free(&before);
	if (rc == 0)
		*out = d;
	return rc;
}

static int notice_add(struct notices *list, const struct notice *n)
{
	return ARRAY_ADD(list->items, list->n, *n);
}

/* The two notices ahead of `at`, in the order of their kinds. If the access is too short for the earlier one, only
 * the later one is due, or none. */
static int ahead_add(
	struct notices *list, const struct notice *about, enum notice_kind seven, instant_t opens)
{
	const char *zone = about->client->timezone;
	const instant_t when[] = {days_before(about->at, 7, zone), days_before(about->at, 1, zone)};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(when); i++) {
		struct notice n = *about;

		n.kind = (enum notice_kind)((int)seven + (int)i);
		n.when = when[i];
		n.until = i + 1 < ARRAY_SIZE(when) ? when[i + 1] : about->at;
		if (n.when > opens)
			rc = notice_add(list, &n);
	}
	return rc;
}

static int user_add(struct notices *list, const struct client *c, const struct user *u,
	const struct notice_dates *d)
{
	struct notice n = {.client = c, .user = u, .until = INT64_MAX};
	int rc = 0;

	if (!d->opens)
		return 0;
	n.kind = NOTICE_OPENED;
	n.when = n.at = d->opens;
	n.until = d->ends ? d->ends : INT64_MAX;
	rc = notice_add(list, &n);
	n.until = INT64_MAX;
	if (rc == 0 && d->read_only) {
		n.kind = NOTICE_READ_ONLY;
		n.when = n.at = d->read_only;
		n.until = d->ends ? d->ends : INT64_MAX;
		rc = notice_add(list, &n);
		if (rc == 0)
			rc = ahead_add(list, &n, NOTICE_READ_ONLY_7, d->opens);
	}
	if (rc == 0 && d->staging_ends) {
		n.at = d->staging_ends;
		rc = ahead_add(list, &n, NOTICE_STAGING_ENDS_7, d->opens);
	}
	if (rc == 0 && d->ends) {
		n.kind = NOTICE_ENDED;
		n.when = n.at = d->ends;
		n.until = INT64_MAX;
		rc = notice_add(list, &n);
		if (rc == 0)
			rc = ahead_add(list, &n, NOTICE_ENDS_7, d->opens);
	}
	return rc;
}

static int notice_compare(const void *a, const void *b)
{
	const struct notice *x = a, *y = b;
	int c = x->when != y->when ? (x->when < y->when ? -1 : 1)
				   : strcmp(x->client->name, y->client->name);

	if (!c)
		c = strcmp(x->user->login, y->user->login);
	return c ? c : (int)x->kind - (int)y->kind;
}

static const struct override *revocation_of(
	const struct overrides *o, const struct client *c, const struct user *u)
{
	const struct override *found = NULL;

	for (size_t i = 0; o && i < o->n; i++) {
		const struct override *k = &o->items[i];

		if (override_is_same(k->client, k->login, c->name, k->login ? u->login : NULL) &&
			(!found || k->at < found->at))
			found = k;
	}
	return found;
}

/* Adds one kind of notice for each user. */
static int each_user(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now, bool revoked)
{
	struct notices list = {0};
	int rc = 0;

	for (size_t i = 0; i < p->n_clients && rc == 0; i++) {
		const struct client *c = &p->clients[i];
		struct notice_dates d;

		if (only && c != only)
			continue;
		rc = notice_dates_find(&d, p, c, o, now);
		for (size_t k = 0; k < c->n_users && rc == 0; k++) {
			const struct override *r = revocation_of(o, c, &c->users[k]);

			if (!revoked && !r)
				rc = user_add(&list, c, &c->users[k], &d);
			/* Before access started, or after it ended, a revocation takes nothing away. */
			if (revoked && r && d.opens && r->at >= d.opens &&
				(!d.ends || r->at < d.ends))
				rc = notice_add(
					&list, &(struct notice){NOTICE_REVOKED, c, &c->users[k],
						       r->at, r->at, d.ends ? d.ends : INT64_MAX});
		}
	}
	if (rc) {
		notices_free(&list);
		return rc;
	}
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), notice_compare);
	*out = list;
	return 0;
}

int notices_scheduled(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now)
{
	return each_user(out, p, only, o, now, false);
}

int notices_revoked(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now)
{
	return each_user(out, p, only, o, now, true);
}

void notices_free(struct notices *n)
{
	free(n->items);
	*n = (struct notices){0};
}
