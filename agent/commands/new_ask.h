/* Questions of `curfew new` on a terminal. */
#ifndef CURFEW_COMMANDS_NEW_ASK_H
#define CURFEW_COMMANDS_NEW_ASK_H

#include "commands/amend.h"
#include "program/intake.h"

/* Whether `check` would accept the data so far; prints the problems if not, with `placed` by where they came from. */
bool intake_is_sound(
	const struct amendment *a, const struct intake *i, const char *today, bool placed);
/* Asks for all missing data. 0 or exit code. */
int intake_ask(const struct amendment *a, struct intake *i, const char *today);

#endif
