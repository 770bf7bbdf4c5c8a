/* Access that ends in the files while its login, and the password, stay at the server: as another person's, or in another
 * client's file where the login is written in both. */
#ifndef CURFEW_PASSED_ON_H
#define CURFEW_PASSED_ON_H

#include "curfew/journal.h"

/* Whether a record says that there is access, or does not verify that there is none. */
bool access_is_given(const struct journal_entry *e);
/* What the login goes on with from a record at which access ends, or is another one's: that record, or the one of
 * another client. NULL: nothing. `access`: records of all clients. */
const struct journal_entry *access_goes_on(
	const struct journal_entry *end, const struct journal_entries *access);
/* The first handover of the login from then on: a new password ends what the person before could do. NULL: none. */
const struct journal_entry *access_handed_over(
	const struct journal_entry *next, const struct journal_entries *events);
/* The first record from then on that verifies that the login has nothing there, whose client's it was by then. NULL: none. */
const struct journal_entry *access_gone(
	const struct journal_entry *next, const struct journal_entries *access);

#endif
