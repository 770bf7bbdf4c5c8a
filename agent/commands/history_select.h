/* Which records of the journal are asked for, beyond what it can be asked itself. */
#ifndef CURFEW_COMMANDS_HISTORY_SELECT_H
#define CURFEW_COMMANDS_HISTORY_SELECT_H

#include "commands/history_people.h"

struct history_choice {
	const char *server, *database; /* NULL: all */
	const struct logins *people;   /* only of these; NULL: of everybody */
	size_t limit;		       /* the last ones; 0: all */
	bool summary;		       /* changes of access and events alone */
};
/* --limit is a number. 0 or exit code. */
int history_choose(struct history_choice *out, const struct cli *cli);
/* Puts what is asked for in front, in its order; *out borrows it. */
void history_select(
	struct journal_entries *out, struct journal_entries *all, const struct history_choice *c);
/* By number, each once. */
void history_sort(struct journal_entries *h);
/* One line for each change of access, revocation, handover, and the like, instead of every record. */
int history_summary(const struct journal_entries *h, bool csv, FILE *to);
/* Of records of access, oldest first: what was past its end at that time and not confirmed closed; their number. */
size_t history_past_print(const struct journal_entries *h, instant_t at, FILE *to);

#endif
