/* curfew bootstrap SERVER: the T-SQL that a DBA reviews and runs. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/report.h"
#include "curfew/text.h"

static int print(const struct cli *cli, const struct server *s, const struct server *first,
	char **databases, size_t n)
{
	int (*write)(FILE *, const struct server *, const struct server *, char *const *, size_t) =
		cli->drop ? sql_write_bootstrap_drop : sql_write_bootstrap;
	struct text text;

	if (!cli->json)
		return write(stdout, s, first, databases, n) ? EXIT_FAILED : EXIT_FINE;
	int rc = text_begin(&text) ? write(text.to, s, first, databases, n) : -ENOMEM;
	_cleanup_free_ char *statement = text_end(&text);
	if (rc || !statement)
		return EXIT_FAILED;
	return json_print(
		       json_pack("{s:s, s:s}", "server", s->name, "statement", statement), stdout)
		       ? EXIT_FAILED
		       : EXIT_FINE;
}

static int run(struct cli *cli)
{
	struct program *p;
	int code = cli_load(&p, cli);

	if (code)
		return code;
	const struct server *s;
	size_t room = 1;
	for (size_t i = 0; i < p->n_clients; i++)
		room += p->clients[i].n_databases;
	_cleanup_free_ char **databases = calloc(room, sizeof(*databases));
	code = cli_server(&s, cli, p);
	if (!code && !databases)
		code = EXIT_FAILED;
	else if (!code)
		code = print(cli, s, server_first(p, s), databases, cli_databases(databases, p, s));
	program_free(p);
	return code;
}

const struct command command_bootstrap = {
	.name = "bootstrap",
	.operands = "SERVER",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_JSON | OPT_DROP,
	.summary = "Print the T-SQL that creates the agent login",
	.help = "A DBA reviews the script, fills in the password, and runs it on the server. Does not contact any server.\n"
		"The agent login gets permissions in the databases that client files name. Run the script again when a\n"
		"client file names a new database, or after an upgrade of Curfew; it adds only what is missing.\n"
		"With --drop: the script that removes the agent login again.\n",
	.run = run,
};
