/* Changes: the digest of a list, and freeing. */
#include <string.h>

#include "curfew/access.h"

static uint64_t digest_text(uint64_t hash, const char *text)
{
	/* FNV-1a. The terminator is hashed too, so that "ab","c" and "a","bc" differ. */
	for (const char *c = text ? text : ""; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
	return (hash ^ 0xff) * 0x100000001b3u;
}

uint64_t difference_digest(const struct difference *d)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < d->n_changes; i++) {
		const struct change *c = &d->changes[i];
		const char *const texts[] = {change_name(c->kind), c->login, c->database,
			c->principal, c->role, c->permission.name, c->permission.schema,
			c->permission.object, c->permission.column, c->permission.grantee,
			c->permission.grantor};
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			hash = digest_text(hash, texts[k]);
		hash = (hash ^ c->session.id) * 0x100000001b3u;
	}
	return hash;
}

void change_free(struct change *c)
{
	free(c->login);
	free(c->database);
	free(c->principal);
	free(c->role);
	free(c->reason);
	permission_free(&c->permission);
	for (size_t k = 0; k < c->n_regrants; k++)
		permission_free(&c->regrants[k]);
	free(c->regrants);
}

void difference_filter(struct difference *d,
	bool (*stays)(const void *context, const struct change *c), const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n_changes; i++)
		if (stays(context, &d->changes[i]))
			d->changes[kept++] = d->changes[i];
		else
			change_free(&d->changes[i]);
	d->n_changes = kept;
}

void difference_free(struct difference *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_changes; i++)
		change_free(&d->changes[i]);
	for (size_t i = 0; i < d->n_obstacles; i++) {
		free(d->obstacles[i].login);
		free(d->obstacles[i].database);
		free(d->obstacles[i].text);
	}
	free(d->changes);
	free(d->obstacles);
	*d = (struct difference){0};
}
