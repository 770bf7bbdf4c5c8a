/* The audit as one page for mailing, printing, and filing. */
#include "report/audit.h"
#include "report/html.h"

#include <errno.h>
#include <string.h>

/* Of a long history the page shows only the newest records; the journal has all. */
#define HISTORY_SHOWN 500

static void table_begin(FILE *to, const char *const *titles)
{
	fputs("<div class=\"wide\"><table><thead><tr>", to);
	for (; *titles; titles++)
		html_printf(to, "<th scope=\"col\">%s</th>", *titles);
	fputs("</tr></thead>\n<tbody>\n", to);
}

static void table_end(FILE *to)
{
	fputs("</tbody></table></div>\n", to);
}

static void badge_cell(FILE *to, enum tone tone, const char *word)
{
	fputs("<td class=\"w\">", to);
	html_badge(to, tone, word);
	fputs("</td>", to);
}

static void figure(FILE *to, const char *name, size_t n)
{
	html_printf(to, "<div><dt>%s</dt><dd>%zu</dd></div>", name, n);
}

static void state_print(const struct audit_report *a, FILE *to)
{
	enum state state = audit_state(a);
	enum tone tone = state_tone(state);
	struct audit_counts counts;
	char when[64], utc[INSTANT_TEXT_MAX];

	audit_count(&counts, a);
	html_printf(to, "<header><h1>SQL access audit: <bdi>%s</bdi></h1>\n",
		a->client ? a->client : "all clients");
	html_printf(to,
		"<p class=\"soft\">As of <time datetime=\"%s\">%s</time> (%s)</p></header>\n",
		instant_format(utc, a->at),
		instant_format_local(when, sizeof(when), a->at, a->zone), utc);
	html_printf(to, "<section class=\"state %s\"><b>%s</b><span>%s</span></section>\n",
		tone == TONE_BAD		   ? "bad"
		: tone == TONE_GOOD && !a->n_older ? "good"
						   : "warn",
		state_name(state), audit_words(a));
	fputs("<dl class=\"figures\">", to);
	figure(to, "grants", a->n_grants);
	figure(to, "of them with access", counts.open);
	for (int s = STATE_OVERDUE; s > STATE_OK; s--)
		if (counts.states[s])
			figure(to, state_name((enum state)s), counts.states[s]);
	figure(to, "findings", a->n_findings);
	figure(to, "sessions now", a->n_sessions);
	fputs("</dl>\n", to);
}

/* Of each check that found it. */
static void evidence_print(const struct audit_finding *f, FILE *to)
{
	_cleanup_free_ char *lines = strdup(f->evidence ? f->evidence : "");
	char *rest = lines;

	while (rest)
		html_printf(to, "<p><bdi>%s</bdi></p>", strsep(&rest, "\n"));
}

static void finding_print(const struct audit_finding *f, FILE *to)
{
	fputs("<article class=\"finding\"><h3>", to);
	html_badge(to, severity_tone(f->severity), finding_severity_name(f->severity));
	html_printf(to, "<span>%s%s%s</span></h3><p class=\"soft\">", f->name, f->also ? ", " : "",
		f->also ? f->also : "");
	if (f->accepted)
		html_printf(to, "<b>accepted</b> until %s by <bdi>%s</bdi>: <bdi>%s</bdi><br>",
			f->accepted->after, f->accepted->actor, f->accepted->reason);
	html_printf(to, "<code>%s</code> ", f->id);
	html_printf(to, "<bdi>%s</bdi>", f->server ? f->server : f->client);
	if (f->database)
		html_printf(to, " / <bdi>%s</bdi>", f->database);
	if (f->login)
		html_printf(to, ", login <bdi>%s</bdi>", f->login);
	fputs("</p>", to);
	evidence_print(f, to);
	if (f->remedy && *f->remedy) {
		if (remedy_is_look(f->remedy))
			fputs("<p class=\"soft\">A person must judge; to look at it:</p>", to);
		fputs("<pre>", to);
		html_lines(to, f->remedy);
		fputs("</pre>", to);
	}
	fputs("</article>\n", to);
}

/* Most severe first. */
static void findings_print(const struct audit_report *a, FILE *to)
{
	char when[64];

	fputs("<h2>Findings</h2>\n", to);
	if (!a->n_findings)
		html_printf(to, "<p>%s%s</p>\n", a->since ? "New: n" : "N",
			audit_is_whole(a) ? "one."
					  : "one seen; the tables below name what was not read.");
	if (a->n_older)
		html_printf(to, "<p class=\"soft\">%zu seen before %s not listed.</p>\n",
			a->n_older, instant_format_local(when, sizeof(when), a->since, a->zone));
	for (int s = FINDING_CRITICAL; s >= FINDING_INFO; s--)
		for (size_t i = 0; i < a->n_findings; i++)
			if ((int)a->findings[i].severity == s)
				finding_print(&a->findings[i], to);
}

static void servers_print(const struct audit_report *a, FILE *to)
{
	static const char *const titles[] = {"server", "state", "version", "detail", NULL};

	fputs("<h2>Servers</h2>\n", to);
	table_begin(to, titles);
	for (size_t i = 0; i < a->n_servers; i++) {
		const struct audit_server *s = &a->servers[i];

		fputs("<tr>", to);
		html_cell(to, NULL, s->server->name);
		badge_cell(to, state_tone(s->state), state_name(s->state));
		html_cell(to, NULL, s->version);
		html_cell(to, NULL, s->detail);
		fputs("</tr>\n", to);
	}
	table_end(to);
}

static void sources_cell(FILE *to, const struct user *u, const struct audit_report *a)
{
	char text[SOURCE_TEXT_MAX], until[64];
	const char *before = "";

	fputs("<td>", to);
	for (size_t i = 0; i < u->n_sources; i++) {
		instant_t end = user_source_end(u, i);

		if (end <= a->at)
			continue;
		html_printf(to, "%s<code>%s</code>", before, source_format(text, &u->sources[i]));
		if (end != SOURCE_NO_END)
			html_printf(to, " (until %s)",
				instant_format_local(until, sizeof(until), end, a->zone));
		before = ", ";
	}
	fputs("</td>", to);
}

static void grant_print(const struct audit_grant *g, const struct audit_report *a, FILE *to)
{
	const struct grant *w = g->wanted;

	fputs("<tr>", to);
	html_printf(to, "<td><bdi>%s%s%s</bdi><br><bdi>", w->user->first, *w->user->last ? " " : "",
		w->user->last);
	html_name(to, w->user->email);
	fputs("</bdi><br><code><bdi>", to);
	html_name(to, w->user->login);
	fputs("</bdi></code></td>", to);
	html_printf(to, "<td><bdi>%s</bdi> / <bdi>%s</bdi><br><span class=\"soft\">%s</span></td>",
		w->server->name, w->database->name, database_role_name(w->database->role));
	badge_cell(to, level_tone(w->level), level_name(w->level));
	badge_cell(to, g->seen && g->observed == w->level ? level_tone(g->observed) : TONE_WARN,
		observed_words(g));
	html_instant_cell(to, w->until, w->client->timezone);
	sources_cell(to, w->user, a);
	fputs("<td>", to);
	html_badge(to, state_tone(g->state), state_name(g->state));
	if (g->detail && *g->detail)
		html_printf(to, "<br><bdi>%s</bdi>", g->detail);
	fputs("</td></tr>\n", to);
}

static int client_print(
	const struct audit_report *a, const struct client *c, FILE *to, unsigned serial)
{
	static const char *const titles[] = {
		"user", "database", "wanted", "observed", "until", "sources", "state", NULL};
	struct timeline t;
	char approved[64];
	int rc = timeline_make(&t, a->program, c, a->overrides, a->at);

	if (rc)
		return rc;
	html_printf(to,
		"<h3><bdi>%s</bdi></h3>\n<p class=\"soft\">Ticket %s, approved by <bdi>%s</bdi> on %s</p>\n",
		c->name, c->ticket, c->approved_by,
		instant_format_local(approved, sizeof(approved), c->approved, c->timezone));
	rc = timeline_svg(&t, to, serial);
	timeline_free(&t);
	table_begin(to, titles);
	for (size_t i = 0; i < a->n_grants; i++)
		if (a->grants[i].wanted->client == c)
			grant_print(&a->grants[i], a, to);
	table_end(to);
	return rc;
}

static int clients_print(const struct audit_report *a, FILE *to)
{
	int rc = 0;

	fputs("<h2>Grants</h2>\n", to);
	for (size_t i = 0; i < a->program->n_clients && !rc; i++) {
		const struct client *c = &a->program->clients[i];

		if (!a->client || names_equal(a->client, c->name))
			rc = client_print(a, c, to, (unsigned)i);
	}
	return rc;
}

static void residual_print(const struct audit_report *a, FILE *to)
{
	static const char *const titles[] = {
		"login", "server", "database", "last known", "state", "detail", NULL};

	if (!a->n_residual)
		return;
	fputs("<h2>Not in the configuration, and not verified gone</h2>\n", to);
	table_begin(to, titles);
	for (size_t i = 0; i < a->n_residual; i++) {
		const struct audit_residual *r = &a->residual[i];

		fputs("<tr>", to);
		html_cell(to, NULL, r->login);
		html_cell(to, NULL, r->server);
		html_cell(to, NULL, r->database);
		html_cell(to, "w", r->database ? level_name(r->level) : "login");
		badge_cell(to, state_tone(r->state), state_name(r->state));
		html_cell(to, NULL, r->detail);
		fputs("</tr>\n", to);
	}
	table_end(to);
}

static void sessions_print(const struct audit_report *a, FILE *to)
{
	static const char *const titles[] = {"server", "session", "login", "from",
		"program (self-reported)", "since", "detail", NULL};

	fputs("<h2>Sessions</h2>\n", to);
	if (!a->n_sessions) {
		fputs(audit_is_whole(a)
				? "<p>No session of a managed login is open.</p>\n"
				: "<p>None seen; Servers and Grants name what was not read.</p>\n",
			to);
		return;
	}
	table_begin(to, titles);
	for (size_t i = 0; i < a->n_sessions; i++) {
		const struct audit_session *s = &a->sessions[i];

		fputs("<tr>", to);
		html_cell(to, NULL, s->server);
		html_printf(to, "<td class=\"n\">%lld</td>", (long long)s->number);
		html_cell(to, NULL, s->login);
		html_cell(to, NULL, s->address);
		html_cell(to, NULL, s->program);
		html_instant_cell(to, s->since, a->zone);
		html_cell(to, NULL, s->detail);
		fputs("</tr>\n", to);
	}
	table_end(to);
}

static void proofs_print(const struct audit_report *a, FILE *to)
{
	static const char *const titles[] = {
		"login", "server", "database", "level", "outcome", "detail", "at", "record", NULL};

	fputs("<h2>Verification of effective permissions</h2>\n", to);
	if (!a->n_proofs) {
		fputs("<p>No verification has run.</p>\n", to);
		return;
	}
	table_begin(to, titles);
	for (size_t i = 0; i < a->n_proofs; i++) {
		const struct audit_proof *p = &a->proofs[i];

		fputs("<tr>", to);
		html_cell(to, NULL, p->login);
		html_cell(to, NULL, p->server);
		html_cell(to, NULL, p->database);
		html_cell(to, "w", level_name(p->level));
		badge_cell(to, is_verified(p->outcome) ? TONE_GOOD : TONE_WARN, p->outcome);
		html_cell(to, NULL, p->detail);
		html_instant_cell(to, p->at, a->zone);
		if (p->record)
			html_printf(to, "<td class=\"n\">%lld</td></tr>\n", (long long)p->record);
		else
			fputs("<td class=\"n\">\xe2\x80\x93</td></tr>\n", to);
	}
	table_end(to);
}

static void history_print(const struct audit_report *a, FILE *to)
{
	static const char *const titles[] = {"record", "when", "what", "client / login", "where",
		"actor, reason", "outcome", NULL};
	size_t first = a->n_history > HISTORY_SHOWN ? a->n_history - HISTORY_SHOWN : 0;

	fputs("<h2>History</h2>\n", to);
	lost_records_html(&a->lost, to);
	if (a->archived)
		html_printf(to,
			"<p class=\"soft\">The records up to %lld are in archives: <code>curfew history --journal FILE</code>.</p>\n",
			(long long)a->archived);
	if (!a->n_history) {
		html_printf(
			to, "<p>The journal has no %srecords.</p>\n", a->archived ? "other " : "");
		return;
	}
	if (first)
		html_printf(to, "<p class=\"soft\">The newest %zu of %zu records.</p>\n",
			a->n_history - first, a->n_history);
	table_begin(to, titles);
	for (size_t i = a->n_history; i-- > first;) {
		const struct journal_entry *e = &a->history[i];

		html_printf(to, "<tr><td class=\"n\">%lld</td>", (long long)e->id);
		html_instant_cell(to, e->at, a->zone);
		html_printf(to, "<td>%s%s<bdi>%s</bdi>", journal_kind_name(e->kind),
			e->action || e->level ? ": " : "", e->action ? e->action : e->level);
		if (e->statement) {
			fputs("<br><code>", to);
			html_lines(to, e->statement);
			fputs("</code>", to);
		}
		html_printf(
			to, "</td><td><bdi>%s</bdi><br><bdi>%s</bdi></td>", e->client, e->login);
		html_printf(to, "<td><bdi>%s</bdi><br><bdi>%s</bdi></td>", e->server, e->database);
		html_printf(to, "<td><bdi>%s</bdi><br><bdi>%s</bdi></td>", e->actor, e->reason);
		html_printf(to, "<td><bdi>%s</bdi><br><bdi>%s</bdi></td></tr>\n", e->outcome,
			e->detail);
	}
	table_end(to);
}

int audit_html(const struct audit_report *a, FILE *to)
{
	_cleanup_free_ char *title = NULL;
	char head[128];
	int rc;

	if (asprintf(&title, "%sSQL access audit: %s",
		    a->program->settings.practice ? "PRACTICE: " : "",
		    a->client ? a->client : "all clients") < 0) {
		title = NULL;
		return -ENOMEM;
	}
	html_begin(to, title);
	if (a->program->settings.practice)
		fputs("<p class=\"practice\">" PRACTICE_MARK "</p>\n", to);
	state_print(a, to);
	findings_print(a, to);
	rc = clients_print(a, to);
	if (rc)
		return rc;
	residual_print(a, to);
	servers_print(a, to);
	sessions_print(a, to);
	proofs_print(a, to);
	history_print(a, to);
	html_printf(to, "<footer><p>Made by Curfew %s.", CURFEW_VERSION);
	if (a->head)
		html_printf(to, " Journal head: <code>%s</code>",
			head_words(head, a->head, a->head_hash));
	fputs("</p></footer>\n", to);
	return html_end(to);
}
