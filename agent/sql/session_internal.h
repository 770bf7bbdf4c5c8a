/* Used only by sql/: the parts of a session. */
#ifndef CURFEW_SQL_SESSION_INTERNAL_H
#define CURFEW_SQL_SESSION_INTERNAL_H

#include "curfew/sql.h"

#include <sybdb.h>

/* Options of the socket that sql_session_watch() sets. */
#define SESSION_WATCHES 4

struct sql_session {
	DBPROCESS *process;
	LOGINREC *login;
	int before[SESSION_WATCHES]; /* these options as they were */
	int conf;		     /* memory file that the library reads */
	bool proved;
	bool dead;
	unsigned round_trips;
	unsigned read_timeout;
	unsigned
		limit; /* milliseconds for one whole answer; 0: none but read_timeout for each part of it */
	int64_t end;		 /* of this answer, by the monotonic clock */
	unsigned broken_values;	 /* number of texts in this answer that db-lib could not convert */
	struct sql_error *error; /* where the handlers store an error */
	char unsettled
		[RECORD_TEXT_MAX]; /* why the options could not be read back; empty: they were */
};

/* The private configuration is a memory file with one section. db-lib opens it by /proc/self/fd. */
#define SESSION_CONF_SECTION "curfew-server"
int session_conf_write(int *out, const struct sql_session_options *o);

/* Looks at the first byte of the first answer without reading it: it must start a TLS data record. */
int session_encryption_prove(struct sql_session *s, struct sql_error *error);
/* Reads an answer to its end. 0, the first result of `each` other than 0, -EOVERFLOW for an answer that is too large
 * (the rest is discarded), or another negative errno. */
int session_answer_read(
	struct sql_session *s, struct sql_error *error, sql_row_fn each, void *context);

/* Sets the session options and reads them back before any other batch. */
int session_settle(struct sql_session *s, struct sql_error *error);

#endif
