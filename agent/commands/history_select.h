/* Selects records of the journal by what the journal's own queries cannot express. */
#ifndef CURFEW_COMMANDS_HISTORY_SELECT_H
#define CURFEW_COMMANDS_HISTORY_SELECT_H

#include "commands/history_people.h"

struct history_choice {
	const char *server, *database; /* NULL: all */
	const struct logins *people;   /* only of these logins; NULL: all */
	const char *client;	       /* of records of access; NULL: all */
	const char *person; /* not what records say to be of another email address; NULL: all */
	size_t limit;	    /* only the last ones; 0: all */
	bool summary;	    /* only changes of access and events */
};
/* Requires that --limit is a number. 0 or exit code. */
int history_choose(struct history_choice *out, const struct cli *cli);
/* Moves the selected records to the front, in order; *out borrows them. */
void history_select(
	struct journal_entries *out, struct journal_entries *all, const struct history_choice *c);
/* Whether a record of access is one of those, --limit aside. */
bool history_is_chosen(const struct journal_entry *access, const struct history_choice *c);
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
/* Of all clients: a login may go on under another one. */
struct history_records {
	const struct journal_entries *access, *handovers; /* access: oldest first */
};
/* The next one; *i begins at 0. false: no more. */
bool history_past_next(
	struct history_past *out, size_t *i, const struct history_records *r, instant_t at);
/* Shows access at that time: the selected access that is in effect then, and that is past its end by all records of access. */
int history_access_show(const struct cli *cli, const struct journal_entries *in_effect,
	const struct history_records *records, const struct history_choice *choice, instant_t at);

#endif
