/* Commands that change a client's dates. */
#ifndef CURFEW_COMMANDS_AMEND_DATES_H
#define CURFEW_COMMANDS_AMEND_DATES_H

#include "commands/amend.h"

/* Checks that the text is a date in a file's syntax; `what` names its option or operand. 0 or exit code. */
int amend_date_check(const struct cli *cli, const char *what, const char *text);
/* Converts it to UTC in that zone; `ends`: a date without a time means the end of that day. 0 or negative errno. */
int amend_instant(instant_t *out, const char *text, const char *zone, bool ends);
/* `change` makes, checks, and previews the new text. If that would grant again what has passed, tries once more with
 * --ticket, --approved-on, and --approved-by in the file as a new approval. 0 or exit code. */
int amend_decide(struct amendment *a, int (*change)(struct amendment *a));

#endif
