/* What a permission, or something that is owned, gives whom: what is a right, and what everybody has. */
#include <stdlib.h>
#include <string.h>

#include "curfew/access.h"

void permission_free(struct permission *p)
{
	free(p->name);
	free(p->schema);
	free(p->object);
	free(p->column);
	free(p->grantee);
	free(p->grantor);
}

bool permission_is_right(const struct permission *p)
{
	return p->state == 'G' || p->state == 'W';
}

bool permission_is_connect(const struct permission *p)
{
	return p->state == 'G' && streq(p->name, "CONNECT");
}

static bool is_entry(const struct permission *p)
{
	return streq(p->name, "CONNECT SQL") ||
	       (p->class == CLASS_ENDPOINT && streq(p->name, "CONNECT"));
}

bool permission_is_denied_entry(const struct permission *p)
{
	return p->state == 'D' && is_entry(p);
}

bool permission_is_entry(const struct permission *p)
{
	return p->state == 'G' && is_entry(p);
}

/* From 2022 on VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION shows the hashes of everybody's passwords
 * (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-sql-logins-transact-sql). */
static bool permission_looks(const struct permission *p)
{
	return p->state == 'G' && !strncmp(p->name, "VIEW ", 5) &&
	       !strstr(p->name, "CRYPTOGRAPHICALLY");
}

static bool is_everybody(const char *principal)
{
	return streq(principal, "public") || names_equal(principal, MARK_ROLE);
}

bool permission_is_everybodys(const struct permission *p)
{
	return permission_is_right(p) && !permission_is_entry(p) && !permission_looks(p) &&
	       is_everybody(p->grantee);
}

bool owned_is_of(const struct observed_owned *w, const char *login)
{
	return names_equal(w->owner, login) || is_everybody(w->owner);
}

bool observed_everybody_exceeds(const struct observed_server *o)
{
	for (size_t i = 0; i < o->n_permissions; i++)
		if (permission_is_everybodys(&o->permissions[i]))
			return true;
	for (size_t i = 0; i < o->n_members; i++)
		if (names_equal(o->members[i].member, MARK_ROLE))
			return true;
	for (size_t i = 0; i < o->n_owned; i++)
		if (is_everybody(o->owned[i].owner))
			return true;
	return false;
}
