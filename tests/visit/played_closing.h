/* Closing first against a played server: what it answers, and what reaches the channel. For one program alone. */
#ifndef TESTS_VISIT_PLAYED_CLOSING_H
#define TESTS_VISIT_PLAYED_CLOSING_H

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
#include "idle_worker.h"

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
	bool ends_itself[N]; /* between the check and its KILL, which is refused then */
	bool loses_connection;
	unsigned lost_at;     /* this question is lost with its connection; 0: none */
	unsigned ended_at;    /* this one hears that the session was ended */
	bool refuses_names;   /* a question that asks for the SID of a name */
	bool lacks_columns;   /* that sessions are asked for: such a batch is not compiled */
	bool is_slow;	      /* each disable takes seconds */
	int disabled_at_kill; /* how many were disabled when sessions were ended first */
	unsigned kill_batches;
	bool locks_itself[N];	  /* its open session has a lock on its own row */
	bool untold;		  /* the server does not tell who is rolling back */
	bool ends_untold;	  /* and the error ends the batch */
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

static void later_answer(int i, sql_row_fn each, void *context)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", i);
	struct sql_value v[5] = {
		value("disable"), value(number), value("-2"), value(""), {NULL, 0}};

	assert_int_equal(each(context, v, 5), 0);
}

static void disables_answer(const char *batch, sql_row_fn each, void *context, int *ended)
{
	for (int i = 0, made = 0; i < N; i++) {
		char number[16], code[16], login[32];
		snprintf(login, sizeof(login), "ALTER LOGIN [%s] DISABLE", closings[i].login);
		if (!strstr(batch, login))
			continue;
		/* The first of a batch is always tried. */
		char later[32];
		snprintf(later, sizeof(later), "%d, -2, N''", i);
		if (server.is_slow && made++) {
			assert_non_null(strstr(batch, later));
			later_answer(i, each, context);
			continue;
		}
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
		if (server.refuses_kill[i] && !server.ends_itself[i])
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
		snprintf(id, sizeof(id), "%d", 51 + i);
		struct sql_value v[SESSION_COLUMNS] = {value("session"), value(id),
			value("2026-11-28T04:25:10"), {(const char *)closings[i].sid.bytes, 1},
			{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, value("7"),
			value(server.addresses[i])};
		if (server.sessions[i])
			assert_int_equal(each(context, v, SESSION_COLUMNS), 0);
	}
}

static void rollbacks_answer(sql_row_fn each, void *context)
{
	for (int i = 0; i < N; i++) {
		char id[16];
		snprintf(id, sizeof(id), "%d", 51 + i);
		struct sql_value v[3] = {
			value("rollback"), value(server.untold ? NULL : id), value("40")};
		if (server.untold ||
			(server.sessions[i] && server.killed[i] && server.rollbacks[i]))
			assert_int_equal(each(context, v, 3), 0);
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
	if (server.loses_connection || questions == server.lost_at) {
		snprintf(error->text, sizeof(error->text), "the connection was lost");
		return -ECONNRESET;
	}
	if (questions == server.ended_at) {
		*error = (struct sql_error){.number = 596, .severity = 21, .text = "kill state"};
		return SQL_SERVER_ERROR;
	}
	if (server.lacks_columns && strstr(batch, "open_transaction_count")) {
		*error =
			(struct sql_error){.number = 207, .severity = 16, .text = "invalid column"};
		return SQL_SERVER_ERROR;
	}
	before_answer(batch, each, context);
	sids_answer(batch, each, context);
	disables_answer(batch, each, context, &ended);
	if (strstr(batch, "KILL ") && !server.kill_batches++)
		for (int i = 0; i < N; i++)
			server.disabled_at_kill += server.disabled[i];
	kills_answer(batch, each, context);
	if (server.refuses_names && strstr(batch, "original_security_id = SUSER_SID(")) {
		*error = (struct sql_error){.number = 1222, .severity = 16, .text = "locked"};
		return SQL_SERVER_ERROR;
	}
	if (!ended && strstr(batch, "FROM sys.dm_exec_sessions AS s"))
		sessions_answer(each, context);
	if (!ended && strstr(batch, "FROM sys.dm_exec_requests")) {
		if (server.ends_untold) {
			*error = (struct sql_error){
				.number = 978, .severity = 14, .text = "secondary"};
			return SQL_SERVER_ERROR;
		}
		rollbacks_answer(each, context);
	}
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

#endif
