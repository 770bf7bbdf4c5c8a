/* Access of the client that the journal knows and the file no longer names. */
#include <errno.h>
#include <string.h>

#include "commands/certificate_former.h"

static bool was_given(const struct journal_entry *e)
{
	return e->kind == JOURNAL_ACCESS && e->login && e->server && e->database && e->level &&
	       !streq(e->level, level_name(LEVEL_NONE));
}

static bool is_named(
	const struct program *p, const struct client *client, const struct journal_entry *e)
{
	bool user = false;

	for (size_t i = 0; i < client->n_users && !user; i++)
		user = names_equal(client->users[i].login, e->login);
	return user && client_names_database(p, client, e->server, e->database);
}

static struct left_place *place_find(const struct left_places *l, const struct journal_entry *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->items[i].server, e->server) &&
			names_equal(l->items[i].login, e->login) &&
			names_equal(l->items[i].database, e->database))
			return &l->items[i];
	return NULL;
}

/* When absence was verified; 0: it was not. */
static instant_t verified_gone(
	const struct verified_list *v, const char *server, const char *login, const char *database)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct verified *k = &v->items[i];
		if (streq(k->server, server) && names_equal(k->login, login) &&
			names_equal(k->database, database))
			return k->level == LEVEL_NONE && k->result == VERIFICATION_VERIFIED ? k->at
											    : 0;
	}
	return 0;
}

static bool is_forget(const struct journal_entry *e)
{
	return e->server && e->action && streq(e->action, "forget");
}

/* By time first and then by number, because an archive carries records over under new numbers. */
static bool is_later(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->at > b->at || (a->at == b->at && a->id > b->id);
}

/* A decision says nothing about access that was given after it. */
static const struct journal_entry *forgotten_find(
	const struct left_places *l, const struct left_place *k)
{
	for (size_t i = l->events->n; i-- > 0;) {
		const struct journal_entry *e = &l->events->items[i];
		if (is_forget(e) && streq(e->server, k->server) &&
			(!e->database || names_equal(e->database, k->database)) &&
			is_later(e, k->given))
			return e;
	}
	return NULL;
}

const struct journal_entry *login_forgotten(
	const struct left_places *l, const char *server, instant_t removed)
{
	for (size_t i = l->events->n; i-- > 0;) {
		const struct journal_entry *e = &l->events->items[i];
		if (is_forget(e) && !e->database && e->at == removed && streq(e->server, server))
			return e;
	}
	return NULL;
}

/* 0 or -ENOMEM. */
static int place_take(struct left_places *out, const struct journal_entry *e)
{
	struct left_place *k = place_find(out, e);

	if (k) {
		if (is_later(e, k->given))
			k->given = e;
		return 0;
	}
	return ARRAY_ADD(out->items, out->n,
		(struct left_place){.login = e->login,
			.server = e->server,
			.database = e->database,
			.given = e,
			.gone = verified_gone(&out->verified, e->server, e->login, e->database)});
}

int left_places_read(struct left_places *out, const struct collected *c,
	const struct client *client, const struct journal_entries *events)
{
	struct journal *j = c->context.journal;
	int rc;

	*out = (struct left_places){.events = events};
	rc = j ? verified_load(&out->verified, j) : 0;
	for (size_t i = 0; i < c->history.n && !rc; i++) {
		const struct journal_entry *e = &c->history.items[i];

		if (was_given(e) && !is_named(c->report.program, client, e))
			rc = place_take(out, e);
	}
	for (size_t i = 0; i < out->n && !rc; i++)
		if (!out->items[i].gone)
			out->items[i].forgotten = forgotten_find(out, &out->items[i]);
	return rc;
}

void left_places_free(struct left_places *l)
{
	free(l->items);
	verified_list_free(&l->verified);
}

bool place_needs_no_record(const struct left_places *l, const struct audit_proof *p)
{
	return verified_gone(&l->verified, p->server, p->login, p->database) != 0;
}

bool place_was_given(
	const struct collected *c, const char *server, const char *login, const char *database)
{
	for (size_t i = 0; i < c->history.n; i++) {
		const struct journal_entry *e = &c->history.items[i];
		if (was_given(e) && streq(e->server, server) && names_equal(e->login, login) &&
			(!database || names_equal(e->database, database)))
			return true;
	}
	return false;
}
