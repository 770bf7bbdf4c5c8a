/* Findings of what makes full access worth db_owner in a database, whether anybody has it now or not. */
#include <string.h>

#include "proof/residual.h"

static const struct unfit {
	const char *check, *words;
	enum finding_severity severity;
} unfits[] = {
	{"execute-as-closure",
		"a module that runs as another than its caller and uses what full access may alter",
		FINDING_CRITICAL},
	{"policy-unbound",
		"a security policy whose function may be altered: it is not schema-bound",
		FINDING_HIGH},
	{"ddl-closure",
		"a DDL trigger that uses what full access may alter: that runs as whoever changes something here",
		FINDING_CRITICAL},
	{"shared-owner", "ownership chains reach another database of the same owner",
		FINDING_CRITICAL},
};

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
	const char *check, const char *reason)
{
	const struct database *waived =
		streq(check, "ddl-closure") ? NULL : waived_by(run, d->name);
	struct record r;

	for (size_t i = 0; i < ARRAY_SIZE(unfits); i++) {
		if (!streq(unfits[i].check, check))
			continue;
		record_of(&r, run->visit, RECORD_FINDING, NULL, NULL, d->name);
		r.finding.severity = unfits[i].severity;
		RECORD_SET(&r, finding.name, check);
		RECORD_SET(&r, finding.reason, unfits[i].words);
		RECORD_PRINTF(&r, detail, "%s%s%s%s%s%s%s", reason,
			streq(check, "ddl-closure") ? "" : ": full access equals db_owner here",
			waived ? ", accepted by " : "",
			waived ? waived->full_waiver.approved_by : "", waived ? " (" : "",
			waived ? waived->full_waiver.ticket : "", waived ? ")" : "");
		RECORD_SET(&r, finding.remedy,
			"-- a DBA must review it: deny ALTER on what it uses, or rebuild it without that");
		worker_tell(run->worker, &r);
	}
}

static void triggers_tell(const struct visit_run *run, const struct observed_database *d)
{
	for (size_t i = 0; i < d->n_triggers; i++) {
		const char *unsafe = trigger_unsafe(&d->triggers[i]);
		char text[FITNESS_REASON_MAX];
		if (!unsafe)
			continue;
		snprintf(text, sizeof(text), "%s: %s", d->triggers[i].name, unsafe);
		unfit_tell(run, d, "ddl-closure", text);
	}
}

void fitness_tell(const struct visit_run *run)
{
	for (size_t i = 0; i < run->observed.n_databases; i++) {
		const struct observed_database *d = &run->observed.databases[i];
		char reason[FITNESS_REASON_MAX];
		const char *check = NULL;
		for (size_t n = 0; d->managed && d->read &&
				   (check = fitness_reason(reason, &run->observed, d, n));
			n++)
			unfit_tell(run, d, check, reason);
		triggers_tell(run, d);
	}
}
