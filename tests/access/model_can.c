/* What a login can do on a model server, worked out from the state alone. See model.h. */
#include "model_internal.h"

static unsigned right_can(const char *name)
{
	static const struct {
		const char *name;
		unsigned can;
	} rights[] = {{"CONNECT", 0}, {"SELECT", CAN_SELECT}, {"INSERT", CAN_INSERT},
		{"UPDATE", CAN_UPDATE}, {"DELETE", CAN_DELETE}, {"EXECUTE", CAN_EXECUTE},
		{"VIEW DEFINITION", CAN_SEE_DEFINITIONS}, {"ALTER", CAN_ALTER},
		{"SHOWPLAN", CAN_SHOWPLAN}};

	for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
		if (!strcasecmp(rights[i].name, name))
			return rights[i].can;
	return CAN_MORE;
}

unsigned fixed_role_can(const char *role)
{
	return same(role, "db_datareader")   ? CAN_SELECT
	       : same(role, "db_datawriter") ? CAN_INSERT | CAN_UPDATE | CAN_DELETE
	       : same(role, "db_ddladmin")   ? CAN_ALTER
	       : same(role, "db_owner")	     ? CAN_ALL
					     : 0;
}

unsigned terms_can(const struct level_terms *t)
{
	unsigned can = 0;

	for (size_t i = 0; i < t->member_of.n; i++)
		can |= fixed_role_can(t->member_of.items[i]);
	for (size_t i = 0; i < t->database_grants.n; i++)
		can |= right_can(t->database_grants.items[i]);
	for (size_t i = 0; i < t->schema_grants.n; i++)
		can |= right_can(t->schema_grants.items[i]);
	return can;
}

static bool speaks_for(const struct observed_database *d, const char *grantee, const char *user)
{
	return same(grantee, user) || same(grantee, "public") ||
	       observed_is_member(d, grantee, user);
}

/* A right on the database holds in each schema, one on a schema in each object: a denial takes it away there. */
static unsigned can_in(
	const struct observed_database *d, const char *user, const char *schema, const char *object)
{
	unsigned can = 0, denied = 0;

	for (size_t i = 0; i < d->n_members; i++)
		if (same(d->members[i].member, user))
			can |= fixed_role_can(d->members[i].role);
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (!speaks_for(d, p->grantee, user) || (p->schema && !same(p->schema, schema)) ||
			(p->object && !same(p->object, object)))
			continue;
		if (p->state == 'D')
			denied |= right_can(p->name);
		else
			can |= right_can(p->name);
	}
	return can & ~denied;
}

unsigned model_public_can(const struct observed_database *d)
{
	unsigned can = 0;

	for (size_t i = 0; i < d->n_permissions; i++)
		if (same(d->permissions[i].grantee, "public") && d->permissions[i].state != 'D')
			can |= right_can(d->permissions[i].name);
	return can;
}

unsigned model_can(const struct model *m, const struct observed_database *d, const char *login)
{
	const struct observed_login *l = observed_find_login(&m->o, login);
	const struct observed_user *u = l ? observed_user_of(d, l) : NULL;
	unsigned can;

	for (size_t i = 0; l && i < m->o.n_members; i++)
		if (same(m->o.members[i].member, login) && !same(m->o.members[i].role, MARK_ROLE))
			return CAN_ALL;
	if (!u)
		return 0;
	if (same(u->name, "dbo"))
		return CAN_ALL;
	can = can_in(d, u->name, NULL, NULL);
	for (size_t i = 0; i < d->n_schemas; i++)
		can |= can_in(d, u->name, d->schemas[i], NULL);
	for (size_t i = 0; i < d->n_permissions; i++)
		if (d->permissions[i].object)
			can |= can_in(
				d, u->name, d->permissions[i].schema, d->permissions[i].object);
	for (size_t i = 0; i < d->n_owned; i++)
		if (same(d->owned[i].owner, u->name))
			return CAN_ALL;
	return can;
}
