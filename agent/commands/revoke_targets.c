/* Whom a command means: a client, one of its users, or a person in every client. */
#include "commands/revoke_targets.h"

int targets_each(const struct context *c, target_fn each, void *context)
{
	const struct program *p = c->program;
	int rc = 0;

	if (c->client)
		return each(context, c->client->name, c->user ? c->user->login : NULL);
	for (size_t i = 0; i < p->n_clients && !rc; i++)
		for (size_t k = 0; k < p->clients[i].n_users && !rc; k++)
			if (names_equal(p->clients[i].users[k].email, c->cli->person))
				rc = each(
					context, p->clients[i].name, p->clients[i].users[k].login);
	return rc;
}

static int count(void *context, const char *client, const char *login)
{
	(void)client;
	(void)login;
	++*(size_t *)context;
	return 0;
}

int targets_open(struct context *c, struct cli *cli)
{
	size_t n = 0;

	if (!cli->person == !cli->n_operands) {
		*c = (struct context){0};
		return cli_fail(cli, EXIT_USAGE,
			"name either a client or a person: curfew %s CLIENT [USER] --reason TEXT, or --person EMAIL",
			cli->command->name);
	}
	int code = context_open(c, cli, CONTEXT_LOADED | (cli->person ? 0 : CONTEXT_CLIENT));
	if (!code)
		targets_each(c, count, &n);
	if (!code && !n)
		code = cli_fail(cli, EXIT_USAGE,
			"no client has a user with the email address '%s'; check the spelling, or name CLIENT and USER",
			cli->person);
	return code;
}
