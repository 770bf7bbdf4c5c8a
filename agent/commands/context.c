/* The start of most commands. */
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "commands/command.h"

/* Changes only how times are shown, because dates are converted to UTC already. */
static bool zones_are_utc(struct program *p)
{
	char *zone = strdup("UTC");

	if (!zone)
		return false;
	free(p->settings.timezone);
	p->settings.timezone = zone;
	for (size_t i = 0; i < p->n_clients; i++) {
		zone = strdup("UTC");
		if (!zone)
			return false;
		free(p->clients[i].timezone);
		p->clients[i].timezone = zone;
	}
	return true;
}

int context_open(struct context *c, struct cli *cli, unsigned flags)
{
	*c = (struct context){.cli = cli};
	int code = flags & CONTEXT_LOADED ? cli_load_in_force(&c->program, cli)
					  : cli_load(&c->program, cli);

	if (!code && cli->utc && !zones_are_utc(c->program))
		code = cli_fail(cli, EXIT_FAILED, "out of memory");
	if (!code && flags & CONTEXT_CLIENT)
		code = cli_client(&c->client, cli, c->program);
	if (!code && c->client)
		code = cli_user(&c->user, cli, c->client);
	return code;
}

int context_state(struct context *c, bool write)
{
	int code = cli_enter(c->cli, c->program->settings.state_directory, c->program);

	if (!code)
		code = cli_now(&c->now, c->cli, c->program, c->client ? c->client->timezone : NULL);
	if (!code)
		code = cli_journal(&c->journal, c->cli, c->program, write);
	if (!code)
		code = cli_overrides(&c->overrides, c->cli, c->program, c->journal);
	if (!code && !write && c->cli->at && c->now < (instant_t)time(NULL))
		overrides_as_of(&c->overrides, c->now);
	if (!code && schedule_at(&c->grants, c->program, &c->overrides, c->now))
		code = cli_fail(c->cli, EXIT_FAILED, "out of memory");
	return code;
}

struct clock *context_clock(struct context *c)
{
	bool known = !c->cli->at && !clock_open(&c->clock, c->program->settings.state_directory);

	return known ? &c->clock : NULL;
}

void context_close(struct context *c)
{
	grants_free(&c->grants);
	overrides_free(&c->overrides);
	journal_close(c->journal);
	program_free(c->program);
	if (c->cli)
		json_decref(c->cli->service);
	if (c->cli)
		c->cli->service = NULL;
}
