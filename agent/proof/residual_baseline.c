/* Reads baselines of databases and of the server, item by item. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "proof/residual.h"
#include "sql/rows.h"
#include "sql/question.h"

static const struct base_question *questions_of(const char *database)
{
	if (!strcasecmp(database, SQL_SERVER_BASELINE))
		return server_base_questions;
	return strcasecmp(database, SQL_AGENT_BASELINE) != 0 ? base_questions : msdb_base_questions;
}

void base_questions_write(FILE *to, const struct base_question *all, size_t database)
{
	for (size_t i = 0; all[i].kind; i++)
		question_write(to, all[i].text, i, database);
}

static const struct base_question *question_of(const char *database, size_t number)
{
	const struct base_question *all = questions_of(database);
	size_t n = 0;

	while (all[n].kind)
		n++;
	return number < n ? &all[number] : NULL;
}

/* A name with invalid UTF-16 is shown by its bytes, so that two such names differ. */
static void unreadable_add(char **name, const struct sql_value *v, int n)
{
	struct text text;
	FILE *to = text_begin(&text);

	if (!to)
		return;
	fputs(*name, to);
	for (int i = 0; i < n; i++)
		for (size_t k = 0; v[i].data && k < v[i].size; k++)
			fprintf(to, "%s%02X", i || k ? "" : " 0x", (unsigned char)v[i].data[k]);
	char *more = text_end(&text);
	if (!more)
		return;
	free(*name);
	*name = more;
}

static void unreadable_tell(
	const struct visit_run *run, const char *database, const char *kind, const char *name)
{
	struct record r;

	if (run->visit->mode != SQL_AUDIT)
		return;
	record_of(&r, run->visit, RECORD_FINDING, NULL, NULL, database);
	r.finding.severity = FINDING_MEDIUM;
	RECORD_SET(&r, finding.name, "name-unreadable");
	RECORD_SET(&r, finding.reason, "the name is not valid UTF-16");
	RECORD_PRINTF(&r, detail, "%s: %s", kind, name);
	RECORD_SET(&r, finding.remedy, "-- no statement can write this name; a DBA must review it");
	worker_tell(run->worker, &r);
}

/* Columns: base, question, database, then those of the question's texts. */
static int base_row(void *context, const struct sql_value *v, int n)
{
	const struct visit_run *run = context;
	size_t d = n > 3 && v[2].data ? strtoul(v[2].data, NULL, 10) : SIZE_MAX;
	_cleanup_free_ char *name = NULL, *hash = NULL;
	struct record r;

	if (d >= run->observed.n_databases)
		return -EBADMSG;
	const char *database = run->observed.databases[d].name;
	const struct base_question *q = question_of(database, (size_t)row_number(&v[1]));
	if (!q)
		return -EBADMSG;
	int rc = words_make(&name, q->name, v + 3, n - 3);
	if (rc >= 0 && words_make(&hash, q->hash, v + 3, n - 3) < 0)
		return -EBADMSG;
	if (rc < 0)
		return rc;
	if (rc == WORDS_UNWRITABLE) {
		unreadable_add(&name, v + 3, n - 3 < 3 ? n - 3 : 3);
		unreadable_tell(run, database, q->kind, name);
	}
	record_of(&r, run->visit, RECORD_BASELINE, NULL, NULL, database);
	RECORD_SET(&r, baseline.kind, q->kind);
	RECORD_SET(&r, baseline.name, name);
	RECORD_SET(&r, baseline.hash, hash);
	worker_tell(run->worker, &r);
	return 0;
}

static void baseline_mark(
	const struct visit_run *run, const struct observed_database *d, enum baseline_mark mark)
{
	struct record r;

	record_of(&r, run->visit, RECORD_BASELINE, NULL, NULL, d->name);
	r.baseline.mark = mark;
	worker_tell(run->worker, &r);
}

/* A managed login already has a user there, so changes by it would count as part of the baseline. */
static bool access_has_begun(const struct visit_run *run, const struct observed_database *d)
{
	for (size_t i = 0; i < run->observed.n_logins; i++)
		if (run->observed.logins[i].ours && observed_user_of(d, &run->observed.logins[i]))
			return true;
	return false;
}

/* A baseline without what is hidden would show all of that as new one day. */
static bool is_hidden(const struct visit_run *run, const struct observed_database *d)
{
	return d->managed && database_hides(run, d);
}

/* The database, if its baseline should be read now: for `audit` to compare, for `apply` to save. */
static struct observed_database *baseline_due(const struct visit_run *run, const char *name)
{
	struct observed_database *d = observed_find_database(&run->observed, name);

	return d && d->read && (run->visit->mode == SQL_AUDIT || !access_has_begun(run, d)) ? d
											    : NULL;
}

/* The same, if it can be read. What an audit compares in spite of a denial is said not to be whole (residual_denial.c). */
static struct observed_database *baseline_of(const struct visit_run *run, const char *name)
{
	struct observed_database *d = baseline_due(run, name);

	return d && (run->visit->mode == SQL_AUDIT || !is_hidden(run, d)) ? d : NULL;
}

/* Nobody can be in a database that is a secondary replica here, so the server's own baseline can still be taken. */
static bool is_secondary(const struct visit_run *run, const char *name)
{
	const struct observed_database *d = observed_find_database(&run->observed, name);

	return run->visit->wanted.replicated && d && d->secondary && !d->read;
}

bool baselines_are_due(const struct visit_run *run)
{
	const char *const *names = run->visit->baselines;
	bool whole = false, waits = false;

	for (size_t i = 0; names && names[i]; i++) {
		bool of_server = sql_is_server_baseline(names[i]);

		if (!of_server && baseline_of(run, names[i]))
			return true;
		whole |= of_server;
		waits |= !of_server && is_secondary(run, names[i]);
	}
	return whole && waits;
}

int baseline_hold(struct visit_run *run, size_t baseline, const struct sql_error *error)
{
	const char *name = run->visit->baselines[baseline];

	/* Of jobs and of what new databases begin with the audit alone says that they are unread: an agent may do without
	 * the right to read msdb. */
	if (sql_is_server_baseline(name) && strcasecmp(name, SQL_SERVER_BASELINE) != 0)
		return 0;
	free(run->held[baseline]);
	if (asprintf(&run->held[baseline], "%s%.200s (%d)",
		    strcasecmp(name, SQL_SERVER_BASELINE) ? "" : "of the server: ", error->text,
		    error->number) >= 0)
		return 0;
	run->held[baseline] = NULL;
	return -ENOMEM;
}

/* Without the server's own baseline, the audit could not tell which logins or permissions were added after access
 * began. */
int baselines_mark_held(struct visit_run *run)
{
	const char *const *names = run->visit->baselines;
	const char *server = NULL;

	for (size_t i = 0; names && names[i]; i++)
		if (!strcasecmp(names[i], SQL_SERVER_BASELINE))
			server = run->held[i];
	for (size_t i = 0; names && names[i]; i++) {
		struct observed_database *d = baseline_due(run, names[i]);
		const char *why =
			run->held[i] ? run->held[i]
			: server     ? server
			: !d || run->visit->mode == SQL_AUDIT || !is_hidden(run, d)
				? NULL
				: "a denial there hides something from the agent login; `curfew audit` has the REVOKE";
		if (!d || !why || d->held)
			continue;
		if (asprintf(&d->held, "its baseline cannot be read: %s", why) < 0) {
			d->held = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static int baseline_write(FILE *to, const struct visit_run *run, const char *name)
{
	struct observed_database *d = baseline_of(run, name);

	if (!d)
		return 0;
	baseline_mark(run, d, BASELINE_BEGIN);
	question_enter_write(to, d->name, d->id);
	base_questions_write(to, questions_of(d->name), (size_t)(d - run->observed.databases));
	return 1;
}

/* `n` databases in one round trip. */
static int baselines_ask(
	struct visit_run *run, struct sql_error *error, const char *const *names, size_t n)
{
	_cleanup_text_ struct text batch;
	int any = 0;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		any |= baseline_write(batch.to, run, names[i]);
	fputs("USE [master];\n", batch.to);
	int rc = any ? question_ask(run->session, error, &batch, base_row, run) : 0;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct observed_database *d = baseline_of(run, names[i]);
		if (d)
			baseline_mark(run, d, BASELINE_WHOLE);
	}
	return rc;
}

/* An audit takes its time: nobody waits for it. */
static void baseline_enter(struct visit_run *run, const char *database)
{
	if (run->visit->mode == SQL_APPLY)
		entered_ask(run, database);
	else
		entered_note(run, database);
}

int baselines_tell(struct visit_run *run, struct sql_error *error, const char *const *databases)
{
	size_t n = 0;

	while (databases && databases[n])
		n++;
	baseline_enter(run, NULL);
	int rc = run->visit->apart ? SQL_SERVER_ERROR
		 : n		   ? baselines_ask(run, error, databases, n)
				   : 0;
	if (rc <= 0)
		return entered_leave(run, rc);
	for (size_t i = 0; i < n; i++) {
		baseline_enter(run, databases[i]);
		rc = entered_leave(run, baselines_ask(run, error, &databases[i], 1));
		if (rc < 0)
			return rc;
		if (rc)
			check_note(run, "new-or-changed", databases[i], error);
		if (rc && run->visit->mode == SQL_APPLY && baseline_hold(run, i, error))
			return -ENOMEM;
	}
	return 0;
}
