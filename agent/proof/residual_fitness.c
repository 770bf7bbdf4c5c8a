/* Findings of what makes full access worth db_owner in a database, whether anybody has it now or not. */
#include <string.h>

#include "proof/residual.h"

static const struct unfit_check {
	const char *name, *words; /* NULL: a question of its own reports it */
	enum finding_severity severity;
	bool is_waivable;
	bool is_unread; /* nobody knows whether there is one: the bootstrap lets the agent login read it */
} checks[] = {
	[UNFIT_MODULE] = {"execute-as-closure",
		"a module that runs as another than its caller and uses what full access may alter",
		FINDING_CRITICAL, true},
	[UNFIT_QUEUE] = {NULL}, /* residual_text.c */
	[UNFIT_POLICY] = {"policy-unbound",
		"a security policy whose function may be altered: it is not schema-bound",
		FINDING_HIGH, true},
	[UNFIT_TRUSTWORTHY] = {NULL}, /* residual_server.c */
	[UNFIT_OWNER] = {"shared-owner",
		"ownership chains reach another database of the same owner", FINDING_CRITICAL,
		true},
	[UNFIT_JOB] = {"job-closure",
		"an Agent job of a sysadmin that runs in the database: what full access may alter there runs as sysadmin",
		FINDING_CRITICAL, true},
	[UNFIT_TRIGGER] = {"ddl-closure",
		"a DDL trigger that uses what full access may alter: that runs as whoever changes something here",
		FINDING_CRITICAL, false},
	[UNFIT_UNREAD_MODULE] = {"execute-as-closure",
		"what runs there as another than its caller was not read, so full access may be worth more than it says",
		FINDING_CRITICAL, true, true},
	[UNFIT_UNREAD_JOB] = {"job-closure",
		"what Agent jobs of a sysadmin run there was not read, so full access may be worth more than it says",
		FINDING_CRITICAL, true, true},
};
_Static_assert(ARRAY_SIZE(checks) == UNFITS, "each has a row");

static const struct database *waived_by(const struct visit_run *run, const char *name)
{
	const struct wanted_server *w = &run->visit->wanted;

	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->database->name, name) &&
			w->grants[i]->database->full_waiver.approved_by)
			return w->grants[i]->database;
	return NULL;
}

static void unfit_tell(const struct visit_run *run, const struct observed_database *d,
	enum unfit unfit, const char *reason)
{
	const struct unfit_check *check = &checks[unfit];
	const struct database *waived = check->is_waivable ? waived_by(run, d->name) : NULL;
	struct record r;

	if (!check->name)
		return;
	record_of(&r, run->visit, RECORD_FINDING, NULL, NULL, d->name);
	r.finding.severity = check->severity;
	RECORD_SET(&r, finding.name, check->name);
	RECORD_SET(&r, finding.reason, check->words);
	RECORD_PRINTF(&r, detail, "%s%s%s%s%s%s%s", reason,
		check->is_unread     ? ": nobody knows whether full access equals db_owner here"
		: check->is_waivable ? ": full access equals db_owner here"
				     : "",
		waived ? ", accepted by " : "", waived ? waived->full_waiver.approved_by : "",
		waived ? " (" : "", waived ? waived->full_waiver.ticket : "", waived ? ")" : "");
	if (check->is_unread)
		RECORD_PRINTF(&r, finding.remedy,
			"-- a DBA must run the output of `curfew bootstrap %s` again",
			run->visit->server->name);
	else
		RECORD_SET(&r, finding.remedy,
			"-- a DBA must review it: deny ALTER on what it uses, or rebuild it without that");
	worker_tell(run->worker, &r);
}

static void triggers_tell(const struct visit_run *run, const struct observed_database *d)
{
	for (size_t i = 0; i < d->n_triggers; i++) {
		const char *unsafe = trigger_unsafe(&d->triggers[i]);
		char text[FITNESS_REASON_MAX];
		if (!unsafe)
			continue;
		snprintf(text, sizeof(text), "%s: %s", d->triggers[i].name, unsafe);
		unfit_tell(run, d, UNFIT_TRIGGER, text);
	}
}

void fitness_tell(const struct visit_run *run)
{
	for (size_t i = 0; i < run->observed.n_databases; i++) {
		const struct observed_database *d = &run->observed.databases[i];
		char reason[FITNESS_REASON_MAX];
		enum unfit unfit;
		for (size_t n = 0; d->managed && d->read &&
				   (unfit = fitness_reason(reason, &run->observed, d, n));
			n++)
			unfit_tell(run, d, unfit, reason);
		triggers_tell(run, d);
	}
}
