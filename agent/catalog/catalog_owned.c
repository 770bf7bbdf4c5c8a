/* Who owns what in a database, and the securables of rarer kinds: by their class in sys.database_permissions. */
#include <errno.h>

#include "catalog/catalog.h"
#include "sql/rows.h"

/* Ids of principals to whom nobody can be added, and as whom nobody enters. */
enum { DBO = 1, INFORMATION_SCHEMA = 3, SYS = 4 };

static const struct {
	int class;
	const char *words; /* as in GRANT and ALTER AUTHORIZATION */
} rarer[RARER_KINDS] = {
	{5, "ASSEMBLY"},
	{10, "XML SCHEMA COLLECTION"},
	{15, "MESSAGE TYPE"},
	{16, "CONTRACT"},
	{17, "SERVICE"},
	{18, "REMOTE SERVICE BINDING"},
	{19, "ROUTE"},
	{23, "FULLTEXT CATALOG"},
	{24, "SYMMETRIC KEY"},
	{25, "CERTIFICATE"},
	{26, "ASYMMETRIC KEY"},
	{29, "FULLTEXT STOPLIST"},
	{31, "SEARCH PROPERTY LIST"},
	{32, "DATABASE SCOPED CREDENTIAL"},
};

int rarer_kind(int class)
{
	for (int i = 0; i < RARER_KINDS; i++)
		if (rarer[i].class == class)
			return i;
	return -1;
}

const char *rarer_words(int kind)
{
	return rarer[kind].words;
}

bool catalog_schema_is_fixed(const char *name)
{
	static const char *const fixed[] = {"sys", "INFORMATION_SCHEMA", "guest", "db_owner",
		"db_accessadmin", "db_securityadmin", "db_ddladmin", "db_backupoperator",
		"db_datareader", "db_datawriter", "db_denydatareader", "db_denydatawriter"};

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (streq(name, fixed[i]))
			return true;
	return false;
}

/* A fixed role has the schema of its name and id from the start, and guest has his. Whatever else it owns belongs to
 * all its members: nothing keeps a schema from being given to db_datareader, or its own one from being dropped and made
 * again. */
static bool is_owned_normally(
	const char *kind, const struct raw_thing *t, const struct raw_principal *by)
{
	return by->id == DBO || by->id == INFORMATION_SCHEMA || by->id == SYS ||
	       (streq(kind, "SCHEMA") && t->id == by->id && streq(t->name, by->name) &&
		       catalog_schema_is_fixed(t->name));
}

static int owned_add(struct observed_database *d, const struct raw_catalog *r, const char *kind,
	const struct raw_thing *t)
{
	const struct raw_principal *by = raw_principal_by(r, t->owner);
	const struct raw_thing *in = t->schema ? raw_thing_by(&r->schemas, t->schema) : NULL;

	if (!by || is_owned_normally(kind, t, by))
		return 0;
	struct observed_owned *w = ARRAY_MORE(d->owned, d->n_owned);
	if (!w)
		return -ENOMEM;
	return row_copy(&w->kind, kind) && row_copy(&w->schema, in ? in->name : NULL) &&
			       row_copy(&w->name, t->name) && row_copy(&w->owner, by->name)
		       ? 0
		       : -ENOMEM;
}

static int things_owned(struct observed_database *d, const struct raw_catalog *r, const char *kind,
	const struct raw_things *things)
{
	int rc = 0;

	for (size_t i = 0; i < things->n && !rc; i++)
		if (things->items[i].owned)
			rc = owned_add(d, r, kind, &things->items[i]);
	return rc;
}

int catalog_owned_join(struct observed_database *d, const struct raw_catalog *r)
{
	int rc = things_owned(d, r, "SCHEMA", &r->schemas);

	if (!rc)
		rc = things_owned(d, r, "OBJECT", &r->objects);
	if (!rc)
		rc = things_owned(d, r, "TYPE", &r->types);
	for (int i = 0; i < RARER_KINDS && !rc; i++)
		rc = things_owned(d, r, rarer[i].words, &r->rarer[i]);
	for (size_t i = 0; i < r->n_principals && !rc; i++)
		if (r->principals[i].type == 'R')
			rc = owned_add(d, r, "ROLE",
				&(struct raw_thing){.id = r->principals[i].id,
					.owner = r->principals[i].owner,
					.name = r->principals[i].name});
	return rc;
}
