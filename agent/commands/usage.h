/* The command line: options, help, parsing. */
#ifndef CURFEW_COMMANDS_USAGE_H
#define CURFEW_COMMANDS_USAGE_H

#include "commands/command.h"

#define DEFAULT_CONFIG "/etc/curfew/curfew.conf"

int usage_all(FILE *to, int code);
int usage_version(void);
int usage_help(const char *name); /* of one command */
int usage_unknown(const char *name);
/* An option for the help; `argument` is NULL if it has none. */
struct usage_option {
	const char *name, *argument, *words;
};
#define USAGE_MAX_OPTIONS 64
/* The options of a command, including --config and --help. Returns their number. */
size_t usage_options(struct usage_option out[USAGE_MAX_OPTIONS], const struct command *c);
/* argv[0] is the command's name. False: exit with *code, after printing help or an error. */
bool usage_parse(struct cli *out, int *code, const struct command *c, int argc, char **argv);

#endif
