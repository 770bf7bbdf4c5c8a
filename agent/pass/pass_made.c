/* The logins that a visit is about to make: one that goes again in the same pass finds them, and must know whose they are. */
#include <errno.h>
#include <string.h>

#include "pass/pass_again.h"

static bool claim_is_living(const struct server_work *w, const char *login)
{
	for (size_t i = 0; i < w->sql.claims.n; i++) {
		const struct claim *c = &w->sql.claims.items[i];
		if (c->living && streq(c->server, w->server->name) && names_equal(c->login, login))
			return true;
	}
	return false;
}

/* The pass's own, until there is more to know. */
static struct claim *claims_grown(const struct pass *p, struct server_work *w)
{
	size_t n = w->sql.claims.n;
	struct claim *items = reallocarray(w->claims, n + 1, sizeof(*items));

	if (items && !w->claims && n)
		memcpy(items, p->claims.items, n * sizeof(*items));
	return items;
}

int pass_made_take(struct pass *p, struct server_work *w, const char *login, instant_t clock)
{
	if (claim_is_living(w, login))
		return 0;
	char **made = array_grown(w->made, w->n_made, sizeof(*made));
	if (!made)
		return -ENOMEM;
	w->made = made;
	struct claim *items = claims_grown(p, w);
	if (!items)
		return -ENOMEM;
	w->sql.claims.items = w->claims = items;
	if (!(made[w->n_made] = strdup(login)))
		return -ENOMEM;
	items[w->sql.claims.n++] = (struct claim){.server = w->server->name,
		.login = made[w->n_made++],
		.intended = clock,
		.living = true};
	return 0;
}

void pass_made_free(struct server_work *w)
{
	free(w->claims);
	for (size_t i = 0; i < w->n_made; i++)
		free(w->made[i]);
	free(w->made);
}
