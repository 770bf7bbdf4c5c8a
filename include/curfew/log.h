/* What the service says to the system log: one stable id for each kind of message, with fields to search by. */
#ifndef CURFEW_LOG_H
#define CURFEW_LOG_H

#include "curfew/base.h"

enum log_message {
	LOG_STARTED,
	LOG_STOPPED,
	LOG_PASS, /* a pass that changed something */
	LOG_PASS_FAILED,
	LOG_CHANGE, /* one change that was made */
	LOG_CHANGE_FAILED,
	LOG_SERVER_UNREACHABLE,
	LOG_SERVER_BACK,
	LOG_OVERDUE, /* access past its end or narrowing, and not proved closed: pages someone */
	LOG_OVERDUE_OVER,
	LOG_DRIFT_NETWORK, /* somebody else changed our table */
	LOG_DRIFT_SQL,
	LOG_CLOCK_BACK, /* the machine's clock was set back: pages someone */
	LOG_CLOCK_RIGHT,
	LOG_RELOADED,
	LOG_RELOAD_FAILED,
	LOG_CONFIG_WARNING,
	LOG_CLIENT_KEPT, /* a client file is broken, its last good version stays in force */
	LOG_CLIENT_GONE, /* a client file vanished, its access ends */
	LOG_WIDENED,	 /* a reload gave somebody more than before */
	LOG_ASKED,	 /* a command over the control socket */
	LOG_FIREWALL_DEAD,
	LOG_JOURNAL_FAILED,
	LOG_JOURNAL_BACK, /* it is written again, and what waited is in it */
	LOG_JOURNAL_HEAD, /* the journal's head hash, so that a rewritten file can be recognised */
	LOG_TROUBLE,	  /* anything else that failed */
	LOG_MESSAGES	  /* how many there are */
};

/* NULL where a field does not apply. */
struct log_fields {
	const char *client, *login, *server, *database, *reason, *actor;
};

/* To the journal when standard error goes there (or there is no standard error that anybody reads), else to
 * standard error, with the <priority> prefix that supervisors understand unless it is a terminal. Never a secret. */
void log_send(enum log_message m, const struct log_fields *f, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The id as 32 hex digits and the priority (0 to 7), for the manual and tests. */
const char *log_message_id(enum log_message m);
int log_message_priority(enum log_message m);

#endif
