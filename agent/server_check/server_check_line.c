/* One line of the check, and the queries behind it. */
#include "server_check/server_check.h"

#include "catalog/catalog.h"
#include "sql/rows.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void check_tell(const struct check_run *c, enum check_result result, const char *name,
	const char *fix, const char *format, ...)
{
	struct record r = {.kind = RECORD_CHECK};
	char detail[RECORD_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	RECORD_SET(&r, server, c->check->shown);
	RECORD_SET(&r, database, c->database ? c->database : "");
	r.check.result = result;
	RECORD_SET(&r, check.name, name);
	RECORD_SET(&r, detail, detail);
	RECORD_SET(&r, check.fix, result == CHECK_FAIL && fix ? fix : "");
	worker_tell(c->worker, &r);
}

const char *server_check_shown(const struct server_check *c, const char *instead, const char *text)
{
	return c->anonymous ? instead : text;
}

const char *check_said(char buf[RECORD_TEXT_MAX], const struct check_run *c)
{
	const struct sql_error *e = &c->error;
	char number[64], text[RECORD_TEXT_MAX];

	snprintf(number, sizeof(number), "%s %d", e->number ? "error" : "the library's error",
		e->number ? e->number : e->library);
	if (e->number)
		snprintf(text, sizeof(text), "error %d: %.400s", e->number, e->text);
	else
		snprintf(text, sizeof(text), "%.400s", e->text[0] ? e->text : "no answer");
	snprintf(buf, RECORD_TEXT_MAX, "%s", server_check_shown(c->check, number, text));
	return buf;
}

const char *check_bootstrap(char buf[RECORD_TEXT_MAX], const struct check_run *c, const char *why)
{
	snprintf(buf, RECORD_TEXT_MAX,
		"let a DBA run the output of `curfew bootstrap %s` again%s%s", c->check->shown,
		why ? ": " : "", why ? why : "");
	return buf;
}

const char *server_check_database(
	char buf[MAX_NAME_BYTES + 1], const struct server_check *c, size_t i)
{
	char number[32];

	snprintf(number, sizeof(number), "database %zu", i + 1);
	snprintf(buf, MAX_NAME_BYTES + 1, "%s", server_check_shown(c, number, c->databases[i]));
	return buf;
}

int check_ask(struct check_run *c, const char *batch, sql_row_fn each, void *context)
{
	int rc = sql_session_run(c->session, &c->error, batch, each, context);

	/* An answer of the wrong form, or one that is too large, still is an answer. */
	return rc == -EBADMSG || rc == -EOVERFLOW ? SQL_SERVER_ERROR : rc;
}

#define ERROR_NO_OBJECT 208

struct rows_seen {
	uint64_t n;
	bool refused; /* the question itself caught that the agent may not read there */
};

static int row_count(void *rows, const struct sql_value *v, int n)
{
	struct rows_seen *r = rows;

	r->n++;
	r->refused |= n == 3 && row_is(&v[0], "job") && !v[1].data && !v[2].data;
	return 0;
}

int check_read(struct check_run *c, const char *name, const char *batch, bool some)
{
	struct record r = {.kind = RECORD_CHECK};
	char words[RECORD_TEXT_MAX];
	const int64_t began = monotonic_ms();
	struct rows_seen rows = {0};
	int rc = check_ask(c, batch, row_count, &rows);

	r.check.rows = rows.n;
	r.check.milliseconds = (uint64_t)(monotonic_ms() - began);
	RECORD_SET(&r, server, c->check->shown);
	RECORD_SET(&r, database, c->database ? c->database : "");
	RECORD_SET(&r, check.name, name);
	if (rc > 0 && c->optional && c->error.number == ERROR_NO_OBJECT) {
		r.check.result = CHECK_SKIP;
		RECORD_SET(&r, detail,
			"this version of SQL Server has no such view; colors of the inventory are less certain");
	} else if (rc) {
		r.check.result = CHECK_FAIL;
		RECORD_SET(&r, detail, check_said(words, c));
		RECORD_SET(&r, check.fix,
			database_is_denied(c->error.number)
				? check_bootstrap(words, c, NULL)
				: "Curfew will report this part as unread or unverified; look up the error and report it to us");
	} else if (rows.refused) {
		r.check.result = CHECK_FAIL;
		RECORD_SET(&r, detail,
			"jobs of SQL Server Agent cannot be read in msdb, so nobody knows whether one of a sysadmin runs what "
			"users may change: until then `full` is not given anew");
		RECORD_SET(&r, check.fix,
			check_bootstrap(words, c, "SELECT on sysjobs and sysjobsteps in msdb"));
	} else if (some && !r.check.rows) {
		r.check.result = CHECK_FAIL;
		RECORD_SET(&r, detail,
			"no rows, although every server has some: rows are hidden from the agent login");
		RECORD_SET(&r, check.fix,
			check_bootstrap(words, c, "VIEW ANY DEFINITION, and no DENY of it"));
	} else {
		RECORD_PRINTF(&r, detail, "%llu row%s, %llu ms", (unsigned long long)r.check.rows,
			r.check.rows == 1 ? "" : "s", (unsigned long long)r.check.milliseconds);
	}
	worker_tell(c->worker, &r);
	return rc < 0 ? rc : 0;
}
