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
/* By time, because an archive carries records over under new numbers. */
void history_sort_by_time(struct journal_entries *h);
/* One line for each change of access, revocation, handover, and so on, instead of every record. */
int history_summary(const struct journal_entries *h, bool csv, FILE *to);
/* Access that should have ended by a time and was not confirmed as ended then. */
struct history_past {
	const struct journal_entry *access;
	const struct journal_entry
		*closed; /* the record that confirms the end; NULL: none so far */
	const struct journal_entry
		*network; /* the record that says that the network was closed, or NULL */
};
/* The next one from records of access, oldest first; *i begins at 0. false: no more. */
bool history_past_next(
	struct history_past *out, size_t *i, const struct journal_entries *h, instant_t at);
/* Shows access at that time: what is in effect then, and from all records of access what is past its end. */
int history_access_show(const struct cli *cli, const struct journal_entries *in_effect,
	const struct journal_entries *access, instant_t at);

#endif
