/* curfew reload: the running service reads its configuration again, and says what came of it. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "commands/command.h"
#include "curfew/control.h"

static int reload_ask(const struct cli *cli, const struct program *p)
{
	json_t *end;
	int rc = control_call(&end, p->settings.runtime_directory,
		json_pack("{s:s}", "command", "reload"), NULL, NULL);

	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return cli_fail(cli, EXIT_FAILED,
			"no service runs here: nothing to reload; every other command reads the configuration itself");
	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "asking the service: %s", strerror(-rc));
	int code = (int)json_integer_value(json_object_get(end, "end"));
	const char *error = json_string_value(json_object_get(end, "error"));
	if (error)
		cli_fail(cli, code, "%s", error);
	else
		printf("configuration taken: clients: %lld, of them by their last good version: %lld\n",
			(long long)json_integer_value(json_object_get(end, "clients")),
			(long long)json_integer_value(json_object_get(end, "kept")));
	json_decref(end);
	return code;
}

static int run_reload(struct cli *cli)
{
	struct problems problems;
	struct program *p = NULL;

	/* Only to learn where the socket is: the service says what it thinks of the files. */
	int rc = program_load(&p, &problems, cli->config, 0);
	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "reading %s: %s", cli->config, strerror(-rc));
	if (!p)
		problems_print(&problems, stderr);
	problems_free(&problems);
	if (!p)
		return cli_fail(cli, EXIT_CONFIG,
			"%s has errors: the service keeps the configuration that it has",
			cli->config);
	int code = reload_ask(cli, p);
	program_free(p);
	return code;
}

const struct command command_reload = {
	.name = "reload",
	.operands = "",
	.summary = "Let the service read its configuration again",
	.help = "What `systemctl reload curfew` does. A client file that has errors stays in force by its last good\n"
		"version, with its ends; one that is gone ends its client's access.\n"
		"Exit 0 when everything was taken, 2 when some files were not, 78 when nothing was.\n",
	.run = run_reload,
};
