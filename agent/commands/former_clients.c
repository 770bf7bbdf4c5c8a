/* Clients whose databases another client has now: who asks for a client by its new name must hear of the old one. */
#include "commands/former_clients.h"

#include <errno.h>
#include <string.h>

#include "curfew/population.h"

static bool had_it(
	const struct program *p, const struct client *asked, const struct journal_entry *e)
{
	if (!e->client || !e->server || !e->database || names_equal(e->client, asked->name) ||
		!client_names_database(p, asked, e->server, e->database))
		return false;
	const struct client *other = program_client(p, e->client);
	return !other || !client_names_database(p, other, e->server, e->database);
}

size_t former_clients_tell(const struct cli *cli, const struct program *p,
	const struct journal_entry **access, size_t n)
{
	const struct client *asked = cli->n_operands ? program_client(p, cli->operands[0]) : NULL;
	size_t kept = 0;

	for (size_t i = 0; asked && i < n; i++) {
		bool told = !had_it(p, asked, access[i]);
		for (size_t k = 0; k < kept && !told; k++)
			told = names_equal(access[k]->client, access[i]->client);
		if (told)
			continue;
		_cleanup_free_ char *text = former_client_text(access[i], asked->name);
		cli_fail(cli, 0, "warning: %s", text ? text : strerror(ENOMEM));
		access[kept++] = access[i];
	}
	return kept;
}
