/* Dispatches to a command of the table. */
#include <string.h>

#include "commands/command.h"
#include "commands/complete.h"
#include "commands/usage.h"
#include "curfew/report.h"

/* `curfew --config FILE COMMAND ...` means `curfew COMMAND --config FILE ...`: the command's name comes first. */
static void command_first(int argc, char **argv)
{
	int words = argc > 1 && !strncmp(argv[1], "--config=", 9)		       ? 1
		    : argc > 1 && (streq(argv[1], "--config") || streq(argv[1], "-c")) ? 2
										       : 0;
	if (!words || argc <= words + 1 || argv[words + 1][0] == '-')
		return;
	char *command = argv[words + 1];
	memmove(argv + 2, argv + 1, (size_t)words * sizeof(*argv));
	argv[1] = command;
}

int main(int argc, char **argv)
{
	report_locale();
	command_first(argc, argv);
	if (argc < 2)
		return usage_all(stderr, EXIT_USAGE);
	bool asks = streq(argv[1], "--help") || streq(argv[1], "-h") || streq(argv[1], "help");
	if (asks && argc > 2 && argv[2][0] != '-')
		return usage_help(argv[2]);
	if (asks)
		return usage_all(stdout, EXIT_FINE);
	if (streq(argv[1], "--version"))
		return usage_version();
	if (streq(argv[1], "complete"))
		return complete_run(argc - 2, argv + 2);
	for (const struct command *const *c = commands; *c; c++)
		if (streq(argv[1], (*c)->name)) {
			struct cli cli;
			int code;
			return usage_parse(&cli, &code, *c, argc - 1, argv + 1) ? (*c)->run(&cli)
										: code;
		}
	return usage_unknown(argv[1]);
}
