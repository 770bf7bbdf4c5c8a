/* Runs the checks: all in one round trip; where a server does not know a view, one by one. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "sql/residual.h"

void leftover_write(FILE *to, const char *text, size_t check, size_t database)
{
	for (const char *c = text; *c; c++)
		if (!strncmp(c, "%C", 2)) {
			fprintf(to, "%zu", check);
			c++;
		} else if (!strncmp(c, "%D", 2)) {
			fprintf(to, "%zu", database);
			c++;
		} else if (!strncmp(c, "%%", 2)) {
			putc('%', to);
			c++;
		} else {
			putc(*c, to);
		}
}

static void use_write(FILE *to, const char *database)
{
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs(";\n", to);
}

static const char *text_of(const struct sql_value *v)
{
	return v->data ? v->data : "";
}

/* Checks of the server are numbered from here on, those of a database from 0. */
#define SERVER_CHECKS 1000

static const struct leftover *check_of(size_t number)
{
	size_t n_database = 0, n_server = 0;

	while (database_leftovers[n_database].name)
		n_database++;
	while (server_leftovers[n_server].name)
		n_server++;
	if (number < n_database)
		return &database_leftovers[number];
	if (number >= SERVER_CHECKS && number - SERVER_CHECKS < n_server)
		return &server_leftovers[number - SERVER_CHECKS];
	return NULL;
}

/* The setting in which the operator says that he has looked at this one; NULL: he has not. */
static const char *reviewed_by(
	const struct server *s, const struct leftover *k, const char *subject)
{
	const struct {
		const char *check, *setting;
		const struct strings *names;
	} settings[] = {
		{"ddl-trigger", "known_triggers", &s->known_triggers},
		{"server-trigger", "known_triggers", &s->known_triggers},
		{"linked-server", "known_linked_servers", &s->known_linked_servers},
		{"agent-proxy", "known_proxies", &s->known_proxies},
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(k->name, settings[i].check) &&
			strings_contain(settings[i].names, subject))
			return settings[i].setting;
	return NULL;
}

/* Findings are kept until their batch is known to be whole: a refused one may have told some of them. */
struct kept {
	const struct visit_run *run;
	struct record *items;
	size_t n;
};

/* In the database of this number; SIZE_MAX: on the server. */
static int remedy_set(
	struct record *r, const struct visit_run *run, size_t database, const char *statement)
{
	_cleanup_free_ char *use = NULL;
	size_t size;
	FILE *to;

	if (database == SIZE_MAX) {
		RECORD_PRINTF(r, finding.remedy, "%s;", statement);
		return 0;
	}
	to = open_memstream(&use, &size);
	if (!to)
		return -ENOMEM;
	use_write(to, run->observed.databases[database].name);
	if (fclose(to))
		return -ENOMEM;
	use[strcspn(use, "\n")] = '\0';
	RECORD_PRINTF(r, finding.remedy, "%s %s;", use, statement);
	return 0;
}

/* Rows: finding, check, database, subject, evidence, remedy. */
static int finding_row(void *context, const struct sql_value *v, int n)
{
	struct kept *kept = context;
	const struct visit_run *run = kept->run;
	struct record r, *items;

	if (n != 6)
		return -EBADMSG;
	const struct leftover *k = check_of(strtoul(text_of(&v[1]), NULL, 10));
	size_t d = strtoul(text_of(&v[2]), NULL, 10);
	if (!k)
		return -EBADMSG;
	const char *known = reviewed_by(run->visit->server, k, text_of(&v[3]));
	bool whole = k->scope == LEFTOVER_SERVER;
	if (!whole && d >= run->observed.n_databases)
		return -EBADMSG;
	record_of(&r, run->visit, RECORD_FINDING, NULL, NULL,
		whole ? NULL : run->observed.databases[d].name);
	/* Told all the same: whoever reads the audit sees what the operator lets pass, and where it leads today. */
	r.finding.severity = known ? FINDING_INFO : k->severity;
	RECORD_SET(&r, finding.name, k->name);
	/* What was found is a login only now and then; one of ours belongs to a client. */
	const struct observed_login *l = observed_find_login(&run->observed, text_of(&v[3]));
	const struct wanted_login *w =
		l && l->ours ? wanted_find(&run->visit->wanted, l->name) : NULL;
	if (l && l->ours)
		RECORD_SET(&r, login, l->name);
	if (w)
		RECORD_SET(&r, client, w->client);
	RECORD_SET(&r, finding.reason, k->words);
	RECORD_PRINTF(&r, detail, "%s: %s%s%s", text_of(&v[3]), text_of(&v[4]),
		known ? "; reviewed: named in " : "", known ? known : "");
	int rc = known ? 0 : remedy_set(&r, run, whole ? SIZE_MAX : d, text_of(&v[5]));
	if (rc)
		return rc;
	items = reallocarray(kept->items, kept->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	kept->items = items;
	items[kept->n++] = r;
	return 0;
}

/* Tells what was kept, or drops it. */
static void kept_end(struct kept *k, bool whole)
{
	for (size_t i = 0; i < k->n && whole; i++)
		worker_tell(k->run->worker, &k->items[i]);
	free(k->items);
	*k = (struct kept){.run = k->run};
}

static void check_note(const struct visit_run *run, const char *check, const char *database,
	const struct sql_error *error)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, database);
	r.state = STATE_UNVERIFIED;
	RECORD_PRINTF(&r, detail, "the check %s cannot be made%s%s (%d: %.200s)", check,
		database ? " in " : "", database ? database : "", error->number, error->text);
	worker_tell(run->worker, &r);
}

static bool is_checked(const struct visit_run *run, size_t d)
{
	const struct observed_database *b = &run->observed.databases[d];

	return b->managed && b->read;
}

static int all_write(char **out, const struct visit_run *run)
{
	size_t size;
	FILE *to = open_memstream(out, &size);

	if (!to)
		return -ENOMEM;
	for (size_t c = 0; server_leftovers[c].name; c++)
		leftover_write(to, server_leftovers[c].text, SERVER_CHECKS + c, 0);
	for (size_t d = 0; d < run->observed.n_databases; d++) {
		if (!is_checked(run, d))
			continue;
		use_write(to, run->observed.databases[d].name);
		for (size_t c = 0; database_leftovers[c].name; c++)
			leftover_write(to, database_leftovers[c].text, c, d);
	}
	fputs("USE [master];\n", to);
	return fclose(to) ? -ENOMEM : 0;
}

static int one_run(struct visit_run *run, struct sql_error *error, size_t check, size_t d)
{
	char *batch = NULL;
	size_t size;
	const struct leftover *k = check_of(check);
	const char *database =
		k->scope == LEFTOVER_DATABASE ? run->observed.databases[d].name : NULL;
	FILE *to = open_memstream(&batch, &size);

	if (!to)
		return -ENOMEM;
	if (database)
		use_write(to, database);
	leftover_write(to, k->text, check, d);
	if (fclose(to))
		return -ENOMEM;
	struct kept kept = {.run = run};
	int rc = sql_session_run(run->session, error, batch, finding_row, &kept);
	free(batch);
	kept_end(&kept, !rc);
	if (rc == SQL_SERVER_ERROR)
		check_note(run, k->name, database, error);
	return rc < 0 ? rc : 0;
}

int leftovers_tell(struct visit_run *run, struct sql_error *error)
{
	_cleanup_free_ char *batch = NULL;
	struct kept kept = {.run = run};
	int rc = all_write(&batch, run);

	surplus_tell(run);
	if (!rc)
		rc = sql_session_run(run->session, error, batch, finding_row, &kept);
	kept_end(&kept, !rc);
	if (rc <= 0)
		return rc;
	rc = 0;
	for (size_t c = 0; server_leftovers[c].name && !rc; c++)
		rc = one_run(run, error, SERVER_CHECKS + c, 0);
	for (size_t d = 0; d < run->observed.n_databases; d++)
		for (size_t c = 0; is_checked(run, d) && database_leftovers[c].name && !rc; c++)
			rc = one_run(run, error, c, d);
	struct sql_error ignored;
	return rc ? rc
	       : sql_session_run(run->session, &ignored, "USE [master];\n", NULL, NULL) < 0
		       ? -ECONNRESET
		       : 0;
}

/* Rows: base, database, kind, name, hash. */
static int base_row(void *context, const struct sql_value *v, int n)
{
	const struct visit_run *run = context;
	size_t d = n == 5 ? strtoul(text_of(&v[1]), NULL, 10) : SIZE_MAX;
	struct record r;

	if (d >= run->observed.n_databases)
		return -EBADMSG;
	record_of(&r, run->visit, RECORD_BASELINE, NULL, NULL, run->observed.databases[d].name);
	RECORD_SET(&r, baseline.kind, text_of(&v[2]));
	RECORD_SET(&r, baseline.name, text_of(&v[3]));
	RECORD_SET(&r, baseline.hash, text_of(&v[4]));
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

static int baseline_write(FILE *to, const struct visit_run *run, const char *name)
{
	struct observed_database *d = observed_find_database(&run->observed, name);

	if (!d || !d->read)
		return 0;
	baseline_mark(run, d, BASELINE_BEGIN);
	use_write(to, d->name);
	leftover_write(to,
		strcasecmp(d->name, "master") != 0 ? baseline_question : server_baseline_question,
		0, (size_t)(d - run->observed.databases));
	return 1;
}

/* The databases from `from` on, `n` of them, in one round trip. */
static int baselines_ask(
	struct visit_run *run, struct sql_error *error, const char *const *names, size_t n)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);
	int any = 0;

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		any |= baseline_write(to, run, names[i]);
	fputs("USE [master];\n", to);
	if (fclose(to))
		return -ENOMEM;
	int rc = any ? sql_session_run(run->session, error, batch, base_row, run) : 0;
	free(batch);
	for (size_t i = 0; i < n && !rc; i++) {
		const struct observed_database *d =
			observed_find_database(&run->observed, names[i]);
		if (d && d->read)
			baseline_mark(run, d, BASELINE_WHOLE);
	}
	return rc;
}

int baselines_tell(struct visit_run *run, struct sql_error *error, const char *const *databases)
{
	size_t n = 0;

	while (databases && databases[n])
		n++;
	int rc = n ? baselines_ask(run, error, databases, n) : 0;
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		rc = baselines_ask(run, error, &databases[i], 1);
		if (rc < 0)
			return rc;
		if (rc)
			check_note(run, "new-or-changed", databases[i], error);
	}
	return 0;
}
