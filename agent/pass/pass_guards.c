/* Guards that left the configuration. They are kept until nobody's access is known there any more. */
#include <errno.h>

#include "pass/pass_internal.h"

static bool server_is_remembered(const struct pass *p, const char *server)
{
	for (size_t i = 0; i < p->identities.n; i++)
		if (!p->identities.items[i].removed && streq(p->identities.items[i].server, server))
			return true;
	for (size_t i = 0; i < p->levels.n; i++)
		if (p->levels.items[i].level != LEVEL_NONE &&
			streq(p->levels.items[i].server, server))
			return true;
	for (size_t i = 0; i < p->verified.n; i++)
		if (p->verified.items[i].level != LEVEL_NONE &&
			streq(p->verified.items[i].server, server))
			return true;
	return false;
}

bool pass_guard_is_kept(const struct pass *p, const struct kept_guard *k)
{
	return !endpoint_is_configured(p->o.program, &k->endpoint) &&
	       (k->held || server_is_remembered(p, k->server));
}

int pass_guards_keep(struct allowlist *wanted, const struct pass *p)
{
	const struct kept_guard **kept = calloc(p->guards.n + 1, sizeof(*kept));
	size_t n = 0;

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < p->guards.n; i++)
		if (pass_guard_is_kept(p, &p->guards.items[i]))
			kept[n++] = &p->guards.items[i];
	int rc = allowlist_keep(wanted, kept, n);
	free(kept);
	return rc;
}

void pass_guards_tell(struct pass *p)
{
	for (size_t i = 0; i < p->guards.n && p->o.program->settings.firewall.enabled; i++) {
		const struct kept_guard *k = &p->guards.items[i];
		char endpoint[ENDPOINT_TEXT_MAX];
		struct record note = {.kind = RECORD_NOTE, .state = STATE_DRIFT};

		if (!pass_guard_is_kept(p, k))
			continue;
		RECORD_SET(&note, server, PASS_NETWORK);
		RECORD_PRINTF(&note, detail,
			"keeping the guard %s of server %s, which the configuration no longer names%s: %s, and without the "
			"guard everybody could reach it; to remove it, run `curfew unguard %s --reason TEXT`",
			endpoint_format(endpoint, &k->endpoint), k->server,
			program_server(p->o.program, k->server) ? " among its \"endpoints\"" : "",
			k->held ? "records about its logins are lost"
				: "its logins are not verified as removed",
			k->server);
		pass_tell(p, &note);
	}
}

/* After the packet filter matches: saves which endpoints are guarded, and forgets the others. */
int pass_guards_save(struct pass *p)
{
	int rc = p->o.program->n_servers || p->guards.n ? pass_journal_begin(p) : 0;

	for (size_t i = 0; i < p->o.program->n_servers && !rc; i++)
		rc = guards_save(p->o.journal, &p->o.program->servers[i]);
	for (size_t i = 0; i < p->guards.n && !rc; i++) {
		const struct kept_guard *k = &p->guards.items[i];
		if (endpoint_is_configured(p->o.program, &k->endpoint) || pass_guard_is_kept(p, k))
			continue;
		/* While records are missing, that they name no login there proves nothing. */
		if (p->memory_failed)
			continue;
		rc = p->hold[0] ? guards_hold(p->o.journal, k)
				: guards_drop(p->o.journal, k->server, &k->endpoint);
	}
	return rc;
}
