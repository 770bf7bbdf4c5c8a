/* The command line: its table, its help, its parsing. */
#ifndef CURFEW_COMMANDS_USAGE_H
#define CURFEW_COMMANDS_USAGE_H

#include "commands/command.h"

#define DEFAULT_CONFIG "/etc/curfew/curfew.conf"

int usage_all(FILE *to, int code);
int usage_version(void);
int usage_help(const char *name); /* of one command */
int usage_unknown(const char *name);
/* An option as the help shows it; `argument` is NULL when it takes no word. */
struct usage_option {
	const char *name, *argument, *words;
};
#define USAGE_MAX_OPTIONS 64
/* The options of a command, --config and --help among them; how many. */
size_t usage_options(struct usage_option out[USAGE_MAX_OPTIONS], const struct command *c);
/* argv[0] is the command's name. False: end with *code (help was shown, or an error told). */
bool usage_parse(struct cli *out, int *code, const struct command *c, int argc, char **argv);

#endif
