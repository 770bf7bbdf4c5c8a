/* What is there on a server: its principals, databases, permissions, and sessions, read from its catalog. */
#ifndef CURFEW_CATALOG_H
#define CURFEW_CATALOG_H

#include "curfew/sql.h"

/* Access that was granted once, that the configuration no longer names, and that was not seen removed yet. A
 * RECORD_GRANT reports it: level none and state ok once it is verified as removed, unread where that cannot be checked.
 * */
struct sql_former {
	const char *login, *database;
	struct sid sid;	    /* size 0: unknown */
	const char *client; /* or NULL */
};

#define SQL_HEAD_ENDED 1

/* T-SQL that is sent before an observation in the same batch, and the function for its rows. The rows show its result,
 * whatever the observation returns. The text is wiped. */
struct sql_head {
	const char *batch;
	sql_row_fn row;
	void *context;
	bool comes_first; /* no row is taken for one of the observation until row() returns SQL_HEAD_ENDED */
	bool hasty; /* a lock that is not given up at once ends the observation with 1222 */
};

/* Databases whose catalog is locked. They are not asked again in this visit, because each attempt waits for the lock.
 * */
struct sql_blocked {
	int *ids;
	char **reasons;
	size_t n;
	bool apart;   /* one database at a time */
	size_t first; /* then: which one of the server's is the first */
	const struct observed_database
		*lost; /* the one in which the session was lost, if it was alone */
};
void sql_blocked_free(struct sql_blocked *b);

/* Reads the server: principals, sessions of managed logins, databases. A lock in a database cannot delay it. Configured
 * and former databases are looked up even if no row shows them; `absent` is set only if the server says that the
 * database does not exist. 0, -ENOMEM, or the result of sql_session_run() if a needed part could not be read. */
int sql_observe_server(struct observed_server *out, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, const struct sql_former *formers,
	size_t n_formers, const struct sql_head *head);
/* Adds databases that have one of these ids, each once, and that no row showed. 0, -ENOMEM, or a lost session. */
int sql_observe_hidden(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const int *ids, size_t n);
/* Then reads the databases. In one that is not configured only principals are read, unless one is managed. A database
 * that cannot be read gets `unread` with the reason. 0, -ENOMEM, or a lost session. */
int sql_observe_databases(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, struct sql_blocked *blocked);

#endif
