/* The difference, rule by rule: the order in which things close and open, and what holds an opening back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scene.h"

#define JANE	  "acme.jane.doe"
#define FULL	  "curfew_full"
#define READ_ONLY "curfew_read_only"

/* One client in its testing window (or 5 days after go-live), with staging and production on one server. */
struct stage {
	struct scene scene;
	struct model model;
	struct observed_database *test, *prod;
	struct claim claims[4];
	size_t n_claims;
	struct difference d;
};

static struct stage *stage_new(bool live)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct client *c;

	assert_non_null(s);
	scene_server(&s->scene, false);
	c = scene_client(&s->scene, "acme", SCENE_NOW - 40 * SCENE_DAY);
	scene_go_live(c, SCENE_NOW + (live ? -5 : 20) * SCENE_DAY);
	scene_database(c, "AcmeTest", ROLE_STAGING, LEVEL_FULL);
	scene_database(c, "AcmeProd", ROLE_PRODUCTION, LEVEL_NONE);
	scene_user(c, JANE);
	scene_finish(&s->scene);
	s->model.o.mark_role = s->model.o.sessions_visible = true;
	s->model.o.clock = SCENE_NOW;
	for (int i = 0; i < 2; i++) {
		struct observed_database *d =
			model_database(&s->model, i ? "AcmeProd" : "AcmeTest");
		d->managed = true;
		model_schema(d, "dbo", NULL);
		model_user(d, "dbo", model_sid(9000));
		scene_roles(&s->scene, d);
	}
	s->test = &s->model.o.databases[0];
	s->prod = &s->model.o.databases[1];
	return s;
}

static void stage_free(struct stage *s)
{
	difference_free(&s->d);
	model_free(&s->model);
	scene_free(&s->scene);
	free(s);
}

/* Jane's login, marked, enabled, a member of `role` in staging. */
static struct observed_login *stage_jane(struct stage *s, const char *role)
{
	struct observed_login *l = model_login(&s->model, JANE, 1);

	l->marked = true;
	model_user(s->test, JANE, l->sid);
	if (role)
		model_member(s->test, role, JANE);
	return l;
}

static void compare(struct stage *s)
{
	struct claims claims = {.items = s->claims, .n = s->n_claims};

	difference_free(&s->d);
	observed_claim(&s->model.o, "sql1", &claims, 60);
	assert_int_equal(
		difference_build(&s->d, &s->scene.wanted, &s->model.o, &claims, SCENE_NOW), 0);
}

static void apply_all(struct stage *s)
{
	for (size_t i = 0; i < s->d.n_changes; i++)
		assert_int_equal(model_apply(&s->model, &s->d.changes[i]), 0);
	compare(s);
}

/* The kinds, in order, as one text: "login-disable revoke ...". */
static char *kinds(const struct difference *d)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	for (size_t i = 0; i < d->n_changes; i++)
		fprintf(f, "%s%s", i ? " " : "", change_name(d->changes[i].kind));
	fclose(f);
	return out;
}

static void expect(struct stage *s, const char *wanted)
{
	compare(s);
	_cleanup_free_ char *text = kinds(&s->d);
	assert_string_equal(text, wanted);
}

static const struct obstacle *obstacle_of(const struct stage *s, enum state state)
{
	for (size_t i = 0; i < s->d.n_obstacles; i++)
		if (s->d.obstacles[i].state == state)
			return &s->d.obstacles[i];
	return NULL;
}

static void test_agreement(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	expect(s, "");
	assert_int_equal(s->d.n_obstacles, 0);
	stage_free(s);
}

/* Shut at once after it is made; let in by a later round, when all else is as wanted. */
static void test_provision(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	expect(s, "login-create login-disable login-mark user-create member-add");
	apply_all(s);
	_cleanup_free_ char *then = kinds(&s->d);
	assert_string_equal(then, "login-enable");
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

static void test_provision_without_mark(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	s->model.o.mark_role = false;
	expect(s, "login-create login-disable user-create member-add");
	stage_free(s);
}

/* Into the narrower role before it leaves the wider one, shut before both, sessions last. */
static void test_go_live(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, FULL);

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	model_session(&s->model, JANE, 3600);
	expect(s, "login-disable member-narrow member-drop session-kill");
	assert_string_equal(s->d.changes[1].role, READ_ONLY);
	assert_string_equal(s->d.changes[2].role, FULL);
	apply_all(s);
	_cleanup_free_ char *then = kinds(&s->d);
	assert_string_equal(then, "login-enable");
	stage_free(s);
}

/* A session that appeared after all keeps the login shut until it is gone. */
static void test_enable_waits_for_sessions(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL)->disabled = true;
	model_session(&s->model, JANE, 0);
	expect(s, "session-kill");
	apply_all(s);
	_cleanup_free_ char *then = kinds(&s->d);
	assert_string_equal(then, "login-enable");
	stage_free(s);
}

/* A session from before the go-live ends although the roles are right already; a later one stays. */
static void test_old_session(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	model_session(&s->model, JANE, (uint64_t)(4 * SCENE_DAY));
	expect(s, "");
	model_session(&s->model, JANE, (uint64_t)(6 * SCENE_DAY));
	expect(s, "session-kill");
	assert_int_equal(s->d.changes[0].session, s->model.o.sessions[1].id);
	stage_free(s);
}

/* What it holds by itself goes before its roles; what it owns goes to dbo with others' rights kept. */
static void test_strip(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	model_member(s->test, "db_owner", JANE);
	model_permission(s->test, 'W', "SELECT", "dbo", "orders", JANE, "dbo");
	model_permission(s->test, 'G', "SELECT", "dbo", "orders", "public", JANE);
	model_permission(s->test, 'D', "DELETE", "dbo", NULL, JANE, "dbo");
	model_schema(s->test, "hers", JANE);
	model_permission(s->test, 'G', "SELECT", "hers", NULL, "public", "dbo");
	model_server_member(&s->model, "dbcreator", JANE);
	model_server_permission(&s->model, "VIEW SERVER STATE", JANE);
	compare(s);
	const struct difference *d = &s->d;
	/* First the roles' denials on the new schema. */
	size_t i = 0;
	while (i < d->n_changes && d->changes[i].kind == CHANGE_ROLE_DENY)
		i++;
	static const enum change_kind order[] = {CHANGE_LOGIN_DISABLE, CHANGE_REVOKE, CHANGE_REVOKE,
		CHANGE_OWNER, CHANGE_MEMBER_DROP, CHANGE_SERVER_MEMBER_DROP, CHANGE_SERVER_REVOKE};
	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		assert_true(i + k < d->n_changes);
		assert_int_equal(d->changes[i + k].kind, order[k]);
	}
	const struct change *owner = &d->changes[i + 3];
	assert_int_equal(owner->n_regrants, 1);
	assert_string_equal(owner->regrants[0].grantee, "public");
	/* Her own denial stays: it takes away, and gives nothing. */
	for (size_t k = 0; k < d->n_changes; k++)
		assert_true(d->changes[k].kind != CHANGE_REVOKE ||
			    d->changes[k].permission.state != 'D');
	stage_free(s);
}

/* Login shut, sessions ended, users out of every database, the login last. */
static void test_remove(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = model_login(&s->model, "gone.user", 7);

	(void)state;
	l->marked = true;
	model_user(s->test, "other name", l->sid);
	model_member(s->test, READ_ONLY, "other name");
	model_member(s->test, FULL, "other name");
	model_session(&s->model, "gone.user", 1);
	stage_jane(s, FULL);
	expect(s, "login-disable session-kill member-drop member-drop user-drop login-drop");
	/* The narrower role last: what it denies holds until then. */
	assert_string_equal(s->d.changes[2].role, FULL);
	assert_string_equal(s->d.changes[3].role, READ_ONLY);
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

static void test_closings_of_all_first(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = model_login(&s->model, "zz.gone", 7);

	(void)state;
	l->marked = true;
	/* Jane is to be made, another to be removed. */
	expect(s,
		"login-disable login-drop login-create login-disable login-mark user-create member-add");
	stage_free(s);
}

static void test_orphan(void **state)
{
	struct stage *s = stage_new(false);
	struct sid old = model_sid(77);

	(void)state;
	s->claims[s->n_claims++] = (struct claim){.server = "sql1", .login = JANE, .sid = old};
	model_user(s->test, JANE, old);
	model_member(s->test, "db_owner", JANE);
	expect(s, "member-narrow member-drop login-create login-disable login-mark user-remap");
	apply_all(s);
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	assert_int_equal(
		model_can(&s->model, s->test, JANE), terms_can(&s->scene.server.terms[LEVEL_FULL]));
	stage_free(s);
}

static void test_orphan_that_is_not_wanted(void **state)
{
	struct stage *s = stage_new(false);
	struct sid old = model_sid(77);

	(void)state;
	stage_jane(s, FULL);
	s->claims[s->n_claims++] =
		(struct claim){.server = "sql1", .login = "long.gone", .sid = old};
	model_user(s->prod, "long.gone", old);
	model_member(s->prod, FULL, "long.gone");
	expect(s, "member-drop user-drop");
	stage_free(s);
}

/* Not ours: an error that says so, and not a finger on it. */
static void test_stranger(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	model_login(&s->model, JANE, 5);
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_DRIFT);
	assert_non_null(o);
	assert_non_null(strstr(o->text, "was not made by Curfew"));
	stage_free(s);
}

static void test_stranger_user(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = stage_jane(s, FULL);

	(void)state;
	/* In staging somebody else's user has her name. */
	s->test->users[s->test->n_users - 1].sid = model_sid(4711);
	model_login(&s->model, "somebody", 4711);
	l = observed_find_login(&s->model.o, JANE);
	l->disabled = true;
	expect(s, "member-drop");
	assert_string_equal(s->d.changes[0].role, FULL);
	assert_non_null(obstacle_of(s, STATE_DRIFT));
	stage_free(s);
}

static void test_waiting(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	s->test->online = s->test->accessible = s->test->read = false;
	expect(s, "");
	assert_non_null(obstacle_of(s, STATE_WAITING));
	stage_free(s);
}

/* Nothing runs where a trigger that nobody reviewed would run as us. */
static void test_database_trigger(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	model_trigger(s->test, "tr_evil");
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_UNPROVED);
	assert_non_null(o);
	assert_non_null(strstr(o->text, "tr_evil"));
	strings_add(&s->scene.server.known_triggers, "tr_evil");
	expect(s, "login-create login-disable login-mark user-create member-add");
	stage_free(s);
}

/* What cannot be narrowed there must not be used. */
static void test_trigger_over_something_wider(void **state)
{
	static const char *const wider[] = {"db_owner", "owner", "grant", "role", "dbo"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wider); i++) {
		struct stage *s = stage_new(true);
		struct observed_login *l = stage_jane(s, READ_ONLY);
		model_user(s->prod, JANE, l->sid);
		model_member(s->prod, READ_ONLY, JANE);
		model_trigger(s->test, "tr_evil");
		expect(s, "");
		if (i == 0)
			model_member(s->test, "db_owner", JANE);
		else if (i == 1)
			model_owned(s->test, "OBJECT", "dbo", "t", JANE);
		else if (i == 2)
			model_permission(s->test, 'G', "INSERT", "dbo", NULL, JANE, "dbo");
		else if (i == 3)
			model_permission(s->test, 'G', "CONTROL", NULL, NULL, READ_ONLY, "dbo");
		else
			s->test->users[0].sid = l->sid;
		expect(s, "login-disable");
		assert_non_null(obstacle_of(s, STATE_UNPROVED));
		stage_free(s);
	}
}

static void test_server_trigger(void **state)
{
	struct stage *s = stage_new(false);
	char *trigger = (char *)"tr_logon";

	(void)state;
	s->model.o.triggers = &trigger;
	s->model.o.n_triggers = 1;
	expect(s, "");
	assert_non_null(obstacle_of(s, STATE_UNPROVED));
	s->model.o.triggers = NULL;
	s->model.o.n_triggers = 0;
	stage_free(s);
}

/* Who cannot see everything may close, and opens nothing. */
static void test_missing_rights(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = model_login(&s->model, "gone.user", 7);
	char *right = (char *)"VIEW ANY DEFINITION";

	(void)state;
	l->marked = true;
	s->model.o.missing_rights = &right;
	s->model.o.n_missing_rights = 1;
	expect(s, "login-disable login-drop");
	const struct obstacle *o = obstacle_of(s, STATE_UNPROVED);
	assert_non_null(o);
	assert_non_null(strstr(o->text, right));
	s->model.o.missing_rights = NULL;
	s->model.o.n_missing_rights = 0;
	stage_free(s);
}

/* Denials before anything, grants after what narrows; a surplus is taken away, a foreign denial taken back late. */
static void test_roles(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	for (size_t i = s->test->n_permissions; i-- > 0;) {
		struct permission *p = &s->test->permissions[i];
		bool gone = (!strcmp(p->grantee, READ_ONLY) && !strcmp(p->name, "INSERT")) ||
			    (!strcmp(p->grantee, FULL) && !strcmp(p->name, "UPDATE"));
		if (!gone)
			continue;
		permission_free(p);
		*p = s->test->permissions[--s->test->n_permissions];
	}
	model_permission(s->test, 'G', "CONTROL", NULL, NULL, FULL, "dbo");
	model_permission(s->test, 'D', "SELECT", "dbo", "orders", FULL, "dbo");
	expect(s, "revoke role-deny role-undeny role-grant");
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

static void test_role_is_made(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_database *d = s->test;

	(void)state;
	for (size_t i = d->n_users; i-- > 0;)
		if (d->users[i].type == 'R') {
			free(d->users[i].name);
			free(d->users[i].owner);
			d->users[i] = d->users[--d->n_users];
		}
	while (d->n_permissions)
		permission_free(&d->permissions[--d->n_permissions]);
	compare(s);
	for (int i = 0; i < 6 && s->d.n_changes; i++)
		apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	assert_int_equal(
		model_can(&s->model, d, JANE), terms_can(&s->scene.server.terms[LEVEL_FULL]));
	stage_free(s);
}

static void test_police(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	model_login(&s->model, "somebody", 5000);
	model_user(s->test, "somebody", model_sid(5000));
	model_member(s->test, FULL, "somebody");
	model_member(s->test, "db_datareader", "somebody");
	expect(s, "member-drop");
	assert_string_equal(s->d.changes[0].role, FULL);
	assert_string_equal(s->d.changes[0].principal, "somebody");
	stage_free(s);
}

/* Names in another letter case are the same names. */
static void test_letter_case(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	for (char *c = s->test->name; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	for (char *c = s->model.o.logins[0].name; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	expect(s, "");
	stage_free(s);
}

static void test_digest(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	compare(s);
	uint64_t first = difference_digest(&s->d);
	compare(s);
	assert_true(first == difference_digest(&s->d));
	stage_jane(s, READ_ONLY);
	compare(s);
	assert_true(first != difference_digest(&s->d));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_provision),
		cmocka_unit_test(test_provision_without_mark),
		cmocka_unit_test(test_go_live),
		cmocka_unit_test(test_enable_waits_for_sessions),
		cmocka_unit_test(test_old_session),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_closings_of_all_first),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_orphan_that_is_not_wanted),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_stranger_user),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_database_trigger),
		cmocka_unit_test(test_trigger_over_something_wider),
		cmocka_unit_test(test_server_trigger),
		cmocka_unit_test(test_missing_rights),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_role_is_made),
		cmocka_unit_test(test_police),
		cmocka_unit_test(test_letter_case),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
