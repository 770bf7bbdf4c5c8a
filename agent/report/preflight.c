/* Selects, from the records of checks and of an audit, what would delay or undo a removal of access. */
#include "curfew/preflight.h"

#include <jansson.h>
#include <string.h>

#include "curfew/report.h"
#include "program/visible_text.h"

static const struct {
	const char *finding, *why;
	bool of_ours; /* only if it concerns a managed login */
} hindrances[] = {
	{"server-trigger", "it may undo or refuse the removal of a login", false},
	{"ddl-trigger", "it may undo or refuse the removal of a user", false},
	{"ddl-closure", "whoever has full access can make it refuse the removal", false},
	{"database-owner", "a login that owns a database cannot be dropped", false},
	{"server-owner", "a login that owns something of the server cannot be dropped", false},
	{"foreign-owner",
		"a user who owns something cannot be dropped before that has another owner", true},
	{"agent-job",
		"a job runs on after its owner's access has ended, and a login that owns one should not be dropped",
		false},
	{"activated-task", "it runs on after the access of its owner has ended", false},
	{"queue-activation", "it runs on after the access of its owner has ended", false},
	{"startup-procedure", "it runs as sysadmin, and may give back what was removed", false},
	{"long-transaction", "ending it rolls it back first, and the removal waits for that",
		false},
	{"bound-session", "ending one session does not end the transaction", false},
	{"in-doubt", "it keeps locks that a removal may wait for", false},
};

static bool finding_line(struct preflight_line *l, const struct record *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(hindrances); i++) {
		if (!streq(hindrances[i].finding, r->finding.name) ||
			(hindrances[i].of_ours && !r->login[0]))
			continue;
		/* An operator has reviewed it: shown, but not a failure. */
		l->result = r->finding.severity == FINDING_INFO ? CHECK_OK : CHECK_FAIL;
		l->name = r->finding.name;
		l->why = hindrances[i].why;
		l->fix = r->finding.remedy;
		return true;
	}
	return false;
}

static bool grant_line(struct preflight_line *l, const struct record *r)
{
	if (r->state != STATE_UNREAD && r->state != STATE_UNVERIFIED && r->state != STATE_OVERDUE)
		return false;
	l->result = CHECK_FAIL;
	l->name = state_name(r->state);
	l->why = "what cannot be read cannot be confirmed to have ended";
	l->fix = "see `curfew status` for the reason";
	return true;
}

bool preflight_line(struct preflight_line *out, const struct record *r)
{
	struct preflight_line l = {.server = r->server,
		.database = r->database,
		.login = r->login,
		.detail = r->detail,
		.fix = ""};
	bool says = false;

	if (r->kind == RECORD_CHECK) {
		l.result = r->check.result;
		l.name = r->check.name;
		l.fix = r->check.fix;
		says = true;
	} else if (r->kind == RECORD_FINDING) {
		says = finding_line(&l, r);
	} else if (r->kind == RECORD_GRANT) {
		says = grant_line(&l, r);
	} else if (r->kind == RECORD_SERVER && r->state == STATE_UNREACHABLE) {
		l.result = CHECK_FAIL;
		l.name = "unreachable";
		l.fix = "run `curfew check-server SERVER`";
		says = true;
	} else if (r->kind == RECORD_NOTE && r->state >= STATE_UNVERIFIED) {
		l.result = CHECK_FAIL;
		l.name = "unverified";
		says = true;
	}
	if (says)
		*out = l;
	return says;
}

void preflight_line_write(FILE *to, const struct preflight_line *l)
{
	const char *place = l->database[0] ? l->database : l->server;

	text_printf(to, "%s [%s]: %s%s%s", l->name, place, l->detail, l->why ? "; " : "",
		l->why ? l->why : "");
	text_printf(to, "%s%s\n", l->fix[0] ? "; " : "", l->fix);
}

json_t *preflight_line_json(const struct preflight_line *l)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "result",
		check_result_name(l->result), "name", l->name, "server", text_json(l->server),
		"database", text_json(l->database), "login", text_json(l->login), "detail",
		text_json(l->detail), "why", text_json(l->why), "fix", text_json(l->fix));
}
