/* The command line: its table, its help, its parsing. */
#ifndef CURFEW_COMMANDS_USAGE_H
#define CURFEW_COMMANDS_USAGE_H

#include "commands/command.h"

#define DEFAULT_CONFIG "/etc/curfew/curfew.conf"

int usage_all(FILE *to, int code);
int usage_version(void);
int usage_help(const char *name); /* of one command */
int usage_unknown(const char *name);
/* argv[0] is the command's name. False: end with *code (help was shown, or an error told). */
bool usage_parse(struct cli *out, int *code, const struct command *c, int argc, char **argv);

#endif
