/* The population report as table, CSV, JSON, and HTML, with the same columns. */
#include "curfew/population.h"
#include "curfew/text.h"
#include "report/audit.h"
#include "report/html.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>

#include "program/visible_text.h"

/* What shows that the access has ended, or whose it is since. */
static int end_text(char **out, const struct population_row *r)
{
	if (r->handover)
		return asprintf(out, "; handover %lld", (long long)r->handover->id);
	if (r->continues || r->moved_to)
		return asprintf(out, "%s", "");
	if (r->proof)
		return asprintf(out, "; verification %lld", (long long)r->proof->id);
	return asprintf(out, "; no verification recorded");
}

/* "records 12, 88; verification 90" */
static char *evidence_text(const struct population_row *r)
{
	_cleanup_free_ char *end = NULL;
	char *text = NULL;
	int n;

	if (!r->end) {
		n = asprintf(&text, "record %lld", (long long)r->last->id);
	} else if (end_text(&end, r) < 0) {
		end = NULL;
		return NULL;
	} else {
		n = asprintf(&text, "records %lld, %lld%s%s%s", (long long)r->first->id,
			(long long)r->end->id, end,
			r->moved_to ? "; the login goes on under client " : "",
			r->moved_to ? r->moved_to->client : "");
	}
	return n < 0 ? NULL : text;
}

#define PASSED_ON "another person has the login, without a new password"

static const char *open_text(const struct population_row *r)
{
	return r->passed_on   ? r->gone ? "not confirmed; " PASSED_ON ", until it had nothing there"
					: "not confirmed; " PASSED_ON
	       : r->continues ? "goes on as the next row"
	       : r->left      ? "not confirmed; not in the configuration"
	       : r->late      ? "not confirmed"
			      : "open";
}

static const char *ended_text(char buf[INSTANT_TEXT_MAX], const struct population_row *r)
{
	return population_row_ended(r) ? instant_format(buf, r->ended) : open_text(r);
}

static void row_cells(struct table *t, const struct population_row *r, const char *practice)
{
	char opened[INSTANT_TEXT_MAX], due[INSTANT_TEXT_MAX], ended[INSTANT_TEXT_MAX],
		late[WORDS_MAX], approved[INSTANT_TEXT_MAX];
	_cleanup_free_ char *evidence = evidence_text(r);
	_cleanup_free_ char *sql = access_text(access_sql_write, r->worst);

	table_row(t, r->late || r->left || r->passed_on ? TONE_BAD : TONE_PLAIN);
	table_cell(t, r->first->client);
	table_cell(t, r->person.name);
	table_cell(t, r->person.email);
	table_cell(t, r->first->login);
	table_cell(t, r->first->server);
	table_cell(t, r->first->database);
	table_cell(t, sql);
	table_cell(t, r->person.ticket);
	table_cell(t, r->person.approved_by);
	table_cell(t, r->person.approved ? instant_format(approved, r->person.approved) : NULL);
	table_cell(t, instant_format(opened, r->opened));
	table_cell(t, r->due ? instant_format(due, r->due) : NULL);
	table_cell(t, ended_text(ended, r));
	table_cell(t, r->late ? duration_words(late, r->late) : NULL);
	table_cell(t, evidence);
	if (practice)
		table_cell(t, practice);
}

/* Also where no row is shown: that nobody had access then is not known. */
static void begins_write(FILE *to, const struct population *p)
{
	char first[INSTANT_TEXT_MAX];

	if (p->first)
		fprintf(to, "Not known: the journal begins at %s; earlier access is not recorded",
			instant_format(first, p->first));
	else
		fputs("Not known: the journal has no records", to);
}

char *former_client_text(const struct journal_entry *former, const char *client)
{
	char *text = NULL;
	int n = asprintf(&text,
		"database %s on %s, which client %s has now, was of client %s then; ask for that client too",
		former->database, former->server, client, former->client);

	return n < 0 ? NULL : text;
}

/* Its own former name, perhaps: these rows alone would pass for all. */
static int formers_print(const struct population *p, FILE *to)
{
	for (size_t i = 0; i < p->n_former; i++) {
		_cleanup_free_ char *text = former_client_text(p->former[i], p->client);
		if (!text)
			return -ENOMEM;
		text_printf(to, "Not listed: %s\n", text);
	}
	return 0;
}

static void formers_html(const struct population *p, FILE *to)
{
	for (size_t i = 0; i < p->n_former; i++) {
		_cleanup_free_ char *text = former_client_text(p->former[i], p->client);
		html_printf(to,
			"<section class=\"state warn\"><b>not listed</b><span>%s.</span></section>\n",
			text ? text : "another client had one of these databases");
	}
}

static json_t *formers_json(const struct population *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_former; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o}", "client", text_json(p->former[i]->client),
				"server", text_json(p->former[i]->server), "database",
				text_json(p->former[i]->database)));
	return list;
}

static char *begins_text(const struct population *p)
{
	struct text t;

	if (!text_begin(&t))
		return NULL;
	begins_write(t.to, p);
	return text_end(&t);
}

/* A row of a file that is about no access: what its rows do not tell. Takes the text. */
static int note_row(struct table *t, const struct population *p, const char *what, char *text)
{
	/* CLIENT to PRACTICE */
	const char *const cells[] = {p->client, NULL, NULL, NULL, NULL, NULL, what, NULL, NULL,
		NULL, NULL, NULL, NULL, NULL, text, p->practice ? "yes" : "no"};
	int rc = text ? table_row(t, TONE_WARN) : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(cells) && !rc; i++)
		rc = table_cell(t, cells[i]);
	free(text);
	return rc;
}

/* A file without them would pass for everything. */
static int notes_rows(struct table *t, const struct population *p)
{
	int rc = p->unrecorded ? note_row(t, p, "not known", begins_text(p)) : 0;

	for (size_t i = 0; i < p->lost.n && !rc; i++)
		rc = note_row(t, p, "not known", lost_span_text(&p->lost.items[i]));
	for (size_t i = 0; i < p->n_former && !rc; i++)
		rc = note_row(t, p, "not listed", former_client_text(p->former[i], p->client));
	return rc;
}

int population_print(const struct population *p, bool csv, FILE *to)
{
	static const struct table_column columns[] = {{"CLIENT", 0}, {"PERSON", 0}, {"E-MAIL", 0},
		{"LOGIN", 0}, {"SERVER", 0}, {"DATABASE", 0}, {"ACCESS", TABLE_WRAP}, {"TICKET", 0},
		{"APPROVED BY", 0}, {"APPROVED", 0}, {"OPENED", 0}, {"DUE", 0}, {"ENDED", 0},
		{"LATE BY", 0}, {"EVIDENCE", 0}, {"PRACTICE", 0}};
	char from[INSTANT_TEXT_MAX], until[INSTANT_TEXT_MAX];
	struct table *t;
	/* A file goes its own way: there each row says it. */
	int rc = table_new(&t, columns, ARRAY_SIZE(columns) - !csv, to, csv ? TABLE_NO_LIMIT : 0);

	if (rc)
		return rc;
	for (size_t i = 0; i < p->n; i++)
		row_cells(t, &p->items[i], !csv ? NULL : p->practice ? "yes" : "no");
	if (!csv && p->practice)
		fputs(PRACTICE_MARK "\n\n", to);
	if (!csv)
		fprintf(to, "Access between %s and %s: %zu\n\n", instant_format(from, p->from),
			instant_format(until, p->to), p->n);
	if (csv)
		rc = notes_rows(t, p);
	if (!rc)
		rc = csv ? table_print_csv(t) : table_print(t);
	table_free(t);
	if (!csv && p->unrecorded) {
		begins_write(to, p);
		fputc('\n', to);
	}
	if (!rc && !csv)
		rc = lost_records_print(&p->lost, to);
	if (!rc && !csv)
		rc = formers_print(p, to);
	return rc;
}

static void text_cell(FILE *to, const char *a, const char *b)
{
	fputs("<td><bdi>", to);
	html_name(to, a ? a : "\xe2\x80\x93");
	fputs("</bdi><br><bdi>", to);
	html_name(to, b);
	fputs("</bdi></td>", to);
}

static void row_html(const struct population_row *r, const char *zone, FILE *to)
{
	_cleanup_free_ char *evidence = evidence_text(r);
	_cleanup_free_ char *sql = access_text(access_sql_write, r->worst);
	char late[WORDS_MAX];

	fputs("<tr>", to);
	text_cell(to, r->person.name, r->person.email);
	text_cell(to, r->first->client, r->first->login);
	text_cell(to, r->first->server, r->first->database);
	html_cell(to, NULL, sql);
	text_cell(to, r->person.approved_by, r->person.ticket);
	html_instant_cell(to, r->opened, zone);
	if (r->due)
		html_instant_cell(to, r->due, zone);
	else
		html_cell(to, "t", NULL);
	if (population_row_ended(r))
		html_instant_cell(to, r->ended, zone);
	else
		html_cell(to, "t", open_text(r));
	fputs("<td>", to);
	if (r->late)
		html_badge(to, TONE_BAD, duration_words(late, r->late));
	else
		fputs("\xe2\x80\x93", to);
	fputs("</td>", to);
	html_cell(to, NULL, evidence);
	fputs("</tr>\n", to);
}

int population_html(const struct population *p, const char *zone, FILE *to)
{
	char from[64], until[64], head[128];
	size_t late = 0;

	for (size_t i = 0; i < p->n; i++)
		late += p->items[i].late || p->items[i].left || p->items[i].passed_on;
	html_begin(to,
		p->practice ? "PRACTICE: Access between two dates" : "Access between two dates");
	if (p->practice)
		fputs("<p class=\"practice\">" PRACTICE_MARK "</p>\n", to);
	html_printf(to,
		"<header><p class=\"soft\">Who had access</p><h1><bdi>%s</bdi></h1><p>%s to %s</p></header>\n",
		p->client ? p->client : "all clients",
		instant_format_local(from, sizeof(from), p->from, zone),
		instant_format_local(until, sizeof(until), p->to, zone));
	html_printf(to,
		"<section class=\"state %s\"><b>%zu</b><span>periods of access, of which %zu ended late or are not "
		"confirmed as ended.</span></section>\n",
		late					    ? "bad"
		: p->unrecorded || p->n_former || p->lost.n ? "warn"
							    : "good",
		p->n, late);
	if (p->unrecorded) {
		fputs("<section class=\"state warn\"><b>not known</b><span>", to);
		begins_write(to, p);
		fputs(".</span></section>\n", to);
	}
	lost_records_html(&p->lost, to);
	formers_html(p, to);
	fputs("<div class=\"wide\"><table><thead><tr><th>person</th><th>client, login</th><th>server, database</th>"
	      "<th>access</th><th>approved by, ticket</th><th>opened</th><th>due</th><th>ended</th><th>late by</th>"
	      "<th>evidence</th></tr></thead><tbody>\n",
		to);
	for (size_t i = 0; i < p->n; i++)
		row_html(&p->items[i], zone, to);
	html_printf(to,
		"</tbody></table></div>\n<footer><p>Made by Curfew %s from the journal alone. Records: <code>curfew "
		"history</code>. Journal head: <code>%s</code></p></footer>\n",
		CURFEW_VERSION, head_words(head, p->head, p->head_hash));
	return html_end(to);
}

static json_t *row_json(const struct population_row *r)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:I, s:[I, I], s:o, s:o}",
		"client", text_json(r->first->client), "user", text_json(r->person.name), "email",
		text_json(r->person.email), "login", text_json(r->first->login), "server",
		text_json(r->first->server), "database", text_json(r->first->database), "level",
		text_json(r->worst->level), "outcome", text_json(r->worst->outcome), "ticket",
		text_json(r->person.ticket), "approved_by", text_json(r->person.approved_by),
		"approved", instant_or_null(r->person.approved), "opened", instant_json(r->opened),
		"due", instant_or_null(r->due), "ended",
		population_row_ended(r) ? instant_json(r->ended) : json_null(), "continues",
		r->continues, "passed_on", r->passed_on, "passed_on_until",
		instant_or_null(r->gone), "moved_to",
		text_json(r->moved_to ? r->moved_to->client : NULL), "handover",
		r->handover ? json_integer(r->handover->id) : json_null(), "late_seconds",
		(json_int_t)r->late, "records", (json_int_t)r->first->id,
		(json_int_t)(r->end ? r->end->id : r->last->id), "verification",
		r->proof ? json_integer(r->proof->id) : json_null(), "configured",
		r->end ? json_null() : json_boolean(!r->left));
}

struct json_t *population_json(const struct population *p)
{
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < p->n; i++)
		if (json_array_append_new(rows, row_json(&p->items[i]))) {
			json_decref(rows);
			return NULL;
		}
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:{s:I, s:s}}", "practice",
		p->practice, "at", instant_json(p->at), "from", instant_json(p->from), "to",
		instant_json(p->to), "begins", p->begins ? instant_json(p->begins) : json_null(),
		"unrecorded", p->unrecorded, "missing", lost_records_json(&p->lost),
		"former_clients", formers_json(p), "rows", rows, "journal", "head",
		(json_int_t)p->head, "hash",
		sodium_bin2hex(hex, sizeof(hex), p->head_hash, JOURNAL_HASH_SIZE));
}
