/* See model.h. Error numbers are those of SQL Server's documentation. */
#include "model.h"

#include <string.h>
#include <strings.h>

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
#define CUT(items, n, i)                                                                           \
	(memmove(&(items)[i], &(items)[(i) + 1], ((n) - (i)-1) * sizeof(*(items))), (n)--)

static char *copy(const char *text)
{
	char *c = text ? strdup(text) : NULL;

	if (text && !c)
		abort();
	return c;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcasecmp(a, b));
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
	*ADD(d->triggers, d->n_triggers) = copy(name);
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

	s->id = ++m->next_session + 50;
	s->login = copy(login);
	s->acting = copy(login);
	s->age = age;
}

static bool permission_same_target(const struct permission *a, const struct permission *b)
{
	return a->class == b->class && same(a->schema, b->schema) && same(a->object, b->object) &&
	       same(a->column, b->column);
}

/* One row for a right, a target, a grantee and a grantor: GRANT and DENY replace each other. */
static void permission_put(struct observed_database *d, const struct permission *p)
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

static struct observed_user *user_find(const struct observed_database *d, const char *name)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (same(d->users[i].name, name))
			return &d->users[i];
	return NULL;
}

static bool schema_exists(const struct observed_database *d, const char *name)
{
	for (size_t i = 0; i < d->n_schemas; i++)
		if (same(d->schemas[i], name))
			return true;
	return false;
}

bool model_has_session(const struct model *m, const char *login)
{
	for (size_t i = 0; i < m->o.n_sessions; i++)
		if (same(m->o.sessions[i].login, login))
			return true;
	return false;
}

/* ---- what somebody can do ---- */

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

static unsigned fixed_role_can(const char *role)
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

/* ---- changes ---- */

static void permissions_drop_if(struct observed_database *d,
	bool (*is)(const struct permission *, const struct permission *),
	const struct permission *like)
{
	for (size_t i = d->n_permissions; i-- > 0;)
		if (is(&d->permissions[i], like)) {
			permission_free(&d->permissions[i]);
			CUT(d->permissions, d->n_permissions, i);
		}
}

static bool is_to(const struct permission *p, const struct permission *like)
{
	return same(p->grantee, like->grantee);
}

static bool is_on_target(const struct permission *p, const struct permission *like)
{
	return permission_same_target(p, like);
}

static void revoke(struct permission **items, size_t *n, const struct permission *like)
{
	for (size_t i = 0; i < *n; i++) {
		struct permission *p = &(*items)[i];
		if (!permission_same_target(p, like) || !same(p->name, like->name) ||
			!same(p->grantee, like->grantee) || !same(p->grantor, like->grantor))
			continue;
		struct permission gone = *p;
		CUT(*items, *n, i);
		/* CASCADE: what the grantee gave on goes too. */
		for (size_t k = 0; gone.state == 'W' && k < *n; k++) {
			struct permission next = (*items)[k];
			if (permission_same_target(&next, &gone) && same(next.name, gone.name) &&
				same(next.grantor, gone.grantee)) {
				revoke(items, n, &next);
				k = (size_t)-1;
			}
		}
		permission_free(&gone);
		return;
	}
}

static int user_drop(struct observed_database *d, const char *name)
{
	struct observed_user *u = user_find(d, name);

	if (!u || u->type == 'R')
		return 15151;
	for (size_t i = 0; i < d->n_owned; i++)
		if (same(d->owned[i].owner, name))
			return same(d->owned[i].kind, "ROLE") ? 15421 : 15138;
	for (size_t i = 0; i < d->n_permissions; i++)
		if (same(d->permissions[i].grantor, name))
			return 15284;
	struct permission like = {.grantee = (char *)name};
	permissions_drop_if(d, is_to, &like);
	for (size_t i = d->n_members; i-- > 0;)
		if (same(d->members[i].member, name)) {
			free(d->members[i].role);
			free(d->members[i].member);
			CUT(d->members, d->n_members, i);
		}
	free(u->name);
	free(u->owner);
	CUT(d->users, d->n_users, (size_t)(u - d->users));
	return 0;
}

static int owner_change(struct observed_database *d, const struct change *c)
{
	struct observed_owned *w = NULL;

	for (size_t i = 0; i < d->n_owned; i++)
		if (same(d->owned[i].kind, c->permission.name) &&
			same(d->owned[i].schema, c->permission.schema) &&
			same(d->owned[i].name, c->permission.object))
			w = &d->owned[i];
	if (!w)
		return 15151;
	/* One transaction: all or nothing. */
	for (size_t i = 0; i < c->n_regrants; i++)
		if (!same(c->regrants[i].grantee, "public") &&
			!user_find(d, c->regrants[i].grantee))
			return 15151;
	struct permission target = {.class = same(w->kind, "SCHEMA") ? 3 : 1,
		.schema = same(w->kind, "SCHEMA") ? w->name : w->schema,
		.object = same(w->kind, "SCHEMA") ? NULL : w->name};
	if (!same(w->kind, "ROLE"))
		permissions_drop_if(d, is_on_target, &target);
	for (size_t i = 0; i < c->n_regrants; i++) {
		struct permission p = c->regrants[i];
		p.grantor = (char *)"dbo";
		permission_put(d, &p);
	}
	free(w->kind);
	free(w->schema);
	free(w->name);
	free(w->owner);
	CUT(d->owned, d->n_owned, (size_t)(w - d->owned));
	return 0;
}

static int role_permission(struct observed_database *d, const struct change *c, char state)
{
	struct permission p = c->permission;

	if (!user_find(d, c->role) || (p.class == 3 && !schema_exists(d, p.schema)))
		return 15151;
	p.state = state;
	p.grantee = c->role;
	p.grantor = (char *)"dbo";
	permission_put(d, &p);
	return 0;
}

static int apply_in_database(struct model *m, struct observed_database *d, const struct change *c)
{
	struct observed_user *u = c->principal ? user_find(d, c->principal) : NULL;
	const struct observed_login *l = c->login ? observed_find_login(&m->o, c->login) : NULL;

	switch (c->kind) {
	case CHANGE_ROLE_CREATE:
		if (user_find(d, c->role))
			return 15023;
		model_role(d, c->role);
		return 0;
	case CHANGE_ROLE_DENY:
		return role_permission(d, c, 'D');
	case CHANGE_ROLE_GRANT:
		return role_permission(d, c, 'G');
	case CHANGE_USER_CREATE:
		if (u)
			return 15023;
		if (!l)
			return 15007;
		if (observed_user_of(d, l))
			return 15063;
		model_user(d, c->principal, l->sid);
		return 0;
	case CHANGE_USER_REMAP:
		if (!u)
			return 15151;
		if (!l)
			return 15007;
		if (observed_user_of(d, l))
			return 15063;
		u->sid = l->sid;
		return 0;
	case CHANGE_USER_DROP:
		return user_drop(d, c->principal);
	case CHANGE_MEMBER_ADD:
	case CHANGE_MEMBER_NARROW:
		if (!u || (!user_find(d, c->role) && !fixed_role_can(c->role)))
			return 15151;
		model_member(d, c->role, c->principal);
		return 0;
	case CHANGE_MEMBER_DROP:
		if (!u)
			return 15151;
		for (size_t i = d->n_members; i-- > 0;)
			if (same(d->members[i].member, c->principal) &&
				same(d->members[i].role, c->role)) {
				free(d->members[i].role);
				free(d->members[i].member);
				CUT(d->members, d->n_members, i);
			}
		return 0;
	case CHANGE_REVOKE:
	case CHANGE_ROLE_UNDENY:
		if (!same(c->permission.grantee, "public") && !user_find(d, c->permission.grantee))
			return 15151;
		revoke(&d->permissions, &d->n_permissions, &c->permission);
		return 0;
	case CHANGE_OWNER:
		return owner_change(d, c);
	default:
		return 102;
	}
}

static int login_drop(struct model *m, struct observed_login *l)
{
	if (model_has_session(m, l->name))
		return 15434;
	for (size_t i = 0; i < m->o.n_databases; i++) {
		const struct observed_user *u = observed_user_of(&m->o.databases[i], l);
		if (u && same(u->name, "dbo"))
			return 15174;
	}
	for (size_t i = m->o.n_members; i-- > 0;)
		if (same(m->o.members[i].member, l->name)) {
			free(m->o.members[i].role);
			free(m->o.members[i].member);
			CUT(m->o.members, m->o.n_members, i);
		}
	for (size_t i = m->o.n_permissions; i-- > 0;)
		if (same(m->o.permissions[i].grantee, l->name)) {
			permission_free(&m->o.permissions[i]);
			CUT(m->o.permissions, m->o.n_permissions, i);
		}
	free(l->name);
	CUT(m->o.logins, m->o.n_logins, (size_t)(l - m->o.logins));
	return 0;
}

static int apply_on_server(struct model *m, const struct change *c)
{
	struct observed_login *l = c->login ? observed_find_login(&m->o, c->login) : NULL;

	if (c->kind == CHANGE_LOGIN_CREATE) {
		if (l)
			return 15025;
		model_login(m, c->login, ++m->next_sid)->created = m->o.clock;
		return 0;
	}
	if (c->kind == CHANGE_SESSION_KILL) {
		for (size_t i = 0; i < m->o.n_sessions; i++)
			if (m->o.sessions[i].id == c->session) {
				free(m->o.sessions[i].login);
				free(m->o.sessions[i].acting);
				CUT(m->o.sessions, m->o.n_sessions, i);
				return 0;
			}
		return 6106;
	}
	if (!l)
		return 15151;
	switch (c->kind) {
	case CHANGE_LOGIN_DISABLE:
	case CHANGE_LOGIN_ENABLE:
		l->disabled = c->kind == CHANGE_LOGIN_DISABLE;
		return 0;
	case CHANGE_LOGIN_MARK:
		if (!m->o.mark_role)
			return 15151;
		l->marked = true;
		return 0;
	case CHANGE_LOGIN_DROP:
		return login_drop(m, l);
	case CHANGE_SERVER_MEMBER_DROP:
		for (size_t i = m->o.n_members; i-- > 0;)
			if (same(m->o.members[i].member, c->login) &&
				same(m->o.members[i].role, c->role)) {
				free(m->o.members[i].role);
				free(m->o.members[i].member);
				CUT(m->o.members, m->o.n_members, i);
			}
		return 0;
	case CHANGE_SERVER_REVOKE:
		revoke(&m->o.permissions, &m->o.n_permissions, &c->permission);
		return 0;
	default:
		return 102;
	}
}

int model_apply(struct model *m, const struct change *c)
{
	struct observed_database *d =
		c->database ? observed_find_database(&m->o, c->database) : NULL;

	if (!c->database)
		return apply_on_server(m, c);
	/* USE of a database that is not there, or that the agent's login may not enter. */
	if (!d)
		return 911;
	if (!d->online || !d->accessible)
		return 916;
	return apply_in_database(m, d, c);
}

void model_free(struct model *m)
{
	observed_free(&m->o);
	*m = (struct model){0};
}
