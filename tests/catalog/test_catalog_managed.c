/* Sessions of which the server does not tell whose they are: reported, and never taken for one that may be ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sql/played.h"
#include "catalog/catalog.h"

/* The first reading is of the whole server, and the second of the sessions alone. */
#define FIRST  "sys.server_principals AS p;"
#define ALWAYS "original_security_id IS NULL"
#define SERVER                                                                                     \
	{"N'server'", {"server", "15.0", "7"}},                                                    \
	{                                                                                          \
		FIRST,                                                                             \
		{                                                                                  \
			"principal", "1", "=sa", "#01", "S", "0", "1", "=master", "~"              \
		}                                                                                  \
	}
#define SESSION(when, id, time, sid, login)                                                        \
	{                                                                                          \
		when,                                                                              \
		{                                                                                  \
			"session", id, time, sid, login, login, "~", "~", "~", "1", "~", "~"       \
		}                                                                                  \
	}
#define LOGGING_IN "1900-01-01T00:00:00"

static void observe(struct observed_server *o, const struct played_row *rows, size_t n)
{
	static struct server server = {.name = (char *)"sql1"};
	const struct wanted_server wanted = {.server = &server};
	const struct claims none = {0};
	struct sql_error error;

	played_rows = rows;
	n_played_rows = n;
	assert_int_equal(sql_observe_server(o, &error, NULL, &wanted, &none, NULL, 0, NULL), 0);
}
#define OBSERVE(o, rows) observe((o), (rows), ARRAY_SIZE(rows))

/* With a name it counts as one of that login, as far as reports go; without one nobody can tell. */
static void test_a_session_of_nobody_known_is_told(void **state)
{
	static const struct played_row named[] = {
		SERVER, SESSION(ALWAYS, "61", "2026-11-29T10:00:00", "~", "=acme.jane")};
	static const struct played_row unknown[] = {SERVER,
		SESSION(ALWAYS, "61", "2026-11-29T10:00:00", "~", "=acme.jane"),
		SESSION(ALWAYS, "62", "2026-11-29T10:00:00", "~", "~"),
		SESSION(ALWAYS, "63", LOGGING_IN, "#02", "~")};
	const struct sid sid = {{0x02}, 1};
	struct observed_server o;

	(void)state;
	OBSERVE(&o, named);
	assert_int_equal(o.n_sessions, 1);
	assert_true(observed_session_may_be_of(&o.sessions[0], "acme.jane", &sid));
	assert_false(observed_session_is_of(&o.sessions[0], &sid));
	assert_int_equal(o.n_unreadable, 0);
	assert_true(o.sessions_visible);
	observed_free(&o);
	OBSERVE(&o, unknown);
	assert_int_equal(o.n_sessions, 3);
	assert_int_equal(o.n_unreadable, 1);
	assert_false(o.sessions_visible);
	assert_non_null(strstr(o.unreadable[0].text, "the logins of 1 sessions: "));
	observed_free(&o);
}

/* A busy server has one at most readings: then nobody would ever be let in. */
static void test_one_that_logs_in_counts_once_it_stays_unknown(void **state)
{
	static const struct played_row gone[] = {
		SERVER, SESSION(FIRST, "61", LOGGING_IN, "~", "~")};
	/* Others log in by then, one of them with its number. */
	static const struct played_row others[] = {SERVER,
		SESSION(FIRST, "61", "2026-11-29T10:00:00", "~", "~"),
		SESSION("!" FIRST, "61", LOGGING_IN, "~", "~"),
		SESSION("!" FIRST, "62", LOGGING_IN, "~", "~")};
	/* Who it is may be told by then. */
	static const struct played_row known[] = {SERVER,
		SESSION(FIRST, "61", LOGGING_IN, "~", "~"),
		SESSION("!" FIRST, "61", "2026-11-29T10:00:00", "#02", "=acme.jane")};
	struct observed_server o;

	(void)state;
	OBSERVE(&o, gone);
	assert_int_equal(o.n_sessions, 0);
	assert_int_equal(o.n_unreadable, 0);
	assert_true(o.sessions_visible);
	observed_free(&o);
	OBSERVE(&o, others);
	assert_int_equal(o.n_sessions, 0);
	assert_int_equal(o.n_unreadable, 0);
	observed_free(&o);
	OBSERVE(&o, known);
	assert_int_equal(o.n_sessions, 1);
	assert_string_equal(o.sessions[0].login, "acme.jane");
	assert_int_equal(o.n_unreadable, 0);
	observed_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_session_of_nobody_known_is_told),
		cmocka_unit_test(test_one_that_logs_in_counts_once_it_stays_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
