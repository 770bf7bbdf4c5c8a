/* What is done and cannot be recorded yet: kept until the journal takes it, with the instants at which it happened. */
#ifndef SERVICE_BACKLOG_H
#define SERVICE_BACKLOG_H

#include "curfew/journal.h"

/* Beyond it the journal has been out of order for long, and each of these was logged: the earliest are the ones that
 * say how it began. */
#define MAX_BACKLOG 10000

struct backlog;

int backlog_new(struct backlog **out); /* 0 or -ENOMEM */
void backlog_free(struct backlog *b);
size_t backlog_count(const struct backlog *b);

/* Writes the entry, or keeps it: when `j` is NULL, does not take it, or others wait already. 0: written; else what the
 * journal said. */
int backlog_write(struct backlog *b, struct journal *j, const struct journal_entry *e);
/* Keeps it without trying. */
void backlog_keep(struct backlog *b, const struct journal_entry *e);
/* A revocation: it becomes override and event. */
void backlog_keep_revocation(struct backlog *b, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason);
/* Writes what it can, in order. 0: all of it; else what the journal said. */
int backlog_flush(struct backlog *b, struct journal *j);

#endif
