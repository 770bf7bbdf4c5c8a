/* Used by sql/ and the rooms above it: the removals that come first. Logins are disabled and their sessions ended by
 * server-level views before any database is read, so that no client and no database can delay it. */
#ifndef CURFEW_SQL_CLOSING_H
#define CURFEW_SQL_CLOSING_H

#include "curfew/sql.h"

/* It ends sessions alone. */
static inline bool closing_keeps_login(const struct sql_closing *c)
{
	return c->source || c->session;
}

/* Each statement is in its own TRY block and returns a row N'disable': number of the closing, error number, message,
 * and the login's SID. Only closings that are `wanted`; of those that keep the login, the SID is asked where none is on
 * record. */
enum {			       /* in place of an error number */
	CLOSING_NOT_OURS = -1, /* no such login, or not managed */
	CLOSING_LATER =
		-2, /* not tried: those before it took seconds. End sessions, then send it again */
};
void closing_disables_write(
	FILE *to, const struct sql_closing *closings, const bool *wanted, size_t n);
/* Rows N'before': the SIDs of those that are disabled already. It waits for no lock: what is not told was open. */
void closing_before_write(FILE *to, const struct sql_closing *closings, size_t n);
/* Milliseconds to wait for a lock. A login may hold one on its own row for as long as it likes (ALTER LOGIN of its
 * language in an open transaction): its sessions are ended then, and it is disabled behind that. */
#define CLOSING_PATIENCE 250
void closing_patience_write(FILE *to, int milliseconds);
/* Rows N'session' of all sessions whose login has one of these SIDs, or is closed by its mark only. `select` is one of
 * the two below. */
void closing_sessions_write(FILE *to, const char *select, const struct sql_closing *closings,
	size_t n, const struct sid *sids, size_t n_sids);
/* The same to be looked at, not closed: also sessions of others that act as one of these logins (EXECUTE AS LOGIN). A
 * login can be impersonated while it is disabled. */
void closing_observe_write(FILE *to, const char *select, const struct sql_closing *closings,
	size_t n, const struct sid *sids, size_t n_sids);
/* Rows N'session' of the sessions of these logins whose open transaction changed something in the database; with `n` 0: of
 * everybody's. */
void closing_writers_write(
	FILE *to, const char *select, int database, const struct sid *sids, size_t n);
/* Rows N'rollback': which sessions were killed and are still rolling back. `behind_sessions`: asked at once behind the
 * question about sessions, and only if that found any. */
void closing_rollbacks_write(FILE *to, bool behind_sessions);
/* Rows N'session' of the sessions that the question above leaves out because the server does not tell whose they are. They
 * are reported, and never ended. */
void closing_unknown_sessions_write(FILE *to, const char *select);
/* For each session a row N'kill': its number, error number, message. */
enum { CLOSING_SESSION_GONE = -1 };
/* The session ended between the KILL and the check in front of it
 * (https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors). */
#define ERROR_NO_SUCH_SESSION 6106
void closing_kills_write(FILE *to, const struct session_key *sessions, size_t n);
/* One KILL with its check, for plans and the journal. */
void closing_kill_write(FILE *to, const struct session_key *s);
/* Columns and views of a row N'session', without its WHERE. The plain one leaves out columns that some servers do not
 * show to every login: addresses, and open transactions. */
#define SESSION_COLUMNS 12
extern const char session_select[], session_select_plain[];

#endif
