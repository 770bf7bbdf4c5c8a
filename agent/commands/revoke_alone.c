/* Revoking and reinstating without a service: the records, then a pass of the command's own. */
#include <errno.h>
#include <string.h>

#include "commands/remembered.h"
#include "commands/revoke_alone.h"
#include "commands/revoke_targets.h"
#include "curfew/disk.h"
#include "curfew/revocation_copy.h"
#include "curfew/state.h"

struct alone {
	struct context *c; /* its journal is NULL if it cannot be read */
	struct revocation_copy *copy;
	const char *hold;	/* why no access is granted; NULL: as scheduled */
	enum recorded recorded; /* the worst one */
	size_t reinstated;
};

/* Revokes in memory first: an error of the journal does not delay the removal of access. */
static int revoke_target(void *context, const char *client, const char *login)
{
	struct alone *a = context;
	struct context *c = a->c;
	const struct revocation r = {client, login, c->now, cli_actor(), c->cli->reason};
	int copied = a->copy ? revocation_copy_add(a->copy, &r) : -ENODEV;
	int rc = c->journal ? override_add(c->journal, client, login, c->now, r.actor, r.reason)
			    : -ENODEV;
	enum recorded here = !rc ? RECORDED : !copied ? RECORDED_COPY : RECORDED_NOWHERE;

	if (rc && c->journal)
		cli_fail(c->cli, 0, "cannot write the journal: %s", journal_problem(rc));
	if (here > a->recorded)
		a->recorded = here;
	return overrides_add(&c->overrides, client, login, c->now, c->cli->reason);
}

static int reinstate_target(void *context, const char *client, const char *login)
{
	struct alone *a = context;
	struct context *c = a->c;
	int rc = override_remove(c->journal, client, login, c->now, cli_actor(), c->cli->reason);

	/* A person may be revoked in one of several clients. */
	if (rc == -ENOENT && c->cli->person)
		return 0;
	if (rc == -ENOENT)
		return cli_fail(c->cli, EXIT_FAILED,
			"%s%s%s is not revoked%s; `curfew status %s` shows revocations", client,
			login ? " / " : "", login ? login : "",
			login ? " by its own name" : " as a whole", client);
	if (rc)
		return cli_fail(c->cli, EXIT_FAILED,
			"access of client %s stays revoked: cannot write the journal: %s%s", client,
			journal_problem(rc),
			a->reinstated
				? "; the clients before it are reinstated: run `curfew apply`, see `curfew status`"
				: "");
	a->reinstated++;
	overrides_remove(&c->overrides, client, login);
	/* The journal decides: by it the copy is settled when a service starts. */
	if (a->copy && revocation_copy_remove(a->copy, client, login))
		cli_fail(c->cli, 0,
			"cannot write the second copy of revocations; the service corrects it when it starts");
	return 0;
}

/* A revocation does not depend on it. */
static void journal_try(struct context *c)
{
	const struct settings *s = &c->program->settings;
	struct overrides found = {0};
	int rc = state_journal_open(&c->journal, s, true);

	if (!rc) {
		journal_patience(c->journal, CLOSING_PATIENCE);
		rc = override_read(&found, c->journal);
		overrides_free(&found);
		if (rc)
			journal_close(c->journal);
	}
	if (rc) {
		c->journal = NULL;
		cli_fail(c->cli, 0, "cannot read the journal in %s: %s; removing access anyway",
			s->state_directory, journal_problem(rc));
	}
}

static int records_open(struct alone *a, bool revoke)
{
	struct context *c = a->c;
	int code = revoke ? 0 : cli_journal(&c->journal, c->cli, c->program, true);

	if (revoke)
		journal_try(c);
	if (revocation_copy_open(&a->copy, c->program->settings.state_directory, true))
		a->copy = NULL;
	return code ? code : cli_overrides(&c->overrides, c->cli, c->program, c->journal);
}

static int pass_make(struct pass_result *out, const struct alone *a, bool revoke, struct records *k)
{
	struct context *c = a->c;
	struct network network = {0};
	int code = cli_network(&network, c->cli, c->program, true);

	if (code)
		return code;
	const struct pass_options o = {
		.mode = PASS_APPLY,
		.program = c->program,
		.overrides = &c->overrides,
		.hold = a->hold,
		.journal = c->journal,
		.network = network.present ? &network.port : NULL,
		.now = c->now,
		.clock = context_clock(c),
		.client = c->client ? c->client->name : NULL,
		.actor = cli_actor(),
		.reason = c->cli->reason,
		.sink = records_keep,
		.context = k,
	};
	int rc = pass_run(out, &o);
	if (rc)
		code = cli_fail(c->cli, EXIT_FAILED,
			"no access is confirmed to be %s: %s; the %s is %srecorded; see `curfew status`",
			revoke ? "removed" : "granted", strerror(-rc),
			revoke ? "revocation" : "reinstatement",
			a->recorded == RECORDED_NOWHERE ? "not " : "");
	network_close(&network);
	return code;
}

int revoke_alone(struct pass_result *out, enum recorded *recorded, struct context *c, bool revoke,
	struct records *k)
{
	struct alone a = {.c = c};
	int code = cli_enter(c->cli, c->program->settings.state_directory, c->program);

	if (!code)
		code = cli_now(&c->now, c->cli, c->program, NULL);
	/* A revocation waits only a bounded time for a disk that hangs. */
	if (!code && revoke)
		code = disk_start();
	if (!code)
		code = records_open(&a, revoke);
	if (!code)
		code = targets_each(c, revoke ? revoke_target : reinstate_target, &a);
	if (code < 0)
		code = cli_fail(c->cli, EXIT_FAILED, "%s", strerror(-code));
	if (!code && !revoke && !a.reinstated)
		code = cli_fail(c->cli, EXIT_FAILED,
			"%s is not revoked by name in any client; `curfew status` shows revocations",
			c->cli->person);
	/* A journal that could be written does not hang. Otherwise its pass grants nothing anyway. */
	if (!code && c->journal && a.recorded == RECORDED &&
		remembered_take(&c->overrides, c->cli, c->program, c->journal, c->now))
		a.hold = REMEMBERED_HOLD;
	/* The revocation is effective, whatever can be read or reached now. */
	if (!code)
		code = pass_make(out, &a, revoke, k);
	*recorded = a.recorded;
	revocation_copy_close(a.copy);
	return code;
}
