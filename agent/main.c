/* Dispatches to a command of the table. */
#include <string.h>

#include "commands/command.h"
#include "commands/complete.h"
#include "commands/usage.h"
#include "curfew/report.h"

int main(int argc, char **argv)
{
	report_locale();
	if (argc < 2)
		return usage_all(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "help") && argc > 2)
		return usage_help(argv[2]);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage_all(stdout, EXIT_FINE);
	if (!strcmp(argv[1], "--version"))
		return usage_version();
	if (!strcmp(argv[1], "complete"))
		return complete_run(argc - 2, argv + 2);
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp(argv[1], (*c)->name)) {
			struct cli cli;
			int code;
			return usage_parse(&cli, &code, *c, argc - 1, argv + 1) ? (*c)->run(&cli)
										: code;
		}
	return usage_unknown(argv[1]);
}
