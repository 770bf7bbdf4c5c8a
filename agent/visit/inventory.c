/* Reads the inventory of databases: one round trip for the server and one for each database. Where a whole batch fails,
 * its questions are asked one by one, so that one view that a server lacks costs one part and not the database. What was
 * not read is reported as unread, never left out. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "catalog/catalog.h"
#include "visit/inventory_read.h"
#include "sql/question.h"
#include "sql/rows.h"
#include "sql/session_settings.h"

/* Numbers of questions in answers. */
#define QUESTIONS_MAX 32

struct inventory_run {
	struct worker *worker;
	const struct sql_inventory *inventory;
	struct sql_session *session;
	struct sql_error error;
	/* Of the batch that is being read. */
	const struct inventory_question *questions;
	const char *database;	  /* NULL: the server */
	int64_t database_id;	  /* of rows of that database; -1: not asked */
	bool read[QUESTIONS_MAX]; /* the marker after its rows arrived */
	struct record *kept;	  /* coverage that the server itself reported */
	size_t n_kept;
	int refused; /* by whoever takes the records */
};

struct inventory_place { /* a database as the server shows it */
	bool told;
	int64_t id, state, user_access;
	bool accessible;
	bool forgets; /* AUTO_CLOSE: what was used is forgotten whenever nobody is connected */
	bool alone;   /* on no other replica, where it could be used too */
	int64_t age;  /* seconds; 0: unknown */
};

static void record_start(struct record *r, const struct inventory_run *run)
{
	*r = (struct record){0};
	RECORD_SET(r, server, run->inventory->visit.server->name);
	RECORD_SET(r, database, run->database ? run->database : "");
}

int inventory_give(struct worker *w, const struct sql_inventory *i, const struct record *r)
{
	if (i->sink)
		return i->sink(i->context, r);
	worker_tell(w, r);
	return 0;
}

static void record_tell(struct inventory_run *run, const struct record *r)
{
	if (!run->refused)
		run->refused = inventory_give(run->worker, run->inventory, r);
}

static void coverage_tell(
	struct inventory_run *run, const char *part, enum answer seen, int code, const char *detail)
{
	struct record r;

	record_start(&r, run);
	r.kind = RECORD_COVERAGE;
	r.coverage.seen = seen;
	r.code = code;
	RECORD_SET(&r, coverage.part, part);
	RECORD_SET(&r, detail, detail);
	record_tell(run, &r);
}

static size_t questions_count(const struct inventory_question *q)
{
	size_t n = 0;

	while (q[n].name)
		n++;
	return n;
}

/* Coverage that the server reports itself is kept until its part is known to be complete. */
static int coverage_keep(struct inventory_run *run, const struct record *r)
{
	struct record *kept = ARRAY_MORE(run->kept, run->n_kept);

	if (!kept)
		return -ENOMEM;
	*kept = *r;
	return 0;
}

/* Columns: N'inventory' or N'read', the question's number, DB_ID(). */
static int inventory_row(void *context, const struct sql_value *v, int n)
{
	struct inventory_run *run = context;
	struct record r;
	size_t number = n >= 3 && v[1].data ? (size_t)row_number(&v[1]) : SIZE_MAX;

	if (number >= questions_count(run->questions))
		return -EBADMSG;
	/* A row from elsewhere means that a USE failed and the batch went on. */
	if (row_number(&v[2]) != run->database_id)
		return -ESTALE;
	if (row_is(&v[0], "read")) {
		run->read[number] = true;
		return 0;
	}
	record_start(&r, run);
	int rc = row_is(&v[0], "inventory") ? inventory_row_take(&r, &run->questions[number],
						      run->inventory->visit.now, v + 3, n - 3)
					    : -EBADMSG;
	if (rc)
		return rc;
	if (r.kind == RECORD_COVERAGE)
		return coverage_keep(run, &r);
	/* Most texts say nothing. */
	if (r.kind != RECORD_REFERENCE || r.reference.facts[0] || !streq(r.reference.how, "text"))
		record_tell(run, &r);
	return run->refused;
}

static void part_write(FILE *to, const struct inventory_run *run, size_t number)
{
	question_write(to, run->questions[number].text, number, 0);
	fprintf(to, "SELECT N'read' AS [part], %zu, DB_ID();\n", number);
}

/* All questions from `from` to before `to`, in the database. */
static int questions_ask(struct inventory_run *run, size_t from, size_t to)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	if (run->database) {
		fputs("USE ", text.to);
		sql_write_name(text.to, run->database);
		fputs(";\n", text.to);
	}
	for (size_t i = from; i < to; i++)
		part_write(text.to, run, i);
	fputs("USE [master];\n", text.to);
	_cleanup_free_ char *batch = text_end(&text);
	int rc = batch ? sql_session_run(run->session, &run->error, batch, inventory_row, run)
		       : -ENOMEM;
	/* An answer of the wrong form, from elsewhere, or cut off: the session goes on, the part was not read. */
	if (rc == -ESTALE)
		snprintf(run->error.text, sizeof(run->error.text),
			"the database could not be entered");
	if (rc == -ESTALE || rc == -EBADMSG || rc == -EOVERFLOW)
		rc = SQL_SERVER_ERROR;
	return rc;
}

static const char *error_words(const struct inventory_run *run)
{
	const char *words = database_error_words(run->error.number);

	return words ? words : run->error.text[0] ? run->error.text : "no answer";
}

/* What the server said of a part, or that it was read. */
static void part_tell(struct inventory_run *run, size_t number)
{
	const char *name = run->questions[number].name;

	for (size_t i = 0; i < run->n_kept; i++)
		if (streq(run->kept[i].coverage.part, name)) {
			record_tell(run, &run->kept[i]);
			return;
		}
	coverage_tell(run, name, ANSWER_YES, 0, "");
}

static void run_clear(struct inventory_run *run)
{
	free(run->kept);
	run->kept = NULL;
	run->n_kept = 0;
	memset(run->read, 0, sizeof(run->read));
}

/* Each by itself. *lost: why a part that is needed is missing. */
static int parts_ask(struct inventory_run *run, size_t n, const char **lost)
{
	static char why[RECORD_TEXT_MAX];
	int rc = 0;

	for (size_t i = 0; i < n && rc >= 0; i++) {
		rc = questions_ask(run, i, i + 1);
		if (rc == 0 && run->read[i]) {
			part_tell(run, i);
			continue;
		}
		coverage_tell(run, run->questions[i].name, ANSWER_UNKNOWN, run->error.number,
			error_words(run));
		/* Each further question would wait for the same lock. */
		bool locked = run->error.number == ERROR_LOCK_TIMEOUT;
		if (run->questions[i].needed || locked) {
			record_set(why, sizeof(why), error_words(run));
			*lost = why;
		}
		if (locked)
			break;
	}
	return rc < 0 ? rc : 0;
}

static bool all_read(const struct inventory_run *run, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!run->read[i])
			return false;
	return true;
}

/* After an error a batch may go on, so that a marker arrives without its rows: then nothing of the batch counts. 0, or
 * negative errno if the session is lost. */
static int questions_run(struct inventory_run *run, const struct inventory_question *questions,
	const char *database, int64_t database_id)
{
	size_t n = questions_count(questions);
	const char *lost = NULL;

	run->questions = questions;
	run->database = database;
	run->database_id = database_id;
	run_clear(run);
	int rc = questions_ask(run, 0, n);
	if (rc < 0)
		return rc;
	if (rc == 0 && all_read(run, n)) {
		for (size_t i = 0; i < n; i++)
			part_tell(run, i);
	} else if (run->error.number == ERROR_LOCK_TIMEOUT) {
		lost = error_words(run);
	} else {
		run_clear(run);
		coverage_tell(run, INVENTORY_AGAIN, ANSWER_NO, 0, "");
		rc = parts_ask(run, n, &lost);
	}
	if (rc >= 0)
		coverage_tell(run, "whole", lost ? ANSWER_UNKNOWN : ANSWER_YES,
			lost ? run->error.number : 0, lost ? lost : "");
	run_clear(run);
	return rc < 0 ? rc : run->refused;
}

/* Columns: N'place', number, id, state, user_access, HAS_DBACCESS, AUTO_CLOSE, age, without replicas. */
static int place_row(void *places, const struct sql_value *v, int n)
{
	struct inventory_place *all = places;

	if (n != 9 || !row_is(&v[0], "place"))
		return -EBADMSG;
	/* Its place was made for the number that this worker itself wrote. */
	struct inventory_place *p = &all[row_number(&v[1])];
	*p = (struct inventory_place){.told = true,
		.id = row_number(&v[2]),
		.state = v[3].data ? row_number(&v[3]) : -1,
		.user_access = v[4].data ? row_number(&v[4]) : -1,
		.accessible = row_number(&v[5]) == 1,
		/* An unknown value counts as the worse one. */
		.forgets = !v[6].data || row_number(&v[6]) != 0,
		.age = row_number(&v[7]),
		.alone = v[8].data && row_number(&v[8]) == 1};
	return 0;
}

static int places_read(struct inventory_run *run, struct inventory_place *places)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	for (size_t i = 0; i < run->inventory->n_databases; i++) {
		fprintf(text.to,
			"SELECT N'place' AS [part], %zu, d.database_id, d.state, d.user_access, HAS_DBACCESS(d.name),\n"
			"  d.is_auto_close_on, CASE WHEN d.create_date < '19900101' THEN NULL ELSE DATEDIFF(SECOND, d.create_date, GETDATE()) END,\n"
			"  CASE WHEN d.replica_id IS NULL THEN 1 ELSE 0 END\n"
			"FROM sys.databases AS d WHERE d.database_id = DB_ID(",
			i);
		sql_write_string(text.to, run->inventory->databases[i]);
		fputs(");\n", text.to);
	}
	_cleanup_free_ char *batch = text_end(&text);
	return batch ? sql_session_run(run->session, &run->error, batch, place_row, places)
		     : -ENOMEM;
}

/* NULL: it can be entered. A database for one user is not: the only place might be its administrator's. */
static const char *place_closed(const struct inventory_place *p)
{
	return !p->told		     ? database_error_words(911)
	       : p->state	     ? database_state_words((int)p->state)
	       : p->user_access == 1 ? "it is in single-user mode"
	       : !p->accessible	     ? database_error_words(916)
				     : NULL;
}

/* What sys.databases tells of the database's own statistics: since when they can reach back, whether they are kept, and
 * whether there are others. */
static void memory_tell(struct inventory_run *run, const struct inventory_place *p)
{
	struct record r;
	instant_t now = run->inventory->visit.now;

	record_start(&r, run);
	r.kind = RECORD_COVERAGE;
	RECORD_SET(&r, coverage.part, "memory");
	r.coverage.seen = p->forgets ? ANSWER_NO : ANSWER_YES;
	r.coverage.since = p->age > 0 && p->age < now ? now - p->age : 0;
	record_tell(run, &r);
	coverage_tell(run, "one-replica", p->alone ? ANSWER_YES : ANSWER_NO, 0, "");
}

static int databases_run(struct inventory_run *run)
{
	size_t n = run->inventory->n_databases;
	_cleanup_free_ struct inventory_place *places = calloc(n + 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	int rc = places_read(run, places);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		const char *closed = rc ? error_words(run) : place_closed(&places[i]);
		run->database = run->inventory->databases[i];
		if (closed)
			coverage_tell(run, "whole", ANSWER_UNKNOWN, 0, closed);
		else if (questions_run(run, inventory_database_questions, run->database,
				 places[i].id) < 0)
			return run->refused ? run->refused : -ECONNRESET;
		else
			memory_tell(run, &places[i]);
	}
	return 0;
}

int inventory_read(struct worker *w, const struct sql_inventory *i, struct sql_session *session,
	struct sql_error *error)
{
	struct inventory_run run = {.worker = w, .inventory = i, .session = session};
	/* Rows of the server carry the id of master, where the session begins. */
	int rc = questions_run(&run, inventory_server_questions, NULL, MASTER_ID);

	if (!rc)
		rc = databases_run(&run);
	run_clear(&run);
	*error = run.error;
	return rc;
}
