/* Finds users by name, in the configuration and among former users in the journal. */
#include <errno.h>
#include <string.h>

#include "commands/history_people.h"
#include "curfew/person.h"

struct people_search {
	struct logins *found;
	const char *client, *name;
	bool email;
};

bool logins_have(const struct logins *l, const char *login)
{
	for (size_t i = 0; login && i < l->n; i++)
		if (names_equal(l->items[i], login))
			return true;
	return false;
}

void logins_free(struct logins *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct logins){0};
}

static int login_add(struct logins *l, const char *login)
{
	if (logins_have(l, login))
		return 0;
	char *copy = strdup(login);
	if (!copy || ARRAY_ADD(l->items, l->n, copy)) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

/* "Jane Doe" means jane.doe. */
static bool is_named(const char *full, const char *name)
{
	for (; full && *full && *name; full++, name++) {
		char a[2] = {*full == ' ' ? '.' : *full}, b[2] = {*name == ' ' ? '.' : *name};
		if (!names_equal(a, b))
			return false;
	}
	return full && !*full && !*name;
}

/* Matches "acme.jane.doe" and "jane.doe", because no file has the name of a former user. */
bool login_is_called(const char *login, const char *name)
{
	size_t n = strlen(login), k = strlen(name);

	return names_equal(login, name) ||
	       (n > k && login[n - k - 1] == '.' && names_equal(login + n - k, name));
}

static bool is_called(
	const struct people_search *s, const char *login, const char *full, const char *email)
{
	if (email && names_equal(email, s->name))
		return true;
	return !s->email && (login_is_called(login, s->name) || is_named(full, s->name));
}

static int record_take(void *context, const struct journal_entry *e)
{
	struct people_search *s = context;
	struct person person = {0};
	int rc = 0;

	if (!e->login || (s->client && (!e->client || !names_equal(e->client, s->client))))
		return 0;
	if (e->kind == JOURNAL_ACCESS)
		person_parse(&person, e->before);
	if (is_called(s, e->login, person.name, person.email))
		rc = login_add(s->found, e->login);
	person_free(&person);
	return rc;
}

static int client_search(struct people_search *s, const struct client *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_users && !rc; i++) {
		const struct user *u = &c->users[i];
		char full[512];

		snprintf(full, sizeof(full), "%s%s%s", u->first, *u->last ? " " : "", u->last);
		if (is_called(s, u->login, full, u->email))
			rc = login_add(s->found, u->login);
	}
	return rc;
}

int people_find(struct logins *out, const struct program *p, struct journal *j,
	const struct journal_entries *among, const char *client, const char *name, bool email)
{
	const struct journal_filter f = {.kind = -1};
	struct people_search s = {out, client, name, email};
	int rc = 0;

	for (size_t i = 0; i < p->n_clients && !rc; i++)
		if (!client || names_equal(client, p->clients[i].name))
			rc = client_search(&s, &p->clients[i]);
	for (size_t i = 0; among && i < among->n && !rc; i++)
		rc = record_take(&s, &among->items[i]);
	return rc || among ? rc : journal_read(j, &f, record_take, &s);
}
