/* Clients that the service has loaded and whose files are gone: their access ends with the next reload. */
#include "commands/preview_files.h"

int vanished_print(const struct cli *cli, const struct program *p, const struct check_out *to)
{
	struct program *saved = cli_saved(cli, p);
	_cleanup_free_ const struct client **removed =
		calloc((saved ? saved->n_clients : 0) + 1, sizeof(*removed));
	size_t n = removed && saved ? clients_removed(removed, saved, p) : 0;

	for (size_t i = 0; i < n; i++)
		check_out_tell(to, SEVERITY_WARNING, cli->config,
			"client %s has no file any more; with the next reload all access of its users ends",
			removed[i]->name);
	program_free(saved);
	return removed ? 0 : EXIT_FAILED;
}
