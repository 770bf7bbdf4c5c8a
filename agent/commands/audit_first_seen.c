/* Records findings that no earlier audit had, so that a later audit can tell what is new. */
#include "commands/audit_first_seen.h"

#include <string.h>

#include "curfew/state.h"

static int found_write(struct journal *j, const struct collected *c, const struct audit_finding *f)
{
	char detail[RECORD_TEXT_MAX];
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = c->report.at,
		.actor = cli_actor(),
		.client = f->client,
		.login = f->login,
		.server = f->server,
		.database = f->database,
		.action = AUDIT_FOUND,
		.statement = f->id,
		.outcome = finding_severity_name(f->severity),
		.detail = detail,
		.configuration = c->report.program->digest};

	record_printf(detail, sizeof(detail), "%s: %s", f->name, f->evidence ? f->evidence : "");
	return journal_write(NULL, j, &e);
}

static bool is_first_sight(const struct audit_finding *f)
{
	return !f->first_seen && !streq(f->name, AUDIT_NOT_SHOWN);
}

void audit_first_seen_record(const struct collected *c)
{
	struct journal *j = NULL;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < c->report.n_findings && !any; i++)
		any = is_first_sight(&c->report.findings[i]);
	/* An audit with --at does not show what is new now. */
	if (!any || !c->context.journal || c->context.cli->at ||
		state_journal_open(&j, &c->report.program->settings, true))
		return;
	for (size_t i = 0; i < c->report.n_findings && !rc; i++)
		if (is_first_sight(&c->report.findings[i]))
			rc = found_write(j, c, &c->report.findings[i]);
	journal_close(j);
	if (rc)
		cli_fail(c->context.cli, 0, "warning: cannot record what is new: %s",
			journal_problem(rc));
}
