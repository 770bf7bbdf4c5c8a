/* The databases that a proof could not read, named in its evidence: by them an operator's decision is accepted. */
#ifndef CURFEW_UNREAD_NAMES_H
#define CURFEW_UNREAD_NAMES_H

#include "curfew/base.h"

#define UNREAD_NAMES "databases not read: "
/* An operator decided by `curfew forget` that these count no more. */
#define UNREAD_FORGOTTEN "not read, by `curfew forget`: "
/* They are other clients', and nothing there points at the login: see access/concern.c. */
#define UNREAD_OTHERS "other clients' databases that were not wholly read: "
/* Room that the names of others leave for how many are forgotten: a certificate lists those by it. */
#define UNREAD_FORGOTTEN_MAX (sizeof("; " UNREAD_FORGOTTEN "32767"))

/* Appends "[A], [B]"; of names for which there is no more room, only how many they are. */
void unread_names_write(
	char *to, size_t size, const char *words, const char *const *names, size_t n);
/* The evidence names the database among those that it could not read. */
bool unread_names_have(const char *evidence, const char *database);
/* ... among those of a decision, or had no room to name all of them. */
bool unread_names_forgotten(const char *evidence, const char *database);

#endif
