/* A client file with errors that has no last known good version: nobody is given access by it. */
#include <jansson.h>
#include <string.h>

#include "commands/command.h"
#include "curfew/text.h"

const char *cli_lost_file(const struct program *p, const char *config)
{
	for (size_t i = 0; i < p->n_files; i++) {
		bool found = streq(p->files[i], config);
		for (size_t k = 0; k < p->n_clients && !found; k++)
			found = streq(base_name(p->clients[k].file), base_name(p->files[i]));
		if (!found)
			return base_name(p->files[i]);
	}
	return NULL;
}

int cli_lost_file_tell(const struct cli *cli, int code)
{
	const char *file = *cli->lost_file
				   ? cli->lost_file
				   : json_string_value(json_object_get(cli->service, "left_out"));

	/* The file of the client that was named is loaded. */
	if (!file || cli->n_operands || (code && code != EXIT_DIFFERENT))
		return code;
	return cli_fail(cli, EXIT_DIFFERENT,
		"client file %s has errors and no last known good version, so nobody is given access by it; fix the file; "
		"a running service loads it with `systemctl reload curfew`",
		file);
}
