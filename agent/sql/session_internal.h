/* Inside a session: what its files share. Not for other modules. */
#ifndef CURFEW_SQL_SESSION_INTERNAL_H
#define CURFEW_SQL_SESSION_INTERNAL_H

#include "curfew/sql.h"

#include <sybdb.h>

struct sql_session {
	DBPROCESS *process;
	LOGINREC *login;
	int conf; /* memory file that the library reads */
	bool proved;
	bool dead;
	unsigned round_trips;
	unsigned read_timeout;
	unsigned
		broken_values; /* of the answer being read: texts that the library could not convert */
	struct sql_error *error; /* where the handlers write */
	char unsettled
		[RECORD_TEXT_MAX]; /* why the settings could not be read back; empty: they were */
};

/* The private configuration, in a memory file: one section, which the library finds through /proc/self/fd. */
#define SESSION_CONF_SECTION "curfew-server"
int session_conf_write(int *out, const struct sql_session_options *o);

/* Waits for the first byte of the first answer without taking it: a TLS record of data, or the session is in clear. */
int session_encryption_prove(struct sql_session *s, struct sql_error *error);
/* Reads an answer to its end. 0, what `each` said first, -EOVERFLOW for a flood (the rest is thrown away), or another
 * negative errno. */
int session_answer_read(
	struct sql_session *s, struct sql_error *error, sql_row_fn each, void *context);

/* The session's own settings in place of the server's, read back before anything else is said. */
int session_settle(struct sql_session *s, struct sql_error *error);

#endif
