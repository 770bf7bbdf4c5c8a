/* Where a user of `curfew new` finds what is wrong: in the form or in an option, not in the file that is not written yet. */
#ifndef CURFEW_COMMANDS_NEW_PLACE_H
#define CURFEW_COMMANDS_NEW_PLACE_H

#include "commands/command.h"
#include "program/intake.h"

/* Prints an error of `written`, the text that intake_write() made of the intake. */
void intake_problem_print(const struct cli *cli, const struct intake *i, const char *written,
	const struct problem *p);

#endif
