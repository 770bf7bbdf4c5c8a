/* Closing first against a server that refuses, forgets, and takes long. The session and the channel are played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "visit/closing_run.h"
#include "visit/visit.h"

#include "../corpus.h"
#include "../sql/played_session.h"

#define N 3
static const struct sql_closing closings[N] = {
	{.login = "acme.ann", .sid = {{1}, 1}, .reason = "revoked"},
	{.login = "acme.ben", .sid = {{2}, 1}, .reason = "revoked"},
	{.login = "acme.cat", .sid = {{3}, 1}, .reason = "revoked"},
};

/* The server played. */
static struct {
	bool disabled[N];
	int refuses_disable[N]; /* error number */
	int ends_batch_at;	/* this login's disable ends the batch; -1: none */
	int sessions[N];	/* open ones */
	int rollbacks[N];	/* of these, how many only ever roll back */
	bool killed[N];
	int refuses_kill[N];
	bool loses_connection;
	bool refuses_names; /* a question that asks for the SID of a name */
	unsigned kill_batches;
	bool locks_itself[N];	  /* its open session has a lock on its own row */
	const char *addresses[N]; /* where each login's session comes from; NULL: unknown */
} server;
static char told[4096];

static struct sql_value value(const char *text)
{
	return (struct sql_value){text, text ? strlen(text) : 0};
}

/* A login whose SID only the server knows. */
static void sids_answer(const char *batch, sql_row_fn each, void *context)
{
	for (int i = 0; i < N; i++) {
		char number[16], asked[64];
		snprintf(asked, sizeof(asked), "%d, -1, N'', SUSER_SID(N'%s')", i,
			closings[i].login);
		snprintf(number, sizeof(number), "%d", i);
		struct sql_value v[5] = {value("disable"), value(number), value("-1"), value(""),
			{(const char *)closings[i].sid.bytes, 1}};
		if (strstr(batch, asked))
			assert_int_equal(each(context, v, 5), 0);
	}
}

static void before_answer(const char *batch, sql_row_fn each, void *context)
{
	for (int i = 0; i < N; i++) {
		struct sql_value v[2] = {value("before"), {(const char *)closings[i].sid.bytes, 1}};
		if (server.disabled[i] && strstr(batch, "N'before' AS [part]"))
			assert_int_equal(each(context, v, 2), 0);
	}
}

static void disables_answer(const char *batch, sql_row_fn each, void *context, int *ended)
{
	for (int i = 0; i < N; i++) {
		char number[16], code[16], login[32];
		snprintf(login, sizeof(login), "ALTER LOGIN [%s] DISABLE", closings[i].login);
		if (!strstr(batch, login))
			continue;
		if (server.ends_batch_at == i) {
			*ended = 1;
			return;
		}
		snprintf(number, sizeof(number), "%d", i);
		int refused = server.locks_itself[i] && server.sessions[i]
				      ? 1222
				      : server.refuses_disable[i];
		snprintf(code, sizeof(code), "%d", refused);
		struct sql_value v[5] = {value("disable"), value(number), value(code), value("why"),
			{(const char *)closings[i].sid.bytes, 1}};
		server.disabled[i] = server.disabled[i] || !refused;
		assert_int_equal(each(context, v, 5), 0);
	}
}

static void kills_answer(const char *batch, sql_row_fn each, void *context)
{
	int n = 0;

	for (int i = 0; i < N; i++) {
		char kill[24], number[16], code[16];
		snprintf(kill, sizeof(kill), "KILL %d;", 51 + i);
		if (!strstr(batch, kill))
			continue;
		snprintf(number, sizeof(number), "%d", n++);
		snprintf(code, sizeof(code), "%d",
			server.sessions[i] ? server.refuses_kill[i] : CLOSING_SESSION_GONE);
		struct sql_value v[4] = {value("kill"), value(number), value(code), value("why")};
		assert_int_equal(each(context, v, 4), 0);
		if (server.refuses_kill[i])
			continue;
		server.killed[i] = true;
		if (!server.rollbacks[i])
			server.sessions[i] = 0;
	}
}

static void sessions_answer(sql_row_fn each, void *context)
{
	for (int i = 0; i < N; i++) {
		char id[16];
		bool ending = server.killed[i] && server.rollbacks[i];
		snprintf(id, sizeof(id), "%d", 51 + i);
		struct sql_value v[SESSION_COLUMNS] = {value("session"), value(id),
			value("2026-11-28T04:25:10"), {(const char *)closings[i].sid.bytes, 1},
			{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0},
			value(server.addresses[i]), value(ending ? "KILLED/ROLLBACK" : NULL),
			value(ending ? "40" : NULL)};
		if (server.sessions[i])
			assert_int_equal(each(context, v, SESSION_COLUMNS), 0);
	}
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	int ended = 0;

	(void)s;
	*error = (struct sql_error){0};
	corpus_add(batch);
	questions++;
	if (server.loses_connection) {
		snprintf(error->text, sizeof(error->text), "the connection was lost");
		return -ECONNRESET;
	}
	before_answer(batch, each, context);
	sids_answer(batch, each, context);
	disables_answer(batch, each, context, &ended);
	if (strstr(batch, "KILL "))
		server.kill_batches++;
	kills_answer(batch, each, context);
	if (server.refuses_names && strstr(batch, "original_security_id = SUSER_SID(")) {
		*error = (struct sql_error){.number = 1222, .severity = 16, .text = "locked"};
		return SQL_SERVER_ERROR;
	}
	if (!ended && strstr(batch, "FROM sys.dm_exec_sessions AS s"))
		sessions_answer(each, context);
	if (!ended)
		return 0;
	*error = (struct sql_error){.number = 3609, .severity = 16, .text = "ended in the trigger"};
	return SQL_SERVER_ERROR;
}

void worker_tell(struct worker *w, const struct record *r)
{
	size_t used = strlen(told);

	(void)w;
	assert_int_equal(r->kind, RECORD_OUTCOME);
	snprintf(told + used, sizeof(told) - used, "%s %s %d\n", change_name(r->change.kind),
		r->login, r->code);
}

int worker_ask(struct worker *w, const struct record *r)
{
	(void)w, (void)r;
	fail_msg("closing first asks nobody");
	return -1;
}

static int run_with(const struct sql_closing *items, size_t n)
{
	static struct server s = {.name = (char *)"sql01"};
	struct sql_visit visit = {.server = &s};
	struct visit_run r = {.visit = &visit};
	struct sql_error error;

	told[0] = '\0';
	return closings_run(&r, &error, items, n);
}

static int run(void)
{
	return run_with(closings, N);
}

static int reset(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	questions = 0;
	server.ends_batch_at = -1;
	return 0;
}

static void two_round_trips_close_all(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++) {
		assert_true(server.disabled[i]);
		assert_int_equal(server.sessions[i], 0);
	}
	assert_int_equal(questions, 2);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 0\nlogin-disable acme.cat 0\n"
		"session-kill acme.ann 0\nsession-kill acme.ben 0\nsession-kill acme.cat 0\n");
}

static void what_is_closed_already_is_no_news(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		server.disabled[i] = true;
	assert_int_equal(run(), 0);
	assert_string_equal(told, "");
	assert_int_equal(server.kill_batches, 0);
}

static void one_that_is_refused_holds_nobody_up(void **state)
{
	(void)state;
	server.refuses_disable[1] = 15151;
	server.sessions[1] = server.sessions[2] = 1;
	server.refuses_kill[2] = 6102;
	assert_int_equal(run(), 0);
	assert_true(server.disabled[0] && server.disabled[2]);
	assert_false(server.disabled[1]);
	assert_int_equal(server.sessions[1], 0);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 15151\nlogin-disable acme.cat 0\n"
		"session-kill acme.ben 0\nsession-kill acme.cat 6102\n");
	assert_true(server.kill_batches <= 2);
}

/* As a server trigger does that rolls back: what stands behind it is sent again. */
static void a_batch_that_is_ended_goes_on_behind(void **state)
{
	(void)state;
	server.ends_batch_at = 1;
	server.sessions[2] = 1;
	assert_int_equal(run(), 0);
	assert_true(server.disabled[0] && server.disabled[2]);
	assert_int_equal(server.sessions[2], 0);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 3609\nlogin-disable acme.cat 0\n"
		"session-kill acme.cat 0\n");
}

/* Its session ends, and then it is disabled: it is reported once, as done. */
static void one_that_locks_itself_is_disabled_behind_its_end(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	server.locks_itself[0] = server.locks_itself[2] = true;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++) {
		assert_true(server.disabled[i]);
		assert_int_equal(server.sessions[i], 0);
	}
	assert_int_equal(questions, 3);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 0\nlogin-disable acme.cat 0\n"
		"session-kill acme.ann 0\nsession-kill acme.ben 0\nsession-kill acme.cat 0\n");
}

/* Somebody else's lock stays: tried once more, then reported. */
static void a_lock_of_somebody_else_is_told(void **state)
{
	(void)state;
	server.refuses_disable[1] = 1222;
	assert_int_equal(run(), 0);
	assert_int_equal(questions, 2);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 1222\nlogin-disable acme.cat 0\n");
}

/* It is killed once, and the others do not wait for it. */
static void a_long_rollback_holds_nobody_up(void **state)
{
	(void)state;
	server.sessions[0] = server.rollbacks[0] = 1;
	server.sessions[1] = 1;
	assert_int_equal(run(), 0);
	assert_int_equal(server.sessions[1], 0);
	assert_int_equal(server.kill_batches, 1);
}

/* Only the sessions from there, whether the journal knows the SID or not. */
static void a_source_that_left_ends_its_sessions(void **state)
{
	const struct source left = {.family = 2, .addr = {192, 0, 2, 0}, .prefix = 24};

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct sql_closing items[N];
		for (int i = 0; i < N; i++) {
			items[i] = closings[i];
			items[i].source = &left;
			items[i].sid.size = known ? items[i].sid.size : 0;
			server.sessions[i] = 1;
		}
		server.addresses[0] = "192.0.2.7";
		server.addresses[1] = "203.0.113.7";
		server.addresses[2] = "<local machine>";
		assert_int_equal(run_with(items, N), 0);
		assert_int_equal(server.sessions[0], 0);
		assert_int_equal(server.sessions[1], 1);
		assert_int_equal(server.sessions[2], 0);
		assert_false(server.disabled[0] || server.disabled[1] || server.disabled[2]);
		assert_string_equal(told, "session-kill acme.ann 0\nsession-kill acme.cat 0\n");
	}
}

/* Nobody knows its SID, and its row is locked: the others' sessions are found without it. */
/* Its login stays, and so do the others' sessions. */
static void one_session_alone_is_ended(void **state)
{
	const struct session_key key = {51, "2026-11-28T04:25:10", {{1}, 1}},
				 gone = {52, "2026-11-28T04:25:11", {{2}, 1}};
	struct sql_closing items[2] = {closings[0], closings[1]};

	(void)state;
	items[0].session = &key;
	items[1].session = &gone;
	server.sessions[0] = server.sessions[1] = 1;
	assert_int_equal(run_with(items, 2), 0);
	assert_int_equal(server.sessions[0], 0);
	assert_int_equal(server.sessions[1], 1);
	assert_false(server.disabled[0] || server.disabled[1]);
	assert_string_equal(told, "session-kill acme.ann 0\n");
}

static void a_name_that_cannot_be_looked_up_holds_nobody_up(void **state)
{
	struct sql_closing items[N];

	(void)state;
	memcpy(items, closings, sizeof(items));
	items[1].sid.size = 0;
	server.refuses_names = true;
	server.refuses_disable[1] = 1222;
	server.sessions[0] = server.sessions[2] = 1;
	assert_int_equal(run_with(items, N), 0);
	assert_int_equal(server.sessions[0], 0);
	assert_int_equal(server.sessions[2], 0);
	assert_non_null(strstr(told, "login-disable acme.ben 1222\n"));
}

static void a_lost_connection_is_told(void **state)
{
	(void)state;
	server.loses_connection = true;
	assert_int_equal(run(), -ECONNRESET);
	assert_non_null(strstr(told, "login-disable acme.ann -"));
	assert_non_null(strstr(told, "login-disable acme.cat -"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_round_trips_close_all, reset),
		cmocka_unit_test_setup(what_is_closed_already_is_no_news, reset),
		cmocka_unit_test_setup(one_that_is_refused_holds_nobody_up, reset),
		cmocka_unit_test_setup(a_batch_that_is_ended_goes_on_behind, reset),
		cmocka_unit_test_setup(one_that_locks_itself_is_disabled_behind_its_end, reset),
		cmocka_unit_test_setup(a_lock_of_somebody_else_is_told, reset),
		cmocka_unit_test_setup(a_long_rollback_holds_nobody_up, reset),
		cmocka_unit_test_setup(a_source_that_left_ends_its_sessions, reset),
		cmocka_unit_test_setup(one_session_alone_is_ended, reset),
		cmocka_unit_test_setup(a_name_that_cannot_be_looked_up_holds_nobody_up, reset),
		cmocka_unit_test_setup(a_lost_connection_is_told, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
