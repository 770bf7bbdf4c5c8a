/* The part of `curfew check` that needs the state: warnings about a passed date that changed, and about guards and access
 * that no file names any more. */
#include "commands/preview_files.h"

#include <string.h>

#include "curfew/pass.h"
#include "curfew/state.h"

struct told {
	const struct cli *cli;
	const struct check_out *to;
};

static int note_print(void *context, const struct record *r)
{
	const struct told *t = context;

	if (r->kind == RECORD_NOTE)
		check_out_tell(t->to, SEVERITY_WARNING, t->cli->config, "%s", r->detail);
	else if (r->kind == RECORD_GRANT && r->grant.origin == GRANT_RESIDUAL)
		check_out_tell(t->to, SEVERITY_WARNING, t->cli->config, "%s on %s%s%s: %s",
			r->login, r->server, *r->database ? "/" : "", r->database, r->detail);
	return 0;
}

void check_state_print(const struct cli *cli, const struct program *p, const struct check_out *to)
{
	static const char *const nowhere[] = {NULL};
	struct told told = {cli, to};
	struct overrides overrides = {0};
	struct journal *j = NULL;
	struct pass_result result;
	struct pass_options o = {.mode = PASS_STATUS,
		.program = p,
		.overrides = &overrides,
		.servers = nowhere,
		.sink = note_print,
		.context = &told};

	/* Before the first start, or for a user who may not read them, there are no records. */
	if (cli_enter(cli, p->settings.state_directory, p) ||
		state_journal_open(&j, &p->settings, false))
		return;
	o.journal = j;
	if (!cli_now(&o.now, cli, p, NULL) && !cli_overrides(&overrides, cli, p, j))
		pass_run(&result, &o);
	overrides_free(&overrides);
	journal_close(j);
}
