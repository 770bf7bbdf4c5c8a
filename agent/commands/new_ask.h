/* What curfew new asks on a terminal. */
#ifndef CURFEW_COMMANDS_NEW_ASK_H
#define CURFEW_COMMANDS_NEW_ASK_H

#include "commands/amend.h"
#include "program/intake.h"

/* Whether `check` would take what is known so far; its reasons are printed when not. */
bool intake_is_sound(const struct amendment *a, const struct intake *i, const char *today);
/* Asks for all that is not known. 0 or exit code. */
int intake_ask(const struct amendment *a, struct intake *i, const char *today);

#endif
