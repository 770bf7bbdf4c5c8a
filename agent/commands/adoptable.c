/* Whether a login is one that `curfew adopt` is for: an unknown member of curfew_logins, which the server shows. Any other
 * would be taken for one of Curfew's own: overdue while it exists, and to be dropped. */
#include "commands/adoptable.h"

#include <string.h>

#include "curfew/unclaimed.h"
#include "program/names.h"

static const struct client *client_of(
	const struct program *p, const struct server *s, const char *login)
{
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_users; k++)
			if (names_equal(p->clients[i].users[k].login, login) &&
				client_uses_server(p, &p->clients[i], s))
				return &p->clients[i];
	return NULL;
}

static int name_check(const struct cli *cli, const struct program *p, const struct server *s)
{
	const char *login = cli->operands[1];
	const struct client *client = client_of(p, s, login);

	if (login_fault(login))
		return cli_fail(cli, EXIT_FAILED,
			"login '%s' %s, so Curfew did not make it, and must not remove it", login,
			login_fault(login));
	if (names_equal(login, s->login))
		return cli_fail(cli, EXIT_FAILED,
			"login '%s' is the one that Curfew itself uses on %s", login, s->name);
	if (client)
		return cli_fail(cli, EXIT_FAILED,
			"client %s names login %s, so this agent manages it already", client->name,
			login);
	return 0;
}

static bool is_unclaimed(const struct record *r, const char *login)
{
	return r->kind == RECORD_NOTE && names_equal(r->login, login) &&
	       strstr(r->detail, LOGIN_UNCLAIMED);
}

static int records_check(const struct cli *cli, const struct records *records)
{
	const char *server = cli->operands[0], *problem = "no answer";
	bool read = false;

	for (size_t i = 0; i < records->n; i++) {
		const struct record *r = &records->items[i];

		if (!streq(r->server, server))
			continue;
		if (is_unclaimed(r, cli->operands[1]))
			return 0;
		if (r->kind == RECORD_SERVER)
			read = r->state != STATE_UNREACHABLE;
		if (r->kind == RECORD_SERVER && *r->detail)
			problem = r->detail;
	}
	return read ? cli_fail(cli, EXIT_FAILED,
			      "%s shows no unknown member of curfew_logins named \"%s\"; `curfew status` lists them",
			      server, cli->operands[1])
		    : cli_fail(cli, EXIT_FAILED,
			      "cannot read %s, so nobody knows whether it has that login: %s; run `curfew check-server %s`",
			      server, problem, server);
}

int adoptable_check(
	const struct cli *cli, const struct program *p, struct journal *j, instant_t now)
{
	const struct server *s = program_server(p, cli->operands[0]);
	const char *const servers[] = {cli->operands[0], NULL};
	struct overrides none = {0};
	struct records records = {0};
	struct pass_result result;
	const struct pass_options o = {.mode = PASS_STATUS,
		.program = p,
		.overrides = &none,
		.journal = j,
		.now = now,
		.servers = servers,
		.sink = records_keep,
		.context = &records};

	if (!s)
		return cli_fail(cli, EXIT_USAGE,
			"no server \"%s\" in the configuration; run `curfew check`",
			cli->operands[0]);
	int code = name_check(cli, p, s);
	if (!code)
		code = cli_pass(&result, cli, &o);
	if (!code)
		code = records_check(cli, &records);
	records_free(&records);
	return code;
}
