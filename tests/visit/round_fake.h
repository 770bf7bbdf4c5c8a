/* A server and a channel for one round of changes: the server runs the statements before the first one that it refuses. */
#ifndef CURFEW_TESTS_ROUND_FAKE_H
#define CURFEW_TESTS_ROUND_FAKE_H

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "visit/visit.h"

#include "../corpus.h"
#include "../sql/played_session.h"
#include "idle_worker.h"

static struct {
	const char *refuses; /* a statement with these words */
	int number;
	unsigned times; /* how often; 0: always */
	enum {
		FAKE_REFUSES = 0, /* that statement alone */
		FAKE_SKIPS,	  /* a USE fails, and the batch goes on in the database before */
		FAKE_TAKES_ONE, /* several in one batch are refused before anything of them runs */
		FAKE_LOSES_SESSION, /* at that statement */
		FAKE_REPEATS,	    /* its message repeats the statement */
		FAKE_HAS_NO_JOURNAL,
		FAKE_ANSWERS_BESIDE, /* a trigger returns a row, of an outcome that is none */
	} how;
} fake;
static char sent[32768], told[4096], *batches[32];
static unsigned intents;
static char detail[RECORD_TEXT_MAX]; /* of the last outcome */

static int error_take(struct sql_error *error, const char *words)
{
	*error = (struct sql_error){.number = fake.number, .severity = 16};
	record_set(error->text, sizeof(error->text), words);
	return SQL_SERVER_ERROR;
}

static bool is_refused(const char *line)
{
	if (!fake.refuses || !strstr(line, fake.refuses))
		return false;
	if (!fake.times)
		return true;
	if (--fake.times == 0)
		fake.refuses = NULL;
	return true;
}

/* What the server draws for each batch. */
static char token[16];

static void token_row(sql_row_fn each, void *context)
{
	static unsigned n;

	snprintf(token, sizeof(token), "token %u", n++);
	struct sql_value v[2] = {{"batch", 5}, {token, strlen(token)}};
	assert_int_equal(each(context, v, 2), 0);
}

static void done_row(const char *line, sql_row_fn each, void *context)
{
	const char *row = strstr(line, "SELECT N'done' AS [part], ");
	char number[16] = "";

	assert_non_null(row);
	snprintf(number, sizeof(number), "%.*s", (int)strspn(row + 26, "0123456789"), row + 26);
	struct sql_value v[3] = {{"done", 4}, {number, strlen(number)}, {token, strlen(token)}};
	assert_int_equal(each(context, v, 3), 0);
}

static void error_row(const char *words, sql_row_fn each, void *context)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fake.number);
	struct sql_value v[4] = {{"error", 5}, {number, strlen(number)}, {words, strlen(words)},
		{token, strlen(token)}};
	assert_int_equal(each(context, v, 4), 0);
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	char *copy = strdup(batch), *rest = copy, *line;
	int rc = 0;

	(void)s;
	*error = (struct sql_error){0};
	corpus_add(batch);
	batches[questions++] = strdup(batch);
	/* What passes each error on, to be told by rows: a batch of several changes. */
	bool tries = each && strstr(batch, "\nBEGIN TRY\nSET");
	if (tries && fake.how == FAKE_TAKES_ONE)
		rc = error_take(error, "no such words");
	bool skipping = false;
	while (!rc && (line = strsep(&rest, "\n"))) {
		if (strstr(line, "SELECT N'server'")) {
			rc = error_take(error, "not today"); /* nothing is read in this test */
		} else if (strstr(line, "SELECT N'batch'")) {
			token_row(each, context);
		} else if (tries && fake.how == FAKE_ANSWERS_BESIDE &&
			   strstr(line, "CREATE USER")) {
			struct sql_value v[3] = {{"done", 4}, {"2", 1}, {"a guess", 7}};
			rc = each(context, v, 3);
			assert_int_equal(rc, -EBADMSG);
		} else if (strstr(line, "SELECT N'done'")) {
			if (!skipping)
				done_row(line, each, context);
			skipping = false;
		} else if (is_refused(line)) {
			if (fake.how == FAKE_LOSES_SESSION) {
				rc = -ECONNRESET;
			} else if (fake.how == FAKE_SKIPS) {
				skipping = true;
			} else if (tries) {
				error_row(
					fake.how == FAKE_REPEATS ? line : "refused", each, context);
				break;
			} else {
				rc = error_take(error, fake.how == FAKE_REPEATS ? line : "refused");
			}
		} else if (strstr(line, "ALTER ") || strstr(line, "CREATE ") ||
			   strstr(line, "GRANT ")) {
			snprintf(sent + strlen(sent), sizeof(sent) - strlen(sent), "%s\n", line);
		}
	}
	free(copy);
	return rc;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted, (void)left;
	return 0;
}

void worker_tell(struct worker *w, const struct record *r)
{
	(void)w;
	if (r->kind != RECORD_OUTCOME)
		return;
	snprintf(detail, sizeof(detail), "%s", r->detail);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %d%s\n",
		change_name(r->change.kind), r->code,
		strstr(r->detail, "skipped") ? " skipped" : "");
}

int worker_ask(struct worker *w, const struct record *r)
{
	(void)w;
	assert_int_equal(r->kind, RECORD_INTENT);
	intents++;
	return fake.how == FAKE_HAS_NO_JOURNAL ? -EIO : 0;
}

static struct user jane = {.login = (char *)"acme.jane"};
static struct database configured = {.name = (char *)"Acme"};
static struct client acme = {.name = (char *)"acme"};
static struct grant grant = {
	.client = &acme, .user = &jane, .database = &configured, .level = LEVEL_FULL};
static const struct grant *const grants[] = {&grant};

#define CHANGE(k, l, d)                                                                            \
	{                                                                                          \
		.kind = (k), .login = (char *)(l), .database = (char *)(d),                        \
		.principal = (char *)"acme.jane", .role = (char *)"curfew_full",                   \
		.reason = (char *)"a test"                                                         \
	}

static int run_round(struct change *changes, size_t n)
{
	static struct server s = {.name = (char *)"sql01"};
	static struct wanted_login login = {.login = "acme.jane", .client = "acme"};
	struct sql_visit visit = {.mode = SQL_APPLY,
		.server = &s,
		.wanted = {.server = &s,
			.grants = (const struct grant **)grants,
			.n_grants = 1,
			.logins = &login,
			.n_logins = 1}};
	struct visit_run run = {
		.visit = &visit, .difference = {.changes = changes, .n_changes = n}};
	struct sql_error error;
	int rc = round_run(&run, &error);

	doubts_settle(&run, false);
	free(run.claims.items);
	for (size_t i = 0; i < run.touched.n; i++)
		free(run.touched.logins[i]);
	free(run.touched.logins);
	return rc;
}
#define RUN(changes) run_round(changes, ARRAY_SIZE(changes))

static int reset(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.number = 15151;
	for (unsigned i = 0; i < questions; i++)
		free(batches[i]);
	questions = intents = 0;
	sent[0] = told[0] = '\0';
	return sodium_init() < 0;
}

#endif
