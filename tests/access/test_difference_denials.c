/* The difference: what becomes of denials whose recorded grantor is a managed user, and of those that hide a login. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

#include "stage.h"

/* What she denied to others goes with her as hers, and stays as ours. A column's exception is no right. */
static void test_her_denials_stay(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	model_permission(s->test, 'R', "SELECT", "dbo", "orders", JANE, "dbo");
	expect(s, "");
	model_permission(s->test, 'D', "SELECT", "dbo", "orders", "public", JANE);
	compare(s);
	assert_int_equal(s->d.n_changes, 2);
	const struct change *revoke = &s->d.changes[1];
	assert_string_equal(revoke->permission.grantor, JANE);
	assert_int_equal(revoke->n_regrants, 1);
	assert_int_equal(revoke->regrants[0].state, 'D');
	assert_string_equal(revoke->regrants[0].grantee, "public");
	stage_free(s);
}

/* Who denied something on a user is recorded as that user. It gives nobody anything, so it stays as long as the user does. */
static void test_denials_on_her_stay_with_her(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	model_permission(s->test, 'D', "IMPERSONATE", "USER", JANE, "public", JANE);
	struct permission *p = &s->test->permissions[s->test->n_permissions - 1];
	p->class = 4;
	expect(s, "");
	/* A grant there is one of hers. */
	p->state = 'G';
	expect(s, "login-disable revoke");
	stage_free(s);
}

/* She could not be dropped with it (15284), nor if it came back. */
static void test_denials_on_her_go_with_her(void **state)
{
	struct stage *s = stage_new(false);
	struct sid old = model_sid(77);

	(void)state;
	stage_jane(s, FULL);
	s->claims[s->n_claims++] =
		(struct claim){.server = "sql1", .login = "long.gone", .sid = old};
	model_user(s->prod, "long.gone", old);
	model_permission(s->prod, 'D', "IMPERSONATE", "USER", "long.gone", "public", "long.gone");
	s->prod->permissions[s->prod->n_permissions - 1].class = 4;
	expect(s, "revoke user-drop");
	assert_int_equal(s->d.changes[0].n_regrants, 0);
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

/* The REVOKE is named. Whoever is hidden is shut, and nobody else. */
static void test_a_hidden_login_opens_nothing(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = stage_claim(s, model_login(&s->model, "gone.user", 7));
	struct observed_unseen unseen = {.text = (char *)"CONTROL on [x] is denied to [agent]",
		.fix = (char *)"USE [master]; REVOKE CONTROL ON LOGIN::[x] FROM [agent];",
		.login = (char *)s->scene.wanted.logins[0].login};

	(void)state;
	l->marked = true;
	s->model.o.unseen = &unseen;
	s->model.o.n_unseen = 1;
	expect(s, "login-disable login-drop");
	const struct obstacle *o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(o);
	assert_non_null(strstr(o->text, unseen.text));
	assert_non_null(strstr(o->text, unseen.fix));
	assert_null(o->login);
	assert_false(o->shuts);
	assert_string_equal(o[1].login, unseen.login);
	assert_true(o[1].shuts);
	s->model.o.unseen = NULL;
	s->model.o.n_unseen = 0;
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_her_denials_stay),
		cmocka_unit_test(test_denials_on_her_stay_with_her),
		cmocka_unit_test(test_denials_on_her_go_with_her),
		cmocka_unit_test(test_a_hidden_login_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
