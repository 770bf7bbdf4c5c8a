/* A fingerprint changes with whatever a user may do, and with nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

static struct model model;
static struct observed_database *d;
static char before[FINGERPRINT_MAX];

static void print(char out[FINGERPRINT_MAX])
{
	for (size_t i = 0; i < d->n_users; i++)
		if (!strcmp(d->users[i].name, "jane"))
			observed_fingerprint(out, d, &d->users[i]);
}

static int begin(void **state)
{
	(void)state;
	model = (struct model){0};
	d = model_database(&model, "Acme");
	model_role(d, "public");
	model_user(d, "guest", model_sid(2));
	model_user(d, "jane", model_sid(10));
	model_user(d, "joe", model_sid(11));
	model_role(d, "reader");
	model_role(d, "outer");
	model_role(d, "other");
	model_member(d, "reader", "jane");
	model_member(d, "outer", "reader");
	model_permission(d, 'G', "SELECT", "dbo", NULL, "reader", "dbo");
	print(before);
	return 0;
}

static int end(void **state)
{
	(void)state;
	observed_free(&model.o);
	return 0;
}

static void changes(bool wanted)
{
	char after[FINGERPRINT_MAX];

	print(after);
	assert_int_equal(strlen(after), FINGERPRINT_MAX - 1);
	assert_int_equal(strcmp(before, after) != 0, wanted);
	memcpy(before, after, sizeof(before));
}

static void test_what_concerns_the_user_changes_it(void **state)
{
	static const char *const grantees[] = {"jane", "reader", "outer", "public", "guest"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(grantees); i++) {
		model_permission(d, 'G', "INSERT", "dbo", NULL, grantees[i], "dbo");
		changes(true);
	}
	model_permission(d, 'D', "INSERT", "dbo", NULL, "jane", "dbo");
	changes(true);
	model_schema(d, "hers", "outer");
	changes(true);
	model_member(d, "db_owner", "outer");
	changes(true);
	model_member(d, "other", "jane");
	changes(true);
}

static void test_what_concerns_others_does_not(void **state)
{
	(void)state;
	model_permission(d, 'G', "CONTROL", NULL, NULL, "joe", "dbo");
	model_member(d, "other", "joe");
	model_permission(d, 'G', "INSERT", "dbo", NULL, "other", "dbo");
	model_user(d, "new", model_sid(12));
	model_schema(d, "his", "joe");
	changes(false);
}

static void test_the_order_of_the_rows_does_not(void **state)
{
	(void)state;
	model_permission(d, 'G', "INSERT", "dbo", NULL, "jane", "dbo");
	changes(true);
	struct permission first = d->permissions[0];
	d->permissions[0] = d->permissions[1];
	d->permissions[1] = first;
	changes(false);
}

/* What is denied to be seen, to it or to what it is in, may be there all the same. */
static void test_a_denial_hides(void **state)
{
	static const char *const grantees[] = {"jane", "outer", "public"};
	const struct permission *by = NULL;
	const struct observed_user *jane = &d->users[2];

	(void)state;
	model_permission(d, 'D', "VIEW DEFINITION", "dbo", NULL, "joe", "dbo");
	model_permission(d, 'G', "VIEW DEFINITION", "dbo", NULL, "reader", "dbo");
	model_permission(d, 'D', "INSERT", "dbo", NULL, "jane", "dbo");
	assert_int_equal(observed_hides(&by, d, jane, false), 0);
	for (size_t i = 0; i < ARRAY_SIZE(grantees); i++) {
		model_permission(d, 'D', "VIEW DEFINITION", "dbo", NULL, grantees[i], "dbo");
		assert_int_equal(observed_hides(&by, d, jane, false), 1);
		assert_string_equal(by->grantee, grantees[i]);
		/* A schema is no user. */
		assert_int_equal(observed_hides(&by, d, jane, true), 0);
		struct permission *denial = &d->permissions[by - d->permissions];
		denial->class = 4;
		assert_int_equal(observed_hides(&by, d, jane, true), 1);
		denial->state = 'G';
	}
}

/* Each of them is told. */
static void test_all_denials_are_found(void **state)
{
	_cleanup_free_ const struct permission **all = NULL;
	size_t n;

	(void)state;
	assert_int_equal(observed_denials(&all, &n, d, &d->users[2], false), 0);
	assert_int_equal(n, 0);
	assert_null(all);
	model_permission(d, 'D', "VIEW DEFINITION", "dbo", NULL, "outer", "dbo");
	model_permission(d, 'D', "CONTROL", "dbo", NULL, "joe", "dbo");
	model_permission(d, 'D', "CONTROL", "hers", NULL, "public", "dbo");
	assert_int_equal(observed_denials(&all, &n, d, &d->users[2], false), 0);
	assert_int_equal(n, 2);
	assert_string_equal(all[0]->grantee, "outer");
	assert_string_equal(all[1]->grantee, "public");
}

/* The definition, as plainly as it can be said: whoever is in what counts, until nothing more does. */
static void closure_define(
	bool *in, const struct observed_database *of, const struct observed_user *user)
{
	bool more = true;

	for (size_t i = 0; i < of->n_users; i++)
		in[i] = &of->users[i] == user || !strcmp(of->users[i].name, "public") ||
			!strcmp(of->users[i].name, "guest");
	while (more) {
		more = false;
		for (size_t m = 0; m < of->n_members; m++)
			for (size_t i = 0; i < of->n_users; i++)
				for (size_t k = 0; k < of->n_users && !in[i]; k++)
					if (in[k] &&
						!strcmp(of->users[i].name, of->members[m].role) &&
						!strcmp(of->users[k].name, of->members[m].member))
						in[i] = more = true;
	}
}

/* Any roles in any others, in circles too, and members that are no longer there. */
static void test_it_counts_what_the_definition_says(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 60; round++) {
		char name[16], other[16];
		bool in[20];
		struct model m = {0};
		struct observed_database *any = model_database(&m, "Any");
		if (round % 2)
			model_role(any, "public");
		for (int i = 0; i < 14; i++) {
			snprintf(name, sizeof(name), "p%d", i * 5 % 14);
			model_role(any, name);
		}
		for (int i = 0; i < 16; i++) {
			snprintf(name, sizeof(name), "p%d", rand() % 15);
			snprintf(other, sizeof(other), "%s%d", rand() % 9 ? "p" : "public",
				rand() % 15);
			model_member(any, name, rand() % 7 ? other : "public");
		}
		model_permission(any, 'D', "CONTROL", "dbo", NULL, "p0", "dbo");
		for (size_t u = 0; u < any->n_users; u++) {
			closure_define(in, any, &any->users[u]);
			for (size_t i = 0; i < any->n_users; i++) {
				const struct permission *by;
				char *grantee = any->permissions[0].grantee;
				any->permissions[0].grantee = any->users[i].name;
				assert_int_equal(
					observed_hides(&by, any, &any->users[u], false), in[i]);
				any->permissions[0].grantee = grantee;
			}
		}
		observed_free(&m.o);
	}
}

/* Whoever may make roles may make thousands, each in the next, and every visit of the server looks at them. */
static void test_a_long_chain_takes_no_time(void **state)
{
	enum { ROLES = 2500 };
	char name[16], inner[16];
	clock_t start;

	(void)state;
	for (int i = ROLES; i > 0; i--) {
		snprintf(name, sizeof(name), "r%d", i);
		snprintf(inner, sizeof(inner), "r%d", i - 1);
		model_role(d, name);
		model_member(d, name, i > 1 ? inner : "jane");
	}
	start = clock();
	changes(true);
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
	model_permission(d, 'G', "INSERT", "dbo", NULL, "r2500", "dbo");
	changes(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_concerns_the_user_changes_it, begin, end),
		cmocka_unit_test_setup_teardown(test_what_concerns_others_does_not, begin, end),
		cmocka_unit_test_setup_teardown(test_the_order_of_the_rows_does_not, begin, end),
		cmocka_unit_test_setup_teardown(test_a_denial_hides, begin, end),
		cmocka_unit_test_setup_teardown(test_all_denials_are_found, begin, end),
		cmocka_unit_test(test_it_counts_what_the_definition_says),
		cmocka_unit_test_setup_teardown(test_a_long_chain_takes_no_time, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
