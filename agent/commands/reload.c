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
			"nothing to reload: the service is not running; other commands read the configuration files themselves");
	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "cannot contact the service: %s", strerror(-rc));
	int code = (int)json_integer_value(json_object_get(end, "end"));
	const char *error = json_string_value(json_object_get(end, "error"));
	if (error)
		cli_fail(cli, code, "%s", error);
	else
		printf("configuration reloaded: %lld clients, %lld of them from the last known good version\n",
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
		return cli_fail(cli, EXIT_FAILED, "cannot read %s: %s", cli->config, strerror(-rc));
	if (!p)
		problems_print(&problems, stderr);
	problems_free(&problems);
	if (!p)
		return cli_fail(cli, EXIT_CONFIG,
			"reload failed: %s has errors; the service keeps the loaded configuration",
			cli->config);
	int code = reload_ask(cli, p);
	program_free(p);
	return code;
}

const struct command command_reload = {
	.name = "reload",
	.operands = "",
	.summary = "Reload the configuration of the service",
	.help = "Does the same as `systemctl reload curfew`. If a client file has errors, the service uses its last known good\n"
		"version and its end times. If a client file was deleted, the access of its client ends.\n"
		"Exit status: 0 all files loaded, 2 some files not loaded, 78 no file loaded.\n",
	.run = run_reload,
};
