/* Who owns what in a database, and the securables of rarer kinds: by their class in sys.database_permissions. */
#include <errno.h>

#include "catalog/catalog.h"
#include "sql/rows.h"

/* Ids of public, dbo, guest, INFORMATION_SCHEMA, and sys; and the first id of fixed database roles. */
enum { LAST_BUILT_IN_PRINCIPAL = 4, FIRST_FIXED_ROLE = 16384 };

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

/* Ownership by dbo and fixed principals is normal and is left out. */
static int owned_add(struct observed_database *d, const struct raw_catalog *r, const char *kind,
	int schema, const char *name, int owner)
{
	const struct raw_principal *by = raw_principal_by(r, owner);
	const struct raw_thing *in = schema ? raw_thing_by(&r->schemas, schema) : NULL;

	if (owner <= LAST_BUILT_IN_PRINCIPAL || owner >= FIRST_FIXED_ROLE || !by)
		return 0;
	struct observed_owned *w = ROW_MORE(d->owned, d->n_owned);
	if (!w)
		return -ENOMEM;
	return row_copy(&w->kind, kind) && row_copy(&w->schema, in ? in->name : NULL) &&
			       row_copy(&w->name, name) && row_copy(&w->owner, by->name)
		       ? 0
		       : -ENOMEM;
}

static int things_owned(struct observed_database *d, const struct raw_catalog *r, const char *kind,
	const struct raw_things *things)
{
	int rc = 0;

	for (size_t i = 0; i < things->n && !rc; i++)
		rc = owned_add(d, r, kind, things->items[i].schema, things->items[i].name,
			things->items[i].owner);
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
			rc = owned_add(
				d, r, "ROLE", 0, r->principals[i].name, r->principals[i].owner);
	return rc;
}
