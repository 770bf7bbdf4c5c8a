/* Answers of the catalogue, row by row, into what was observed. */
#include <errno.h>
#include <string.h>

#include "sql/catalog.h"
#include "sql/closing.h"
#include "sql/rows.h"

/* One more zeroed item at the end; NULL without memory, the array as it was. */
static void *array_more(void *items, size_t *n, size_t size)
{
	char *more = reallocarray(items, *n + 1, size);

	if (more)
		memset(more + (*n)++ * size, 0, size);
	return more;
}
#define ARRAY_MORE(array, count)                                                                   \
	({                                                                                         \
		__typeof__(array) more_ = array_more((array), &(count), sizeof(*(array)));         \
		if (more_)                                                                         \
			(array) = more_;                                                           \
		more_ ? &(array)[(count)-1] : NULL;                                                \
	})

static int64_t number(const struct sql_value *v)
{
	return v->data ? strtoll(v->data, NULL, 10) : 0;
}

/* Trailing blanks are not part of a name: some servers pad char columns. */
static char *copy(const struct sql_value *v)
{
	size_t n = v->data ? strnlen(v->data, v->size) : 0;

	while (n && v->data[n - 1] == ' ')
		n--;
	return v->data ? strndup(v->data, n) : NULL;
}

/* A name that must be there: an empty text stands for NULL. */
static bool take(char **to, const struct sql_value *v)
{
	*to = v->data ? copy(v) : strdup("");
	return *to != NULL;
}

static void sid_take(struct sid *to, const struct sql_value *v)
{
	if (v->data && v->size <= SID_MAX) {
		memcpy(to->bytes, v->data, v->size);
		to->size = (uint8_t)v->size;
	}
}

static int row_login(struct observed_server *o, const struct sql_value *v)
{
	struct observed_login *l = ARRAY_MORE(o->logins, o->n_logins);

	if (!l || !take(&l->name, &v[1]))
		return -ENOMEM;
	sid_take(&l->sid, &v[2]);
	l->type = v[3].data ? v[3].data[0] : '?';
	l->disabled = number(&v[4]) != 0;
	l->created = o->clock - number(&v[5]);
	return 0;
}

static int row_server_role(struct observed_server *o, const struct sql_value *v)
{
	(void)v;
	o->mark_role = true;
	return 0;
}

static int row_server_member(struct observed_server *o, const struct sql_value *v)
{
	/* The mark is told apart when all logins are known; see sql_observe(). */
	struct observed_member *m = ARRAY_MORE(o->members, o->n_members);

	return m && take(&m->role, &v[1]) && take(&m->member, &v[2]) ? 0 : -ENOMEM;
}

static int row_server_permission(struct observed_server *o, const struct sql_value *v)
{
	struct permission *p = ARRAY_MORE(o->permissions, o->n_permissions);

	if (!p)
		return -ENOMEM;
	p->class = (uint8_t)number(&v[1]);
	p->state = v[2].data ? v[2].data[0] : 'G';
	p->object = copy(&v[4]);
	return take(&p->name, &v[3]) && take(&p->grantee, &v[5]) && take(&p->grantor, &v[6])
		       ? 0
		       : -ENOMEM;
}

static int row_of_session(struct observed_server *o, const struct sql_value *v)
{
	struct observed_session *s = ARRAY_MORE(o->sessions, o->n_sessions);

	return s ? row_session(s, v, SESSION_COLUMNS) : -ENOMEM;
}

static int row_database(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = ARRAY_MORE(o->databases, o->n_databases);

	if (!d || !take(&d->name, &v[1]))
		return -ENOMEM;
	d->online = number(&v[2]) == 0;
	d->accessible = number(&v[3]) == 1;
	return 0;
}

static int text_add(char ***texts, size_t *n, const struct sql_value *v)
{
	char **more = array_more(*texts, n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*texts = more;
	return take(&more[*n - 1], v) ? 0 : -ENOMEM;
}

static int row_server_trigger(struct observed_server *o, const struct sql_value *v)
{
	return text_add(&o->triggers, &o->n_triggers, &v[1]);
}

static struct observed_database *database_of(struct observed_server *o, const struct sql_value *v)
{
	int64_t i = number(&v[1]);

	return i >= 0 && (uint64_t)i < o->n_databases ? &o->databases[i] : NULL;
}

static int row_user(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);
	struct observed_user *u = d ? ARRAY_MORE(d->users, d->n_users) : NULL;

	if (!u)
		return d ? -ENOMEM : -EBADMSG;
	sid_take(&u->sid, &v[3]);
	u->type = v[4].data ? v[4].data[0] : '?';
	u->owner = copy(&v[5]);
	d->read = true;
	return take(&u->name, &v[2]) ? 0 : -ENOMEM;
}

static int row_member(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);
	struct observed_member *m = d ? ARRAY_MORE(d->members, d->n_members) : NULL;

	if (!m)
		return d ? -ENOMEM : -EBADMSG;
	return take(&m->role, &v[2]) && take(&m->member, &v[3]) ? 0 : -ENOMEM;
}

static int row_permissions(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);

	if (!d)
		return -EBADMSG;
	d->permissions_visible = number(&v[2]) > 0;
	return 0;
}

static int row_permission(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);
	struct permission *p = d ? ARRAY_MORE(d->permissions, d->n_permissions) : NULL;

	if (!p)
		return d ? -ENOMEM : -EBADMSG;
	p->class = (uint8_t)number(&v[2]);
	p->state = v[3].data ? v[3].data[0] : 'G';
	p->schema = copy(&v[5]);
	p->object = copy(&v[6]);
	p->column = copy(&v[7]);
	return take(&p->name, &v[4]) && take(&p->grantee, &v[8]) && take(&p->grantor, &v[9])
		       ? 0
		       : -ENOMEM;
}

static int row_schema(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);

	return d ? text_add(&d->schemas, &d->n_schemas, &v[2]) : -EBADMSG;
}

static int row_owned(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);
	struct observed_owned *w = d ? ARRAY_MORE(d->owned, d->n_owned) : NULL;

	if (!w)
		return d ? -ENOMEM : -EBADMSG;
	w->schema = copy(&v[3]);
	return take(&w->kind, &v[2]) && take(&w->name, &v[4]) && take(&w->owner, &v[5]) ? 0
											: -ENOMEM;
}

static int row_trigger(struct observed_server *o, const struct sql_value *v)
{
	struct observed_database *d = database_of(o, v);

	return d ? text_add(&d->triggers, &d->n_triggers, &v[2]) : -EBADMSG;
}

static int row_server(struct observed_server *o, const struct sql_value *v)
{
	free(o->version);
	o->clock = number(&v[2]);
	return take(&o->version, &v[1]) ? 0 : -ENOMEM;
}

/* 0: the login lacks it. NULL: this server does not know such a permission. */
static int row_right(struct observed_server *o, const struct sql_value *v)
{
	return v[2].data && !number(&v[2])
		       ? text_add(&o->missing_rights, &o->n_missing_rights, &v[1])
		       : 0;
}

static const struct {
	const char *part;
	int columns;
	int (*row)(struct observed_server *o, const struct sql_value *v);
} rows[] = {
	{"server", 3, row_server},
	{"right", 3, row_right},
	{"login", 6, row_login},
	{"server-role", 2, row_server_role},
	{"server-member", 3, row_server_member},
	{"server-permission", 7, row_server_permission},
	{"session", SESSION_COLUMNS, row_of_session},
	{"database", 4, row_database},
	{"server-trigger", 2, row_server_trigger},
	{"user", 6, row_user},
	{"member", 4, row_member},
	{"permissions", 3, row_permissions},
	{"permission", 10, row_permission},
	{"schema", 3, row_schema},
	{"owned", 6, row_owned},
	{"trigger", 3, row_trigger},
};

int catalog_row(void *observed, const struct sql_value *values, int n)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (n >= 1 && values[0].data && !strcmp(values[0].data, rows[i].part))
			return n == rows[i].columns ? rows[i].row(observed, values) : -EBADMSG;
	return -EBADMSG;
}
