/* Runs the removals that come first, and reports the result of each. */
#ifndef CURFEW_VISIT_CLOSING_RUN_H
#define CURFEW_VISIT_CLOSING_RUN_H

#include "sql/closing.h"
#include "curfew/text.h"

#define NOT_TOLD_YET INT32_MIN

struct disable {
	int code; /* 0, CLOSING_NOT_OURS, CLOSING_LATER, or the server's error number */
	bool told;
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
	struct sid *before;	  /* of logins that were disabled already */
	size_t n_before;
	bool before_asked;
	bool any_row; /* in the answer to the last batch */
	bool alone;   /* disables are sent without questions beside them */
	bool by_sid; /* the server cannot say whose the sessions of logins without a SID on record are */
	int64_t end; /* of the patience with sessions; 0: not begun */
	struct observed_session *sessions;
	size_t n_sessions;
	bool asked;	    /* with the last disable */
	const char *select; /* the columns that this server can return */
	bool no_progress;   /* the server does not tell who is rolling back */
	struct kill *kills; /* of all rounds */
	size_t n_kills;
	size_t round; /* of the kills, the first of this round */
};

/* The login's SID: on record, or as the server told it. */
const struct sid *closing_sid(const struct closing_run *c, size_t i);
/* As the server said before the first removal. */
bool closing_was_disabled(const struct closing_run *c, size_t i);

struct visit_run;
/* Sends a batch of closings, and takes its rows. */
int closing_batch_ask(
	struct closing_run *c, struct visit_run *run, struct sql_error *error, struct text *batch);
/* Forgets the sessions that were read last, and asks for them again. */
void closing_sessions_question_write(FILE *to, struct closing_run *c);
/* By itself, in fewer and fewer words until the server answers. */
int closing_sessions_ask(struct closing_run *c, struct visit_run *run, struct sql_error *error);
/* Each once. The results that will not change are told before sessions are ended, which takes seconds: that a login was
 * disabled must be on record also if this process does not live to the end of them. */
void disables_tell(const struct visit_run *run, struct closing_run *c, bool all);
void kills_tell(const struct visit_run *run, const struct closing_run *c);
void closing_sessions_unread_tell(
	const struct visit_run *run, int rc, const struct sql_error *error);

/* Makes these removals, and reports their results. An error of the server does not stop the visit; only a lost session
 * does. */
int closings_run(struct visit_run *run, struct sql_error *error, const struct sql_closing *closings,
	size_t n);

#endif
