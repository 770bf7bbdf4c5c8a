/* Used only by sql/: the removals that come first. Logins are disabled and their sessions ended by server-level views
 * before any database is read, so that no client and no database can delay it. */
#ifndef CURFEW_SQL_CLOSING_H
#define CURFEW_SQL_CLOSING_H

#include "curfew/sql.h"

/* ---- text (closing_text.c): pure ---- */

/* Each statement is in its own TRY block and returns a row N'disable': number of the closing, error number, message,
 * the login's SID, and whether it was disabled before. Closings with a `source` are left out. */
enum { CLOSING_NOT_OURS = -1 }; /* in place of an error number: no such login, or not managed */
void closing_disables_write(FILE *to, const struct sql_closing *closings, size_t from, size_t n);
/* Rows N'session' of all sessions whose login has one of these SIDs, or is closed by its mark only. `select` is one of
 * the two below. */
void closing_sessions_write(FILE *to, const char *select, const struct sql_closing *closings,
	size_t n, const struct sid *sids, size_t n_sids);
/* For each session a row N'kill': its number, error number, message. */
enum { CLOSING_SESSION_GONE = -1 };
void closing_kills_write(FILE *to, const struct session_key *sessions, size_t n);
/* One KILL with its check, for plans and the journal. */
void closing_kill_write(FILE *to, const struct session_key *s);
/* Columns and views of a row N'session', without its WHERE. The plain one leaves out columns that some servers do not
 * show to every login: addresses, and the progress of a rollback. */
#define SESSION_COLUMNS 12
extern const char session_select[], session_select_plain[];

/* ---- running (closing_run.c) ---- */

#define NOT_TOLD_YET INT32_MIN

struct disable {
	int code; /* 0, CLOSING_NOT_OURS, or the server's error number */
	bool was_disabled;
	struct sid sid;
	char words[256];
};

struct kill {
	struct session_key key;
	size_t closing;
	int code; /* 0, CLOSING_SESSION_GONE, or the server's error number */
	char words[256];
};

struct closing_run {
	const struct sql_closing *closings;
	size_t n;
	struct disable *disables; /* one for each closing */
	struct observed_session *sessions;
	size_t n_sessions;
	bool asked;	    /* with the last disable */
	const char *select; /* the columns that this server can return */
	struct kill *kills; /* of all rounds */
	size_t n_kills;
	size_t round; /* of the kills, the first of this round */
};

struct visit_run;
void closings_tell(const struct visit_run *run, const struct closing_run *c);
void closing_sessions_unread_tell(const struct visit_run *run, const struct sql_error *error);

/* Closes these, and tells what came of it. Whatever the server refuses, the visit goes on: only a
 * session that is lost is an error. */
int closings_run(struct visit_run *run, struct sql_error *error, const struct sql_closing *closings,
	size_t n);

#endif
