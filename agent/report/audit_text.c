/* The audit on a terminal: the state, then the problems, then everything. */
#include "report/audit.h"

#include "program/visible_text.h"

#include <errno.h>
#include <string.h>

static void heading(FILE *to, const char *text)
{
	bool color = style_wanted(to);

	fprintf(to, "\n%s%s%s\n", style_begin(color, TONE_BOLD), text, style_end(color, TONE_BOLD));
}

/* Adds rows to a table; called between table_new() and table_print(). */
typedef int (*rows_fn)(struct table *t, const struct audit_report *a);

static int table_section(const struct audit_report *a, FILE *to, const struct table_column *columns,
	size_t n, rows_fn rows)
{
	struct table *t;
	int rc = table_new(&t, columns, n, to, 0);

	if (rc)
		return rc;
	rc = rows(t, a);
	if (!rc)
		rc = table_print(t);
	table_free(t);
	return rc;
}

static int server_rows(struct table *t, const struct audit_report *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->n_servers && !rc; i++) {
		const struct audit_server *s = &a->servers[i];

		rc = table_row(t, state_tone(s->state));
		if (!rc)
			rc = table_cell(t, s->server->name);
		if (!rc)
			rc = table_cell(t, state_name(s->state));
		if (!rc)
			rc = table_cell(t, s->version);
		if (!rc)
			rc = table_cell(t, s->detail);
	}
	return rc;
}

static int grant_rows(struct table *t, const struct audit_report *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->n_grants && !rc; i++) {
		const struct audit_grant *g = &a->grants[i];
		char when[64];

		rc = table_row(t, state_tone(g->state));
		if (!rc)
			rc = table_cell(t, g->wanted->user->login);
		if (!rc)
			rc = table_cellf(
				t, "%s/%s", g->wanted->server->name, g->wanted->database->name);
		if (!rc)
			rc = table_cell(t, level_name(g->wanted->level));
		if (!rc)
			rc = table_cell(t, observed_words(g));
		if (!rc)
			rc = table_cell(t, instant_format_local(when, sizeof(when),
						   g->wanted->until, g->wanted->client->timezone));
		if (!rc)
			rc = table_cell(t, state_name(g->state));
		if (!rc)
			rc = table_cell(t, g->detail);
	}
	return rc;
}

static int residual_rows(struct table *t, const struct audit_report *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->n_residual && !rc; i++) {
		const struct audit_residual *k = &a->residual[i];

		rc = table_row(t, state_tone(k->state));
		if (!rc)
			rc = table_cell(t, k->login);
		if (!rc)
			rc = k->database ? table_cellf(t, "%s/%s", k->server, k->database)
					 : table_cell(t, k->server);
		if (!rc)
			rc = table_cell(t, k->database ? level_name(k->level) : "login");
		if (!rc)
			rc = table_cell(t, state_name(k->state));
		if (!rc)
			rc = table_cell(t, k->detail);
	}
	return rc;
}

static int session_rows(struct table *t, const struct audit_report *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->n_sessions && !rc; i++) {
		const struct audit_session *s = &a->sessions[i];
		char when[64];

		rc = table_row(t, s->detail ? TONE_WARN : TONE_PLAIN);
		if (!rc)
			rc = table_cellf(t, "%s #%llu", s->server, (unsigned long long)s->number);
		if (!rc)
			rc = table_cell(t, s->login);
		if (!rc)
			rc = table_cell(t, s->address);
		if (!rc)
			rc = table_cell(t, s->program);
		if (!rc)
			rc = table_cell(
				t, instant_format_local(when, sizeof(when), s->since, a->zone));
		if (!rc)
			rc = table_cell(t, s->detail);
	}
	return rc;
}

static int proof_rows(struct table *t, const struct audit_report *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->n_proofs && !rc; i++) {
		const struct audit_proof *p = &a->proofs[i];

		rc = table_row(t, is_verified(p->outcome) ? TONE_GOOD : TONE_WARN);
		if (!rc)
			rc = table_cell(t, p->login);
		if (!rc)
			rc = p->database ? table_cellf(t, "%s/%s", p->server, p->database)
					 : table_cell(t, p->server);
		if (!rc)
			rc = table_cell(t, level_name(p->level));
		if (!rc)
			rc = table_cell(t, p->outcome);
		if (!rc)
			rc = table_cell(t, p->detail);
	}
	return rc;
}

/* Prints each line below the finding, so that T-SQL can be copied unchanged. */
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
	int rc;

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
	fprintf(to, "%s%s%s  %s%s%s  %s  (%s)\n", style_begin(color, tone),
		finding_severity_name(f->severity), style_end(color, tone), f->name,
		f->also ? ", " : "", f->also ? f->also : "", shown, f->id);
	if (f->accepted)
		text_printf(to, "  accepted until %s by %s: %s\n", f->accepted->after,
			f->accepted->actor ? f->accepted->actor : "?",
			f->accepted->reason ? f->accepted->reason : "?");
	rc = lines_print(to, f->evidence);
	if (!rc && f->remedy && *f->remedy) {
		fputs(remedy_is_look(f->remedy) ? "  a person must judge; to look at it:\n"
						: "  remedy:\n",
			to);
		rc = lines_print(to, f->remedy);
	}
	return rc;
}

/* In place of "none", which nobody knows where not everything was read. */
static const char *none_words(const struct audit_report *a)
{
	return audit_is_whole(a) ? "none" : "none seen; Servers and Grants name what was not read";
}

/* Most severe first. */
static int findings_print(const struct audit_report *a, FILE *to)
{
	bool color = style_wanted(to);
	char when[64];
	int rc = 0;

	heading(to, "Findings");
	if (!a->n_findings)
		fprintf(to, "%s%s\n", a->since ? "new: " : "", none_words(a));
	if (a->n_older)
		fprintf(to, "%zu seen before %s not listed\n", a->n_older,
			instant_format_local(when, sizeof(when), a->since, a->zone));
	for (int s = FINDING_CRITICAL; s >= FINDING_INFO; s--)
		for (size_t i = 0; i < a->n_findings && !rc; i++)
			if ((int)a->findings[i].severity == s)
				rc = finding_print(&a->findings[i], to, color);
	return rc;
}

int audit_print(const struct audit_report *a, FILE *to)
{
	static const struct table_column servers[] = {
		{"SERVER", 0}, {"STATE", 0}, {"VERSION", TABLE_CUT}, {"DETAIL", TABLE_WRAP}};
	static const struct table_column grants[] = {{"LOGIN", 0}, {"DATABASE", 0}, {"WANTED", 0},
		{"OBSERVED", 0}, {"UNTIL", 0}, {"STATE", 0}, {"DETAIL", TABLE_WRAP}};
	static const struct table_column residual[] = {{"LOGIN", 0}, {"WHERE", 0},
		{"LAST KNOWN", 0}, {"STATE", 0}, {"DETAIL", TABLE_WRAP}};
	static const struct table_column sessions[] = {{"SESSION", 0}, {"LOGIN", 0}, {"ADDRESS", 0},
		{"PROGRAM", TABLE_CUT}, {"SINCE", 0}, {"DETAIL", TABLE_WRAP}};
	static const struct table_column proofs[] = {
		{"LOGIN", 0}, {"WHERE", 0}, {"LEVEL", 0}, {"OUTCOME", 0}, {"DETAIL", TABLE_WRAP}};
	static const struct {
		const char *title;
		const struct table_column *columns;
		size_t n;
		rows_fn rows;
		size_t count; /* offset of the member that counts its rows */
		bool observed; /* rows are of what was read, and not of the configuration or the journal */
	} sections[] = {
		{"Servers", servers, ARRAY_SIZE(servers), server_rows,
			offsetof(struct audit_report, n_servers)},
		{"Grants", grants, ARRAY_SIZE(grants), grant_rows,
			offsetof(struct audit_report, n_grants)},
		{"Not in the configuration, and not verified gone", residual, ARRAY_SIZE(residual),
			residual_rows, offsetof(struct audit_report, n_residual)},
		{"Sessions", sessions, ARRAY_SIZE(sessions), session_rows,
			offsetof(struct audit_report, n_sessions), true},
		{"Proofs", proofs, ARRAY_SIZE(proofs), proof_rows,
			offsetof(struct audit_report, n_proofs), true},
	};
	enum state state = audit_state(a);
	bool color = style_wanted(to);
	char when[64], head[128];
	int rc = 0;

	if (a->program->settings.practice)
		fputs(PRACTICE_MARK "\n\n", to);
	fprintf(to, "%s%s%s  %s\n", style_begin(color, state_tone(state)), state_name(state),
		style_end(color, state_tone(state)), audit_words(a));
	fprintf(to, "as of %s", instant_format_local(when, sizeof(when), a->at, a->zone));
	if (a->head)
		fprintf(to, "; journal head: %s", head_words(head, a->head, a->head_hash));
	fputc('\n', to);
	rc = findings_print(a, to);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && !rc; i++) {
		size_t n;

		memcpy(&n, (const char *)a + sections[i].count, sizeof(n));
		heading(to, sections[i].title);
		if (n)
			rc = table_section(
				a, to, sections[i].columns, sections[i].n, sections[i].rows);
		else
			fprintf(to, "%s\n", sections[i].observed ? none_words(a) : "none");
	}
	return rc ? rc : ferror(to) ? -EIO : 0;
}
