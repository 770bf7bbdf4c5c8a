/* The audit on a terminal: the state, what is not well, then everything. */
#include "report/audit.h"

#include "program/visible_text.h"

#include <errno.h>
#include <string.h>

static void heading(FILE *to, const char *text)
{
	bool color = style_wanted(to);

	fprintf(to, "\n%s%s%s\n", style_begin(color, TONE_BOLD), text, style_end(color, TONE_BOLD));
}

/* Runs a printing of rows between table_new() and table_print(). */
typedef int (*rows_fn)(struct table *t, const struct audit_report *a);

static int table_section(const struct audit_report *a, FILE *to, const struct table_column *columns,
	size_t n, rows_fn rows)
{
	struct table *t;
	int r = table_new(&t, columns, n, to, 0);

	if (r)
		return r;
	r = rows(t, a);
	if (!r)
		r = table_print(t);
	table_free(t);
	return r;
}

static int server_rows(struct table *t, const struct audit_report *a)
{
	int r = 0;

	for (size_t i = 0; i < a->n_servers && !r; i++) {
		const struct audit_server *s = &a->servers[i];

		r = table_row(t, state_tone(s->state));
		if (!r)
			r = table_cell(t, s->server->name);
		if (!r)
			r = table_cell(t, state_name(s->state));
		if (!r)
			r = table_cell(t, s->version);
		if (!r)
			r = table_cell(t, s->detail);
	}
	return r;
}

static int grant_rows(struct table *t, const struct audit_report *a)
{
	int r = 0;

	for (size_t i = 0; i < a->n_grants && !r; i++) {
		const struct audit_grant *g = &a->grants[i];
		char when[64];

		r = table_row(t, state_tone(g->state));
		if (!r)
			r = table_cell(t, g->wanted->user->login);
		if (!r)
			r = table_cellf(
				t, "%s/%s", g->wanted->server->name, g->wanted->database->name);
		if (!r)
			r = table_cell(t, level_name(g->wanted->level));
		if (!r)
			r = table_cell(t, observed_words(g));
		if (!r)
			r = table_cell(t, instant_format_local(when, sizeof(when), g->wanted->until,
						  g->wanted->client->timezone));
		if (!r)
			r = table_cell(t, state_name(g->state));
		if (!r)
			r = table_cell(t, g->detail);
	}
	return r;
}

static int session_rows(struct table *t, const struct audit_report *a)
{
	int r = 0;

	for (size_t i = 0; i < a->n_sessions && !r; i++) {
		const struct audit_session *s = &a->sessions[i];
		char when[64];

		r = table_row(t, s->detail ? TONE_WARN : TONE_PLAIN);
		if (!r)
			r = table_cellf(t, "%s #%llu", s->server, (unsigned long long)s->number);
		if (!r)
			r = table_cell(t, s->login);
		if (!r)
			r = table_cell(t, s->address);
		if (!r)
			r = table_cell(t, s->program);
		if (!r)
			r = table_cell(
				t, instant_format_local(when, sizeof(when), s->since, a->zone));
		if (!r)
			r = table_cell(t, s->detail);
	}
	return r;
}

static int proof_rows(struct table *t, const struct audit_report *a)
{
	int r = 0;

	for (size_t i = 0; i < a->n_proofs && !r; i++) {
		const struct audit_proof *p = &a->proofs[i];

		r = table_row(t, is_verified(p->outcome) ? TONE_GOOD : TONE_WARN);
		if (!r)
			r = table_cell(t, p->login);
		if (!r)
			r = p->database ? table_cellf(t, "%s/%s", p->server, p->database)
					: table_cell(t, p->server);
		if (!r)
			r = table_cell(t, level_name(p->level));
		if (!r)
			r = table_cell(t, p->outcome);
		if (!r)
			r = table_cell(t, p->detail);
	}
	return r;
}

/* Each line below the finding, so that T-SQL can be copied as it is. */
static int lines_print(FILE *to, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\r\n");
		_cleanup_free_ char *line = strndup(text, n);
		_cleanup_free_ char *shown = line ? text_shown(line) : NULL;

		if (!shown)
			return -ENOMEM;
		fprintf(to, "    %s\n", shown);
		text += n;
		text += strspn(text, "\r\n");
	}
	return 0;
}

static int finding_print(const struct audit_finding *f, FILE *to, bool color)
{
	_cleanup_free_ char *where = NULL, *shown = NULL;
	enum tone tone = severity_tone(f->severity);
	int r;

	if (asprintf(&where, "%s%s%s%s%s",
		    f->server	? f->server
		    : f->client ? f->client
				: "",
		    f->database ? "/" : "", f->database ? f->database : "",
		    f->login ? ", login " : "", f->login ? f->login : "") < 0) {
		where = NULL;
		return -ENOMEM;
	}
	shown = text_shown(where);
	if (!shown)
		return -ENOMEM;
	fprintf(to, "%s%s%s  %s  %s\n", style_begin(color, tone),
		finding_severity_name(f->severity), style_end(color, tone), f->name, shown);
	r = lines_print(to, f->evidence);
	if (!r && f->remedy && *f->remedy) {
		fputs("  remedy:\n", to);
		r = lines_print(to, f->remedy);
	}
	return r;
}

/* Worst first. */
static int findings_print(const struct audit_report *a, FILE *to)
{
	bool color = style_wanted(to);
	int r = 0;

	heading(to, "Findings");
	if (!a->n_findings)
		fputs("none\n", to);
	for (int s = FINDING_CRITICAL; s >= FINDING_INFO; s--)
		for (size_t i = 0; i < a->n_findings && !r; i++)
			if ((int)a->findings[i].severity == s)
				r = finding_print(&a->findings[i], to, color);
	return r;
}

int audit_print(const struct audit_report *a, FILE *to)
{
	static const struct table_column servers[] = {
		{"SERVER", 0}, {"STATE", 0}, {"VERSION", TABLE_CUT}, {"DETAIL", TABLE_WRAP}};
	static const struct table_column grants[] = {{"LOGIN", 0}, {"DATABASE", 0}, {"WANTED", 0},
		{"OBSERVED", 0}, {"UNTIL", 0}, {"STATE", 0}, {"DETAIL", TABLE_WRAP}};
	static const struct table_column sessions[] = {{"SESSION", 0}, {"LOGIN", 0}, {"ADDRESS", 0},
		{"PROGRAM", TABLE_CUT}, {"SINCE", 0}, {"REMARK", TABLE_WRAP}};
	static const struct table_column proofs[] = {
		{"LOGIN", 0}, {"WHERE", 0}, {"LEVEL", 0}, {"OUTCOME", 0}, {"DETAIL", TABLE_WRAP}};
	static const struct {
		const char *title;
		const struct table_column *columns;
		size_t n;
		rows_fn rows;
		size_t count; /* offset of the number of its rows */
	} sections[] = {
		{"Servers", servers, ARRAY_SIZE(servers), server_rows,
			offsetof(struct audit_report, n_servers)},
		{"Grants", grants, ARRAY_SIZE(grants), grant_rows,
			offsetof(struct audit_report, n_grants)},
		{"Sessions", sessions, ARRAY_SIZE(sessions), session_rows,
			offsetof(struct audit_report, n_sessions)},
		{"Proofs", proofs, ARRAY_SIZE(proofs), proof_rows,
			offsetof(struct audit_report, n_proofs)},
	};
	enum state state = audit_state(a);
	bool color = style_wanted(to);
	char when[64], head[128];
	int r = 0;

	fprintf(to, "%s%s%s  %s\n", style_begin(color, state_tone(state)), state_name(state),
		style_end(color, state_tone(state)), audit_words(state));
	fprintf(to, "as of %s", instant_format_local(when, sizeof(when), a->at, a->zone));
	if (a->head)
		fprintf(to, "; journal head: %s", head_words(head, a->head, a->head_hash));
	fputc('\n', to);
	r = findings_print(a, to);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && !r; i++) {
		size_t n;

		memcpy(&n, (const char *)a + sections[i].count, sizeof(n));
		heading(to, sections[i].title);
		if (n)
			r = table_section(
				a, to, sections[i].columns, sections[i].n, sections[i].rows);
		else
			fputs("none\n", to);
	}
	return r ? r : ferror(to) ? -EIO : 0;
}
