/* Messages of the service in the system log: a stable id for each kind, with searchable fields. */
#ifndef CURFEW_LOG_H
#define CURFEW_LOG_H

#include "curfew/base.h"

enum log_message {
	LOG_STARTED,
	LOG_STOPPED,
	LOG_PASS, /* a pass that made changes */
	LOG_PASS_FAILED,
	LOG_CHANGE, /* one change */
	LOG_CHANGE_FAILED,
	LOG_SERVER_UNREACHABLE,
	LOG_SERVER_BACK,
	LOG_OVERDUE, /* access that should have ended or been reduced, not confirmed: raises an alarm */
	LOG_OVERDUE_OVER,
	LOG_DRIFT_NETWORK, /* another program changed the nftables table */
	LOG_DRIFT_SQL,
	LOG_CLOCK_BACK, /* the system clock was set back: raises an alarm */
	LOG_CLOCK_RIGHT,
	LOG_RELOADED,
	LOG_RELOAD_FAILED,
	LOG_CONFIG_WARNING,
	LOG_CLIENT_KEPT,   /* a client file has errors; its last known good version is used */
	LOG_CLIENT_GONE,   /* a client file was removed; its access ends */
	LOG_WIDENED,	   /* a reload grants more access than before */
	LOG_ASKED,	   /* a command on the control socket */
	LOG_FIREWALL_DEAD, /* or it does not answer */
	LOG_FIREWALL_BACK,
	LOG_JOURNAL_FAILED,
	LOG_JOURNAL_BACK, /* the journal can be written again, and contains what was waiting */
	LOG_JOURNAL_HEAD, /* head hash of the journal, so that a rewritten file can be recognized */
	LOG_NOTICE_FAILED, /* a notice was not delivered, or may not have been */
	LOG_PREFLIGHT,	   /* what would keep access from ending on time */
	LOG_TROUBLE,	   /* any other failure */
	LOG_MESSAGES	   /* number of messages */
};

/* A field that does not apply is NULL. */
struct log_fields {
	const char *client, *login, *server, *database, *reason, *actor;
};

/* To the system log if standard error is connected to it (or is not read by anybody), else to standard error, with a
 * <priority> prefix unless it is a terminal. Never a secret. */
void log_send(enum log_message m, const struct log_fields *f, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* To standard error alone, for processes that open no sockets. `priority` as syslog(3). */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For tests: the id as 32 hex digits, and the priority (0 to 7). */
const char *log_message_id(enum log_message m);
int log_message_priority(enum log_message m);

#endif
