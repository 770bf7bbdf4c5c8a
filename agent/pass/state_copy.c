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
	struct state_copy *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->users = 1;
	int rc = ledger_read(&r->identities, j);

	if (!rc)
		rc = proved_read(&r->proved, j);
	if (!rc)
		rc = verified_load(&r->verified, j);
	if (!rc)
		rc = guards_load(&r->guards, j);
	if (!rc)
		rc = override_read(&r->kept, j);
	/* A part of it must not pass for the whole. */
	if (rc) {
		state_copy_free(r);
		return rc;
	}
	array_sort(r->verified.items, r->verified.n, sizeof(*r->verified.items), place_compare);
	*out = r;
	return 0;
}

struct state_copy *state_copy_share(struct state_copy *r)
{
	if (r)
		r->users++;
	return r;
}

void state_copy_free(struct state_copy *r)
{
	if (!r || --r->users)
		return;
	identities_free(&r->identities);
	proved_list_free(&r->proved);
	verified_list_free(&r->verified);
	kept_guards_free(&r->guards);
	overrides_free(&r->kept);
	free(r);
}
