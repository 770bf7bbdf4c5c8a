/* What is said of a login that a user in a database of others keeps shut: whose matter it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

/* Jane has a user in a database that no client file names for her. */
static struct stage *stage_elsewhere(struct observed_database **elsewhere)
{
	struct stage *s = stage_new(false);
	struct observed_login *jane = stage_jane(s, FULL);

	*elsewhere = model_database(&s->model, "Theirs");
	s->test = &s->model.o.databases[0];
	s->prod = &s->model.o.databases[1];
	model_user(*elsewhere, "x", jane->sid);
	model_login(&s->model, "mallory", 4711);
	return s;
}

static const char *obstacle_of_jane(const struct stage *s)
{
	for (size_t i = 0; i < s->d.n_obstacles; i++)
		if (!s->d.obstacles[i].database && !strcmp(s->d.obstacles[i].login, JANE))
			return s->d.obstacles[i].text;
	return "";
}

static void test_the_owner_of_the_database_is_named(void **state)
{
	struct observed_database *d;
	struct stage *s = stage_elsewhere(&d);

	(void)state;
	d->unwritable = strdup("it is read-only");
	d->owner = model_sid(4711);
	expect(s, "login-disable");
	assert_non_null(
		strstr(obstacle_of_jane(s), "in database [Theirs], owned by login [mallory]: "));
	assert_non_null(strstr(obstacle_of_jane(s), "(it is read-only)"));
	assert_non_null(strstr(obstacle_of_jane(s), "Curfew never gave access there"));
	stage_free(s);
}

static void test_an_owner_without_a_login_is_said_to_have_none(void **state)
{
	struct observed_database *d;
	struct stage *s = stage_elsewhere(&d);

	(void)state;
	d->unwritable = strdup("it is read-only");
	d->owner = model_sid(4712);
	compare(s);
	assert_non_null(strstr(obstacle_of_jane(s), "whose owner has no login on this server"));
	stage_free(s);
}

/* What the journal has of it was Curfew's own user. */
static void test_where_access_was_given_nobody_is_suspected(void **state)
{
	struct remembered r = {.login = JANE, .database = "Theirs", .level = LEVEL_FULL};
	struct observed_database *d;
	struct stage *s = stage_elsewhere(&d);

	(void)state;
	d->unwritable = strdup("it is read-only");
	s->scene.wanted.remembered = &r;
	s->scene.wanted.n_remembered = 1;
	compare(s);
	assert_non_null(strstr(obstacle_of_jane(s), "[Theirs]"));
	assert_null(strstr(obstacle_of_jane(s), "never gave"));
	stage_free(s);
}

/* Where it can be removed, it is: what is left of it is what the server refused. */
static void test_a_user_that_is_still_to_be_removed_is_found(void **state)
{
	struct observed_database *d;
	struct stage *s = stage_elsewhere(&d);
	const struct observed_login *jane = observed_find_login(&s->model.o, JANE);

	(void)state;
	expect(s, "login-disable user-drop");
	const struct observed_database *found = user_elsewhere(&s->model.o, &s->d, jane);
	assert_non_null(found);
	assert_string_equal(found->name, "Theirs");
	apply_all(s);
	jane = observed_find_login(&s->model.o, JANE);
	assert_null(user_elsewhere(&s->model.o, &s->d, jane));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_owner_of_the_database_is_named),
		cmocka_unit_test(test_an_owner_without_a_login_is_said_to_have_none),
		cmocka_unit_test(test_where_access_was_given_nobody_is_suspected),
		cmocka_unit_test(test_a_user_that_is_still_to_be_removed_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
