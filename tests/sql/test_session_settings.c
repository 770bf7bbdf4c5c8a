/* The settings of a session: read back, and believed only when every one is as asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sql/session_settings.h"

#define SAMPLE "A\0\351\0\075\330\000\336"
/* On: ANSI_WARNINGS, ANSI_PADDING, ANSI_NULLS, ARITHABORT, QUOTED_IDENTIFIER, ANSI_NULL_DFLT_ON, CONCAT_NULL_YIELDS_NULL. */
#define AS_ASKED "5496"

static int answered(struct session_state *s, const char *options, const char *transactions,
	const char *timeout, const char *language, const char *database)
{
	const char *const texts[] = {
		"settings", options, transactions, timeout, language, database, SAMPLE};
	struct sql_value v[7];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = (struct sql_value){texts[i], i == 6 ? sizeof(SAMPLE) - 1 : strlen(texts[i])};
	*s = (struct session_state){0};
	return session_state_row(s, v, 7);
}

static void test_as_asked_is_believed(void **state)
{
	struct session_state s;

	(void)state;
	assert_int_equal(answered(&s, AS_ASKED, "0", "5000", "us_english", "master"), 0);
	assert_null(session_state_problem(&s));
	/* Options that change no result: NOCOUNT. */
	answered(&s, "6008", "0", "5000", "us_english", "master");
	assert_null(session_state_problem(&s));
}

static void test_anything_else_is_not(void **state)
{
	static const char *const options[] = {"0", "5498", "5500", "13688", "21880", "5488", "5480",
		"5464", "5432", "5240", "4472", "1400", "-1", "x"};
	struct session_state s = {0};

	(void)state;
	assert_non_null(session_state_problem(&s));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		answered(&s, options[i], "0", "5000", "us_english", "master");
		assert_non_null(session_state_problem(&s));
	}
	answered(&s, AS_ASKED, "1", "5000", "us_english", "master");
	assert_non_null(session_state_problem(&s));
	answered(&s, AS_ASKED, "0", "-1", "us_english", "master");
	assert_non_null(session_state_problem(&s));
	answered(&s, AS_ASKED, "0", "5000", "Deutsch", "master");
	assert_non_null(session_state_problem(&s));
	answered(&s, AS_ASKED, "0", "5000", "us_english", "AcmeTest");
	assert_non_null(session_state_problem(&s));
	answered(&s, AS_ASKED, "0", "5000", "us_english", "master");
	strcpy(s.sample, "A??");
	assert_non_null(session_state_problem(&s));
}

/* Not left to the server's defaults, and not told back by it. */
static void test_no_limit_and_no_deadlock_is_in_the_way(void **state)
{
	bool lifted = false, wins = false;

	(void)state;
	for (const char *const *set = session_settings; *set; set++) {
		lifted |= !strcmp(*set, "SET QUERY_GOVERNOR_COST_LIMIT 0;\n");
		wins |= !strcmp(*set, "SET DEADLOCK_PRIORITY 10;\n");
	}
	assert_true(lifted && wins);
}

static void test_an_answer_of_another_shape_is_refused(void **state)
{
	const struct sql_value v[7] = {{"right", 5}, {NULL, 0}};
	struct session_state s = {0};

	(void)state;
	assert_int_equal(session_state_row(&s, v, 7), -EBADMSG);
	assert_int_equal(session_state_row(&s, v, 3), -EBADMSG);
	assert_false(s.told);
}

/* Each alone must be a batch of its own: that is how they are sent to a server that does not know one of them. */
static void test_every_setting_is_one_statement(void **state)
{
	(void)state;
	for (const char *const *set = session_settings; *set; set++) {
		const char *end = strstr(*set, ";\n");
		assert_non_null(end);
		assert_int_equal(end[2], '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_asked_is_believed),
		cmocka_unit_test(test_anything_else_is_not),
		cmocka_unit_test(test_no_limit_and_no_deadlock_is_in_the_way),
		cmocka_unit_test(test_an_answer_of_another_shape_is_refused),
		cmocka_unit_test(test_every_setting_is_one_statement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
