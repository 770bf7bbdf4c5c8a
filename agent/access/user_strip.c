/* What one user of a database has besides its roles: permissions that it granted or was granted, and what it owns.
 * Whoever may alter a database can make any number of these, so each is found by its name (name_index.c), and none is
 * looked for among all. */
#include <string.h>

#include "access/difference.h"

struct stripping {
	struct builder *b;
	const struct login_work *work;
	const struct observed_database *d;
	const struct database_index *index;
	/* Nobody grants anything to itself: what is lost by a transfer the agent has as db_owner. */
	const struct observed_user *agent;
	const char *user, *reason;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

static void regrant_push(struct builder *b, struct change *c, const struct permission *p)
{
	struct permission *copy = ARRAY_MORE(c->regrants, c->n_regrants);

	if (copy)
		permission_copy(b, copy, p);
	else
		b->no_memory = true;
}

static struct change *strip_push(struct stripping *s, enum change_kind kind)
{
	struct change *c = change_push(s->b, &s->b->closings, kind, s->work->client, s->work->login,
		s->d->name, s->reason);

	c->principal = builder_copy(s->b, s->user);
	return c;
}

/* The kind of what a schema contains; NULL: it is in no schema. */
static const char *kind_in_schema(int class)
{
	return class == CLASS_OBJECT		      ? "OBJECT"
	       : class == CLASS_TYPE		      ? "TYPE"
	       : class == CLASS_XML_SCHEMA_COLLECTION ? "XML SCHEMA COLLECTION"
						      : NULL;
}

static bool owned_is_in_schema(const char *kind)
{
	return streq(kind, "OBJECT") || streq(kind, "TYPE") || streq(kind, "XML SCHEMA COLLECTION");
}

/* ALTER AUTHORIZATION drops every permission on its target. On a schema, it also drops those on what is in it and
 * has no owner of its own. */
static bool transfer_drops(const struct observed_owned *owned, const struct permission *p)
{
	const char *kind = kind_in_schema(p->class);

	if (streq(owned->kind, "SCHEMA"))
		return (p->class == CLASS_SCHEMA || (kind && !p->owner_apart)) &&
		       same_text(p->schema, owned->name);
	/* A permission on something outside schemas has its kind in place of the schema. */
	if (kind)
		return streq(owned->kind, kind) && same_text(p->schema, owned->schema) &&
		       same_text(p->object, owned->name);
	return p->class != CLASS_SCHEMA && same_text(p->schema, owned->kind) &&
	       same_text(p->object, owned->name);
}

/* Restores the permissions of other principals: grants, then column exceptions, then DENYs. */
static void owner_regrants(
	struct stripping *s, struct change *c, const struct observed_owned *owned)
{
	static const char *const order[] = {"GW", "R", "D"};
	/* A schema has what is in it, whatever that is called. */
	bool all = streq(owned->kind, "SCHEMA");
	const struct name_index *x = all ? &s->index->schemas : &s->index->securables;
	const char *schema = all			       ? owned->name
			     : owned_is_in_schema(owned->kind) ? owned->schema
							       : owned->kind;
	const char *object = all ? NULL : owned->name;

	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		for (size_t i = name_first(x, schema, object); name_is_at(x, i, schema, object);
			i++) {
			const struct permission *p = &s->d->permissions[x->items[i].at];
			if (strchr(order[k], p->state) && !streq(p->grantee, s->user) &&
				transfer_drops(owned, p) &&
				!(s->agent && streq(s->agent->name, p->grantee)))
				regrant_push(s->b, c, p);
		}
}

/* Who granted or denied something on a user is recorded as that user, whoever it was. */
static bool is_on_user(const struct permission *p, const char *user)
{
	return p->class == CLASS_PRINCIPAL && same_text(p->object, user);
}

/* Revokes what the user granted to others, and what they granted further. A DENY is added again with Curfew as grantor.
 * One on the user itself gives nobody anything: it stays as long as the user, and would keep it from being dropped. */
static bool user_strip_granted(struct stripping *s, bool leaves)
{
	const struct name_index *x = &s->index->grantors;
	bool any = false;

	for (size_t i = name_first(x, s->user, NULL); name_is_at(x, i, s->user, NULL); i++) {
		const struct permission *p = &s->d->permissions[x->items[i].at];
		bool denied_on_it = p->state == 'D' && is_on_user(p, s->user);
		if (p->state == 'R' || (denied_on_it && !leaves))
			continue;
		struct change *c = strip_push(s, CHANGE_REVOKE);
		permission_copy(s->b, &c->permission, p);
		if (p->state == 'D' && !streq(p->grantee, s->user) && !denied_on_it)
			regrant_push(s->b, c, p);
		any = true;
	}
	return any;
}

/* Also of a user that is to be dropped. DROP USER takes these along
 * (https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-revokedbaccess-transact-sql), but it
 * fails where code runs as the user (15136): whoever may call that would have them until the next reading, and for longer
 * if the pass dies before. Nobody who waits for others' access waits for this (change_order.c). */
static bool user_strip_held(struct stripping *s)
{
	const struct name_index *x = &s->index->grantees;
	bool any = false;

	for (size_t i = name_first(x, s->user, NULL); name_is_at(x, i, s->user, NULL); i++) {
		const struct permission *p = &s->d->permissions[x->items[i].at];
		if (streq(p->grantor, s->user) || !permission_is_right(p) ||
			permission_is_connect(p))
			continue;
		permission_copy(s->b, &strip_push(s, CHANGE_REVOKE)->permission, p);
		any = true;
	}
	return any;
}

/* What it granted comes first, because without the grant option it cannot be revoked any more. */
bool user_strip(struct builder *b, const struct login_work *work, const struct observed_database *d,
	const char *user, bool leaves, const char *reason)
{
	struct stripping s = {.b = b,
		.work = work,
		.d = d,
		.index = builder_index(b, d),
		.user = user,
		.reason = reason};

	if (!s.index)
		return true;
	const struct name_index *x = &s.index->owners;
	size_t first = name_first(x, user, NULL);
	bool any = user_strip_granted(&s, leaves);

	if (user_strip_held(&s))
		any = true;
	if (name_is_at(x, first, user, NULL))
		s.agent = observed_user_of_agent(b->o, d, b->w->server);
	for (size_t i = first; name_is_at(x, i, user, NULL); i++) {
		const struct observed_owned *owned = &d->owned[x->items[i].at];
		struct change *c = strip_push(&s, CHANGE_OWNER);
		c->permission.name = builder_copy(b, owned->kind);
		c->permission.schema = builder_copy(b, owned->schema);
		c->permission.object = builder_copy(b, owned->name);
		owner_regrants(&s, c, owned);
		any = true;
	}
	return any;
}
