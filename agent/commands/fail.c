/* Who runs the command, and what it says when it cannot. */
#include <pwd.h>
#include <stdarg.h>
#include <unistd.h>

#include "commands/command.h"
#include "program/visible_text.h"

int cli_fail(const struct cli *cli, int code, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "curfew %s: ", cli->command->name);
	va_start(args, format);
	text_vprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

const char *cli_actor(void)
{
	static char text[256];

	if (*text)
		return text;
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;

	snprintf(text, sizeof(text), "%.64s (uid %u)%s%.64s", pw ? pw->pw_name : "?",
		(unsigned)getuid(), sudo ? ", sudo by " : "", sudo ? sudo : "");
	return text;
}
