/* Asks the running service to reload, and prints the result. */
#include "commands/reload_ask.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "curfew/control.h"

int reload_ask(const struct cli *cli, const struct program *p)
{
	json_t *end;
	int rc = control_call(&end, p->settings.runtime_directory,
		json_pack("{s:s}", "command", "reload"), NULL, NULL);

	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return -ENOENT;
	if (rc < 0)
		return cli_contact_fail(cli, rc);
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

int reload_after(const struct cli *cli, const struct program *p)
{
	int code = reload_ask(cli, p);

	if (code != -ENOENT)
		return code;
	puts("the service is not running: the change takes effect when it starts, or with `curfew apply`");
	return EXIT_FINE;
}
