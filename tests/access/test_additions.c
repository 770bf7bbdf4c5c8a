/* What a login gets in addition, and what the server has refused to give it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

/* Nobody who works is shut for another attempt; whoever is shut loses nothing by it. */
static void test_refused_before(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);
	struct addition_refused refused = {
		(char *)JANE, (char *)"AcmeProd", (char *)"out of space"};

	(void)state;
	expect(s, "login-disable user-create member-add");
	s->scene.wanted.refused = &refused;
	s->scene.wanted.n_refused = 1;
	expect(s, "");
	assert_non_null(strstr(obstacle_of(s, STATE_DRIFT)->text, "out of space"));
	l->disabled = true;
	expect(s, "user-create member-add");
	stage_free(s);
}

/* What is taken away there is taken away all the same, and what is given elsewhere is given. */
static void test_refused_in_one_database(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, NULL);
	struct addition_refused refused = {
		(char *)JANE, (char *)"AcmeProd", (char *)"out of space"};

	(void)state;
	s->scene.wanted.refused = &refused;
	s->scene.wanted.n_refused = 1;
	expect(s, "login-disable member-add");
	assert_string_equal(s->d.changes[1].database, "AcmeTest");
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, FULL, JANE);
	expect(s, "login-disable member-restrict member-drop member-add");
	stage_free(s);
}

/* Where the server has refused something and nothing more is asked, nothing is held, whatever the login itself needs. */
static void test_refused_where_nothing_is_added(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_claim(s, stage_jane(s, READ_ONLY));
	struct addition_refused refused = {
		(char *)JANE, (char *)"AcmeProd", (char *)"out of space"};

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	l->marked = false;
	s->scene.wanted.refused = &refused;
	s->scene.wanted.n_refused = 1;
	expect(s, "login-mark");
	assert_null(obstacle_of(s, STATE_DRIFT));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_before),
		cmocka_unit_test(test_refused_in_one_database),
		cmocka_unit_test(test_refused_where_nothing_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
