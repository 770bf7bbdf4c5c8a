/* What the firewall process remembers, for commands that write the journal while the service is not running. */
#include "commands/remembered.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "curfew/firewall_record.h"
#include "curfew/state_tables.h"

static const char reason[] = "the firewall process remembers it; the journal does not";

static bool is_revoked(const struct overrides *o, const struct firewall_record *r)
{
	for (size_t i = 0; i < o->n; i++)
		if (override_is_same(o->items[i].client, o->items[i].login, r->client,
			    *r->login ? r->login : NULL))
			return true;
	return false;
}

static int revocation_take(struct overrides *o, struct journal *j, struct firewall_record *r)
{
	char *login = *r->login ? r->login : NULL;
	const struct override was = {r->client, login, r->at, NULL};
	bool ended = false;
	int rc = override_was_reinstated(&ended, j, &was, r->client, login);

	if (!rc && ended)
		return 0;
	/* In memory first: an error of the journal does not let anybody in. */
	int put = overrides_add(o, r->client, login, r->at, reason);
	if (!rc)
		rc = override_add(j, r->client, login, r->at, cli_actor(), reason);
	return put ? put : rc;
}

static void held_tell(const struct kept_guard *k, int rc)
{
	char endpoint[ENDPOINT_TEXT_MAX];

	fprintf(stderr,
		"curfew: warning: the guard %s of server %s stays, as the firewall process remembers it%s%s\n",
		endpoint_format(endpoint, &k->endpoint), k->server,
		rc ? "; cannot write it to the journal: " : "", rc ? journal_problem(rc) : "");
}

static int memory_take(struct overrides *o, const struct cli *cli, const struct program *p,
	struct journal *j, instant_t now, struct firewall_memory *m)
{
	const struct seen_head head = {m->head.id, m->head.at, m->head.hash};
	bool lost = false;
	int rc = 0;

	for (size_t i = 0; i < m->n; i++) {
		int taken =
			is_revoked(o, &m->revoked[i]) ? 0 : revocation_take(o, j, &m->revoked[i]);
		rc = rc ? rc : taken;
	}
	if (!rc)
		rc = remembered_head_compare(&lost, j, &head, now);
	if (lost)
		cli_fail(cli, 0,
			"warning: the journal is not the one that the firewall process saw, or an older copy of it: records are missing");
	return rc ? rc : remembered_guards_hold(j, &m->guards, p, held_tell);
}

int remembered_take(struct overrides *o, const struct cli *cli, const struct program *p,
	struct journal *j, instant_t now)
{
	struct firewall_memory m = {0};
	struct overrides own = {0};
	size_t unreadable = 0;
	int code = 0;

	/* The service has compared them when it started, and the process sees each record after it. */
	if (cli->service)
		return 0;
	const int file = remembered_open(p);
	if (file == -ENOENT)
		return 0;
	int rc = file < 0 ? file : firewall_memory_load(&m, &unreadable, file);
	if (unreadable)
		cli_fail(cli, 0,
			"warning: %zu lines of the firewall process's memory cannot be read" UNKNOWN_REVOCATIONS,
			unreadable);
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot read what the firewall process remembers: %s; run as root, or start the service",
			strerror(-rc));
	if (!o)
		code = cli_overrides(o = &own, cli, p, j);
	if (!code)
		rc = memory_take(o, cli, p, j, now, &m);
	overrides_free(&own);
	firewall_memory_free(&m);
	return rc ? cli_fail(cli, EXIT_FAILED,
			    "cannot compare the journal with what the firewall process remembers: %s",
			    journal_problem(rc))
		  : code;
}
