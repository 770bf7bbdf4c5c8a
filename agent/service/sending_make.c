/* Turns notices into mails. The text is made when the event happens, so that it says what was true then. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "program/names.h"
#include "service/sending_confirmed.h"
#include "service/sending_make.h"

bool turn_ends(const struct sending_view *v)
{
	if (monotonic_ms() >= v->turn->until)
		v->turn->more = true;
	return v->turn->more;
}

int clients_each(const struct sending_view *v,
	int (*add)(const struct sending_view *v, const struct client *c))
{
	int rc = 0;

	for (size_t i = 0; i < v->program->n_clients && rc >= 0; i++) {
		rc = add(v, &v->program->clients[i]);
		if (rc > 0 && turn_ends(v))
			break;
	}
	return rc;
}

char *sending_host(void)
{
	char name[HOST_NAME_MAX + 1] = "";

	gethostname(name, sizeof(name) - 1);
	return strdup(name);
}

static bool has_calendar(enum notice_kind k)
{
	return k == NOTICE_OPENED || k == NOTICE_DATES_MOVED || k == NOTICE_REVOKED;
}

static int mail_add(
	const struct sending_view *v, struct notice_mail *m, const struct outbox_item *item)
{
	const struct notice_settings *n = &v->program->settings.notices;
	struct outbox_item i = *item;
	char id[NOTICE_ID_MAX], *message = NULL;
	size_t size;
	int rc = notice_message(&message, &size, m, n->from, i.recipient,
		notice_id(id, i.event, i.recipient), v->now);

	if (rc)
		return rc;
	i.message = message;
	i.created = v->now;
	rc = outbox_add(v->journal, &i);
	free(message);
	return rc;
}

int person_notice_renamed(const struct sending_view *v, const struct notice *n, const char *event,
	const struct notice_dates *dates, unsigned sequence, const struct notice_former *former)
{
	const struct settings *s = &v->program->settings;
	const struct notice_texts texts = notice_texts(s, n->client->language, n->kind);
	const struct outbox_item item = {.event = event,
		.recipient = n->user->email,
		.client = n->client->name,
		.login = n->user->login,
		.notice = notice_kind_name(n->kind)};
	struct verified_list seen = {0};
	struct notice_values values;
	struct notice_mail m = {0};
	int rc = verified_load(&seen, v->journal);

	if (rc == 0)
		rc = notice_values(&values, v->program, n, dates, v->overrides, &seen, v->now);
	verified_list_free(&seen);
	if (rc)
		return rc;
	rc = notice_render(&m, &texts, &values, n->client->language);
	notice_values_free(&values);
	if (rc == 0 && has_calendar(n->kind))
		m.calendar = notice_calendar(n->client, n->user, dates, s->notices.from, sequence,
			n->kind == NOTICE_REVOKED, former, v->now);
	if (rc == 0)
		rc = mail_add(v, &m, &item);
	notice_mail_free(&m);
	return rc;
}

int person_notice_add(const struct sending_view *v, const struct notice *n, const char *event,
	const struct notice_dates *dates, unsigned sequence)
{
	return person_notice_renamed(v, n, event, dates, sequence, NULL);
}

static char *event_of(const struct notice *n)
{
	char *text = NULL;

	return asprintf(&text, "%s/%s/%s/%lld", n->client->name, n->user->login,
		       notice_kind_name(n->kind), (long long)n->at) < 0
		       ? NULL
		       : text;
}

/* Two changes can happen within one second. The new value tells them apart. */
static char *change_event_of(const struct notice *n, const char *to)
{
	_cleanup_free_ char *event = event_of(n);
	char *text = NULL;

	return !event || asprintf(&text, "%s/%s", event, to) < 0 ? NULL : text;
}

/* The version of a calendar entry (SEQUENCE) is that of the dates that were sent last; a cancellation has a later
 * one. */
static unsigned sequence_of(const struct sending_view *v, const struct notice *n)
{
	_cleanup_free_ char *sources = NULL, *dates = NULL;
	unsigned sequence = 0;

	if (!has_calendar(n->kind) || last_notice_read(&sources, &dates, &sequence, v->journal,
					      n->client->name, n->user->login))
		return 0;
	return sequence + (n->kind == NOTICE_REVOKED);
}

static int due_add(const struct sending_view *v, const struct notice *n)
{
	_cleanup_free_ char *event = event_of(n);
	struct notice_dates dates;
	bool known;
	int rc = event ? outbox_has(&known, v->journal, event, n->user->email) : -ENOMEM;

	if (rc || known)
		return rc;
	rc = notice_dates_find(&dates, v->program, n->client, v->overrides, v->now);
	return rc ? rc : person_notice_add(v, n, event, &dates, sequence_of(v, n));
}

static int scheduled_add(const struct sending_view *v, const struct confirmed *seen)
{
	struct notices list = {0};
	int rc = notices_scheduled(&list, v->program, NULL, v->overrides, v->now);

	for (size_t i = 0; i < list.n && rc >= 0; i++)
		if (notice_is_due(&list.items[i], v->since, v->now) &&
			confirmed_is(seen, &list.items[i]) &&
			(rc = due_add(v, &list.items[i])) > 0 && turn_ends(v))
			break;
	notices_free(&list);
	return rc;
}

static char *dates_key(const struct notice_dates *d)
{
	char *text = NULL;

	return asprintf(&text, "%lld %lld %lld", (long long)d->read_only,
		       (long long)d->staging_ends, (long long)d->ends) < 0
		       ? NULL
		       : text;
}

static int person_keep(const struct sending_view *v, const struct client *c, const struct user *u,
	const struct notice_dates *d)
{
	const struct notified_person p = {c->name, u->login, u->email, u->first, u->last,
		c->timezone, c->language ? c->language : "", d->opens, d->ends};

	return notified_person_save(v->journal, &p);
}

int people_note(const struct sending_view *v)
{
	int rc = 0;

	for (size_t i = 0; i < v->program->n_clients && rc == 0; i++) {
		const struct client *c = &v->program->clients[i];
		struct notice_dates d;

		rc = notice_dates_find(&d, v->program, c, v->overrides, v->now);
		_cleanup_free_ char *dates = rc ? NULL : dates_key(&d);
		for (size_t k = 0; k < c->n_users && rc == 0; k++) {
			const struct user *u = &c->users[k];
			_cleanup_free_ char *sources = user_sources_text(u, v->now);

			rc = sources && dates ? last_notice_save(v->journal, c->name, u->login,
							sources, dates, 0)
					      : -ENOMEM;
			if (rc == 0)
				rc = person_keep(v, c, u, &d);
		}
	}
	return rc;
}

/* Compares with the last notice to the user. Before access starts and after it has ended, changes are not announced. */
static int user_compare(const struct sending_view *v, const struct client *c, const struct user *u,
	const struct notice_dates *d, const struct confirmed *seen)
{
	struct notice n = {NOTICE_ADDRESS_CHANGED, c, u, v->now, v->now, INT64_MAX};
	_cleanup_free_ char *sources = user_sources_text(u, v->now), *dates = dates_key(d);
	_cleanup_free_ char *was_sources = NULL, *was_dates = NULL, *event = NULL;
	unsigned sequence = 0;

	if (!sources || !dates)
		return -ENOMEM;
	int rc = last_notice_read(
		&was_sources, &was_dates, &sequence, v->journal, c->name, u->login);
	bool open = d->opens && d->opens <= v->now && (!d->ends || v->now < d->ends);
	if (rc == -ENOENT) {
		const struct notice opened = {NOTICE_OPENED, c, u, d->opens, d->opens, INT64_MAX};

		/* A user who was added after notices were switched on: see people_note(). */
		if (open && !confirmed_is(seen, &opened))
			return 0;
		rc = last_notice_save(v->journal, c->name, u->login, sources, dates, 0);
		return rc || !open ? rc : due_add(v, &opened);
	}
	bool moved = rc == 0 && !streq(dates, was_dates),
	     elsewhere = rc == 0 && !streq(sources, was_sources);
	if (rc || (!moved && !elsewhere))
		return rc;
	sequence += moved;
	if (open && elsewhere && (event = change_event_of(&n, sources)))
		rc = person_notice_add(v, &n, event, d, sequence);
	free(event);
	n.kind = NOTICE_DATES_MOVED;
	event = NULL;
	if (open && moved && rc >= 0 && (event = change_event_of(&n, dates)))
		rc = person_notice_add(v, &n, event, d, sequence);
	return rc < 0 ? rc
		      : last_notice_save(v->journal, c->name, u->login, sources, dates, sequence);
}

/* A user whose last notice said that access was withdrawn gets one when a server has confirmed access again. */
static int reinstated_add(const struct sending_view *v, const struct client *c,
	const struct user *u, const struct notice_dates *d, const struct confirmed *seen)
{
	const struct notice n = {NOTICE_OPENED, c, u, v->now, v->now, INT64_MAX};
	_cleanup_free_ char *withdrawn = NULL, *event = NULL;

	if (!confirmed_is(seen, &n))
		return 0;
	int rc = outbox_last_is(
		&withdrawn, v->journal, c->name, u->login, notice_kind_name(NOTICE_REVOKED));
	if (rc || !withdrawn)
		return rc;
	if (asprintf(&event, "%s/undone", withdrawn) < 0) {
		event = NULL;
		return -ENOMEM;
	}
	return person_notice_add(v, &n, event, d, sequence_of(v, &n) + 2);
}

static int client_compare(
	const struct sending_view *v, const struct client *c, const struct confirmed *seen)
{
	struct notice_dates d;
	int rc = notice_dates_find(&d, v->program, c, v->overrides, v->now);

	for (size_t i = 0; i < c->n_users && rc >= 0; i++) {
		/* The mail and the memory of it are one commit, so that neither is repeated or lost. */
		rc = journal_begin(v->journal);
		if (rc == 0)
			rc = user_compare(v, c, &c->users[i], &d, seen);
		if (rc >= 0)
			rc = reinstated_add(v, c, &c->users[i], &d, seen);
		if (rc >= 0)
			rc = person_keep(v, c, &c->users[i], &d);
		if (rc >= 0)
			rc = journal_commit(v->journal);
		else
			journal_rollback(v->journal);
	}
	return rc;
}

static int revoked_add(const struct sending_view *v)
{
	struct notices list = {0};
	int rc = notices_revoked(&list, v->program, NULL, v->overrides, v->now);

	for (size_t i = 0; i < list.n && rc >= 0; i++)
		if (notice_is_due(&list.items[i], v->since, v->now) &&
			(rc = due_add(v, &list.items[i])) > 0 && turn_ends(v))
			break;
	notices_free(&list);
	return rc;
}

/* Continues with the client at which the last turn ended. An error with one client does not stop the others. */
static int clients_compare(const struct sending_view *v, const struct confirmed *seen)
{
	size_t n = v->program->n_clients, *at = &v->turn->client;
	int rc = 0;

	while (*at < n && rc >= 0) {
		rc = client_compare(v, &v->program->clients[(*at)++], seen);
		if (*at < n && turn_ends(v))
			return rc;
	}
	*at = *at < n ? *at : 0;
	return rc;
}

int people_add(const struct sending_view *v)
{
	struct confirmed seen;
	int rc = confirmed_read(&seen, v->journal, v->program, v->overrides, v->now);

	if (rc)
		return rc;
	rc = scheduled_add(v, &seen);
	if (rc >= 0 && !v->turn->more)
		rc = revoked_add(v);
	if (rc >= 0 && !v->turn->more)
		rc = clients_compare(v, &seen);
	confirmed_free(&seen);
	return rc;
}

int team_add(const struct sending_view *v, enum notice_kind kind, const char *key,
	const char *client, const char *recipient, struct notice_values *values)
{
	const struct notice_texts texts = notice_texts(&v->program->settings, "", kind);
	const struct outbox_item item = {.event = key,
		.recipient = recipient,
		.client = client,
		.notice = notice_kind_name(kind)};
	struct notice_mail m;
	int rc = notice_render(&m, &texts, values, "");

	if (rc)
		return rc;
	const struct notice_settings *n = &v->program->settings.notices;
	bool hook = streq(recipient, WEBHOOK_RECIPIENT);
	rc = hook ? 0 : mail_add(v, &m, &item);
	/* What the team hears goes to its chat tool and ticket system too. */
	if (rc >= 0 && n->webhook && (hook || (n->team && streq(recipient, n->team))))
		rc = hook_add(v, &m, &item);
	else if (hook)
		rc = -EINVAL;
	notice_mail_free(&m);
	return rc;
}

int leads_add(const struct sending_view *v, enum notice_kind kind, const char *key,
	const struct client *c, struct notice_values *values)
{
	const char *const recipients[] = {v->program->settings.notices.team,
		name_is_email(c->approved_by) ? c->approved_by : NULL};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(recipients) && rc >= 0; i++)
		if (recipients[i])
			rc = team_add(v, kind, key, c->name, recipients[i], values);
	return rc;
}
