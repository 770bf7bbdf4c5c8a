/* What a round does with changes of which one database has very many, once their part of the time is over. The server takes
 * everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "visit/visit.h"

#include "../sql/played_session.h"
#include "idle_worker.h"

static char told[512], sent[8192];
static unsigned intents;

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	static const char mark[] = "SELECT N'done' AS [part], ";

	(void)s;
	*error = (struct sql_error){0};
	questions++;
	snprintf(sent + strlen(sent), sizeof(sent) - strlen(sent), "%s", batch);
	struct sql_value drawn[2] = {{"batch", 5}, {"token", 5}};
	if (each)
		assert_int_equal(each(context, drawn, 2), 0);
	for (const char *row = strstr(batch, mark); row && each; row = strstr(row + 1, mark)) {
		char number[2] = {row[strlen(mark)], '\0'};
		struct sql_value v[3] = {{"done", 4}, {number, 1}, {"token", 5}};
		assert_int_equal(each(context, v, 3), 0);
	}
	return 0;
}

void worker_tell(struct worker *w, const struct record *r)
{
	(void)w;
	if (r->kind == RECORD_OUTCOME)
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %d\n",
			change_name(r->change.kind), r->code);
}

int worker_ask(struct worker *w, const struct record *r)
{
	(void)w, (void)r;
	intents++;
	return 0;
}

#define CHANGE(k, l, d)                                                                            \
	{                                                                                          \
		.kind = (k), .login = (char *)(l), .database = (char *)(d),                        \
		.principal = (char *)"acme.jane", .role = (char *)"curfew_full",                   \
		.reason = (char *)"a test"                                                         \
	}

/* One round, that many seconds after the session was opened. */
static struct visit_run run_round(struct change *changes, size_t n, int64_t seconds)
{
	static const struct program program = {.settings = {.server_deadline = 60}};
	static struct server s = {.name = (char *)"sql01"};
	struct sql_visit visit = {
		.mode = SQL_APPLY, .program = &program, .server = &s, .wanted = {.server = &s}};
	struct visit_run run = {.visit = &visit,
		.difference = {.changes = changes, .n_changes = n},
		.began = monotonic_ms() - seconds * 1000};
	struct sql_error error;

	told[0] = sent[0] = '\0';
	intents = 0;
	assert_int_equal(round_run(&run, &error), 0);
	visit_ahead_forget(&run);
	for (size_t i = 0; i < run.touched.n; i++)
		free(run.touched.logins[i]);
	free(run.touched.logins);
	return run;
}

static struct change changes[] = {CHANGE(CHANGE_ROLE_CREATE, NULL, "Acme"),
	CHANGE(CHANGE_ROLE_CREATE, NULL, "Huge"), CHANGE(CHANGE_MEMBER_ADD, "acme.jane", "Acme"),
	CHANGE(CHANGE_LOGIN_ENABLE, "acme.jane", NULL)};

static void test_what_may_wait_is_made_while_there_is_time(void **state)
{
	(void)state;
	struct visit_run run = run_round(changes, ARRAY_SIZE(changes), 14);
	assert_string_equal(told, "role-create 0\nrole-create 0\nmember-add 0\nlogin-enable 0\n");
	assert_true(run.changed && !run.waits);
}

static void test_then_only_what_others_get_is_made(void **state)
{
	(void)state;
	struct visit_run run = run_round(changes, ARRAY_SIZE(changes), 16);
	assert_string_equal(told, "role-create 0\nmember-add 0\nlogin-enable 0\n");
	assert_null(strstr(sent, "[Huge]"));
	assert_true(run.changed && run.waits);
}

/* The round has made nothing, and asked for no record: there is no next one. */
static void test_where_nothing_else_is_left_the_round_is_empty(void **state)
{
	(void)state;
	struct visit_run run = run_round(&changes[1], 1, 16);
	assert_string_equal(told, "");
	assert_string_equal(sent, "");
	assert_int_equal(intents, 0);
	assert_true(run.waits && !run.changed);
}

/* The time is looked at often enough: what is announced together may take long. */
static void test_what_may_wait_is_announced_in_small_parts(void **state)
{
	struct change many[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = changes[1];
	struct visit_run run = run_round(many, ARRAY_SIZE(many), 14);
	assert_int_equal(intents, 4);
	assert_true(run.changed && !run.waits);
}

static int begin(void **state)
{
	(void)state;
	changes[1].may_wait = true;
	return sodium_init() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_may_wait_is_made_while_there_is_time),
		cmocka_unit_test(test_then_only_what_others_get_is_made),
		cmocka_unit_test(test_where_nothing_else_is_left_the_round_is_empty),
		cmocka_unit_test(test_what_may_wait_is_announced_in_small_parts),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
