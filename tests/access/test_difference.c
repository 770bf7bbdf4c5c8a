/* The difference, rule by rule: what is to be done, and the order in which things close and open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

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

/* Into the narrower role before it leaves the wider one; shut before both, and its sessions ended. */
static void test_go_live(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, FULL);

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	model_session(&s->model, JANE, 3600);
	expect(s, "login-disable session-kill member-restrict member-drop");
	assert_string_equal(s->d.changes[2].role, READ_ONLY);
	assert_string_equal(s->d.changes[3].role, FULL);
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
	assert_int_equal(s->d.changes[0].session.id, s->model.o.sessions[1].key.id);
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
	static const enum change_kind first[] = {
		CHANGE_LOGIN_DISABLE, CHANGE_SERVER_MEMBER_DROP, CHANGE_SERVER_REVOKE};
	size_t i = 0;
	for (; i < ARRAY_SIZE(first); i++)
		assert_int_equal(d->changes[i].kind, first[i]);
	/* Before she leaves a role, the roles' denials on the new schema. */
	assert_int_equal(d->changes[i].kind, CHANGE_ROLE_DENY);
	while (i < d->n_changes && d->changes[i].kind == CHANGE_ROLE_DENY)
		i++;
	static const enum change_kind order[] = {
		CHANGE_REVOKE, CHANGE_REVOKE, CHANGE_OWNER, CHANGE_MEMBER_DROP};
	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		assert_true(i + k < d->n_changes);
		assert_int_equal(d->changes[i + k].kind, order[k]);
	}
	const struct change *owner = &d->changes[i + 2];
	assert_int_equal(owner->n_regrants, 1);
	assert_string_equal(owner->regrants[0].grantee, "public");
	/* Her own denial stays: it takes away, and gives nothing. */
	for (size_t k = 0; k < d->n_changes; k++)
		assert_true(d->changes[k].kind != CHANGE_REVOKE ||
			    d->changes[k].permission.state != 'D');
	stage_free(s);
}

static const struct change *change_of(
	const struct stage *s, enum change_kind kind, const char *name)
{
	for (size_t i = 0; i < s->d.n_changes; i++)
		if (s->d.changes[i].kind == kind && s->d.changes[i].permission.object &&
			!strcmp(s->d.changes[i].permission.object, name))
			return &s->d.changes[i];
	fail_msg("no change of %s", name);
	return NULL;
}

/* A transfer drops permissions also on what a schema contains: everybody but her keeps his, denials last. */
static void test_transfer_keeps_what_others_hold(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	model_schema(s->test, "hers", JANE);
	model_owned(s->test, "OBJECT", "dbo", "table", JANE);
	model_permission(s->test, 'D', "DELETE", "hers", "orders", "app", "dbo");
	model_permission(s->test, 'R', "UPDATE", "hers", "orders", "app", "dbo");
	model_permission(s->test, 'G', "SELECT", "hers", "orders", "app", "dbo");
	model_permission(s->test, 'G', "SELECT", "hers", "apart", "app", "dbo");
	s->test->permissions[s->test->n_permissions - 1].owner_apart = true;
	model_permission(s->test, 'W', "SELECT", "hers", NULL, "public", "dbo");
	model_permission(s->test, 'G', "SELECT", "dbo", "table", "app", "dbo");
	compare(s);
	const struct change *schema = change_of(s, CHANGE_OWNER, "hers");
	const struct change *table = change_of(s, CHANGE_OWNER, "table");
	static const char order[] = "GWRD";
	assert_int_equal(schema->n_regrants, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(schema->regrants[i].state, order[i]);
	assert_int_equal(table->n_regrants, 1);
	assert_string_equal(table->regrants[0].grantee, "app");
	stage_free(s);
}

/* A schema that the agent may not see has permissions all the same: they stand for no other schema. */
static void test_schema_without_name(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	model_permission(s->test, 'G', "SELECT", "unseen", NULL, FULL, "dbo");
	struct permission *p = &s->test->permissions[s->test->n_permissions - 1];
	free(p->schema);
	p->schema = NULL;
	model_schema(s->test, "fresh", NULL);
	compare(s);
	size_t granted = 0;
	for (size_t i = 0; i < s->d.n_changes; i++)
		granted += s->d.changes[i].kind == CHANGE_ROLE_GRANT &&
			   strcmp(s->d.changes[i].permission.name, "SELECT") == 0 &&
			   strcmp(s->d.changes[i].permission.schema, "fresh") == 0;
	assert_int_equal(granted, 3); /* to each role that is there */
	stage_free(s);
}

/* Login shut, sessions ended, users out of every database, the login last. */
static void test_remove(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = stage_claim(s, model_login(&s->model, "gone.user", 7));
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

/* What DROP USER would take along goes first: it may fail, and code that runs as the user has it until then. */
static void test_stripped_before_it_is_dropped(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	struct observed_login *l = stage_claim(s, model_login(&s->model, "gone.user", 7));
	model_user(s->prod, l->name, l->sid);
	model_permission(s->prod, 'G', "CONTROL", NULL, NULL, l->name, "dbo");
	expect(s, "login-disable revoke user-drop login-drop");
	stage_free(s);
}

static void test_closings_of_all_first(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = stage_claim(s, model_login(&s->model, "zz.gone", 7));
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
	expect(s, "member-restrict member-drop login-create login-disable login-mark user-remap");
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
	expect(s, "revoke role-deny role-deny-remove role-grant");
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
		cmocka_unit_test(test_transfer_keeps_what_others_hold),
		cmocka_unit_test(test_schema_without_name),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_stripped_before_it_is_dropped),
		cmocka_unit_test(test_closings_of_all_first),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_orphan_that_is_not_wanted),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_role_is_made),
		cmocka_unit_test(test_police),
		cmocka_unit_test(test_letter_case),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
