/* What the edited files would change against what is in force. */
#ifndef COMMANDS_PREVIEW_FILES_H
#define COMMANDS_PREVIEW_FILES_H

#include "commands/command.h"
#include "curfew/preview.h"

/* Of c->program, the files, against what the service has loaded or, where nothing was loaded ever, against nothing: said
 * aloud. Sets the rest of the context too. With a client: only his. 0 or exit code. `saved` is what the preview borrows
 * from, the caller's to free after it. */
int preview_files(struct preview *out, struct program **saved, struct context *c);
/* A line for each client that the service has loaded and that the files have no more. 0 or exit code. */
int vanished_print(const struct cli *cli, const struct program *p, FILE *to);
/* What the records keep beside the files: ends that are moved after they have passed, guards and access that stay. */
void kept_print(const struct cli *cli, const struct program *p, FILE *to);

#endif
