/* Asks the server for the effective permissions of users. A lock on one database costs the others little time. */
#include "proof/proof_targets.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "sql/question.h"
#include "sql/session_settings.h"

/* Users in one round trip. */
#define CHUNK 64

void evidence_add(struct target *k, const char *format, ...)
{
	size_t used = strlen(k->evidence);
	va_list args;

	if (used + 2 >= sizeof(k->evidence))
		return;
	if (used)
		used += (size_t)snprintf(k->evidence + used, sizeof(k->evidence) - used, "; ");
	va_start(args, format);
	vsnprintf(k->evidence + used, sizeof(k->evidence) - used, format, args);
	va_end(args);
}

static const char *text_of(const struct sql_value *v)
{
	return v->data ? v->data : "?";
}

/* Rows: held, number, class, permission, count, example, answer; asked, number, user, whether CONNECT is held, how
 * often the list has it; and waited, number, error. */
static int answer_row(void *context, const struct sql_value *v, int n)
{
	struct targets *t = context;
	size_t i = n >= 3 && v[1].data ? (size_t)strtoull(v[1].data, NULL, 10) : t->n;

	if (i >= t->n || !v[0].data)
		return -EBADMSG;
	struct target *k = &t->items[i];
	if (n == 3 && streq(v[0].data, "waited") && v[2].data) {
		k->waited = (int)strtol(v[2].data, NULL, 10);
		return 0;
	}
	if (n == 5 && streq(v[0].data, "asked")) {
		/* Counts only if the server answered as this user, and knows CONNECT by name and in its list. */
		k->asked = v[2].data && names_equal(v[2].data, k->place.user->name);
		if (!v[3].data || !streq(v[3].data, "1") || !v[4].data || !streq(v[4].data, "1"))
			k->unknown = true;
		return 0;
	}
	if (n != 7 || !streq(v[0].data, "held"))
		return -EBADMSG;
	bool several = !streq(text_of(&v[4]), "1");
	if (!v[6].data) {
		if (!k->unknown)
			evidence_add(k,
				"the server did not answer whether the user has %s on %s %s%s%s%s",
				text_of(&v[3]), text_of(&v[2]), text_of(&v[5]),
				several ? " and others, " : "", several ? text_of(&v[4]) : "",
				several ? " in all" : "");
		k->unknown = true;
		return 0;
	}
	evidence_add(k, "%s on %s %s%s%s%s", text_of(&v[3]), text_of(&v[2]), text_of(&v[5]),
		several ? " and others, " : "", several ? text_of(&v[4]) : "",
		several ? " in all" : "");
	k->held = true;
	return 0;
}

/* Whoever met a lock ends only its own question: SET LOCK_TIMEOUT and TRY...CATCH, which catches 1222 and 1205. */
static void target_question_write(FILE *to, const struct target *t, size_t index)
{
	question_enter_write(to, t->place.database->name, t->place.database->id);
	fputs("BEGIN TRY\nEXECUTE AS USER = ", to);
	sql_write_string(to, t->place.user->name);
	fputs(";\n", to);
	question_write(to, proof_questions[t->grant->level], index, 0);
	fprintf(to,
		"END TRY\nBEGIN CATCH\nIF ERROR_NUMBER() NOT IN (%d, %d) THROW;\n"
		"SELECT N'waited' AS [part], %zu, ERROR_NUMBER();\n"
		"IF ERROR_NUMBER() = %d SET LOCK_TIMEOUT 0;\nEND CATCH;\nREVERT;\n",
		ERROR_LOCK_TIMEOUT, ERROR_DEADLOCK, index, ERROR_LOCK_TIMEOUT);
}

static bool is_of_one_database(const struct target *a, const struct target *b)
{
	return a->place.database == b->place.database;
}

/* The first user of a database waits for a lock as long as any question does, and the others no more. */
static bool has_patience(const struct targets *t, size_t i, size_t from)
{
	return i == 0 || !is_of_one_database(&t->items[i - 1], &t->items[i]) ||
	       (i == from && t->items[i - 1].waited != ERROR_LOCK_TIMEOUT);
}

static int chunk_ask(
	struct visit_run *run, struct sql_error *error, struct targets *t, size_t from, size_t to)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (size_t i = from; i < to; i++) {
		if (i == from || has_patience(t, i, from))
			fprintf(batch.to, "SET LOCK_TIMEOUT %d;\n",
				has_patience(t, i, from) ? LOCK_PATIENCE : 0);
		target_question_write(batch.to, &t->items[i], i);
	}
	fprintf(batch.to, "SET LOCK_TIMEOUT %d;\nUSE [master];\n", LOCK_PATIENCE);
	return question_ask(run->session, error, &batch, answer_row, t);
}

/* After an error the session may still be impersonated: REVERT until it is not. */
static int impersonation_leave(struct visit_run *run)
{
	struct sql_error ignored;
	char text[64];

	snprintf(text, sizeof(text), "REVERT;\nSET LOCK_TIMEOUT %d;\nUSE [master];\n",
		LOCK_PATIENCE);
	return sql_session_run(run->session, &ignored, text, NULL, NULL);
}

static void target_reset(struct target *k)
{
	k->asked = k->held = k->unknown = false;
	k->waited = 0;
	k->evidence[0] = '\0';
}

static int row_ignore(void *context, const struct sql_value *v, int n)
{
	(void)context, (void)v, (void)n;
	return 0;
}

/* Sets run->cannot_tell if the server refuses the syntax also in master, where no client has a say: what only one database
 * refuses is a matter of its users, and of nobody else's. 0, SQL_SERVER_ERROR, or negative errno. */
static int syntax_ask(struct visit_run *run)
{
	struct sql_error error;
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	fputs("USE [master];\nIF 1 = 0 EXECUTE AS USER = N'dbo';\nREVERT;\n", batch.to);
	question_write(batch.to, proof_questions[LEVEL_FULL], 0, 0);
	int rc = question_ask(run->session, &error, &batch, row_ignore, NULL);
	run->cannot_tell = rc == SQL_SERVER_ERROR && is_syntax_error(error.number);
	return rc;
}

static void target_cannot_tell(struct target *k, const struct sql_error *error)
{
	target_reset(k);
	snprintf(k->evidence, sizeof(k->evidence), "the permission query failed (%d: %.200s)",
		error->number, error->text);
}

static int targets_ask_once(struct visit_run *run, struct sql_error *error, struct targets *t)
{
	const size_t chunk = run->visit->apart ? 1 : CHUNK;

	for (size_t from = 0; from < t->n; from += chunk) {
		size_t to = from + chunk < t->n ? from + chunk : t->n;
		entered_ask(run, chunk == 1 ? t->items[from].place.database->name : NULL);
		int rc = run->cannot_tell ? SQL_SERVER_ERROR : chunk_ask(run, error, t, from, to);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		rc = impersonation_leave(run);
		/* Ask one by one, so that an error of one user does not leave all unverified. */
		for (size_t i = from; i < to && rc >= 0; i++) {
			if (run->cannot_tell) {
				target_cannot_tell(&t->items[i], error);
				continue;
			}
			target_reset(&t->items[i]);
			rc = chunk_ask(run, error, t, i, i + 1);
			if (rc <= 0)
				continue;
			/* Some errors do not end a batch, so later rows may have been answered as a different user. */
			target_cannot_tell(&t->items[i], error);
			struct sql_error kept = *error;
			rc = impersonation_leave(run);
			if (rc >= 0 && is_syntax_error(kept.number))
				rc = syntax_ask(run);
			*error = kept;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Those that met a lock are asked once more: it may have been held for a moment only. Once in a visit, whoever holds it. */
int targets_ask(struct visit_run *run, struct sql_error *error, struct targets *t)
{
	struct targets again = {.items = calloc(t->n + 1, sizeof(*again.items))};
	_cleanup_free_ size_t *of = calloc(t->n + 1, sizeof(*of));
	int rc = again.items && of ? targets_ask_once(run, error, t) : -ENOMEM;

	for (size_t i = 0; i < t->n && !rc && !run->waited_again; i++) {
		if (!t->items[i].waited)
			continue;
		of[again.n] = i;
		again.items[again.n] = t->items[i];
		target_reset(&again.items[again.n++]);
	}
	if (again.n) {
		run->waited_again = true;
		rc = targets_ask_once(run, error, &again);
	}
	for (size_t i = 0; i < again.n; i++)
		t->items[of[i]] = again.items[i];
	free(again.items);
	return rc;
}
