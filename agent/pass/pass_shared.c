/* Shared by the steps of a pass: reports, the journal batch, and finding a grant by the names that a server returns. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

void pass_tell(struct pass *p, const struct record *r)
{
	if (p->o.sink)
		p->o.sink(p->o.context, r);
}

int pass_journal_begin(struct pass *p)
{
	if (!p->o.journal)
		return -ENODEV;
	/* A read-only pass may run beside one that writes to the same journal. It must not open a batch, which would
	 * block the other. */
	if (p->o.mode != PASS_APPLY && p->o.mode != PASS_HANDOVER)
		return -EROFS;
	if (!p->in_journal && !p->journal_error) {
		p->journal_error = journal_begin(p->o.journal);
		p->in_journal = !p->journal_error;
	}
	return p->journal_error;
}

static void batch_clear(struct pass *p, bool lost)
{
	for (size_t i = 0; i < p->n_batch; i++) {
		if (lost)
			p->o.unrecorded(p->o.context, &p->batch[i]);
		journal_entry_free(&p->batch[i]);
	}
	free(p->batch);
	p->batch = NULL;
	p->n_batch = 0;
}

int pass_journal_commit(struct pass *p)
{
	if (!p->in_journal)
		return p->journal_error;
	p->in_journal = false;
	int rc = journal_commit(p->o.journal);
	batch_clear(p, rc != 0);
	if (rc && !p->journal_error)
		p->journal_error = rc;
	return p->journal_error;
}

void pass_journal_drop(struct pass *p)
{
	if (p->in_journal)
		journal_rollback(p->o.journal);
	p->in_journal = false;
	batch_clear(p, true);
}

static int batch_keep(struct pass *p, const struct journal_entry *e)
{
	struct journal_entry *items = array_grown(p->batch, p->n_batch, sizeof(*items));

	if (!items)
		return -ENOMEM;
	p->batch = items;
	int rc = journal_entry_copy(&items[p->n_batch], e);
	p->n_batch += rc == 0;
	return rc;
}

int pass_journal_write(struct pass *p, const struct journal_entry *e)
{
	int rc = pass_journal_begin(p);

	if (rc && p->o.unrecorded)
		p->o.unrecorded(p->o.context, e);
	if (!rc)
		rc = journal_write(NULL, p->o.journal, e);
	/* The entry lives or is lost with its batch. */
	if (p->in_journal && p->o.unrecorded)
		batch_keep(p, e);
	return rc;
}

struct journal_entry pass_entry(const struct pass *p, enum journal_kind kind)
{
	return (struct journal_entry){
		.kind = kind,
		.at = p->o.now,
		.actor = p->o.actor,
		.configuration = p->o.program->digest,
	};
}

struct journal_entry pass_access_entry(const struct pass *p, const struct grant *g)
{
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);

	e.client = g->client->name;
	e.login = g->user->login;
	e.server = g->server->name;
	e.database = g->database->name;
	e.phase = phase_name(g->phase);
	return e;
}

static int place_compare(
	const char *server, const char *login, const char *database, const struct grant *g)
{
	int c = strcmp(server, g->server->name);

	if (!c)
		c = names_compare(login, g->user->login);
	return c ? c : names_compare(database, g->database->name);
}

static int index_compare(const void *a, const void *b)
{
	const struct grant *x = *(const struct grant *const *)a;

	return place_compare(x->server->name, x->user->login, x->database->name,
		*(const struct grant *const *)b);
}

int pass_index_build(struct pass *p)
{
	p->index = calloc(p->grants.n + 1, sizeof(*p->index));
	if (!p->index)
		return -ENOMEM;
	for (size_t i = 0; i < p->grants.n; i++)
		p->index[i] = &p->grants.items[i];
	qsort(p->index, p->grants.n, sizeof(*p->index), index_compare);
	return 0;
}

const struct grant *pass_grant(
	const struct pass *p, const char *server, const char *login, const char *database)
{
	size_t from = 0, to = p->grants.n;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		int c = place_compare(server, login, database, p->index[at]);
		if (!c)
			return p->index[at];
		if (c < 0)
			to = at;
		else
			from = at + 1;
	}
	return NULL;
}

bool pass_is_in_force(const struct pass *p, const char *server, const char *login,
	const char *database, enum level level)
{
	for (size_t i = 0; p->o.in_force && i < p->o.in_force->n; i++) {
		const struct grant *g = &p->o.in_force->items[i];
		if (g->level != LEVEL_NONE && g->level >= level && streq(g->server->name, server) &&
			names_equal(g->user->login, login) &&
			(!database || names_equal(g->database->name, database)))
			return true;
	}
	return false;
}

static int login_compare(const char *server, const char *login, const struct grant *g)
{
	int c = strcmp(server, g->server->name);

	return c ? c : names_compare(login, g->user->login);
}

const struct grant *const *pass_grants_of(
	size_t *n, const struct pass *p, const char *server, const char *login)
{
	size_t from = 0, to = p->grants.n;

	while (from < to) {
		size_t at = from + (to - from) / 2;

		if (login_compare(server, login, p->index[at]) > 0)
			from = at + 1;
		else
			to = at;
	}
	for (to = from; to < p->grants.n && !login_compare(server, login, p->index[to]);)
		to++;
	*n = to - from;
	return p->index + from;
}

bool pass_login_is_named(const struct pass *p, const char *server, const char *login)
{
	size_t n;

	pass_grants_of(&n, p, server, login);
	return n > 0;
}

const struct identity *pass_identity(const struct pass *p, const char *server, const char *login)
{
	const struct identities *all = &p->identities;
	size_t from = 0, to = all->n;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		int c = strcmp(server, all->items[at].server);

		if (!c)
			c = strcmp(login, all->items[at].login);
		if (c > 0)
			from = at + 1;
		else
			to = at;
	}
	if (from < all->n && streq(all->items[from].server, server) &&
		streq(all->items[from].login, login))
		return &all->items[from];
	/* In another case: seldom, so that looking at each is quick enough. */
	for (size_t i = 0; i < all->n; i++)
		if (streq(all->items[i].server, server) && names_equal(all->items[i].login, login))
			return &all->items[i];
	return NULL;
}

/* Those of one server, in items that are sorted by it and begin with its name. NULL: none. */
static const void *items_of_server(
	size_t *n, const void *items, size_t count, size_t size, const char *server)
{
	const char *base = items;
	size_t from = 0, to = count;

	while (from < to) {
		size_t at = from + (to - from) / 2;

		if (strcmp(*(const char *const *)(const void *)(base + at * size), server) < 0)
			from = at + 1;
		else
			to = at;
	}
	for (to = from; to < count &&
			streq(*(const char *const *)(const void *)(base + to * size), server);)
		to++;
	*n = to - from;
	return *n ? base + from * size : NULL;
}

const struct proved *pass_proved_of(size_t *n, const struct pass *p, const char *server)
{
	return items_of_server(n, p->proved.items, p->proved.n, sizeof(*p->proved.items), server);
}

const struct verified *pass_verified_of(size_t *n, const struct pass *p, const char *server)
{
	return items_of_server(
		n, p->verified.items, p->verified.n, sizeof(*p->verified.items), server);
}

size_t pass_grant_number(const struct pass *p, const struct grant *g)
{
	return (size_t)(g - p->grants.items);
}
