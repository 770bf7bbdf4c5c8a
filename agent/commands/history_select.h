/* Selects records of the journal by what the journal's own queries cannot express. */
#ifndef CURFEW_COMMANDS_HISTORY_SELECT_H
#define CURFEW_COMMANDS_HISTORY_SELECT_H

#include "commands/history_people.h"

struct history_choice {
	const char *server, *database; /* NULL: all */
	const struct logins *people;   /* only of these logins; NULL: all */
	size_t limit;		       /* only the last ones; 0: all */
	bool summary;		       /* only changes of access and events */
};
/* Requires that --limit is a number. 0 or exit code. */
int history_choose(struct history_choice *out, const struct cli *cli);
/* Moves the selected records to the front, in order; *out borrows them. */
void history_select(
	struct journal_entries *out, struct journal_entries *all, const struct history_choice *c);
/* By number, without duplicates. */
void history_sort(struct journal_entries *h);
/* One line for each change of access, revocation, handover, and so on, instead of every record. */
int history_summary(const struct journal_entries *h, bool csv, FILE *to);
/* Prints access that should have ended before that time and was not confirmed as ended; returns the number. Requires
 * records of access, oldest first. */
size_t history_past_print(const struct journal_entries *h, instant_t at, FILE *to);

#endif
