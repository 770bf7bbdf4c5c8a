/* Errors about unknown names: where the name was searched, and the known ones. */
#include <string.h>

#include "commands/command.h"
#include "program/suggest.h"
#include "program/visible_text.h"

/* More names would not help on a terminal. */
#define SHOWN_MOST 8

static void names_write(FILE *to, const char *const *names, size_t n)
{
	size_t shown = n > SHOWN_MOST ? SHOWN_MOST : n;

	fputs(n ? "; known: " : "; none is configured", to);
	for (size_t i = 0; i < shown; i++)
		text_printf(to, "%s%s", i ? ", " : "", names[i]);
	if (n > shown)
		fprintf(to, " and %zu more", n - shown);
}

static int unknown(const struct cli *cli, const char *what, const char *name,
	const char *const *names, size_t n, const char *more)
{
	const char *near = nearest_word(name, names, n);

	text_printf(stderr, "curfew %s: unknown %s '%s' in %s", cli->command->name, what, name,
		cli->config);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	else
		names_write(stderr, names, n);
	fprintf(stderr, "%s\n", more ? more : "");
	return EXIT_USAGE;
}

int cli_client(const struct client **out, const struct cli *cli, const struct program *p)
{
	_cleanup_free_ const char **names = NULL;
	_cleanup_free_ char *more = NULL;
	const char *lost;

	*out = NULL;
	if (!cli->n_operands)
		return 0;
	*out = program_client(p, cli->operands[0]);
	if (*out)
		return 0;
	names = calloc(p->n_clients + 1, sizeof(*names));
	if (!names)
		return EXIT_FAILED;
	for (size_t i = 0; i < p->n_clients; i++)
		names[i] = p->clients[i].name;
	lost = cli_lost_file(p, cli->config);
	if (lost && asprintf(&more, "; the file %s has errors and may define it", lost) < 0)
		more = NULL;
	return unknown(cli, "client", cli->operands[0], names, p->n_clients, more);
}

int cli_server(const struct server **out, const struct cli *cli, const struct program *p)
{
	_cleanup_free_ const char **names = NULL;

	*out = program_server(p, cli->operands[0]);
	if (*out)
		return 0;
	names = calloc(p->n_servers + 1, sizeof(*names));
	if (!names)
		return EXIT_FAILED;
	for (size_t i = 0; i < p->n_servers; i++)
		names[i] = p->servers[i].name;
	return unknown(cli, "server", cli->operands[0], names, p->n_servers, NULL);
}

int cli_user(const struct user **out, const struct cli *cli, const struct client *c)
{
	*out = NULL;
	if (cli->n_operands < 2)
		return 0;
	*out = client_user(c, cli->operands[1]);
	if (*out)
		return 0;
	/* A client has few users, and two may have the same name, so list all of them. */
	fprintf(stderr,
		"curfew %s: '%s' matches no user, or several users, of client '%s'; use a login, an email address, or "
		"first.last; users:",
		cli->command->name, cli->operands[1], c->name);
	for (size_t i = 0; i < c->n_users; i++)
		fprintf(stderr, "%s %s <%s>", i ? "," : "", c->users[i].login, c->users[i].email);
	fputc('\n', stderr);
	return EXIT_USAGE;
}
