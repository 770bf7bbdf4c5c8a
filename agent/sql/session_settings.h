/* Used by sql/ and the rooms above it: the session options, and the check of what the server set. Pure. */
#ifndef CURFEW_SQL_SESSION_SETTINGS_H
#define CURFEW_SQL_SESSION_SETTINGS_H

#include "curfew/sql.h"

/* One SET statement in each line. Each can be sent alone. */
extern const char *const session_settings[]; /* ends with NULL */
extern const char session_settings_question[];

/* Milliseconds to wait for a lock. A lock that is held longer makes only that database unread. */
#define LOCK_PATIENCE 5000
enum { ERROR_DEADLOCK = 1205, ERROR_LOCK_TIMEOUT = 1222 };

struct session_state {
	bool told;
	int options;	  /* @@OPTIONS */
	int transactions; /* @@TRANCOUNT */
	int lock_timeout; /* @@LOCK_TIMEOUT, milliseconds */
	char language[64];
	char database[64];
	char sample[32]; /* SESSION_SAMPLE as received, decoded */
};
/* A name that shows the server's encoding: a letter, an accented letter, and a surrogate pair. */
#define SESSION_SAMPLE "A\303\251\360\237\230\200"

/* A sql_row_fn over a struct session_state. */
int session_state_row(void *state, const struct sql_value *values, int n);
/* NULL: as requested. Else what differs, as text. */
const char *session_state_problem(const struct session_state *s);

#endif
