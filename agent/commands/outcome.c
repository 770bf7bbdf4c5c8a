/* The actor of a command, its result, and its error messages. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/actor.h"
#include "curfew/control.h"
#include "curfew/report.h"
#include "curfew/text.h"
#include "program/visible_text.h"

int cli_fail(const struct cli *cli, int code, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "curfew %s: %s", cli->command->name,
		code && cli->outcome ? cli->outcome : "");
	va_start(args, format);
	text_vprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

int cli_contact_fail(const struct cli *cli, int result)
{
	return cli_fail(cli, EXIT_FAILED, "cannot contact the service: %s; %s", strerror(-result),
		result == -EACCES ? "run as root or as a member of group " CONTROL_GROUP
				  : "check `systemctl status curfew`");
}

int cli_done(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	if (!text)
		return EXIT_FAILED;
	if (cli->json)
		return json_print(json_pack("{s:o}", "done", text_json(text)), stdout) ? EXIT_FAILED
										       : EXIT_FINE;
	text_printf(stdout, "%s\n", text);
	return EXIT_FINE;
}

const char *cli_actor(void)
{
	static char text[ACTOR_MAX];

	/* Read it while the process has its first user: later, root becomes the owner of the state directory. */
	if (!*text)
		actor_text(text, getuid(), getpid(), getuid() == 0 ? getenv("SUDO_USER") : NULL);
	return text;
}
