/* A user who was taken out of the configuration while access was open is told so; who they were is in the journal. */
#include <errno.h>
#include <string.h>
#include "service/sending_make.h"

/* A copy of what the journal has. */
struct removed_people {
	const struct program *program;
	struct removed_person {
		char *client, *login, *email, *first, *last, *timezone, *language;
		instant_t opens, ends;
	} * items;
	size_t n;
};

static void person_free(struct removed_person *p)
{
	free(p->client);
	free(p->login);
	free(p->email);
	free(p->first);
	free(p->last);
	free(p->timezone);
	free(p->language);
}

static bool is_configured(const struct program *p, const char *client, const char *login)
{
	const struct client *c = program_client(p, client);

	for (size_t i = 0; c && i < c->n_users; i++)
		if (streq(c->users[i].login, login))
			return true;
	return false;
}

static int person_take(void *context, const struct notified_person *p)
{
	struct removed_people *l = context;

	if (is_configured(l->program, p->client, p->login))
		return 0;
	struct removed_person *r = ARRAY_MORE(l->items, l->n);
	if (!r)
		return -ENOMEM;
	*r = (struct removed_person){strdup(p->client), strdup(p->login), strdup(p->email),
		strdup(p->first), strdup(p->last), strdup(p->timezone), strdup(p->language),
		p->opens, p->ends};
	return r->client && r->login && r->email && r->first && r->last && r->timezone &&
			       r->language
		       ? 0
		       : -ENOMEM;
}

/* The dates that the calendar last showed, which it now cancels. */
static struct notice_dates dates_of(const struct removed_person *p, const char *told)
{
	long long read_only = 0, staging_ends = 0, ends = 0;

	if (told && sscanf(told, "%lld %lld %lld", &read_only, &staging_ends, &ends) != 3)
		read_only = staging_ends = ends = 0;
	return (struct notice_dates){.opens = p->opens,
		.read_only = read_only,
		.staging_ends = staging_ends,
		.ends = ends};
}

/* A client's file was renamed while the login is written in it: nothing was withdrawn from this person. Access
 * to other databases alone is not the access that they had. *out NULL: it does not go on. 0 or negative errno. */
static int goes_on(const struct grant **out, const struct sending_view *v, const struct grants *now,
	const struct removed_person *p)
{
	bool found = false;
	int rc = 0;

	*out = NULL;
	for (size_t i = 0; i < now->n && !rc && !*out; i++) {
		const struct grant *g = &now->items[i];
		if (g->level != LEVEL_NONE && names_equal(g->user->login, p->login) &&
			g->user->email && names_equal(g->user->email, p->email))
			rc = journal_client_had_place(&found, v->journal, p->client,
				g->server->name, p->login, g->database->name);
		if (found)
			*out = g;
	}
	return rc;
}

/* The dates go on under the client's new name: what the calendar has under the former one would never move or end. */
static int person_rename(
	const struct sending_view *v, const struct grant *g, const struct removed_person *p)
{
	_cleanup_free_ char *sources = NULL, *told = NULL, *now = NULL, *event = NULL;
	const struct notice n = {NOTICE_DATES_MOVED, g->client, g->user, v->now, v->now, INT64_MAX};
	struct notice_former former = {.client = p->client};
	struct notice_dates dates;
	unsigned sequence = 0;
	int rc = last_notice_read(
		&sources, &told, &former.sequence, v->journal, p->client, p->login);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	former.dates = dates_of(p, told);
	former.sequence++;
	free(sources);
	sources = NULL;
	rc = last_notice_read(&sources, &now, &sequence, v->journal, g->client->name, p->login);
	if (rc == 0 || rc == -ENOENT)
		rc = notice_dates_find(&dates, v->program, g->client, v->overrides, v->now);
	if (rc)
		return rc;
	if (asprintf(&event, "%s/%s/renamed/%lld", p->client, p->login, (long long)v->now) < 0) {
		event = NULL;
		return -ENOMEM;
	}
	return person_notice_renamed(v, &n, event, &dates, sequence, &former);
}

/* Sends nothing if the last notice said that access was withdrawn, or if access had not started or has ended. */
static int person_tell(
	const struct sending_view *v, const struct grants *grants, struct removed_person *p)
{
	_cleanup_free_ char *sources = NULL, *told = NULL, *withdrawn = NULL, *event = NULL;
	struct user user = {
		.first = p->first, .last = p->last, .email = p->email, .login = p->login};
	struct client client = {.name = p->client,
		.timezone = p->timezone,
		.language = p->language,
		.users = &user,
		.n_users = 1};
	const struct notice n = {NOTICE_REVOKED, &client, &user, v->now, v->now, INT64_MAX};
	const struct grant *on;
	unsigned sequence = 0;
	int rc = outbox_last_is(
		&withdrawn, v->journal, p->client, p->login, notice_kind_name(NOTICE_REVOKED));

	if (rc || withdrawn || !p->opens || p->opens > v->now || (p->ends && p->ends <= v->now))
		return rc;
	rc = goes_on(&on, v, grants, p);
	if (rc || on)
		return rc ? rc : person_rename(v, on, p);
	rc = last_notice_read(&sources, &told, &sequence, v->journal, p->client, p->login);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	const struct notice_dates dates = dates_of(p, told);
	if (asprintf(&event, "%s/%s/removed/%lld", p->client, p->login, (long long)v->now) < 0) {
		event = NULL;
		return -ENOMEM;
	}
	return person_notice_add(v, &n, event, &dates, sequence + 1);
}

/* The mail and that it was sent are one commit, so that neither is repeated or lost. */
static int person_end(
	const struct sending_view *v, const struct grants *grants, struct removed_person *p)
{
	int rc = journal_begin(v->journal), added;

	if (rc)
		return rc;
	added = person_tell(v, grants, p);
	rc = added < 0 ? added : notified_person_forget(v->journal, p->client, p->login);
	if (rc == 0)
		rc = journal_commit(v->journal);
	else
		journal_rollback(v->journal);
	return rc ? rc : added;
}

int removed_add(const struct sending_view *v)
{
	struct removed_people l = {.program = v->program};
	struct grants grants = {0};
	int rc = notified_people_read(v->journal, person_take, &l);

	if (!rc && l.n)
		rc = schedule_at(&grants, v->program, v->overrides, v->now);
	for (size_t i = 0; i < l.n && rc >= 0; i++)
		if ((rc = person_end(v, &grants, &l.items[i])) > 0 && turn_ends(v))
			break;
	grants_free(&grants);
	for (size_t i = 0; i < l.n; i++)
		person_free(&l.items[i]);
	free(l.items);
	return rc;
}
