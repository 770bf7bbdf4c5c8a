/* Compares edited files with the loaded configuration. */
#ifndef COMMANDS_PREVIEW_FILES_H
#define COMMANDS_PREVIEW_FILES_H

#include "commands/command.h"
#include "curfew/preview.h"

/* Compares c->program (the files) with what the service has loaded, or with nothing if it never loaded any, after a
 * warning. Sets the rest of the context too. With a client: only that client. 0 or exit code. The preview borrows
 * from `saved`, which the caller frees after it. */
int preview_files(struct preview *out, struct program **saved, struct context *c);
/* Where the checks below say what they find: as lines of a file, or among the problems of the configuration. */
struct check_out {
	FILE *to;		   /* or NULL */
	struct problems *problems; /* then these */
};
__attribute__((format(printf, 4, 5))) void check_out_tell(const struct check_out *out,
	enum severity severity, const char *file, const char *format, ...);
/* Prints a line for each loaded client whose file is gone. 0 or exit code. */
int vanished_print(const struct cli *cli, const struct program *p, const struct check_out *to);
/* Prints advice where a go-live is near and custom objects are undecided or unused. 0 or exit code. */
int custom_print(const struct cli *cli, const struct program *p, const struct check_out *to);
/* Prints what the state keeps in spite of the files: dates that change after they have passed, guards, and access. */
void check_state_print(const struct cli *cli, const struct program *p, const struct check_out *to);

#endif
