/* A copy in memory of the journal's tables that decide about access. A service keeps the last one that could be read: while
 * the journal cannot be read, passes still remove access by the copy. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

static int place_compare(const void *a, const void *b)
{
	const struct verified *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	if (!c)
		c = names_compare(x->login, y->login);
	return c ? c : names_compare(x->database, y->database);
}

int state_copy_read(struct state_copy **out, struct journal *j)
{
	struct state_copy *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->users = 1;
	c->has_revision = journal_revision_read(&c->revision, j) == 0;
	int rc = ledger_read(&c->identities, j);

	if (!rc)
		rc = verified_level_read(&c->levels, j);
	if (!rc)
		rc = verified_load(&c->verified, j);
	if (!rc)
		rc = guards_load(&c->guards, j);
	if (!rc)
		rc = override_read(&c->kept, j);
	/* A part of it must not pass for the whole. */
	if (rc) {
		state_copy_free(c);
		return rc;
	}
	array_sort(c->verified.items, c->verified.n, sizeof(*c->verified.items), place_compare);
	*out = c;
	return 0;
}

const struct verified *state_copy_verified(
	size_t *n, const struct state_copy *c, const struct grant *g)
{
	const struct verified_list *list = &c->verified;
	const struct verified key = {
		.server = g->server->name, .login = g->user->login, .database = g->database->name};
	size_t from = array_first(list->items, list->n, sizeof(key), &key, place_compare),
	       to = from;

	while (to < list->n && !place_compare(&list->items[to], &key))
		to++;
	*n = to - from;
	return *n ? list->items + from : NULL;
}

int state_copy_renew(struct state_copy **out, struct state_copy *last, struct journal *j)
{
	struct journal_revision now;

	if (!last || !last->has_revision || journal_revision_read(&now, j) ||
		!journal_revision_equal(&now, &last->revision))
		return state_copy_read(out, j);
	*out = state_copy_share(last);
	return 0;
}

struct state_copy *state_copy_share(struct state_copy *c)
{
	if (c)
		c->users++;
	return c;
}

void state_copy_free(struct state_copy *c)
{
	if (!c || --c->users)
		return;
	identities_free(&c->identities);
	verified_level_list_free(&c->levels);
	verified_list_free(&c->verified);
	kept_guards_free(&c->guards);
	overrides_free(&c->kept);
	free(c);
}
