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

static bool is_listed(const struct left_places *l, const struct journal_entry *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->items[i].server, e->server) &&
			names_equal(l->items[i].login, e->login) &&
			names_equal(l->items[i].database, e->database))
			return true;
	return false;
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

static int forgotten_take(void *context, const struct journal_entry *e)
{
	struct left_places *l = context;

	if (!e->action || !streq(e->action, "forget") || !e->server)
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		struct left_place *k = &l->items[i];
		if (k->gone || k->forgotten || !streq(k->server, e->server) ||
			(e->database && !names_equal(k->database, e->database)))
			continue;
		k->forgotten = strdup(e->reason ? e->reason : "");
		if (!k->forgotten)
			return -ENOMEM;
	}
	return 0;
}

int left_places_read(
	struct left_places *out, const struct collected *c, const struct client *client)
{
	const struct journal_filter events = {.kind = JOURNAL_EVENT};
	struct journal *j = c->context.journal;
	int rc;

	*out = (struct left_places){0};
	rc = j ? verified_load(&out->verified, j) : 0;
	for (size_t i = 0; i < c->history.n && !rc; i++) {
		const struct journal_entry *e = &c->history.items[i];
		struct left_place *items;

		if (!was_given(e) || is_named(c->report.program, client, e) || is_listed(out, e))
			continue;
		items = array_grown(out->items, out->n, sizeof(*items));
		if (!items)
			return -ENOMEM;
		out->items = items;
		items[out->n++] = (struct left_place){e->login, e->server, e->database,
			verified_gone(&out->verified, e->server, e->login, e->database), NULL};
	}
	return rc || !j ? rc : journal_read(j, &events, forgotten_take, out);
}

void left_places_free(struct left_places *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((char *)l->items[i].forgotten);
	free(l->items);
	verified_list_free(&l->verified);
}

bool place_needs_no_record(const struct left_places *l, const struct audit_proof *p)
{
	return verified_gone(&l->verified, p->server, p->login, p->database) != 0;
}
