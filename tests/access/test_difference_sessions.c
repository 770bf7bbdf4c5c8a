/* The difference where the server does not tell whose sessions are open: no login is enabled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

static void test_a_disabled_login_waits_for_its_sessions_to_be_known(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	l->disabled = true;
	expect(s, "login-enable");
	s->model.o.sessions_visible = false;
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_UNREAD);
	assert_non_null(o);
	assert_true(o->shuts);
	assert_string_equal(o->login, JANE);
	assert_null(o->database);
	stage_free(s);
}

static void test_an_enabled_login_goes_on(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	s->model.o.sessions_visible = false;
	expect(s, "");
	assert_null(obstacle_of(s, STATE_UNREAD));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_disabled_login_waits_for_its_sessions_to_be_known),
		cmocka_unit_test(test_an_enabled_login_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
