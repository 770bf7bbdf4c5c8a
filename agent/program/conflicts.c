/* Conflicts between clients: two clients cannot have the same name, the same login, or (unless databases are shared)
 * the same database. */
#include "program/loading.h"
#include "program/names.h"
#include "program/problems.h"

#include <errno.h>
#include <string.h>

/* A name that one client uses. */
struct client_claim {
	char *key; /* owned; SQL Server treats equal keys as the same name */
	struct draft *draft;
	const struct user *user;	 /* only for a login */
	const struct database *database; /* only for a database */
	int line;
};
struct client_claims {
	struct client_claim *items;
	size_t n;
};

/* Takes ownership of the key; NULL means that its allocation failed. */
static int claims_add(struct client_claims *c, char *key, struct client_claim claim)
{
	struct client_claim *items;

	if (!key)
		return -ENOMEM;
	/* Doubles the room at powers of two. */
	if ((c->n & (c->n - 1)) == 0) {
		items = reallocarray(c->items, c->n ? c->n * 2 : 1, sizeof(*items));
		if (!items) {
			free(key);
			return -ENOMEM;
		}
		c->items = items;
	}
	claim.key = key;
	c->items[c->n++] = claim;
	return 0;
}

static void claims_free(struct client_claims *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->items[i].key);
	free(c->items);
}

static int claim_order(const void *a, const void *b)
{
	const struct client_claim *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (!order)
		order = strcmp(x->draft->client.file, y->draft->client.file);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

__attribute__((format(printf, 4, 5))) static int claim_report(struct problems *problems,
	const struct client_claim *claim, enum severity severity, const char *format, ...)
{
	va_list args;
	int rc;

	va_start(args, format);
	rc = problems_add(problems, severity, claim->draft->client.file, claim->line, format, args);
	va_end(args);
	return rc;
}

static const char *known(const char *text)
{
	return text ? text : "?";
}

/* A client with errors is not loaded anyway, so say nothing about it. */
static const char *consequence(const struct client_claim *claim)
{
	return claim->draft->broken ? "" : " until then, Curfew loads neither";
}

static int clash_report(
	struct problems *problems, const struct client_claim *a, const struct client_claim *b)
{
	const struct client *other = &b->draft->client;

	/* What an older version accepted must not end because this version requires a setting. */
	a->draft->clashes |= !a->database || !a->draft->kept || !b->draft->kept;
	if (a->database)
		return claim_report(problems, a, SEVERITY_ERROR,
			"database \"%s\" is also in client \"%s\" (%s, line %d); remove it from one of the "
			"two, or set shared_databases = true in \"program\";%s",
			a->database->name, known(other->name), other->file, b->line,
			consequence(a));
	if (!a->user)
		return claim_report(problems, a, SEVERITY_ERROR,
			"duplicate client name \"%s\" (also in %s, line %d); use a different name for each "
			"client;%s",
			a->draft->client.name, other->file, b->line, consequence(a));
	return claim_report(problems, a, SEVERITY_ERROR,
		"duplicate login \"%s\" of %s %s and of %s %s (%s, line %d); set a different one with "
		"login = \"...\";%s",
		a->user->login, known(a->user->first), known(a->user->last), known(b->user->first),
		known(b->user->last), other->file, b->line, consequence(a));
}

/* Returns the first equal claim that conflicts with this one, or NULL. */
static const struct client_claim *claim_rival(
	const struct client_claim *claim, const struct client_claim *group, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct client *mine = &claim->draft->client, *other = &group[i].draft->client;
		bool named = (claim->user || claim->database) && mine->name && other->name;

		if (group[i].draft == claim->draft ||
			(group[i].draft->broken && !claim->draft->broken))
			continue;
		/* If a client name is used twice, all names in it conflict; report only the name. */
		if (named && names_equal(mine->name, other->name))
			continue;
		return &group[i];
	}
	return NULL;
}

static int claims_compare(struct client_claims *c, struct problems *problems)
{
	size_t n;
	int rc = 0;

	if (c->n > 1)
		qsort(c->items, c->n, sizeof(*c->items), claim_order);
	for (size_t first = 0; first < c->n; first += n) {
		for (n = 1; first + n < c->n; n++)
			if (!streq(c->items[first].key, c->items[first + n].key))
				break;
		for (size_t i = first; i < first + n && rc == 0; i++) {
			const struct client_claim *rival =
				claim_rival(&c->items[i], &c->items[first], n);

			if (rival)
				rc = clash_report(problems, &c->items[i], rival);
		}
	}
	return rc;
}

static char *database_key(const struct database *d)
{
	_cleanup_free_ char *name = name_fold(d->name);
	char *key;

	return name && asprintf(&key, "%zu/%s", d->server, name) >= 0 ? key : NULL;
}

static int draft_claims(struct client_claims *names, struct client_claims *logins,
	struct client_claims *databases, struct draft *draft)
{
	const struct client *c = &draft->client;
	int rc = 0;

	if (c->name)
		rc = claims_add(names, name_fold(c->name),
			(struct client_claim){.draft = draft, .line = c->line});
	for (size_t i = 0; i < c->n_users && rc == 0; i++)
		if (c->users[i].login)
			rc = claims_add(logins, name_fold(c->users[i].login),
				(struct client_claim){.draft = draft,
					.user = &c->users[i],
					.line = c->users[i].line});
	for (size_t i = 0; i < c->n_databases && rc == 0; i++)
		if (c->databases[i].name && c->databases[i].server != SIZE_MAX)
			rc = claims_add(databases, database_key(&c->databases[i]),
				(struct client_claim){.draft = draft,
					.database = &c->databases[i],
					.line = c->databases[i].line});
	return rc;
}

int clashes_check(struct drafts *d, struct problems *problems, bool shared_databases)
{
	struct client_claims names = {0}, logins = {0}, databases = {0};
	int rc = 0;

	for (size_t i = 0; i < d->n && rc == 0; i++)
		rc = draft_claims(&names, &logins, &databases, &d->items[i]);
	if (rc == 0)
		rc = claims_compare(&names, problems);
	if (rc == 0)
		rc = claims_compare(&logins, problems);
	if (rc == 0 && !shared_databases)
		rc = claims_compare(&databases, problems);
	claims_free(&names);
	claims_free(&logins);
	claims_free(&databases);
	return rc;
}
