/* The list of revocations, which override the configuration, and of passed times. */
#include <errno.h>
#include <string.h>

#include "curfew/schedule.h"

static void override_clear(struct override *o)
{
	free(o->client);
	free(o->login);
	free(o->reason);
}

int overrides_add(struct overrides *o, const char *client, const char *login, instant_t at,
	const char *reason)
{
	/* Not ARRAY_MORE(): the list may have been read, and is then as long as it is. */
	struct override *items = reallocarray(o->items, o->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	o->items = items;
	struct override *fresh = &items[o->n];
	*fresh = (struct override){
		strdup(client), login ? strdup(login) : NULL, at, strdup(reason ? reason : "")};
	if (!fresh->client || !fresh->reason || (login && !fresh->login)) {
		override_clear(fresh);
		return -ENOMEM;
	}
	o->n++;
	return 0;
}

/* SQL Server does not tell letter case apart: neither may a revocation. */
bool override_is_same(
	const char *client, const char *login, const char *other_client, const char *other_login)
{
	return login && other_login ? names_equal(login, other_login)
				    : !login && !other_login && names_equal(client, other_client);
}

bool override_blocks(const struct override *o, const char *client, const char *login)
{
	return override_is_same(o->client, o->login, client, o->login ? login : NULL);
}

void overrides_remove(struct overrides *o, const char *client, const char *login)
{
	for (size_t i = o->n; i-- > 0;) {
		struct override *k = &o->items[i];
		if (!override_is_same(k->client, k->login, client, login))
			continue;
		override_clear(k);
		*k = o->items[--o->n];
	}
}

void overrides_as_of(struct overrides *o, instant_t then)
{
	for (size_t i = o->n; i-- > 0;) {
		if (o->items[i].at <= then)
			continue;
		override_clear(&o->items[i]);
		o->items[i] = o->items[--o->n];
	}
}

void overrides_free(struct overrides *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n; i++)
		override_clear(&o->items[i]);
	for (size_t i = 0; i < o->n_passed; i++) {
		free(o->passed[i].client);
		free(o->passed[i].ticket);
		free(o->passed[i].server);
		free(o->passed[i].database);
	}
	free(o->items);
	free(o->passed);
	*o = (struct overrides){0};
}
