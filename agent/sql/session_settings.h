/* What every session sets first, and how its answer is judged. Pure; not for other modules. */
#ifndef CURFEW_SQL_SESSION_SETTINGS_H
#define CURFEW_SQL_SESSION_SETTINGS_H

#include "curfew/sql.h"

/* One SET a line; each may be sent alone. */
extern const char *const session_settings[]; /* ends with NULL */
extern const char session_settings_question[];

struct session_state {
	bool told;
	int options;	  /* @@OPTIONS */
	int transactions; /* @@TRANCOUNT */
	int lock_timeout; /* @@LOCK_TIMEOUT, milliseconds */
	char language[64];
	char database[64];
	char sample[32]; /* SESSION_SAMPLE as its bytes, decoded by us */
};
/* A name whose bytes show how the server sends names: a letter, an accent and one character of two units. */
#define SESSION_SAMPLE "A\303\251\360\237\230\200"

/* A sql_row_fn over a struct session_state. */
int session_state_row(void *state, const struct sql_value *values, int n);
/* NULL: as asked. Otherwise what is not, for a person. */
const char *session_state_problem(const struct session_state *s);

#endif
