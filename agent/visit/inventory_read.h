/* Used only by visit/ and server_check/: what an inventory asks a server and its databases. */
#ifndef CURFEW_SQL_INVENTORY_READ_H
#define CURFEW_SQL_INVENTORY_READ_H

#include "curfew/sql_inventory.h"

/* Each row: N'inventory', the question's number, DB_ID(), then one column for each letter of `form`:
 * i id  p parent  S schema  N name  k kind (a literal, or a letter pair of sys.objects.type)  a added to the facts
 * h hash  H text added to the hash  t target name (longer than a name)  c created  m modified (seconds ago)
 * x index  u count  l last used  w last written (seconds ago)  r rows
 * o id of what is referred to  W server  D database (names)
 * g seconds ago since when this part could have been seen; e the same, and the earliest of several counts
 * b pages (RECORD_USE); how many seconds back the source reaches at most (RECORD_COVERAGE)  s the state of a part: 1 is on */
struct inventory_question {
	const char *name; /* of the part, in the report; for items without a `k` also their kind */
	enum record_kind makes;
	bool needed; /* without it the database counts as unread */
	const char *form;
	const char *text;
};
/* A NULL name ends each list. */
extern const struct inventory_question inventory_database_questions[], inventory_server_questions[];

/* Fills a record from one row's columns after the first three. 0, -ENOMEM, -EBADMSG. */
int inventory_row_take(struct record *r, const struct inventory_question *q, instant_t now,
	const struct sql_value *v, int n);

/* To whoever takes the records: 0, or what that said. */
int inventory_give(struct worker *w, const struct sql_inventory *i, const struct record *r);
/* The server, then each database. 0, or negative errno if the session was lost. */
int inventory_read(struct worker *w, const struct sql_inventory *i, struct sql_session *session,
	struct sql_error *error);

#endif
