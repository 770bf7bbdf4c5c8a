/* The state of a model server: how a test builds it, and what is there. See model.h. */
#include "model_internal.h"

/* Tests run out of memory by ending. */
static void *grown(void *items, size_t n, size_t size)
{
	char *more = reallocarray(items, n + 1, size);

	if (!more)
		abort();
	memset(more + n * size, 0, size);
	return more;
}
#define ADD(items, n) ((items) = grown((items), (n), sizeof(*(items))), &(items)[(n)++])

static char *copy(const char *text)
{
	char *c = text ? strdup(text) : NULL;

	if (text && !c)
		abort();
	return c;
}

struct sid model_sid(uint32_t number)
{
	struct sid s = {.size = 16};

	memcpy(s.bytes, &number, sizeof(number));
	return s;
}

/* ---- building ---- */

struct observed_login *model_login(struct model *m, const char *name, uint32_t sid)
{
	struct observed_login *l = ADD(m->o.logins, m->o.n_logins);

	l->name = copy(name);
	l->sid = model_sid(sid);
	l->type = 'S';
	model_server_permission(m, "CONNECT SQL", name);
	return observed_find_login(&m->o, name);
}

struct observed_database *model_database(struct model *m, const char *name)
{
	struct observed_database *d = ADD(m->o.databases, m->o.n_databases);

	d->name = copy(name);
	d->online = d->accessible = d->read = d->permissions_visible = true;
	return d;
}

void model_user(struct observed_database *d, const char *name, struct sid sid)
{
	struct observed_user *u = ADD(d->users, d->n_users);

	u->name = copy(name);
	u->sid = sid;
	u->type = 'S';
	model_permission(d, 'G', "CONNECT", NULL, NULL, name, "dbo");
}

void model_role(struct observed_database *d, const char *name)
{
	struct observed_user *u = ADD(d->users, d->n_users);

	u->name = copy(name);
	u->type = 'R';
	u->owner = copy("dbo");
}

void model_owned(struct observed_database *d, const char *kind, const char *schema,
	const char *name, const char *owner)
{
	struct observed_owned *w = ADD(d->owned, d->n_owned);

	w->kind = copy(kind);
	w->schema = copy(schema);
	w->name = copy(name);
	w->owner = copy(owner);
}

void model_schema(struct observed_database *d, const char *name, const char *owner)
{
	*ADD(d->schemas, d->n_schemas) = copy(name);
	if (owner)
		model_owned(d, "SCHEMA", NULL, name, owner);
}

void model_member(struct observed_database *d, const char *role, const char *member)
{
	if (observed_is_member(d, role, member))
		return;
	struct observed_member *m = ADD(d->members, d->n_members);
	m->role = copy(role);
	m->member = copy(member);
}

void model_trigger(struct observed_database *d, const char *name)
{
	struct observed_trigger *t = ADD(d->triggers, d->n_triggers);

	t->name = copy(name);
	snprintf(t->digest, sizeof(t->digest), "%064d", 7);
}

static void server_permission(struct model *m, uint8_t class, const char *name, const char *login)
{
	struct permission *p = ADD(m->o.permissions, m->o.n_permissions);

	p->class = class;
	p->state = 'G';
	p->name = copy(name);
	p->grantee = copy(login);
	p->grantor = copy("sa");
}

void model_server_permission(struct model *m, const char *name, const char *login)
{
	server_permission(m, 100, name, login);
}

void model_server_member(struct model *m, const char *role, const char *login)
{
	struct observed_member *s = ADD(m->o.members, m->o.n_members);

	s->role = copy(role);
	s->member = copy(login);
}

void model_session(struct model *m, const char *login, uint64_t age)
{
	struct observed_session *s = ADD(m->o.sessions, m->o.n_sessions);

	const struct observed_login *l = observed_find_login(&m->o, login);

	s->key.id = (uint32_t)(++m->next_session + 50);
	if (l)
		s->key.sid = l->sid;
	s->login = copy(login);
	s->acting = copy(login);
	s->age = age;
}

bool permission_same_target(const struct permission *a, const struct permission *b)
{
	return a->class == b->class && same(a->schema, b->schema) && same(a->object, b->object) &&
	       same(a->column, b->column);
}

void permission_put(struct observed_database *d, const struct permission *p)
{
	struct permission *row = NULL;

	for (size_t i = 0; i < d->n_permissions && !row; i++) {
		struct permission *at = &d->permissions[i];
		if (permission_same_target(at, p) && same(at->name, p->name) &&
			same(at->grantee, p->grantee) && same(at->grantor, p->grantor))
			row = at;
	}
	if (row) {
		row->state = p->state;
		return;
	}
	row = ADD(d->permissions, d->n_permissions);
	*row = (struct permission){.class = p->class,
		.state = p->state,
		.name = copy(p->name),
		.schema = copy(p->schema),
		.object = copy(p->object),
		.column = copy(p->column),
		.grantee = copy(p->grantee),
		.grantor = copy(p->grantor)};
}

void model_permission(struct observed_database *d, char state, const char *name, const char *schema,
	const char *object, const char *grantee, const char *grantor)
{
	struct permission p = {.class = object ? 1 : schema ? 3 : 0, .state = state};

	p.name = (char *)name;
	p.schema = (char *)schema;
	p.object = (char *)object;
	p.grantee = (char *)grantee;
	p.grantor = (char *)grantor;
	permission_put(d, &p);
}

/* ---- what is there ---- */

struct observed_user *user_find(const struct observed_database *d, const char *name)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (same(d->users[i].name, name))
			return &d->users[i];
	return NULL;
}

bool model_has_session(const struct model *m, const char *login)
{
	for (size_t i = 0; i < m->o.n_sessions; i++)
		if (same(m->o.sessions[i].login, login))
			return true;
	return false;
}

void model_free(struct model *m)
{
	observed_free(&m->o);
	*m = (struct model){0};
}
