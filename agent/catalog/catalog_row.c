/* Stores the rows of catalog answers. Ids are resolved when all rows have arrived. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/closing.h"
#include "sql/agent_permissions.h"
#include "sql/rows.h"

static int id_of(const struct sql_value *v)
{
	return (int)row_number(v);
}

/* ---- of the server ---- */

int catalog_unreadable_add(
	struct observed_server *o, const char *part, const char *database, const char *why)
{
	struct observed_unreadable *u = ARRAY_MORE(o->unreadable, o->n_unreadable);

	if (!u)
		return -ENOMEM;
	if (database && !(u->database = strdup(database)))
		return -ENOMEM;
	if (asprintf(&u->text, "%s%s%s: %s", part, database ? " of " : "", database ? database : "",
		    why) >= 0)
		return 0;
	u->text = NULL;
	return -ENOMEM;
}

static int row_server(struct server_reading *r, const struct sql_value *v)
{
	free(r->o->version);
	r->o->clock = row_number(&v[2]);
	r->o->version = v[1].data ? row_text(&v[1]) : strdup("");
	return r->o->version ? 0 : -ENOMEM;
}

/* NULL: this server does not know the permission. A right counts as held if any of its alternatives is held. */
static int row_right(struct server_reading *r, const struct sql_value *v)
{
	size_t right = (size_t)row_number(&v[1]), which = (size_t)row_number(&v[2]);

	if (right >= ARRAY_SIZE(server_rights) || which >= ARRAY_SIZE(server_rights[0].permissions))
		return -EBADMSG;
	r->rights[right][which] = (signed char)(v[3].data ? row_number(&v[3]) == 1 : -1);
	return 0;
}

static int row_principal(struct server_reading *r, const struct sql_value *v)
{
	struct raw_principal *p = ARRAY_MORE(r->raw.principals, r->raw.n_principals);

	if (!p)
		return -ENOMEM;
	p->id = id_of(&v[1]);
	row_sid(&p->sid, &v[3]);
	p->type = row_letter(&v[4]);
	p->disabled = row_number(&v[5]) != 0;
	p->age_known = v[6].data != NULL;
	p->age = row_number(&v[6]);
	p->owner = id_of(&v[8]);
	return row_name(&p->name, &v[2]) && row_name_or_null(&p->default_database, &v[7]) ? 0
											  : -ENOMEM;
}

static int member_take(struct raw_catalog *raw, const struct sql_value *role)
{
	struct raw_member *m = ARRAY_MORE(raw->members, raw->n_members);

	if (!m)
		return -ENOMEM;
	*m = (struct raw_member){id_of(&role[0]), id_of(&role[1])};
	return 0;
}

static int row_server_member(struct server_reading *r, const struct sql_value *v)
{
	return member_take(&r->raw, &v[1]);
}

static int row_server_permission(struct server_reading *r, const struct sql_value *v)
{
	struct raw_permission *p = ARRAY_MORE(r->raw.permissions, r->raw.n_permissions);

	if (!p)
		return -ENOMEM;
	*p = (struct raw_permission){.class = (uint8_t)row_number(&v[1]),
		.state = row_letter(&v[2]),
		.name = row_text(&v[3]),
		.major = id_of(&v[4]),
		.grantee = id_of(&v[5]),
		.grantor = id_of(&v[6])};
	return p->name ? 0 : -ENOMEM;
}

static int thing_take(struct raw_things *things, const struct sql_value *v)
{
	struct raw_thing *t = ARRAY_MORE(things->items, things->n);

	if (!t)
		return -ENOMEM;
	t->id = id_of(&v[2]);
	t->schema = id_of(&v[4]);
	t->owner = id_of(&v[5]);
	t->owned = v[5].data != NULL;
	return row_name(&t->name, &v[3]) ? 0 : -ENOMEM;
}

static int row_server_endpoint(struct server_reading *r, const struct sql_value *v)
{
	return thing_take(&r->raw.objects, v);
}

static int row_chaining(struct server_reading *r, const struct sql_value *v)
{
	r->o->chaining = row_number(&v[1]) != 0;
	return 0;
}

/* Without an id: nobody knows which jobs there are. */
static int row_job(struct server_reading *r, const struct sql_value *v)
{
	struct observed_job *j = v[2].data ? ARRAY_MORE(r->o->jobs, r->o->n_jobs) : NULL;

	if (!v[2].data) {
		r->o->jobs_unknown = true;
		return 0;
	}
	if (!j)
		return -ENOMEM;
	j->database = id_of(&v[1]);
	return row_name(&j->name, &v[2]) ? 0 : -ENOMEM;
}

static int row_database_id(struct server_reading *r, const struct sql_value *v)
{
	size_t i = (size_t)row_number(&v[1]);

	if (i >= r->n_names)
		return -EBADMSG;
	r->ids[i] = id_of(&v[2]);
	return 0;
}

#define DIGEST_BYTES ((DIGEST_TEXT_MAX - 1) / 2)

/* Name, digest of the definition, whether it runs something, and what it uses. */
static int trigger_take(struct observed_trigger *t, const struct sql_value *v)
{
	if (!t)
		return -ENOMEM;
	for (size_t i = 0; v[1].data && v[1].size == DIGEST_BYTES && i < DIGEST_BYTES; i++)
		snprintf(t->digest + 2 * i, 3, "%02x", (unsigned char)v[1].data[i]);
	t->dynamic = row_number(&v[2]) != 0;
	t->reaches = row_number(&v[3]) != 0;
	return row_name(&t->name, &v[0]) ? 0 : -ENOMEM;
}

static int row_lock_role(struct server_reading *r, const struct sql_value *v)
{
	r->o->lock_is_open = row_number(&v[1]) != 1;
	return 0;
}

static int row_server_trigger(struct server_reading *r, const struct sql_value *v)
{
	return trigger_take(ARRAY_MORE(r->o->triggers, r->o->n_triggers), v + 1);
}

static int row_of_session(struct server_reading *r, const struct sql_value *v)
{
	struct observed_session *s = ARRAY_MORE(r->o->sessions, r->o->n_sessions);

	return s ? row_session(s, v, SESSION_COLUMNS) : -ENOMEM;
}

static int condition_of(const struct sql_value *v)
{
	return v->data ? id_of(v) : -1;
}

static int row_condition(struct server_reading *r, const struct sql_value *v)
{
	struct raw_condition *c = ARRAY_MORE(r->conditions, r->n_conditions);

	if (!c)
		return -ENOMEM;
	row_sid(&c->sid, &v[1]);
	for (size_t i = 0; i < CONDITIONS; i++)
		c->values[i] = condition_of(&v[2 + i]);
	return 0;
}

static const struct {
	const char *part;
	int columns;
	int (*row)(struct server_reading *r, const struct sql_value *v);
} server_rows[] = {
	{"server", 3, row_server},
	{"right", 4, row_right},
	{"principal", 9, row_principal},
	{"endpoint", 6, row_server_endpoint},
	{"server-member", 3, row_server_member},
	{"server-permission", 7, row_server_permission},
	{"server-denial", 10, catalog_row_unseen},
	{"database", 14, catalog_row_database},
	{"chaining", 2, row_chaining},
	{"job", 3, row_job},
	{"database-id", 3, row_database_id},
	{"lock-role", 2, row_lock_role},
	{"server-trigger", 5, row_server_trigger},
	{"session", SESSION_COLUMNS, row_of_session},
	{"condition", 2 + CONDITIONS, row_condition},
};

int catalog_server_row(void *reading, const struct sql_value *values, int n)
{
	for (size_t i = 0; i < ARRAY_SIZE(server_rows); i++)
		if (n >= 1 && row_is(&values[0], server_rows[i].part))
			return n == server_rows[i].columns ? server_rows[i].row(reading, values)
							   : -EBADMSG;
	return -EBADMSG;
}

/* ---- of a database ---- */

static int row_user(struct raw_catalog *raw, const struct sql_value *v)
{
	enum { IN_DATABASE = 2 };
	struct raw_principal *p = ARRAY_MORE(raw->principals, raw->n_principals);

	if (!p)
		return -ENOMEM;
	p->id = id_of(&v[2]);
	row_sid(&p->sid, &v[4]);
	p->type = row_letter(&v[5]);
	p->owner = id_of(&v[6]);
	p->contained = row_number(&v[7]) == IN_DATABASE;
	return row_name(&p->name, &v[3]) ? 0 : -ENOMEM;
}

static int row_member(struct raw_catalog *raw, const struct sql_value *v)
{
	return member_take(raw, &v[2]);
}

static int row_permission(struct raw_catalog *raw, const struct sql_value *v)
{
	struct raw_permission *p = ARRAY_MORE(raw->permissions, raw->n_permissions);

	if (!p)
		return -ENOMEM;
	*p = (struct raw_permission){.class = (uint8_t)row_number(&v[2]),
		.state = row_letter(&v[3]),
		.name = row_text(&v[4]),
		.major = id_of(&v[5]),
		.minor = id_of(&v[6]),
		.grantee = id_of(&v[7]),
		.grantor = id_of(&v[8])};
	return p->name ? 0 : -ENOMEM;
}

static int row_schema(struct raw_catalog *raw, const struct sql_value *v)
{
	return thing_take(&raw->schemas, v);
}

static int row_object(struct raw_catalog *raw, const struct sql_value *v)
{
	return thing_take(&raw->objects, v);
}

static int row_column(struct raw_catalog *raw, const struct sql_value *v)
{
	return thing_take(&raw->columns, v);
}

static int row_type(struct raw_catalog *raw, const struct sql_value *v)
{
	return thing_take(&raw->types, v);
}

/* With the class in the place of the id of the others. */
static int row_rarer(struct raw_catalog *raw, const struct sql_value *v)
{
	int kind = rarer_kind(id_of(&v[2]));

	return kind < 0 ? -EBADMSG : thing_take(&raw->rarer[kind], v + 1);
}

static int row_trigger(struct raw_catalog *raw, const struct sql_value *v)
{
	struct observed_trigger *t = ARRAY_MORE(raw->triggers, raw->n_triggers);

	if (t)
		t->elsewhere = row_number(&v[6]) == 1;
	return trigger_take(t, v + 2);
}

static int row_runner(struct raw_catalog *raw, const struct sql_value *v)
{
	enum { AS_OWNER = -2 };
	struct observed_runner *r = ARRAY_MORE(raw->runners, raw->n_runners);
	int64_t kind = row_number(&v[2]);

	if (!r)
		return -ENOMEM;
	if (kind < RUNNER_MODULE || kind > RUNNER_DDL_TRIGGER)
		return -EBADMSG;
	r->kind = (unsigned)kind;
	r->as_owner = row_number(&v[5]) == AS_OWNER;
	return row_name(&r->schema, &v[3]) && row_name(&r->name, &v[4]) ? 0 : -ENOMEM;
}

static int row_there(struct raw_catalog *raw, const struct sql_value *v)
{
	return ARRAY_ADD(raw->there, raw->n_there, id_of(&v[2]));
}

static int row_end(struct raw_catalog *raw, const struct sql_value *v)
{
	raw->ended = true;
	raw->may_view = v[2].data ? row_number(&v[2]) == 1 : -1;
	return 0;
}

static int row_failed(struct raw_catalog *raw, const struct sql_value *v)
{
	raw->failed = id_of(&v[2]);
	record_set(raw->words, sizeof(raw->words), v[3].data ? v[3].data : "");
	return 0;
}

static const struct {
	const char *part;
	int columns;
	int (*row)(struct raw_catalog *raw, const struct sql_value *v);
} database_rows[] = {
	{"user", 8, row_user},
	{"member", 4, row_member},
	{"permission", 9, row_permission},
	{"schema", 6, row_schema},
	{"object", 6, row_object},
	{"column", 6, row_column},
	{"type", 6, row_type},
	{"rarer", 7, row_rarer},
	{"trigger", 7, row_trigger},
	{"runner", 6, row_runner},
	{PART_THERE, 3, row_there},
	{"end", 3, row_end},
	{"failed", 4, row_failed},
};

int catalog_database_row(void *raw, const struct sql_value *values, int n)
{
	struct raw_catalog *r = raw;

	for (size_t i = 0; i < ARRAY_SIZE(database_rows); i++) {
		if (n < 1 || !row_is(&values[0], database_rows[i].part))
			continue;
		if (n != database_rows[i].columns)
			return -EBADMSG;
		if (id_of(&values[1]) == r->database)
			return database_rows[i].row(r, values);
		r->strays++;
		return 0;
	}
	return -EBADMSG;
}
