/* Runs the checks for residual access: all in one round trip, or one by one if the server lacks a view. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "proof/residual.h"
#include "sql/question.h"
#include "sql/rows.h"

static const char *text_of(const struct sql_value *v)
{
	return v->data ? v->data : "";
}

/* Checks of a database are numbered from 0, those of the server from here. */
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

/* The setting that lists this finding as reviewed; NULL: it is not reviewed. */
static const char *reviewed_by(const struct server *s, const struct leftover *k,
	const struct observed_server *o, const struct observed_database *d, const char *subject)
{
	const struct {
		const char *check, *setting;
		const struct strings *names;
	} settings[] = {
		{"linked-server", "known_linked_servers", &s->known_linked_servers},
		{"linked-login", "known_linked_servers", &s->known_linked_servers},
		{"agent-proxy", "known_proxies", &s->known_proxies},
		{"unguarded-listener", "known_listeners", &s->known_listeners},
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (streq(k->name, settings[i].check) &&
			strings_contain(settings[i].names, subject))
			return settings[i].setting;
	for (size_t i = 0; o && streq(k->name, "server-trigger") && i < o->n_triggers; i++)
		if (streq(o->triggers[i].name, subject) &&
			!server_trigger_refused(&s->known_triggers, &o->triggers[i]))
			return "known_triggers";
	/* By its text, not by its name alone. A disabled one is not reviewed: it may be enabled with any text. */
	for (size_t i = 0; d && streq(k->name, "ddl-trigger") && i < d->n_triggers; i++)
		if (streq(d->triggers[i].name, subject) &&
			trigger_is_known(&s->known_triggers, &d->triggers[i]))
			return "known_triggers";
	return NULL;
}

/* Findings of one batch. They are reported only when the whole batch succeeded, because it may be asked again. */
struct kept {
	const struct visit_run *run;
	struct record *items;
	size_t n;
	bool in_part; /* some check was not answered */
};

/* Number of the database; SIZE_MAX: the server. Without a writable statement, a DBA must review the finding. */
static int remedy_set(struct record *r, const struct visit_run *run, size_t database,
	const char *form, const struct sql_value *v, int n)
{
	struct text text;
	FILE *to = text_begin(&text);

	if (!to)
		return -ENOMEM;
	if (database != SIZE_MAX) {
		fputs("USE ", to);
		sql_write_name(to, run->observed.databases[database].name);
		fputs("; ", to);
	}
	int rc = words_write(to, form, v, n);
	putc(';', to);
	_cleanup_free_ char *remedy = text_end(&text);
	if (!remedy)
		return -ENOMEM;
	if (rc > 0)
		RECORD_SET(r, finding.remedy,
			"-- no statement can write this name or type; a DBA must review it");
	else if (!rc)
		RECORD_SET(r, finding.remedy, remedy);
	return rc < 0 ? rc : 0;
}

/* Sets the login and its client if the object found is a managed login. */
static void concerned_set(struct record *r, const struct visit_run *run, const char *subject)
{
	const struct observed_login *l = observed_find_login(&run->observed, subject);
	const struct wanted_login *w =
		l && l->ours ? wanted_find(&run->visit->wanted, l->name) : NULL;

	if (l && l->ours)
		RECORD_SET(r, login, l->name);
	if (w)
		RECORD_SET(r, client, w->client);
}

static bool names_same(const struct sql_value *v, int n)
{
	_cleanup_free_ char *a = NULL, *b = NULL;

	return n >= 2 && words_make(&a, "%1n", v, n) >= 0 && words_make(&b, "%2n", v, n) >= 0 &&
	       !strcasecmp(a, b);
}

static int finding_keep(
	struct kept *kept, const struct leftover *k, size_t d, const struct sql_value *v, int n)
{
	const struct visit_run *run = kept->run;
	bool whole = k->scope == LEFTOVER_SERVER;
	_cleanup_free_ char *subject = NULL, *evidence = NULL;
	struct record r;

	int rc = words_make(&subject, k->subject, v, n);
	if (rc >= 0)
		rc = words_make(&evidence, k->evidence, v, n);
	if (rc < 0)
		return rc;
	const char *known = reviewed_by(run->visit->server, k, &run->observed,
		whole ? NULL : &run->observed.databases[d], subject);
	record_of(&r, run->visit, RECORD_FINDING, NULL, NULL,
		whole ? NULL : run->observed.databases[d].name);
	/* Report reviewed findings too, so that the audit shows what is allowed and where it leads today. */
	r.finding.severity = known ? FINDING_INFO : k->severity;
	RECORD_SET(&r, finding.name, k->name);
	concerned_set(&r, run, subject);
	RECORD_SET(&r, finding.reason, k->words);
	RECORD_PRINTF(&r, detail, "%s: %s%s%s", subject, evidence,
		known ? "; reviewed: listed in " : "", known ? known : "");
	rc = known ? 0 : remedy_set(&r, run, whole ? SIZE_MAX : d, k->remedy, v, n);
	if (rc)
		return rc;
	struct record *items = reallocarray(kept->items, kept->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	kept->items = items;
	items[kept->n++] = r;
	return 0;
}

/* The server cannot know what the configuration names: replicas, and addresses that the packet filter guards. */
static bool is_configured(
	const struct visit_run *run, const struct leftover *k, const struct sql_value *v)
{
	const struct server *s = run->visit->server, *first = server_first(run->visit->program, s);

	if (streq(k->name, "unguarded-listener"))
		return server_is_guarded(s, v[0].data ? v[0].data : "");
	return streq(k->name, "unnamed-replica") &&
	       row_number(&v[0]) <= (int64_t)first->replicas.n + 1;
}

/* Columns: finding, check, database, then those of the check's texts. */
static int finding_row(void *context, const struct sql_value *v, int n)
{
	struct kept *kept = context;
	const struct leftover *k = n > 3 ? check_of(strtoul(text_of(&v[1]), NULL, 10)) : NULL;
	size_t d = n > 3 ? strtoul(text_of(&v[2]), NULL, 10) : 0;

	if (!k || (k->scope != LEFTOVER_SERVER && d >= kept->run->observed.n_databases))
		return -EBADMSG;
	if ((k->renames && names_same(v + 3, n - 3)) || is_configured(kept->run, k, v + 3))
		return 0;
	return finding_keep(kept, k, d, v + 3, n - 3);
}

/* Reports the findings of a batch, or drops them. */
static void kept_end(struct kept *k, bool whole)
{
	for (size_t i = 0; i < k->n && whole; i++)
		worker_tell(k->run->worker, &k->items[i]);
	free(k->items);
	*k = (struct kept){.run = k->run};
}

/* A collation conflict is a defect of the question, not of the server. */
static bool error_is_ours(int number)
{
	return (number >= 445 && number <= 451) || number == 456 || number == 457 || number == 468;
}

void check_note(const struct visit_run *run, const char *check, const char *database,
	const struct sql_error *error)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, database);
	r.state = STATE_UNVERIFIED;
	RECORD_PRINTF(&r, detail, "cannot run check %s%s%s%s (%d: %.200s)", check,
		database ? " in " : "", database ? database : "",
		error_is_ours(error->number) ? "; this is a defect of Curfew: please report it"
					     : "",
		error->number, error->text);
	worker_tell(run->worker, &r);
}

static bool is_checked(const struct visit_run *run, size_t d, const struct leftover *k)
{
	const struct observed_database *b = &run->observed.databases[d];

	return b->managed == (k->scope == LEFTOVER_DATABASE) && b->read;
}

static int all_ask(
	const struct visit_run *run, struct sql_error *error, sql_row_fn each, void *context)
{
	struct text batch;
	FILE *to = text_begin(&batch);

	if (!to)
		return -ENOMEM;
	for (size_t c = 0; server_leftovers[c].name; c++)
		question_write(to, server_leftovers[c].text, SERVER_CHECKS + c, 0);
	for (size_t d = 0; d < run->observed.n_databases; d++) {
		if (!run->observed.databases[d].read)
			continue;
		question_enter_write(
			to, run->observed.databases[d].name, run->observed.databases[d].id);
		for (size_t c = 0; database_leftovers[c].name; c++)
			if (is_checked(run, d, &database_leftovers[c]))
				question_write(to, database_leftovers[c].text, c, d);
	}
	fputs("USE [master];\n", to);
	return question_ask(run->session, error, &batch, each, context);
}

/* Its findings are kept with those of the others. */
static int one_run(
	struct kept *kept, struct visit_run *run, struct sql_error *error, size_t check, size_t d)
{
	struct text batch;
	const size_t before = kept->n;
	const struct leftover *k = check_of(check);
	const struct observed_database *in =
		k->scope == LEFTOVER_SERVER ? NULL : &run->observed.databases[d];

	if (!text_begin(&batch))
		return -ENOMEM;
	if (in)
		question_enter_write(batch.to, in->name, in->id);
	question_write(batch.to, k->text, check, d);
	entered_note(run, in ? in->name : NULL);
	run->entered.any = in;
	int rc = entered_leave(run, question_ask(run->session, error, &batch, finding_row, kept));
	if (rc)
		kept->n = before;
	if (rc == SQL_SERVER_ERROR)
		check_note(run, k->name, in ? in->name : NULL, error);
	kept->in_part |= rc != 0;
	return rc < 0 ? rc : 0;
}

static int each_ask(struct kept *kept, struct visit_run *run, struct sql_error *error)
{
	struct sql_error ignored;
	int rc = 0;

	for (size_t c = 0; server_leftovers[c].name && !rc; c++)
		rc = one_run(kept, run, error, SERVER_CHECKS + c, 0);
	for (size_t d = 0; d < run->observed.n_databases; d++)
		for (size_t c = 0; database_leftovers[c].name && !rc; c++)
			if (is_checked(run, d, &database_leftovers[c]))
				rc = one_run(kept, run, error, c, d);
	return rc ? rc
	       : sql_session_run(run->session, &ignored, "USE [master];\n", NULL, NULL) < 0
		       ? -ECONNRESET
		       : 0;
}

static int leftovers_ask(struct kept *kept, struct visit_run *run, struct sql_error *error)
{
	if (run->visit->apart)
		return each_ask(kept, run, error);
	entered_note(run, NULL);
	int rc = entered_leave(run, all_ask(run, error, finding_row, kept));
	if (rc)
		kept->n = 0;
	return rc <= 0 ? rc : each_ask(kept, run, error);
}

int leftovers_tell(struct visit_run *run, struct sql_error *error)
{
	struct kept kept = {.run = run};
	int rc = leftovers_ask(&kept, run, error);

	/* A visit that goes again tells all of it. */
	if (entered_goes_again(run, rc)) {
		kept_end(&kept, false);
		return rc;
	}
	surplus_tell(run);
	fitness_tell(run);
	denials_tell(run);
	namesakes_tell(run);
	if (!rc && !kept.in_part)
		known_names_tell(run, kept.items, kept.n);
	kept_end(&kept, true);
	return rc;
}
