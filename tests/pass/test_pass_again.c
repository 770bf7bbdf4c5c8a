/* A visit that was lost in a database goes again without it: for so many of them, and for so long, and then once more for
 * those that were read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "pass/pass_again.h"

static bool lost(struct pass *p, struct server_work *w, const char *database, enum state state)
{
	struct record end = {.kind = RECORD_END, .code = RECORD_CODE_AGAIN, .state = state};

	RECORD_SET(&end, database, database);
	RECORD_SET(&end, detail, "error 824");
	return pass_goes_again(p, w, &end);
}

static void begin(struct server_work *w, struct pass *p, unsigned seconds)
{
	*w = (struct server_work){.sql.seconds = seconds};
	assert_true(lost(p, w, "", STATE_DRIFT));
	assert_true(w->sql.apart);
	assert_int_equal(w->sql.n_enders, 0);
	assert_false(w->sql.no_further);
}

static void test_so_many(void **state)
{
	struct pass p = {0};
	struct server_work w;
	char name[16];

	(void)state;
	begin(&w, &p, 60);
	for (size_t i = 0; i < MAX_ENDERS; i++) {
		snprintf(name, sizeof(name), "db%zu", i);
		assert_false(w.sql.no_further);
		assert_true(lost(&p, &w, name, STATE_UNREAD));
		assert_string_equal(w.sql.reached, name);
	}
	assert_true(w.sql.no_further);
	assert_false(lost(&p, &w, "one more", STATE_UNREAD));
	assert_int_equal(w.sql.n_enders, MAX_ENDERS);
	pass_again_free(&w);
}

static void test_so_long(void **state)
{
	struct pass p = {0};
	struct server_work w;

	(void)state;
	begin(&w, &p, 0); /* the time is over at once */
	assert_true(lost(&p, &w, "db1", STATE_UNREAD));
	assert_true(w.sql.no_further);
	assert_false(lost(&p, &w, "db2", STATE_UNREAD));
	pass_again_free(&w);
}

/* A proof, or a change, was lost behind the reading. */
static void test_all_were_read(void **state)
{
	struct pass p = {0};
	struct server_work w;

	(void)state;
	begin(&w, &p, 60);
	assert_true(lost(&p, &w, "db1", STATE_UNREAD));
	assert_non_null(w.sql.reached);
	assert_true(lost(&p, &w, "db2", STATE_DRIFT));
	assert_null(w.sql.reached);
	/* Nobody knows where. */
	assert_false(lost(&p, &w, "", STATE_DRIFT));
	pass_again_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many),
		cmocka_unit_test(test_so_long),
		cmocka_unit_test(test_all_were_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
