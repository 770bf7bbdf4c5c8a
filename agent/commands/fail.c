/* Who runs the command, and what it says when it cannot. */
#include <stdarg.h>
#include <unistd.h>

#include "commands/command.h"
#include "curfew/actor.h"
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

const char *cli_actor(void)
{
	static char text[ACTOR_MAX];

	/* Asked first while it is still the user's own: later root has become the owner of the state folder. */
	if (!*text)
		actor_text(text, getuid(), getpid(), getuid() == 0 ? getenv("SUDO_USER") : NULL);
	return text;
}
