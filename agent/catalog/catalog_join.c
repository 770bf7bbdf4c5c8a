/* Joins the rows of ids to names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/rows.h"

/* ---- members and permissions of a server or a database ---- */

static int members_join(struct observed_member **members, size_t *n, const struct raw_catalog *r)
{
	for (size_t i = 0; i < r->n_members; i++) {
		const struct raw_principal *role = raw_principal_by(r, r->members[i].role);
		const struct raw_principal *member = raw_principal_by(r, r->members[i].member);
		if (!role || !member)
			return -ESTALE;
		struct observed_member *m = ARRAY_MORE(*members, *n);
		if (!m || !row_copy(&m->role, role->name) || !row_copy(&m->member, member->name))
			return -ENOMEM;
	}
	return 0;
}

static const char *principal_kind(char type)
{
	return type == 'R' ? "ROLE" : type == 'A' ? "APPLICATION ROLE" : "USER";
}

/* Of a kind without a case of its own below. */
static bool rarer_join(
	struct permission *p, const struct raw_permission *from, const struct raw_catalog *r)
{
	int kind = rarer_kind(from->class);
	const struct raw_thing *t = kind < 0 ? NULL : raw_thing_by(&r->rarer[kind], from->major);
	const struct raw_thing *schema =
		t && t->schema ? raw_thing_by(&r->schemas, t->schema) : NULL;

	if (!t || (t->schema && !schema))
		return true;
	p->owner_apart = t->owned;
	return row_copy(&p->schema, schema ? schema->name : rarer_words(kind)) &&
	       row_copy(&p->object, t->name);
}

/* Sets the names of the securable. An unknown securable has no name, so that no statement is written for it. */
static bool securable_join(
	struct permission *p, const struct raw_permission *from, const struct raw_catalog *r)
{
	const struct raw_thing *t = NULL, *schema = NULL;
	const struct raw_principal *principal;

	switch (from->class) {
	case CLASS_OBJECT:
	case CLASS_TYPE:
		t = raw_thing_by(
			from->class == CLASS_OBJECT ? &r->objects : &r->types, from->major);
		schema = t ? raw_thing_by(&r->schemas, t->schema) : NULL;
		if (!schema)
			return true;
		p->owner_apart = t->owned;
		if (from->class == CLASS_OBJECT && from->minor) {
			const struct raw_thing *column =
				raw_column_by(&r->columns, from->major, from->minor);
			/* Without its column name this would be a permission on the whole table. */
			if (!column)
				return true;
			if (!row_copy(&p->column, column->name))
				return false;
		}
		return row_copy(&p->schema, schema->name) && row_copy(&p->object, t->name);
	case CLASS_SCHEMA:
		schema = raw_thing_by(&r->schemas, from->major);
		return row_copy(&p->schema, schema ? schema->name : NULL);
	case CLASS_PRINCIPAL:
	case CLASS_LOGIN:
		principal = raw_principal_by(r, from->major);
		if (!principal)
			return true;
		return row_copy(&p->schema, from->class == CLASS_PRINCIPAL
						    ? principal_kind(principal->type)
					    : principal->type == 'R' ? "SERVER ROLE"
								     : "LOGIN") &&
		       row_copy(&p->object, principal->name);
	case CLASS_ENDPOINT:
		t = raw_thing_by(&r->objects, from->major);
		return !t || (row_copy(&p->schema, "ENDPOINT") && row_copy(&p->object, t->name));
	default:
		return rarer_join(p, from, r);
	}
}

/* What is granted or denied on a user is recorded as granted by that user: by nobody who is seen, if that user is not. */
static bool grantor_is_hidden(const struct raw_permission *p)
{
	return p->class == CLASS_PRINCIPAL && p->grantor == p->major;
}

static int permissions_join(struct permission **permissions, size_t *n, const struct raw_catalog *r)
{
	for (size_t i = 0; i < r->n_permissions; i++) {
		const struct raw_permission *from = &r->permissions[i];
		const struct raw_principal *grantee = raw_principal_by(r, from->grantee);
		const struct raw_principal *grantor = raw_principal_by(r, from->grantor);
		if (!grantee || (!grantor && !grantor_is_hidden(from)))
			return -ESTALE;
		struct permission *p = ARRAY_MORE(*permissions, *n);
		if (!p)
			return -ENOMEM;
		p->class = from->class;
		p->state = from->state;
		p->id = from->major;
		if (!row_copy(&p->name, from->name) || !row_copy(&p->grantee, grantee->name) ||
			!row_copy(&p->grantor, grantor ? grantor->name : "") ||
			!securable_join(p, from, r))
			return -ENOMEM;
	}
	return 0;
}

/* ---- the server ---- */

static int login_add(struct observed_server *o, const struct raw_principal *p)
{
	struct observed_login *l = ARRAY_MORE(o->logins, o->n_logins);

	if (!l)
		return -ENOMEM;
	l->sid = p->sid;
	l->type = p->type;
	l->disabled = p->disabled;
	/* Without an age, assume an old login, so that an open intent does not make it managed. */
	l->created = p->age_known ? o->clock - p->age : 0;
	l->locked = l->expired = l->must_change = l->days_until_expiration = l->bad_passwords = -1;
	return row_copy(&l->name, p->name) && row_copy(&l->default_database, p->default_database)
		       ? 0
		       : -ENOMEM;
}

/* Membership in MARK_ROLE is not a permission. It identifies managed logins. */
static void marks_take(struct observed_server *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n_members; i++) {
		struct observed_member m = o->members[i];
		if (!names_equal(m.role, MARK_ROLE)) {
			o->members[kept++] = m;
			continue;
		}
		struct observed_login *l = observed_find_login(o, m.member);
		if (l)
			l->marked = true;
		free(m.role);
		free(m.member);
	}
	o->n_members = kept;
}

/* An owner whose row is hidden has no name, and is nobody of ours. */
static int server_owned_add(struct observed_server *o, const struct raw_catalog *r,
	const char *kind, const char *name, int owner)
{
	const struct raw_principal *by = owner ? raw_principal_by(r, owner) : NULL;
	struct observed_owned *w = by ? ARRAY_MORE(o->owned, o->n_owned) : NULL;

	if (!by)
		return 0;
	return w && row_copy(&w->kind, kind) && row_copy(&w->name, name) &&
			       row_copy(&w->owner, by->name)
		       ? 0
		       : -ENOMEM;
}

static int server_owned_join(struct observed_server *o, const struct raw_catalog *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->n_principals && !rc; i++)
		if (r->principals[i].type == 'R')
			rc = server_owned_add(
				o, r, "server role", r->principals[i].name, r->principals[i].owner);
	for (size_t i = 0; i < r->objects.n && !rc; i++)
		rc = server_owned_add(
			o, r, "endpoint", r->objects.items[i].name, r->objects.items[i].owner);
	return rc;
}

int catalog_server_join(struct observed_server *o, struct raw_catalog *r)
{
	int rc = catalog_strangers_add(r, o);

	raw_catalog_sort(r);
	for (size_t i = 0; i < r->n_principals && !rc; i++) {
		if (r->principals[i].type == PRINCIPAL_UNSEEN)
			continue;
		if (r->principals[i].type != 'R')
			rc = login_add(o, &r->principals[i]);
		else if (names_equal(r->principals[i].name, MARK_ROLE))
			o->mark_role = true;
	}
	if (!rc)
		rc = members_join(&o->members, &o->n_members, r);
	if (!rc)
		rc = permissions_join(&o->permissions, &o->n_permissions, r);
	if (!rc)
		rc = server_owned_join(o, r);
	marks_take(o);
	o->everybody_exceeds = observed_everybody_exceeds(o);
	return rc;
}

void catalog_conditions_join(
	struct observed_server *o, const struct raw_condition *conditions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < o->n_logins; k++) {
			struct observed_login *l = &o->logins[k];
			const int *value = conditions[i].values;
			if (!sid_equal(&l->sid, &conditions[i].sid))
				continue;
			l->locked = value[0];
			l->expired = value[1];
			l->must_change = value[2];
			l->days_until_expiration = value[3];
			l->bad_passwords = value[4];
		}
}

/* ---- a database ---- */

static int users_join(struct observed_database *d, const struct raw_catalog *r)
{
	for (size_t i = 0; i < r->n_principals; i++) {
		const struct raw_principal *p = &r->principals[i];
		const struct raw_principal *owner =
			p->type == 'R' ? raw_principal_by(r, p->owner) : NULL;
		struct observed_user *u = ARRAY_MORE(d->users, d->n_users);
		if (!u)
			return -ENOMEM;
		u->sid = p->sid;
		u->type = p->type;
		u->contained = p->contained;
		if (!row_copy(&u->name, p->name) ||
			!row_copy(&u->owner, owner ? owner->name : NULL))
			return -ENOMEM;
	}
	return 0;
}

/* Schema cdc is Change Data Capture's alone, and a job of the product runs what lies there. */
static bool is_user_schema(const struct raw_thing *s)
{
	return !catalog_schema_is_fixed(s->name) && !streq(s->name, "cdc");
}

static int schemas_join(struct observed_database *d, const struct raw_catalog *r)
{
	for (size_t i = 0; i < r->schemas.n; i++) {
		if (!is_user_schema(&r->schemas.items[i]))
			continue;
		char **name = ARRAY_MORE(d->schemas, d->n_schemas);
		if (!name || !row_copy(name, r->schemas.items[i].name))
			return -ENOMEM;
	}
	return 0;
}

static bool somebody_is_missed(const struct raw_catalog *r)
{
	for (size_t i = 0; i < r->n_there; i++)
		if (!raw_principal_by(r, r->there[i]))
			return true;
	return false;
}

int catalog_database_join(struct observed_database *d, struct raw_catalog *r)
{
	int rc;

	raw_catalog_sort(r);
	rc = users_join(d, r);
	if (!rc)
		rc = members_join(&d->members, &d->n_members, r);
	if (!rc)
		rc = permissions_join(&d->permissions, &d->n_permissions, r);
	if (!rc)
		rc = schemas_join(d, r);
	if (!rc)
		rc = catalog_owned_join(d, r);
	if (rc)
		return rc;
	d->missed = somebody_is_missed(r);
	d->permissions_visible = d->n_permissions > 0;
	d->triggers = r->triggers;
	d->n_triggers = r->n_triggers;
	d->runners = r->runners;
	d->n_runners = r->n_runners;
	r->runners = NULL;
	r->n_runners = 0;
	r->triggers = NULL;
	r->n_triggers = 0;
	return 0;
}
