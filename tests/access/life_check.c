/* What must hold of a random life: always, at every moment of a pass, at its end. See life.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "life.h"

/* ---- what must never change ---- */

bool sid_is_strange(const struct sid *s)
{
	uint32_t number;

	memcpy(&number, s->bytes, sizeof(number));
	return number >= STRANGE_SID;
}

static bool login_is_strange(const struct model *m, const char *name)
{
	const struct observed_login *l = observed_find_login(&m->o, name);

	return l && sid_is_strange(&l->sid);
}

static const struct observed_user *database_user(
	const struct observed_database *d, const char *name)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (names_equal(d->users[i].name, name))
			return &d->users[i];
	return NULL;
}

static bool user_is_strange(const struct observed_database *d, const char *name)
{
	const struct observed_user *u = database_user(d, name);

	return u && u->type == 'S' && sid_is_strange(&u->sid);
}

static bool is_role_of_level(const struct life *l, const char *role)
{
	for (int i = LEVEL_READ_ONLY; i <= LEVEL_FULL; i++)
		if (l->scene.server.terms[i].role &&
			names_equal(l->scene.server.terms[i].role, role))
			return true;
	return false;
}

/* Everything that belongs to others, a line each, in the order of the state (which changes keep). */
char *others_dump(const struct life *l)
{
	const struct observed_server *o = &l->model.o;
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	for (size_t i = 0; i < o->n_logins; i++)
		if (sid_is_strange(&o->logins[i].sid))
			fprintf(f, "login %s %d %d\n", o->logins[i].name, o->logins[i].disabled,
				o->logins[i].marked);
	for (size_t i = 0; i < o->n_members; i++)
		if (login_is_strange(&l->model, o->members[i].member))
			fprintf(f, "server role %s %s\n", o->members[i].role, o->members[i].member);
	for (size_t i = 0; i < o->n_sessions; i++)
		if (login_is_strange(&l->model, o->sessions[i].login))
			fprintf(f, "session %s %u\n", o->sessions[i].login, o->sessions[i].key.id);
	for (size_t i = 0; i < o->n_databases; i++) {
		const struct observed_database *d = &o->databases[i];
		for (size_t k = 0; k < d->n_users; k++)
			if (d->users[k].type == 'S' && sid_is_strange(&d->users[k].sid))
				fprintf(f, "%s user %s\n", d->name, d->users[k].name);
		for (size_t k = 0; k < d->n_members; k++)
			if (user_is_strange(d, d->members[k].member) &&
				!is_role_of_level(l, d->members[k].role))
				fprintf(f, "%s role %s %s\n", d->name, d->members[k].role,
					d->members[k].member);
		for (size_t k = 0; k < d->n_owned; k++)
			if (user_is_strange(d, d->owned[k].owner))
				fprintf(f, "%s owned %s %s\n", d->name, d->owned[k].name,
					d->owned[k].owner);
	}
	fclose(f);
	return out;
}

/* Permissions of others that others gave them: they survive even where the thing gets another owner. */
size_t others_permissions(const struct life *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->model.o.n_databases; i++) {
		const struct observed_database *d = &l->model.o.databases[i];
		for (size_t k = 0; k < d->n_permissions; k++) {
			const struct permission *p = &d->permissions[k];
			n += user_is_strange(d, p->grantee) && !strcmp(p->grantor, "dbo");
		}
	}
	return n;
}

/* ---- what must hold at every moment ---- */

static unsigned wanted_can(
	const struct life *l, const char *login, const struct observed_database *d)
{
	const struct wanted_login *w = wanted_find(&l->scene.wanted, login);

	for (size_t i = 0; w && i < w->n_users; i++)
		if (names_equal(w->users[i].grant->database->name, d->name))
			return terms_can(&l->scene.server.terms[w->users[i].grant->level]);
	return 0;
}

static unsigned can_now(
	const struct life *l, const struct observed_login *login, const struct observed_database *d)
{
	return login->disabled && !model_has_session(&l->model, login->name)
		       ? 0
		       : model_can(&l->model, d, login->name);
}

void before_note(struct life *l)
{
	const struct observed_server *o = &l->model.o;

	l->n_before = 0;
	for (size_t i = 0; i < o->n_logins; i++)
		for (size_t k = 0; k < o->n_databases && !sid_is_strange(&o->logins[i].sid); k++) {
			assert_true(l->n_before < ARRAY_SIZE(l->before));
			snprintf(l->before[l->n_before].login, 48, "%s", o->logins[i].name);
			snprintf(l->before[l->n_before].database, 48, "%s", o->databases[k].name);
			l->before[l->n_before++].can = can_now(l, &o->logins[i], &o->databases[k]);
		}
}

static unsigned before_can(const struct life *l, const char *login, const char *database)
{
	for (size_t i = 0; i < l->n_before; i++)
		if (names_equal(l->before[i].login, login) &&
			!strcmp(l->before[i].database, database))
			return l->before[i].can;
	return 0;
}

void moment_check(const struct life *l, const struct change *c)
{
	const struct observed_server *o = &l->model.o;

	for (size_t i = 0; i < o->n_logins; i++)
		for (size_t k = 0; k < o->n_databases && !sid_is_strange(&o->logins[i].sid); k++) {
			unsigned can = can_now(l, &o->logins[i], &o->databases[k]);
			unsigned may = before_can(l, o->logins[i].name, o->databases[k].name) |
				       wanted_can(l, o->logins[i].name, &o->databases[k]) |
				       model_public_can(&o->databases[k]);
			if (can & ~may)
				fail_msg("after %s, %s can do %x in %s; before or wanted: %x",
					change_name(c->kind), o->logins[i].name, can,
					o->databases[k].name, may);
		}
}

/* Nothing aims at what belongs to somebody else, but membership in a role of ours. */
void aim_check(const struct life *l, const struct change *c)
{
	const struct observed_database *d =
		c->database ? observed_find_database(&l->model.o, c->database) : NULL;

	const struct observed_login *known =
		c->login ? observed_find_login(&l->model.o, c->login) : NULL;

	assert_non_null(c->reason);
	/* Nobody uses what has not been verified. */
	if (known && !known->disabled &&
		(c->kind == CHANGE_USER_CREATE || c->kind == CHANGE_USER_REMAP ||
			c->kind == CHANGE_MEMBER_ADD))
		fail_msg("%s gives something to %s, which is enabled", change_name(c->kind),
			c->login);
	if (c->login && login_is_strange(&l->model, c->login))
		fail_msg("%s aims at %s", change_name(c->kind), c->login);
	if (d && c->principal && user_is_strange(d, c->principal) &&
		!(c->kind == CHANGE_MEMBER_DROP && is_role_of_level(l, c->role)))
		fail_msg("%s aims at user %s", change_name(c->kind), c->principal);
}

/* Gives somebody access, as opposed to preparing a role. */
static bool change_gives(const struct change *c)
{
	return c->kind == CHANGE_USER_CREATE || c->kind == CHANGE_USER_REMAP ||
	       c->kind == CHANGE_MEMBER_ADD || c->kind == CHANGE_LOGIN_ENABLE ||
	       c->kind == CHANGE_LOGIN_CREATE || c->kind == CHANGE_ROLE_GRANT ||
	       c->kind == CHANGE_ROLE_DENY_REMOVE;
}

static bool shuts(const struct change *c)
{
	return !c->before_opening &&
	       (c->kind == CHANGE_LOGIN_DISABLE || c->kind == CHANGE_SESSION_KILL);
}

/* Nothing of anybody comes before what shuts a login that loses something. A login is dropped behind its users. */
static void shutting_check(const struct difference *d)
{
	bool other = false;

	for (size_t i = 0; i < d->n_changes; i++) {
		const struct change *c = &d->changes[i];
		if (change_gives(c))
			break; /* a new login is disabled too */
		if (shuts(c) && other)
			fail_msg("%s of %s comes after another change", change_name(c->kind),
				c->login);
		other = other || !shuts(c);
		for (size_t k = 0; c->kind == CHANGE_LOGIN_DROP && k < d->n_changes; k++)
			if (d->changes[k].kind == CHANGE_USER_DROP &&
				!strcmp(d->changes[k].login, c->login))
				assert_true(k < i);
	}
}

void order_check(const struct difference *d)
{
	bool opened = false;

	shutting_check(d);

	for (size_t i = 0; i < d->n_changes; i++) {
		const struct change *c = &d->changes[i];
		/* Whoever gets something, a new login too, is shut until it is verified. */
		bool shuts_first =
			c->kind == CHANGE_LOGIN_DISABLE || c->kind == CHANGE_SESSION_KILL;
		if (opened && change_closes(c->kind) && !shuts_first)
			fail_msg("closing %s comes after an opening", change_name(c->kind));
		opened = opened || change_gives(c);
	}
}

/* ---- what must hold at the end ---- */

static bool has_obstacle(const struct difference *d, const char *login, enum state worst_passed)
{
	for (size_t i = 0; i < d->n_obstacles; i++)
		if (d->obstacles[i].state > worst_passed &&
			(!d->obstacles[i].login || names_equal(d->obstacles[i].login, login)))
			return true;
	return false;
}

static bool is_readable(const struct observed_database *d)
{
	return d && d->online && d->read && d->n_triggers == 0;
}

static void user_check(const struct life *l, const struct wanted_login *w, const struct grant *g,
	const struct observed_database *d)
{
	const struct observed_login *o = observed_find_login(&l->model.o, w->login);
	const struct observed_user *u = observed_user_of(d, o);
	const struct level_terms *t = &l->scene.server.terms[g->level];
	size_t n = 0;

	assert_non_null(u);
	for (size_t i = 0; i < d->n_members; i++)
		n += names_equal(d->members[i].member, u->name);
	assert_int_equal(n, t->role ? 1 : t->member_of.n);
	assert_true(!t->role || observed_is_member(d, t->role, u->name));
	for (size_t i = 0; i < t->member_of.n; i++)
		assert_true(observed_is_member(d, t->member_of.items[i], u->name));
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		assert_string_not_equal(p->grantor, u->name);
		assert_true(!names_equal(p->grantee, u->name) || p->state == 'D' ||
			    !strcmp(p->name, "CONNECT"));
	}
	for (size_t i = 0; i < d->n_owned; i++)
		assert_string_not_equal(d->owned[i].owner, u->name);
	/* Its own denials, and those that public has, may leave it less. */
	assert_int_equal(
		model_can(&l->model, d, w->login) & ~terms_can(t) & ~(unsigned)CAN_SELECT, 0);
}

static void wanted_check(const struct life *l, const struct difference *d)
{
	for (size_t i = 0; i < l->scene.wanted.n_logins; i++) {
		const struct wanted_login *w = &l->scene.wanted.logins[i];
		const struct observed_login *o = observed_find_login(&l->model.o, w->login);
		size_t there = 0;
		if (has_obstacle(d, w->login, STATE_WAITING))
			continue;
		for (size_t k = 0; k < w->n_users; k++) {
			const struct observed_database *at = observed_find_database(
				&l->model.o, w->users[k].grant->database->name);
			if (!is_readable(at))
				continue;
			there++;
			assert_non_null(o);
			user_check(l, w, w->users[k].grant, at);
		}
		if (there) {
			assert_true(o->ours);
			assert_false(o->disabled);
		}
	}
}

static void gone_check(const struct life *l, const struct difference *d)
{
	const struct observed_server *o = &l->model.o;
	struct claims claims = {.items = (struct claim *)l->claims, .n = l->n_claims};

	for (size_t i = 0; i < o->n_logins; i++)
		if (o->logins[i].ours && !wanted_find(&l->scene.wanted, o->logins[i].name))
			assert_true(has_obstacle(d, o->logins[i].name, STATE_WAITING));
	/* No user of ours without a login, wherever one can look. */
	for (size_t i = 0; i < o->n_databases; i++) {
		const struct observed_database *at = &o->databases[i];
		for (size_t k = 0; k < at->n_users && is_readable(at); k++) {
			bool mapped = false;
			for (size_t n = 0; n < o->n_logins; n++)
				mapped = mapped || sid_equal(&o->logins[n].sid, &at->users[k].sid);
			if (!mapped && claims_have_sid(&claims, &at->users[k].sid) &&
				!has_obstacle(d, at->users[k].name, STATE_WAITING))
				fail_msg("orphan %s is left in %s", at->users[k].name, at->name);
		}
	}
}

/* In a role of ours are users of ours only. */
static void roles_check(const struct life *l)
{
	for (size_t i = 0; i < l->model.o.n_databases; i++) {
		const struct observed_database *d = &l->model.o.databases[i];
		for (size_t k = 0; k < d->n_members && d->managed && is_readable(d); k++)
			if (is_role_of_level(l, d->members[k].role) &&
				user_is_strange(d, d->members[k].member))
				fail_msg("%s is still in %s of %s", d->members[k].member,
					d->members[k].role, d->name);
	}
}

/* Who is disabled has no session; who has one, and is not to have access, does not exist. */
static void sessions_check(const struct life *l)
{
	const struct observed_server *o = &l->model.o;

	for (size_t i = 0; i < o->n_sessions; i++) {
		const char *name = o->sessions[i].login;
		const struct observed_login *login = observed_find_login(o, name);
		const struct wanted_login *w = wanted_find(&l->scene.wanted, name);
		if (!login || !login->ours)
			continue;
		assert_false(login->disabled);
		assert_non_null(w);
		/* With the two seconds of slack between two clocks. */
		assert_true(!w->narrowed ||
			    o->sessions[i].age <= (uint64_t)(SCENE_NOW - w->narrowed) + 2);
	}
}

void end_check(const struct life *l, const struct difference *d)
{
	wanted_check(l, d);
	gone_check(l, d);
	roles_check(l);
	sessions_check(l);
}
