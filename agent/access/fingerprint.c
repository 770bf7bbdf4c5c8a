/* One hash over everything that the catalog says about one user's permissions in a database. */
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include "curfew/access.h"

struct lines {
	char **items;
	size_t n;
	bool no_memory;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct lines *l, const char *format, ...)
{
	char **items = array_grown(l->items, l->n, sizeof(*items));
	va_list args;

	if (!items) {
		l->no_memory = true;
		return;
	}
	l->items = items;
	va_start(args, format);
	if (vasprintf(&items[l->n], format, args) < 0)
		l->no_memory = true;
	else
		l->n++;
	va_end(args);
}

static const char *text_of(const char *text)
{
	return text ? text : "";
}

/* Marks the user itself, its roles, their roles, public, and guest. Repeats until it finds no further role. */
static void closure_build(
	bool *in, const struct observed_database *d, const struct observed_user *u)
{
	bool more = true;

	for (size_t i = 0; i < d->n_users; i++)
		in[i] = &d->users[i] == u || streq(d->users[i].name, "public") ||
			streq(d->users[i].name, "guest");
	while (more) {
		more = false;
		for (size_t m = 0; m < d->n_members; m++)
			for (size_t i = 0; i < d->n_users; i++) {
				if (in[i] || !streq(d->users[i].name, d->members[m].role))
					continue;
				for (size_t k = 0; k < d->n_users && !in[i]; k++)
					in[i] = in[k] &&
						streq(d->users[k].name, d->members[m].member);
				more = more || in[i];
			}
	}
}

static bool has(const bool *in, const struct observed_database *d, const char *name)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (in[i] && streq(d->users[i].name, name))
			return true;
	return false;
}

static void lines_collect(struct lines *l, const bool *in, const struct observed_database *d)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (in[i])
			line_add(l, "principal\t%s\t%c\t%s", d->users[i].name, d->users[i].type,
				text_of(d->users[i].owner));
	for (size_t i = 0; i < d->n_members; i++)
		if (has(in, d, d->members[i].member))
			line_add(l, "member\t%s\t%s", d->members[i].role, d->members[i].member);
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (has(in, d, p->grantee))
			line_add(l, "permission\t%d\t%c\t%s\t%s\t%s\t%s\t%s", p->class, p->state,
				p->name, text_of(p->schema), text_of(p->object), text_of(p->column),
				p->grantee);
	}
	for (size_t i = 0; i < d->n_owned; i++)
		if (has(in, d, d->owned[i].owner))
			line_add(l, "owned\t%s\t%s\t%s\t%s", d->owned[i].kind,
				text_of(d->owned[i].schema), d->owned[i].name, d->owned[i].owner);
}

static int line_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_hash(char out[FINGERPRINT_MAX], struct lines *l)
{
	crypto_generichash_state state;
	uint8_t hash[(FINGERPRINT_MAX - 1) / 2];

	/* Sort, because the server returns rows in any order. */
	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), line_compare);
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < l->n; i++)
		crypto_generichash_update(
			&state, (const uint8_t *)l->items[i], strlen(l->items[i]) + 1);
	crypto_generichash_final(&state, hash, sizeof(hash));
	sodium_bin2hex(out, FINGERPRINT_MAX, hash, sizeof(hash));
}

void observed_fingerprint(
	char out[FINGERPRINT_MAX], const struct observed_database *d, const struct observed_user *u)
{
	_cleanup_free_ bool *in = calloc(d->n_users + 1, sizeof(*in));
	struct lines l = {.no_memory = !in};

	if (in) {
		closure_build(in, d, u);
		lines_collect(&l, in, d);
	}
	out[0] = '\0';
	if (!l.no_memory)
		lines_hash(out, &l);
	for (size_t i = 0; i < l.n; i++)
		free(l.items[i]);
	free(l.items);
}
