/* The level `write`, between reading and full access: into it, out of it, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

#define WRITE "curfew_write"

/* Staging of that client is `write` until go-live. */
static struct stage *stage_write(bool live)
{
	struct stage *s = stage_new(live);

	s->scene.clients[0].databases[0].before_go_live = LEVEL_WRITE;
	wanted_free(&s->scene.wanted);
	grants_free(&s->scene.grants);
	scene_finish(&s->scene);
	return s;
}

static void test_member_of_write_is_as_wanted(void **state)
{
	struct stage *s = stage_write(false);

	(void)state;
	stage_jane(s, WRITE);
	expect(s, "");
	stage_free(s);
}

/* The file says less than it said: the login is disabled, its role changed, and sessions from before are ended. */
static void test_full_becomes_write(void **state)
{
	struct stage *s = stage_write(false);

	(void)state;
	stage_jane(s, FULL);
	model_session(&s->model, JANE, 3600);
	expect(s, "login-disable session-kill member-restrict member-drop");
	assert_string_equal(s->d.changes[2].role, WRITE);
	assert_string_equal(s->d.changes[3].role, FULL);
	apply_all(s);
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	assert_int_equal(model_can(&s->model, s->test, JANE),
		terms_can(&s->scene.server.terms[LEVEL_WRITE]));
	stage_free(s);
}

/* Reading alone was never wider: nobody is disabled for getting more. */
static void test_read_only_becomes_write(void **state)
{
	struct stage *s = stage_write(false);

	(void)state;
	stage_jane(s, READ_ONLY);
	expect(s, "member-drop login-disable member-add");
	stage_free(s);
}

static void test_write_becomes_read_only(void **state)
{
	struct stage *s = stage_write(true);
	struct observed_login *l = stage_jane(s, WRITE);

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	model_session(&s->model, JANE, 3600 * 24 * 6);
	expect(s, "login-disable session-kill member-restrict member-drop");
	assert_string_equal(s->d.changes[2].role, READ_ONLY);
	assert_string_equal(s->d.changes[3].role, WRITE);
	stage_free(s);
}

/* The widest goes first: the denials of the narrower hold until it is gone. */
static void test_widest_goes_first(void **state)
{
	struct stage *s = stage_write(false);

	(void)state;
	stage_jane(s, READ_ONLY);
	model_member(s->test, WRITE, JANE);
	model_member(s->test, FULL, JANE);
	compare(s);
	const char *dropped[2] = {NULL};
	size_t n = 0;
	for (size_t i = 0; i < s->d.n_changes; i++)
		if (s->d.changes[i].kind == CHANGE_MEMBER_DROP && n < 2)
			dropped[n++] = s->d.changes[i].role;
	assert_int_equal(n, 2);
	assert_string_equal(dropped[0], FULL);
	assert_string_equal(dropped[1], READ_ONLY);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_member_of_write_is_as_wanted),
		cmocka_unit_test(test_full_becomes_write),
		cmocka_unit_test(test_read_only_becomes_write),
		cmocka_unit_test(test_write_becomes_read_only),
		cmocka_unit_test(test_widest_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
