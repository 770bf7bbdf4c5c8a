/* Closing first: the exact text, and what is done when the server refuses a part of it. The session is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "sql/closing.h"

#include "../corpus.h"

static const struct sql_closing closings[] = {
	{.login = "acme.o'brien]x", .sid = {{0x01, 0x05, 0xff}, 3}},
	{.login = "acme.jane", .reason = "revoked"},
	{.login = "acme.joe",
		.sid = {{0x02}, 1},
		.source = &(struct source){.family = 2, .addr = {192, 0, 2, 0}, .prefix = 24}},
};

static const bool all[] = {true, true, true};

#define TEXT(call)                                                                                 \
	({                                                                                         \
		char *text_ = NULL;                                                                \
		size_t size_;                                                                      \
		FILE *to = open_memstream(&text_, &size_);                                         \
		assert_non_null(to);                                                               \
		call;                                                                              \
		assert_int_equal(fclose(to), 0);                                                   \
		corpus_add(text_);                                                                 \
		text_;                                                                             \
	})

static void test_each_login_stands_in_a_try_of_its_own(void **state)
{
	_cleanup_free_ char *text = TEXT(closing_disables_write(to, closings, all, 3));

	(void)state;
	assert_string_equal(text,
		"SET XACT_ABORT OFF;\n"
		"SET LOCK_TIMEOUT 250;\n"
		"DECLARE @renamed nvarchar(300), @began datetime = GETDATE();\n"
		"BEGIN TRY\n"
		"IF SUSER_SID(N'acme.o''brien]x') = 0x0105FF\n"
		"BEGIN ALTER LOGIN [acme.o'brien]]x] DISABLE; "
		"SELECT N'disable' AS [part], 0, 0, N'', SUSER_SID(N'acme.o''brien]x'); END\n"
		"ELSE IF SUSER_SNAME(0x0105FF) IS NOT NULL\n"
		"BEGIN SET @renamed = N'ALTER LOGIN ' + QUOTENAME(SUSER_SNAME(0x0105FF)) + N' DISABLE'; EXEC (@renamed); "
		"SELECT N'disable' AS [part], 0, 0, N'', 0x0105FF; END\n"
		"ELSE SELECT N'disable' AS [part], 0, -1, N'', NULL;\n"
		"END TRY\n"
		"BEGIN CATCH SELECT N'disable' AS [part], 0, ERROR_NUMBER(), ERROR_MESSAGE(), NULL;\n"
		"IF ERROR_NUMBER() = 1222 SET LOCK_TIMEOUT 10; END CATCH;\n"
		"BEGIN TRY\n"
		"IF DATEDIFF(SECOND, @began, GETDATE()) > 2 SELECT N'disable' AS [part], 1, -2, N'', NULL;\n"
		"ELSE IF IS_SRVROLEMEMBER(N'curfew_logins', N'acme.jane') = 1\n"
		"BEGIN ALTER LOGIN [acme.jane] DISABLE; "
		"SELECT N'disable' AS [part], 1, 0, N'', SUSER_SID(N'acme.jane'); END\n"
		"ELSE SELECT N'disable' AS [part], 1, -1, N'', NULL;\n"
		"END TRY\n"
		"BEGIN CATCH SELECT N'disable' AS [part], 1, ERROR_NUMBER(), ERROR_MESSAGE(), NULL;\n"
		"IF ERROR_NUMBER() = 1222 SET LOCK_TIMEOUT 10; END CATCH;\n");
}

/* A row that is locked delays no disabling: nothing is read that waits. */
static void test_what_was_disabled_before_is_asked_without_waiting(void **state)
{
	_cleanup_free_ char *text = TEXT(closing_before_write(to, closings, 3));
	_cleanup_free_ char *none = TEXT(closing_before_write(to, closings + 2, 1));
	_cleanup_free_ char *disables = TEXT(closing_disables_write(to, closings, all, 3));

	(void)state;
	assert_string_equal(text,
		"SET LOCK_TIMEOUT 0;\n"
		"BEGIN TRY\n"
		"SELECT N'before' AS [part], CAST(p.sid AS varbinary(85)) FROM sys.server_principals AS p\n"
		"WHERE p.is_disabled = 1 AND (p.sid = 0x0105FF\n"
		"  OR p.name = N'acme.jane');\n"
		"END TRY\n"
		"BEGIN CATCH END CATCH;\n");
	assert_non_null(strstr(none, "AND 1 = 0;\n"));
	assert_null(strstr(disables, "sys."));
}

static void test_the_sid_of_a_source_that_left_is_asked_for(void **state)
{
	static const struct source source = {.family = 2, .addr = {192, 0, 2, 0}, .prefix = 24};
	static const struct sql_closing left[] = {{.login = "acme.joe", .source = &source}};
	_cleanup_free_ char *text = TEXT(closing_disables_write(to, left, all, 1));

	(void)state;
	assert_string_equal(text,
		"SET XACT_ABORT OFF;\n"
		"SET LOCK_TIMEOUT 250;\n"
		"DECLARE @renamed nvarchar(300), @began datetime = GETDATE();\n"
		"BEGIN TRY\n"
		"IF IS_SRVROLEMEMBER(N'curfew_logins', N'acme.joe') = 1 "
		"SELECT N'disable' AS [part], 0, -1, N'', SUSER_SID(N'acme.joe');\n"
		"END TRY\n"
		"BEGIN CATCH SELECT N'disable' AS [part], 0, ERROR_NUMBER(), ERROR_MESSAGE(), NULL;\n"
		"IF ERROR_NUMBER() = 1222 SET LOCK_TIMEOUT 10; END CATCH;\n");
}

static void test_the_rest_can_be_sent_again(void **state)
{
	_cleanup_free_ char *text =
		TEXT(closing_disables_write(to, closings, (bool[]){false, true, true}, 3));

	(void)state;
	assert_null(strstr(text, "o'brien"));
	assert_non_null(strstr(text, "N'disable' AS [part], 1, 0"));
	assert_null(strstr(text, "joe")); /* a source that left: the login stays */
}

static void test_sessions_are_those_of_these_logins(void **state)
{
	static const struct sid sids[] = {{{0x01, 0x05, 0xff}, 3}, {{0x02}, 1}};
	_cleanup_free_ char *text =
		TEXT(closing_sessions_write(to, session_select, closings, 3, sids, 2));
	_cleanup_free_ char *none =
		TEXT(closing_sessions_write(to, session_select_plain, NULL, 0, NULL, 0));

	(void)state;
	assert_memory_equal(text, session_select, strlen(session_select));
	assert_string_equal(text + strlen(session_select),
		"WHERE s.original_security_id IN (0x0105FF,\n"
		"  0x02)\n"
		"  OR (s.original_security_id = SUSER_SID(N'acme.jane') AND IS_SRVROLEMEMBER(N'curfew_logins', "
		"N'acme.jane') = 1);\n");
	/* To be looked at, also who acts as one of them; never to be ended for it. */
	_cleanup_free_ char *seen =
		TEXT(closing_observe_write(to, session_select, closings, 0, sids, 1));
	assert_string_equal(seen + strlen(session_select),
		"WHERE s.original_security_id IN (0x0105FF)\n"
		"  OR s.security_id IN (0x0105FF);\n");
	/* Never of everybody. */
	assert_string_equal(none + strlen(session_select_plain), "WHERE 1 = 0;\n");
}

static void test_writers_are_found_in_memory(void **state)
{
	static const struct sid sids[] = {{{0x01, 0x05, 0xff}, 3}};
	_cleanup_free_ char *text = TEXT(closing_writers_write(to, session_select, 7, sids, 1));

	_cleanup_free_ char *anybody =
		TEXT(closing_writers_write(to, session_select_plain, 1, NULL, 0));

	(void)state;
	assert_non_null(strstr(anybody, "\nWHERE s.session_id IN (SELECT t.session_id FROM"));
	assert_memory_equal(text, session_select, strlen(session_select));
	assert_string_equal(text + strlen(session_select),
		"WHERE s.original_security_id IN (0x0105FF)\n"
		"  AND s.session_id IN (SELECT t.session_id FROM sys.dm_tran_session_transactions AS t\n"
		"    JOIN sys.dm_tran_database_transactions AS d ON d.transaction_id = t.transaction_id\n"
		"    WHERE d.database_id = 7 AND d.database_transaction_log_record_count > 0);\n");
}

/* On a secondary replica the view may fail, so what must not fail does not read it. */
static void test_rollbacks_are_asked_for_apart(void **state)
{
	_cleanup_free_ char *text = TEXT(closing_rollbacks_write(to, true));

	(void)state;
	assert_null(strstr(session_select, "dm_exec_requests"));
	assert_string_equal(text,
		"IF @@ROWCOUNT > 0\n"
		"BEGIN TRY\n"
		"SELECT N'rollback' AS [part], r.session_id, CAST(r.percent_complete AS int) FROM "
		"sys.dm_exec_requests AS r\n"
		"WHERE r.command LIKE N'KILLED%';\n"
		"END TRY\n"
		"BEGIN CATCH SELECT N'rollback' AS [part], NULL, NULL; END CATCH;\n");
}

static void test_sessions_of_nobody_known_are_asked_for_apart(void **state)
{
	_cleanup_free_ char *text = TEXT(closing_unknown_sessions_write(to, session_select));

	(void)state;
	assert_memory_equal(text, session_select, strlen(session_select));
	assert_string_equal(
		text + strlen(session_select), "WHERE s.original_security_id IS NULL;\n");
}

static void test_a_kill_means_the_session_that_was_seen(void **state)
{
	static const struct session_key keys[] = {
		{53, "2026-11-28T04:25:10.123", {{0x01, 0xab}, 2}}, {54, "", {{0x02}, 1}}};
	_cleanup_free_ char *text = TEXT(closing_kills_write(to, keys, 2));
	_cleanup_free_ char *one = TEXT(closing_kill_write(to, keys));

	(void)state;
	assert_string_equal(text,
		"SET XACT_ABORT OFF;\n"
		"IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\n"
		"BEGIN TRY\n"
		"IF EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = 53 AND "
		"original_security_id = 0x01AB)\n"
		"BEGIN KILL 53; SELECT N'kill' AS [part], 0, 0, N''; END\n"
		"ELSE SELECT N'kill' AS [part], 0, -1, N'';\n"
		"END TRY\n"
		"BEGIN CATCH SELECT N'kill' AS [part], 0, ERROR_NUMBER(), ERROR_MESSAGE(); END CATCH;\n"
		"BEGIN TRY\n"
		"IF EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = 54 AND "
		"original_security_id = 0x02)\n"
		"BEGIN KILL 54; SELECT N'kill' AS [part], 1, 0, N''; END\n"
		"ELSE SELECT N'kill' AS [part], 1, -1, N'';\n"
		"END TRY\n"
		"BEGIN CATCH SELECT N'kill' AS [part], 1, ERROR_NUMBER(), ERROR_MESSAGE(); END CATCH;\n");
	assert_string_equal(one,
		"IF EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = 53 AND "
		"original_security_id = 0x01AB) KILL 53;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_login_stands_in_a_try_of_its_own),
		cmocka_unit_test(test_what_was_disabled_before_is_asked_without_waiting),
		cmocka_unit_test(test_the_sid_of_a_source_that_left_is_asked_for),
		cmocka_unit_test(test_the_rest_can_be_sent_again),
		cmocka_unit_test(test_sessions_are_those_of_these_logins),
		cmocka_unit_test(test_writers_are_found_in_memory),
		cmocka_unit_test(test_rollbacks_are_asked_for_apart),
		cmocka_unit_test(test_sessions_of_nobody_known_are_asked_for_apart),
		cmocka_unit_test(test_a_kill_means_the_session_that_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
