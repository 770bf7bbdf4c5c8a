/* What is kept from the agent login's sight on the server by a denial that reaches it (sql/hiding_denial.h). Rows of
 * what is hidden are missing without any sign, so nothing is concluded there from what is not shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "curfew/text.h"
#include "sql/rows.h"

/* ---- denials ---- */

struct denial {
	const char *permission, *kind;
	char *name, *grantee, *grantor;
	bool whole; /* of the server, not of one principal or endpoint */
	int id;
};

static void text_print(FILE *to, const struct denial *d)
{
	fputs(d->permission, to);
	if (!d->whole && d->name)
		fprintf(to, " on [%s]", d->name);
	else if (!d->whole)
		fprintf(to, " on the %s with id %d",
			streq(d->kind, "ENDPOINT") ? "endpoint" : "principal", d->id);
	fprintf(to, " is denied to %s%s%s, so logins, roles, or permissions may be hidden",
		d->grantee ? "[" : "a role that is hidden itself", d->grantee ? d->grantee : "",
		d->grantee ? "]" : "");
}

/* Nothing where a name is missing. */
static void fix_print(FILE *to, const struct denial *d)
{
	if (!d->grantee || (!d->whole && !d->name))
		return;
	fprintf(to, "USE [master]; REVOKE %s", d->permission);
	if (!d->whole) {
		fprintf(to, " ON %s::", d->kind);
		sql_write_name(to, d->name);
	}
	fputs(" FROM ", to);
	sql_write_name(to, d->grantee);
	if (d->grantor) {
		fputs(" AS ", to);
		sql_write_name(to, d->grantor);
	}
	putc(';', to);
}

static char *printed(void (*print)(FILE *to, const struct denial *d), const struct denial *d)
{
	struct text text;

	if (!text_begin(&text))
		return NULL;
	print(text.to, d);
	return text_end(&text);
}

static int denial_add(struct observed_server *o, const struct denial *d)
{
	struct observed_unseen *u = ARRAY_MORE(o->unseen, o->n_unseen);

	if (!u)
		return -ENOMEM;
	u->id = d->whole ? 0 : d->id;
	u->text = printed(text_print, d);
	u->fix = printed(fix_print, d);
	return u->text && u->fix && row_copy(&u->login, d->name) ? 0 : -ENOMEM;
}

int catalog_row_unseen(struct server_reading *r, const struct sql_value *v)
{
	_cleanup_free_ char *permission = row_text(&v[3]), *kind = row_text(&v[5]);
	_cleanup_free_ char *name = NULL, *grantee = NULL, *grantor = NULL;

	if (!permission || !row_name_or_null(&name, &v[7]) || !row_name_or_null(&grantee, &v[1]) ||
		!row_name_or_null(&grantor, &v[2]))
		return -ENOMEM;
	return denial_add(r->o, &(struct denial){.permission = permission,
					.kind = kind ? kind : "",
					.name = name,
					.grantee = grantee,
					.grantor = grantor,
					.whole = row_number(&v[4]) == CLASS_SERVER,
					.id = (int)row_number(&v[9])});
}

/* ---- rows that name what is hidden ---- */

static int stranger_add(struct raw_catalog *r, const struct observed_server *o, int id)
{
	const char *name = NULL;
	char number[sizeof("principal_id -2147483648")];

	for (size_t i = 0; i < r->n_principals; i++)
		if (r->principals[i].id == id)
			return 0;
	for (size_t i = 0; i < o->n_unseen && !name; i++)
		if (o->unseen[i].id == id)
			name = o->unseen[i].login;
	snprintf(number, sizeof(number), "principal_id %d", id);
	struct raw_principal *p = ARRAY_MORE(r->principals, r->n_principals);
	if (!p)
		return -ENOMEM;
	p->id = id;
	p->type = PRINCIPAL_UNSEEN;
	return row_copy(&p->name, name ? name : number) ? 0 : -ENOMEM;
}

/* The members of fixed roles are shown by their ids to everybody
 * (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-server-role-members-transact-sql), and so
 * is whoever granted what is shown. */
int catalog_strangers_add(struct raw_catalog *r, const struct observed_server *o)
{
	int rc = 0;

	if (!o->n_unseen)
		return 0;
	for (size_t i = 0; i < r->n_members && !rc; i++)
		if (!(rc = stranger_add(r, o, r->members[i].role)))
			rc = stranger_add(r, o, r->members[i].member);
	for (size_t i = 0; i < r->n_permissions && !rc; i++)
		if (!(rc = stranger_add(r, o, r->permissions[i].grantee)))
			rc = stranger_add(r, o, r->permissions[i].grantor);
	return rc;
}
