/* curfew bootstrap SERVER: the T-SQL that a DBA reviews and runs. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/report.h"
#include "curfew/text.h"

/* The databases that client files name on this server, each once. */
static size_t databases_of(char **out, const struct program *p, const struct server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases; k++) {
			const struct database *d = &p->clients[i].databases[k];
			bool known = &p->servers[d->server] != s;
			for (size_t m = 0; m < n && !known; m++)
				known = names_equal(out[m], d->name);
			if (!known)
				out[n++] = d->name;
		}
	return n;
}

static int print(const struct cli *cli, const struct server *s, char **databases, size_t n)
{
	struct text text;

	if (!cli->json)
		return sql_write_bootstrap(stdout, s, databases, n) ? EXIT_FAILED : EXIT_FINE;
	int rc = text_begin(&text) ? sql_write_bootstrap(text.to, s, databases, n) : -ENOMEM;
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
		code = print(cli, s, databases, databases_of(databases, p, s));
	program_free(p);
	return code;
}

const struct command command_bootstrap = {
	.name = "bootstrap",
	.operands = "SERVER",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_JSON,
	.summary = "Print the T-SQL that creates the agent login",
	.help = "A DBA reviews the script, fills in the password, and runs it on the server. Does not contact any server.\n"
		"The agent login gets permissions in the databases that client files name. Run the script again when a\n"
		"client file names a new database; it adds only what is missing.\n",
	.run = run,
};
