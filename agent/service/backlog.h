/* Journal entries of work that is done but could not be recorded: kept in order, with their times, until the journal
 * accepts them. */
#ifndef SERVICE_BACKLOG_H
#define SERVICE_BACKLOG_H

#include "curfew/journal.h"

/* When this many wait, the journal has failed for long. Each entry was also logged; the earliest are kept because
 * they show how the failure began. */
#define MAX_BACKLOG 10000

struct backlog;

int backlog_new(struct backlog **out); /* 0 or -ENOMEM */
void backlog_free(struct backlog *b);
size_t backlog_count(const struct backlog *b);

/* Writes the entry. Keeps it if `j` is NULL, if `j` cannot write it, or if others wait already. Returns 0 if written,
 * else the journal's error. */
int backlog_write(struct backlog *b, struct journal *j, const struct journal_entry *e);
/* Keeps the entry without trying to write it. */
void backlog_keep(struct backlog *b, const struct journal_entry *e);
/* Keeps a revocation, to be written as a revocation and as an event. */
void backlog_keep_revocation(struct backlog *b, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason);
/* Writes the waiting entries in order until one fails. Returns 0 if none is left, else the journal's error. */
int backlog_flush(struct backlog *b, struct journal *j);

#endif
