/* A round of changes: which changes share a batch, and what happens to the rest if one fails. Server and channel are fakes:
 * the server runs the statements before the first one that it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "round_fake.h"

static void test_a_life_goes_in_one_batch(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_LOGIN_CREATE, "acme.jane", NULL),
		CHANGE(CHANGE_LOGIN_DISABLE, "acme.jane", NULL),
		CHANGE(CHANGE_LOGIN_MARK, "acme.jane", NULL),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme")};

	(void)state;
	assert_int_equal(RUN(changes), 0);
	assert_int_equal(intents, 1);
	assert_string_equal(told,
		"role-create 0\nlogin-create 0\nlogin-disable 0\nlogin-mark 0\nuser-create 0\nmember-add 0\n");
	/* In the changes' own batch the server is read; here it does not answer that, and is asked otherwise. */
	for (unsigned i = 1; i < questions; i++)
		assert_null(strstr(batches[i], "ALTER LOGIN ["));
	assert_non_null(strstr(batches[0], "IF DB_NAME() = N'Acme' SELECT N'done' AS [part], 4, "));
}

/* A trigger that appears after the first change does not run with the second; and neither a guard nor its change waits
 * for a lock, whose holder could create the trigger meanwhile. A guard that met one ends the batch, also of one change:
 * it has seen nothing. A change by itself stands behind the TRY block, where a trigger that only warns does not undo
 * it. The session is left as it was, also after an error. */
static void test_each_change_has_a_guard_of_its_own(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_LOGIN_MARK, "acme.joan", NULL),
		CHANGE(CHANGE_LOGIN_MARK, "acme.jane", NULL)};
	static const char guarded[] = "\nSET LOCK_TIMEOUT 0;\nBEGIN TRY\nUSE [master]; IF EXISTS (",
			  alone[] = "SET LOCK_TIMEOUT 0;\nBEGIN TRY\nUSE [master]; IF EXISTS (",
			  after[] = "];\nSET LOCK_TIMEOUT 5000;\n";

	(void)state;
	fake.refuses = "MEMBER [acme.jane]";
	fake.number = 1222;
	fake.times = 3;
	assert_int_equal(RUN(changes), 0);
	const char *first = strstr(batches[0], guarded);
	assert_non_null(first);
	assert_non_null(strstr(first + 1, guarded));
	assert_non_null(strstr(first, after));
	assert_non_null(strstr(batches[0], "END CATCH;\nUSE [master];\nSET LOCK_TIMEOUT 5000;\n"));
	unsigned left = 0, guards = 0;
	for (unsigned i = 1; i < questions; i++) {
		guards += begins_with(batches[i], alone) &&
			  strstr(batches[i],
				  "END TRY\nBEGIN CATCH THROW; END CATCH;\nALTER SERVER ROLE");
		left += strstr(batches[i],
				"SET XACT_ABORT OFF;\nUSE [master];\nSET LOCK_TIMEOUT 5000;\n") !=
			NULL;
	}
	assert_int_equal(guards, 3);
	assert_int_equal(left, 2);
	assert_string_equal(told, "login-mark 0\nlogin-mark 0\n");
}

/* An opening and a closing never share a batch; nor does the enabling of a login with what it waits for. */
static void test_phases_are_batches(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_MEMBER_DROP, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_DROP, "acme.jane", "Acme"),
		CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme"),
		CHANGE(CHANGE_LOGIN_ENABLE, "acme.jane", NULL)};

	(void)state;
	assert_int_equal(RUN(changes), 0);
	assert_non_null(strstr(batches[0], "DROP MEMBER"));
	assert_null(strstr(batches[0], "ADD MEMBER"));
	assert_non_null(strstr(batches[1], "ADD MEMBER"));
	assert_null(strstr(batches[1], "ENABLE"));
	assert_non_null(strstr(batches[2], "ENABLE"));
}

/* Nothing that widens goes on top of it, in this batch or in the next; what has nothing to do with it goes on. */
static void test_nothing_is_done_on_top_of_a_failure(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_LOGIN_CREATE, "acme.jane", NULL),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme"),
		CHANGE(CHANGE_ROLE_CREATE, NULL, "Other")};

	(void)state;
	fake.refuses = "CREATE LOGIN";
	assert_int_equal(RUN(changes), 0);
	assert_string_equal(told,
		"role-create 0\nlogin-create 15151\nuser-create 0 skipped\nmember-add 0 skipped\nrole-create 0\n");
	assert_null(strstr(sent, "ADD MEMBER"));
	assert_non_null(strstr(sent, "USE [Other]"));
	assert_int_equal(intents, 1);
}

/* A deadlock is nobody's fault: that statement is sent again by itself, and the rest goes on. */
static void test_a_deadlock_is_tried_again(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme")};

	(void)state;
	fake.refuses = "CREATE USER";
	fake.number = 1205;
	fake.times = 2;
	assert_int_equal(RUN(changes), 0);
	assert_string_equal(told, "role-create 0\nuser-create 0\nmember-add 0\n");
}

/* A USE that failed in a batch that went on: the statement behind it is not taken for done, and is sent again. */
static void test_a_statement_without_its_row_is_sent_again(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_ROLE_CREATE, NULL, "Other"),
		CHANGE(CHANGE_ROLE_CREATE, NULL, "Third")};

	(void)state;
	fake.refuses = "USE [Other]";
	fake.how = FAKE_SKIPS;
	fake.times = 1;
	assert_int_equal(RUN(changes), 0);
	assert_string_equal(told, "role-create 0\nrole-create 0\nrole-create 0\n");
	const char *other = strstr(sent, "USE [Other]");
	assert_non_null(other);
	assert_null(strstr(other + 1, "USE [Other]"));
}

static void test_a_server_that_refuses_several_gets_them_one_by_one(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme")};

	(void)state;
	fake.how = FAKE_TAKES_ONE;
	assert_int_equal(RUN(changes), 0);
	assert_string_equal(told, "role-create 0\nuser-create 0\nmember-add 0\n");
	/* It is asked once, with what a reading of the server asks instead of its batch. */
	unsigned tries = 0;
	for (unsigned i = 0; i < questions; i++)
		tries += strstr(batches[i], "SELECT N'done'") != NULL;
	assert_int_equal(tries, 1);
}

/* The row of a trigger is no outcome: what it names is sent. */
static void test_a_row_of_a_trigger_is_none_of_ours(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme")};

	(void)state;
	fake.how = FAKE_ANSWERS_BESIDE;
	assert_int_equal(RUN(changes), 0);
	assert_string_equal(told, "role-create 0\nuser-create 0\nmember-add 0\n");
	assert_non_null(strstr(sent, "ADD MEMBER [acme.jane]"));
}

static void test_a_lost_session_ends_the_round(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme"),
		CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme")};

	(void)state;
	fake.refuses = "CREATE USER";
	fake.how = FAKE_LOSES_SESSION;
	assert_int_equal(RUN(changes), -ECONNRESET);
	assert_string_equal(told, "role-create 0\n");
}

/* While nothing can be recorded nothing is given: nor is anybody shut for what would be given. */
static void test_without_records_access_is_only_removed(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_MEMBER_DROP, "acme.joan", "Acme"),
		CHANGE(CHANGE_LOGIN_DISABLE, "acme.jane", NULL),
		CHANGE(CHANGE_USER_CREATE, "acme.jane", "Acme")};

	(void)state;
	fake.how = FAKE_HAS_NO_JOURNAL;
	changes[1].before_opening = true;
	assert_int_equal(RUN(changes), 0);
	assert_string_equal(
		told, "member-drop 0\nlogin-disable 0 skipped\nuser-create 0 skipped\n");
}

/* The server repeats a whole statement, with the password in it. */
static void test_no_password_is_told(void **state)
{
	struct change changes[] = {CHANGE(CHANGE_LOGIN_MARK, "acme.joan", NULL),
		CHANGE(CHANGE_LOGIN_CREATE, "acme.jane", NULL)};

	(void)state;
	fake.refuses = "CREATE LOGIN";
	fake.how = FAKE_REPEATS;
	assert_int_equal(RUN(changes), 0);
	const char *password = strstr(batches[0], "WITH PASSWORD = N'");
	assert_non_null(password);
	assert_string_equal(told, "login-mark 0\nlogin-create 15151\n");
	assert_string_equal(
		detail, "the server's message is withheld, because it contains a password");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_life_goes_in_one_batch, reset),
		cmocka_unit_test_setup(test_each_change_has_a_guard_of_its_own, reset),
		cmocka_unit_test_setup(test_phases_are_batches, reset),
		cmocka_unit_test_setup(test_nothing_is_done_on_top_of_a_failure, reset),
		cmocka_unit_test_setup(test_a_deadlock_is_tried_again, reset),
		cmocka_unit_test_setup(test_a_statement_without_its_row_is_sent_again, reset),
		cmocka_unit_test_setup(
			test_a_server_that_refuses_several_gets_them_one_by_one, reset),
		cmocka_unit_test_setup(test_a_row_of_a_trigger_is_none_of_ours, reset),
		cmocka_unit_test_setup(test_a_lost_session_ends_the_round, reset),
		cmocka_unit_test_setup(test_no_password_is_told, reset),
		cmocka_unit_test_setup(test_without_records_access_is_only_removed, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
