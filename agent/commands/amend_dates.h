/* Dates of a client that a command moves. */
#ifndef CURFEW_COMMANDS_AMEND_DATES_H
#define CURFEW_COMMANDS_AMEND_DATES_H

#include "commands/amend.h"

/* Whether the text is a date, as files have it; `what` is its option or operand. 0 or exit code. */
int amend_date_check(const struct cli *cli, const char *what, const char *text);
/* Its instant in that zone; `ends`: a date alone is the end of that day. 0 or negative errno. */
int amend_instant(instant_t *out, const char *text, const char *zone, bool ends);
/* `change` makes and checks the new text, and looks. Where that would give again what has passed, it is tried once more
 * with --ticket, --approved-on, and --approved-by written into the file: a new decision. 0 or exit code. */
int amend_decide(struct amendment *a, int (*change)(struct amendment *a));

#endif
