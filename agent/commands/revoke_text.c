/* Wording of `curfew revoke` and `curfew reinstate`. */
#include <string.h>

#include "commands/revoke_text.h"
#include "program/visible_text.h"

static bool is_network_change(const struct record *r, enum firewall_change_kind kind)
{
	return r->kind == RECORD_NETWORK_OUTCOME && r->state == STATE_OK && r->network.kind == kind;
}

void revoke_network_print(const struct program *p, const struct records *k)
{
	size_t closed = 0, shared = 0;
	char text[NETWORK_TEXT_MAX];

	if (!p->settings.firewall.enabled) {
		puts("network: not filtered by this host");
		return;
	}
	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		shared += is_network_change(r, FIREWALL_ALLOW_COMMENT);
		if (is_network_change(r, FIREWALL_ALLOW_REMOVE))
			printf("%s %s", closed++ ? "," : "network: removed",
				network_text(text, r->network.kind, &r->network.source,
					&r->network.endpoint));
	}
	if (!closed)
		fputs(shared ? "network: removed no entry" : "network: no allowlist entry existed",
			stdout);
	if (shared)
		printf("; %zu stay%s for other users of the same address", shared,
			shared == 1 ? "s" : "");
	putchar('\n');
}

size_t grants_still_blocked(const struct records *k, const char *client, const char *login)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		n += r->kind == RECORD_GRANT && r->state != STATE_OK && r->state != STATE_WAITING &&
		     names_equal(r->client, client) && (!login || names_equal(r->login, login));
	}
	return n;
}

bool revoke_is_done(const struct pass_result *r)
{
	return !pass_is_incomplete(r) && !r->unreachable && !r->overdue;
}

static void removed_print(const struct program *p, const struct pass_result *r)
{
	bool network = p->settings.firewall.enabled && !r->network_failed;
	bool sql = !r->failed && !r->refuted && !r->unreachable && !r->overdue;

	fprintf(stderr, "access removed: %s%s%s;", network ? "network" : "",
		network && sql ? ", SQL on every server" : "",
		network ? ""
		: sql	? "SQL on every server"
			: "none that is confirmed");
}

/* What was not done. `access`: what that says about access on a side that did not answer. */
static void remaining_print(
	const struct pass_result *r, const struct records *k, const char *access)
{
	if (r->network_failed)
		fprintf(stderr,
			" %s: network, because the packet filter does not match the schedule;",
			access);
	for (size_t i = 0; i < k->n; i++)
		if (k->items[i].kind == RECORD_SERVER && k->items[i].state == STATE_UNREACHABLE)
			text_printf(stderr, " %s: SQL on %s, which cannot be reached (%s);", access,
				k->items[i].server, k->items[i].detail);
	if (r->failed)
		fprintf(stderr, " %zu change%s failed;", r->failed, r->failed == 1 ? "" : "s");
	if (r->refuted && !r->overdue)
		fprintf(stderr, " %zu grant%s hold%s more access than is scheduled;", r->refuted,
			r->refuted == 1 ? "" : "s", r->refuted == 1 ? "s" : "");
	if (r->overdue)
		fprintf(stderr, " not confirmed: the end of %zu grant%s;", r->overdue,
			r->overdue == 1 ? "" : "s");
}

void revoke_incomplete_print(const struct cli *cli, const struct program *p,
	const struct pass_result *r, const struct records *k, enum recorded recorded)
{
	static const char *const texts[] = {
		[RECORDED] = "the revocation is recorded",
		[RECORDED_COPY] =
			"cannot write the journal; the revocation is in its second copy and holds after a restart",
		[RECORDED_NOWHERE] =
			"blocked only until the service starts again: the revocation is not recorded; free space in state_directory, then revoke again",
	};

	bool revoke = streq(cli->command->name, "revoke");

	fprintf(stderr, "curfew %s: ", cli->command->name);
	if (revoke)
		removed_print(p, r);
	else
		fputs("access is not granted on every server;", stderr);
	remaining_print(r, k, revoke ? "may remain" : "may be missing");
	fprintf(stderr, " %s",
		revoke || recorded != RECORDED ? texts[recorded] : "the reinstatement is recorded");
	if (recorded == RECORDED && r->journal_failed)
		fputs(", but its changes are not", stderr);
	fputs("; see `curfew status`\n", stderr);
}
