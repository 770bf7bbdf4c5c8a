/* A fingerprint changes with whatever a user may do, and with nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

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

static void what_concerns_the_user_changes_it(void **state)
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

static void what_concerns_others_does_not(void **state)
{
	(void)state;
	model_permission(d, 'G', "CONTROL", NULL, NULL, "joe", "dbo");
	model_member(d, "other", "joe");
	model_permission(d, 'G', "INSERT", "dbo", NULL, "other", "dbo");
	model_user(d, "new", model_sid(12));
	model_schema(d, "his", "joe");
	changes(false);
}

static void the_order_of_the_rows_does_not(void **state)
{
	(void)state;
	model_permission(d, 'G', "INSERT", "dbo", NULL, "jane", "dbo");
	changes(true);
	struct permission first = d->permissions[0];
	d->permissions[0] = d->permissions[1];
	d->permissions[1] = first;
	changes(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_concerns_the_user_changes_it, begin, end),
		cmocka_unit_test_setup_teardown(what_concerns_others_does_not, begin, end),
		cmocka_unit_test_setup_teardown(the_order_of_the_rows_does_not, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
