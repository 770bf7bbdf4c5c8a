/* Reviewed names of curfew.conf that nothing on the server bears. Such an entry stays when a trigger was altered or a linked
 * server dropped, and would accept whatever comes back under it. That is said as a remark: it refuses nothing. */
#include "proof/residual.h"

#include <string.h>

static void entry_tell(
	const struct visit_run *run, const char *setting, const char *entry, const char *why)
{
	struct record r;

	record_of(&r, run->visit, run->visit->mode == SQL_AUDIT ? RECORD_FINDING : RECORD_NOTE,
		NULL, NULL, NULL);
	RECORD_PRINTF(&r, detail,
		"%s lists \"%.200s\", %s; if it does not come back, remove the entry", setting,
		entry, why);
	if (r.kind == RECORD_FINDING) {
		r.finding.severity = FINDING_LOW;
		RECORD_SET(&r, finding.name, "unused-review");
		RECORD_SET(&r, finding.reason,
			"a reviewed name in curfew.conf that nothing on the server bears");
		RECORD_PRINTF(&r, finding.remedy,
			"-- remove the entry from %s of the server in curfew.conf", setting);
	}
	worker_tell(run->worker, &r);
}

/* A trigger that is disabled is not read: it may be enabled with any text. */
void known_triggers_tell(const struct visit_run *run)
{
	const struct strings *known = &run->visit->server->known_triggers;

	if (!triggers_are_shown(&run->observed))
		return;
	for (size_t i = 0; i < known->n; i++)
		if (!trigger_entry_is_used(known->items[i], &run->observed))
			entry_tell(run, "known_triggers", known->items[i],
				"and no enabled trigger of the server, or of its clients' databases, is the one that was reviewed");
}

/* A finding's evidence begins with its subject. */
static bool is_found(
	const struct record *findings, size_t n, const char *check, const char *subject)
{
	size_t size = strlen(subject);

	for (size_t i = 0; i < n; i++)
		if (streq(findings[i].finding.name, check) &&
			!strncmp(findings[i].detail, subject, size) &&
			!strncmp(findings[i].detail + size, ": ", 2))
			return true;
	return false;
}

void known_names_tell(const struct visit_run *run, const struct record *findings, size_t n)
{
	const struct server *s = run->visit->server;
	const struct {
		const char *check, *setting, *why;
		const struct strings *names;
	} settings[] = {
		{"linked-server", "known_linked_servers",
			"and there is no linked server of this name", &s->known_linked_servers},
		{"agent-proxy", "known_proxies", "and SQL Server Agent has no proxy of this name",
			&s->known_proxies},
	};

	known_triggers_tell(run);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		for (size_t k = 0; k < settings[i].names->n; k++) {
			const char *name = settings[i].names->items[k];
			if (!is_found(findings, n, settings[i].check, name))
				entry_tell(run, settings[i].setting, name, settings[i].why);
		}
}
