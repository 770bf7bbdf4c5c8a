/* Sends several changes in one batch.
 *
 * All of them stand in one TRY block, each behind a guard of its own, and after each follows a row with its number. The
 * first error ends the block, so that nothing is done on top of a failed change, exactly as if each had been sent by
 * itself. A change without its row was not done, or nobody knows: the caller sends it again by itself.
 *
 * A trigger that a change fires can return rows of its own in between. So each row of ours carries a token that the
 * server draws for the batch (https://learn.microsoft.com/sql/t-sql/functions/newid-transact-sql): no module sees a
 * variable of the batch that fires it
 * (https://learn.microsoft.com/sql/t-sql/language-elements/declare-local-variable-transact-sql), and the text of the
 * batch, which it may see, does not have the value. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "curfew/text.h"
#include "sql/name.h"
#include "sql/rows.h"
#include "sql/statement.h"
#include "visit/visit.h"

#define TOKEN "CAST(@token AS nvarchar(36))"

/* Changes whose statement declares a variable or holds a transaction, or a name that is no UTF-16: each in a batch of its
 * own. */
static bool text_is_plain(const char *text)
{
	return name_is_whole(text) && !strstr(text, "DECLARE @") && !strstr(text, "TRANSACTION");
}

/* Disabling a login never waits for what a trigger may do, and ending a session fires none. */
static bool change_goes_on(const struct change *c)
{
	return c->kind == CHANGE_LOGIN_DISABLE || c->kind == CHANGE_SESSION_KILL;
}

static const struct observed_database *database_of(
	const struct visit_run *run, const struct change *c)
{
	return c->database ? observed_find_database(&run->observed, c->database) : NULL;
}

static int guard_write(FILE *to, const struct visit_run *run, const struct change *c)
{
	const struct observed_database *d = database_of(run, c);

	if (d)
		return statement_write_guard(to, d);
	if (c->kind == CHANGE_LOGIN_ENABLE || c->kind == CHANGE_LOGIN_DROP)
		statement_write_login_guard(to, c->login, &c->sid);
	/* The change before may have left the session in a database: server permissions want master (4621). */
	if (!c->database && !change_goes_on(c))
		statement_write_server_guard(
			to, &run->observed, &run->visit->server->known_triggers);
	else if (!c->database)
		fputs("USE [master];\n", to);
	return 0;
}

int change_write(
	FILE *to, const struct visit_run *run, const struct change *c, const char *password)
{
	const struct change_way way = {.guarded = database_of(run, c),
		.as_agent = run->as_agent,
		.has_user_login = observed_has_user_login(&run->observed)};
	int rc = guard_write(to, run, c);

	if (!rc)
		rc = sql_write_change(to, c, password, &way);
	putc('\n', to);
	statement_write_patience(to, true);
	return rc;
}

static int statement_add(FILE *to, const struct visit_run *run, const struct change *c,
	const char *password, size_t number)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	int rc = change_write(text.to, run, c, password);
	char *statement = text_end(&text);
	if (!rc && !statement)
		rc = -ENOMEM;
	if (!rc && !text_is_plain(statement))
		rc = -ENOTSUP;
	if (!rc) {
		fputs(statement, to);
		/* As behind the statement's own USE: no row where that did not lead to the database. */
		if (c->database) {
			fputs("IF DB_NAME() = ", to);
			sql_write_string(to, c->database);
			putc(' ', to);
		}
		fprintf(to, "SELECT N'done' AS [part], %zu, " TOKEN ";\n", number);
	}
	if (statement)
		sodium_memzero(statement, text.size);
	free(statement);
	return rc;
}

static int changes_write(FILE *to, size_t *written, const struct visit_run *run,
	const struct change *const *changes, size_t n, char *const *passwords)
{
	size_t i = 0;
	int rc = 0;

	fputs("DECLARE @token uniqueidentifier = NEWID();\nSELECT N'batch' AS [part], " TOKEN ";\n",
		to);
	if (!run->as_agent)
		statement_write_variables(to);
	fputs("BEGIN TRY\n", to);
	for (; i < n && !rc; i += !rc)
		rc = statement_add(to, run, changes[i], passwords[i], i);
	fputs("END TRY\n"
	      "BEGIN CATCH SELECT N'error' AS [part], ERROR_NUMBER(), ERROR_MESSAGE(), " TOKEN
	      "; END CATCH;\n"
	      "USE [master];\n",
		to);
	statement_write_patience(to, true);
	fputs("SELECT N'changed' AS [part], " TOKEN ";\n", to);
	*written = i;
	return rc == -ENOTSUP ? 0 : rc;
}

static bool has_token(const struct change_batch *b, const struct sql_value *v)
{
	return *b->token && v->data && streq(v->data, b->token);
}

static int done_row(struct change_batch *b, const struct sql_value *v)
{
	size_t i = (size_t)row_number(&v[1]);

	if (i >= b->n)
		return -EBADMSG;
	b->done[i] = true;
	return 0;
}

/* Nothing of anybody else's runs before the first row. */
static int answer_row(void *batch, const struct sql_value *v, int n)
{
	struct change_batch *b = batch;

	if (n == 2 && row_is(&v[0], "batch") && v[1].data && !*b->token) {
		record_set(b->token, sizeof(b->token), v[1].data);
		return 0;
	}
	if (n < 2 || !has_token(b, &v[n - 1]))
		return -EBADMSG;
	if (n == 3 && row_is(&v[0], "done"))
		return done_row(b, v);
	if (n == 2 && row_is(&v[0], "changed"))
		return SQL_HEAD_ENDED;
	if (n != 4 || !row_is(&v[0], "error"))
		return -EBADMSG;
	b->number = (int)row_number(&v[1]);
	record_set(b->words, sizeof(b->words), v[2].data ? v[2].data : "");
	return 0;
}

static int last_row(void *batch, const struct sql_value *v, int n)
{
	int rc = answer_row(batch, v, n);

	return rc == SQL_HEAD_ENDED ? 0 : rc;
}

static void passwords_free(char **passwords, size_t n)
{
	for (size_t i = 0; passwords && i < n; i++)
		sodium_free(passwords[i]);
	free(passwords);
}

static int passwords_make(char ***out, const struct change_batch *b)
{
	char **passwords = calloc(b->n + 1, sizeof(*passwords));
	bool made = passwords != NULL;

	for (size_t i = 0; made && i < b->n; i++)
		if (b->changes[i]->kind == CHANGE_LOGIN_CREATE)
			made = (passwords[i] = sql_password_new()) != NULL;
	*out = passwords;
	return made ? 0 : -ENOMEM;
}

/* Withhold an error text that repeats a secret of the batch. */
static void words_withhold(char *words, size_t size, char *const *passwords, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sql_password_is_told(words, passwords[i]))
			snprintf(words, size,
				"the server's message is withheld, because it contains a password");
}

/* With the round's last changes the server is read in the same batch, right behind them. */
static int ahead_read(
	struct change_batch *b, struct visit_run *run, struct sql_error *error, const char *batch)
{
	const struct sql_visit *v = run->visit;
	const struct sql_head head = {
		.batch = batch, .row = answer_row, .context = b, .comes_first = true};
	int rc = sql_observe_server(&run->ahead, error, run->session, &v->wanted, &run->claims,
		v->formers, v->n_formers, &head);

	run->is_ahead = !rc;
	if (!b->done[b->n - 1])
		visit_ahead_forget(run);
	return rc;
}

static int leave_send(struct visit_run *run, struct sql_error *error)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	/* A transaction that the server aborted leaves XACT_ABORT on, and a change that failed the session in its
	 * database, which what follows may not be able to enter, or must not hold open. A batch that no CATCH block
	 * ended may have left the session as the database's owner, whose cookie nobody has any more: REVERT is refused
	 * there (15591), and the session is given up
	 * (https://learn.microsoft.com/sql/t-sql/statements/revert-transact-sql). */
	if (!run->as_agent)
		statement_write_owner_end(text.to);
	fputs("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\nSET XACT_ABORT OFF;\nUSE [master];\n",
		text.to);
	statement_write_patience(text.to, true);
	_cleanup_free_ char *batch = text_end(&text);
	return batch ? sql_session_run(run->session, error, batch, NULL, NULL) : -ENOMEM;
}

int changes_leave(struct visit_run *run, int rc)
{
	struct sql_error error = {0};
	int lost = leave_send(run, &error);

	if (lost == SQL_SERVER_ERROR && !run->as_agent && is_syntax_error(error.number)) {
		run->as_agent = true;
		lost = leave_send(run, &error);
	}
	if (lost == SQL_SERVER_ERROR)
		lost = -ECONNRESET;
	return lost < 0 ? lost : rc;
}

int changes_send(struct change_batch *b, struct visit_run *run, struct sql_error *error)
{
	visit_ahead_forget(run);
	char **passwords = NULL;
	struct text text = {0};
	size_t written = 0, n = b->n;
	int rc = passwords_make(&passwords, b);

	if (!rc)
		rc = text_begin(&text)
			     ? changes_write(text.to, &written, run, b->changes, n, passwords)
			     : -ENOMEM;
	char *batch = text_end(&text);
	if (!rc && !batch)
		rc = -ENOMEM;
	b->last = b->last && written == n;
	b->n = written;
	if (!rc && written)
		rc = b->last ? ahead_read(b, run, error, batch)
			     : sql_session_run(run->session, error, batch, last_row, b);
	if (rc == SQL_SERVER_ERROR)
		rc = changes_leave(run, rc);
	if (passwords) {
		words_withhold(b->words, sizeof(b->words), passwords, written);
		words_withhold(error->text, sizeof(error->text), passwords, written);
	}
	if (batch)
		sodium_memzero(batch, text.size);
	free(batch);
	passwords_free(passwords, n);
	return rc;
}
