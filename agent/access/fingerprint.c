/* One hash over everything that the catalog says about one user's permissions in a database, and what of it may be hidden
 * from that user. */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include "curfew/access.h"
#include "curfew/text.h"

struct lines {
	char **items;
	size_t n;
	bool no_memory;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct lines *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *line = text_vformat(format, args);
	va_end(args);
	if (!line || ARRAY_ADD(l->items, l->n, line)) {
		free(line);
		l->no_memory = true;
	}
}

static const char *text_of(const char *text)
{
	return text ? text : "";
}

/* Names in order, for a client may make thousands of roles, each in the next. */
struct named {
	const char *name;
	size_t at;
};

/* Which principals count for one user: itself, its roles, their roles, public, and guest. */
struct closure {
	const struct observed_database *d;
	struct named *users, *members; /* members by who is in a role */
	bool *in;		       /* by user */
	size_t *reached;	       /* users, each once: those whose roles are looked for */
	size_t n_reached;
};

static int named_compare(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The first that is not before this name. */
static size_t named_first(const struct named *all, size_t n, const char *name)
{
	size_t from = 0;

	while (from < n) {
		size_t middle = from + (n - from) / 2;
		if (strcmp(all[middle].name, name) < 0)
			from = middle + 1;
		else
			n = middle;
	}
	return from;
}

static void closure_reach(struct closure *c, const char *name)
{
	size_t n = c->d->n_users;

	for (size_t i = named_first(c->users, n, name); i < n && streq(c->users[i].name, name);
		i++) {
		size_t at = c->users[i].at;
		if (!c->in[at])
			c->reached[c->n_reached++] = at;
		c->in[at] = true;
	}
}

static void closure_free(struct closure *c)
{
	free(c->users);
	free(c->members);
	free(c->in);
	free(c->reached);
}

static bool closure_build(
	struct closure *c, const struct observed_database *d, const struct observed_user *u)
{
	size_t n = d->n_members;

	*c = (struct closure){.d = d,
		.users = calloc(d->n_users + 1, sizeof(*c->users)),
		.members = calloc(n + 1, sizeof(*c->members)),
		.in = calloc(d->n_users + 1, sizeof(*c->in)),
		.reached = calloc(d->n_users + 1, sizeof(*c->reached))};
	if (!c->users || !c->members || !c->in || !c->reached)
		return false;
	for (size_t i = 0; i < d->n_users; i++)
		c->users[i] = (struct named){d->users[i].name, i};
	for (size_t i = 0; i < n; i++)
		c->members[i] = (struct named){d->members[i].member, i};
	array_sort(c->users, d->n_users, sizeof(*c->users), named_compare);
	array_sort(c->members, n, sizeof(*c->members), named_compare);
	for (size_t i = 0; i < d->n_users; i++)
		if (&d->users[i] == u) {
			c->in[i] = true;
			c->reached[c->n_reached++] = i;
		}
	closure_reach(c, "public");
	closure_reach(c, "guest");
	for (size_t i = 0; i < c->n_reached; i++) {
		const char *name = d->users[c->reached[i]].name;
		for (size_t m = named_first(c->members, n, name);
			m < n && streq(c->members[m].name, name); m++)
			closure_reach(c, d->members[c->members[m].at].role);
	}
	return true;
}

static bool has(const struct closure *c, const char *name)
{
	size_t n = c->d->n_users;

	for (size_t i = named_first(c->users, n, name); i < n && streq(c->users[i].name, name); i++)
		if (c->in[c->users[i].at])
			return true;
	return false;
}

static void lines_collect(struct lines *l, const struct closure *c)
{
	const struct observed_database *d = c->d;

	for (size_t i = 0; i < d->n_users; i++)
		if (c->in[i])
			line_add(l, "principal\t%s\t%c\t%s", d->users[i].name, d->users[i].type,
				text_of(d->users[i].owner));
	for (size_t i = 0; i < d->n_members; i++)
		if (has(c, d->members[i].member))
			line_add(l, "member\t%s\t%s", d->members[i].role, d->members[i].member);
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (has(c, p->grantee))
			line_add(l, "permission\t%d\t%c\t%s\t%s\t%s\t%s\t%s", p->class, p->state,
				p->name, text_of(p->schema), text_of(p->object), text_of(p->column),
				p->grantee);
	}
	for (size_t i = 0; i < d->n_owned; i++)
		if (has(c, d->owned[i].owner))
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
	struct closure c;
	struct lines l = {.no_memory = !closure_build(&c, d, u)};

	if (!l.no_memory)
		lines_collect(&l, &c);
	closure_free(&c);
	out[0] = '\0';
	if (!l.no_memory)
		lines_hash(out, &l);
	for (size_t i = 0; i < l.n; i++)
		free(l.items[i]);
	free(l.items);
}

/* Denials that take rows out of the catalog: the right that somebody has on what is hidden stays. CONTROL implies the
 * others, and nothing else does
 * (https://learn.microsoft.com/sql/relational-databases/security/metadata-visibility-configuration). */
static bool permission_hides(const struct permission *p)
{
	static const char *const names[] = {
		"VIEW DEFINITION", "VIEW SECURITY DEFINITION", "CONTROL"};

	for (size_t i = 0; i < ARRAY_SIZE(names) && p->state == 'D'; i++)
		if (streq(p->name, names[i]))
			return true;
	return false;
}

static bool permission_is_asked(const struct permission *p, bool users)
{
	enum { DATABASE = 0, PRINCIPAL = 4 };

	return permission_hides(p) && (!users || p->class == DATABASE || p->class == PRINCIPAL);
}

int observed_denials(const struct permission ***out, size_t *n, const struct observed_database *d,
	const struct observed_user *u, bool users)
{
	struct closure c;
	size_t i = 0;

	*out = NULL;
	*n = 0;
	/* Few databases have such a denial at all. */
	while (i < d->n_permissions && !permission_is_asked(&d->permissions[i], users))
		i++;
	if (i == d->n_permissions)
		return 0;
	int rc = closure_build(&c, d, u) ? 0 : -ENOMEM;

	for (; i < d->n_permissions && !rc; i++) {
		const struct permission *p = &d->permissions[i];
		if (permission_is_asked(p, users) && has(&c, p->grantee) && ARRAY_ADD(*out, *n, p))
			rc = -ENOMEM;
	}
	closure_free(&c);
	if (rc) {
		free(*out);
		*out = NULL;
		*n = 0;
	}
	return rc;
}

int observed_hides(const struct permission **by, const struct observed_database *d,
	const struct observed_user *u, bool users)
{
	_cleanup_free_ const struct permission **all;
	size_t n;
	int rc = observed_denials(&all, &n, d, u, users);

	if (n)
		*by = all[0];
	return rc ? rc : n > 0;
}
