/* "I cannot connect": what is known of one user's access, why it fails, and what to do. Pure: facts in, text out.
 * Every fact may be missing; what is not known is never taken for a cause. */
#ifndef CURFEW_EXPLAIN_H
#define CURFEW_EXPLAIN_H

#include "curfew/access.h"
#include "curfew/report.h"

enum explain_reach {
	REACH_UNASKED, /* nothing was said of the server */
	REACH_READ,
	REACH_DOWN,
	REACH_CERTIFICATE, /* no TLS session */
	REACH_REFUSED,	   /* the agent's own login is not let in */
};

enum explain_login {
	EXPLAIN_LOGIN_UNKNOWN,
	EXPLAIN_LOGIN_MISSING,
	EXPLAIN_LOGIN_DISABLED,
	EXPLAIN_LOGIN_ENABLED
};

/* One server that the user has a database on. Texts are borrowed; NULL: nothing to say. */
struct explain_server {
	const struct server *server;
	enum explain_reach reach;
	const char *problem; /* why it could not be read */
	const char *lacks;   /* what the agent's login cannot do there */
	bool network_known;  /* the packet filter was read */
	bool allowed;	     /* an entry admits the user, from the address asked for if one was */
	bool trusted;	     /* the address asked for passes as a trusted source */
	instant_t allowed_until;
	uint64_t packets;
	enum explain_login login;
	enum answer locked, must_change, expired, handed_over;
	instant_t created, handed_over_at,
		last_login; /* 0: unknown; created: by the server's clock */
};

struct explain_database {
	const struct grant *grant;
	bool seen;   /* `state` was found now */
	bool unread; /* ... but not `observed`: nobody could look */
	enum state state;
	enum level observed;
	const char *detail;
	const struct verified *last; /* the last verification in the journal, or NULL */
};

/* Packets that may be the user's and were denied. */
struct explain_denied {
	const struct refused *refused;
	const struct server *server; /* NULL: the configuration has no such endpoint */
	const struct source *near;   /* the user's source that it is, or is near to */
	bool own;		     /* it is one of them */
};

struct explain_facts {
	const struct client *client;
	const struct user *user;
	const struct source *address; /* that was asked for, or NULL */
	instant_t now;		      /* Curfew's */
	instant_t clock_behind;	      /* seconds that the system clock is behind it, or 0 */
	bool filters;		      /* this host has a packet filter */
	const struct override *revoked_client, *revoked_user;
	const char *revoked_by; /* actor */
	const struct explain_server *servers;
	size_t n_servers;
	const struct explain_database *databases;
	size_t n_databases;
	const struct explain_denied *denied; /* last seen first */
	size_t n_denied;
};

/* In the order in which they are looked for. */
enum explain_cause {
	CAUSE_CLIENT_REVOKED,
	CAUSE_USER_REVOKED,
	CAUSE_CLOCK_BEHIND,
	CAUSE_NOT_STARTED,
	CAUSE_ENDED,
	CAUSE_ADDRESS_ENDED, /* a temporary source */
	CAUSE_ADDRESS_NEAR,
	CAUSE_ADDRESS_WRONG,
	CAUSE_GUARD_KEPT,
	CAUSE_CERTIFICATE,
	CAUSE_AGENT_REFUSED,
	CAUSE_SERVER_DOWN,
	CAUSE_AGENT_RIGHTS,
	CAUSE_EXCESS,
	CAUSE_DATABASE_MISSING,
	CAUSE_DATABASE_UNREAD,
	CAUSE_LOGIN_MISSING,
	CAUSE_LOGIN_DISABLED,
	CAUSE_NETWORK_CLOSED,
	CAUSE_NEVER_HANDED_OVER,
	CAUSE_LOCKED,
	CAUSE_EXPIRED,
	CAUSE_MUST_CHANGE,
	CAUSE_NOT_AS_SCHEDULED,
	CAUSE_TRUSTED_ONLY,
	CAUSE_READ_ONLY,
	CAUSE_DENIED_NEAR, /* no address was asked for; packets from a near one were denied */
	CAUSE_NONE,
};
#define CAUSES (CAUSE_NONE + 1)
const char *explain_cause_name(enum explain_cause c); /* "client-revoked", ... */

/* The first cause that holds, and the last line: the cause, and what to do. */
#define EXPLAIN_TEXT_MAX 1024
enum explain_cause explain_verdict(char text[EXPLAIN_TEXT_MAX], const struct explain_facts *f);

/* All facts, then the verdict. Negative errno when it cannot be written. */
int explain_print(const struct explain_facts *f, FILE *to);
struct json_t *explain_json(const struct explain_facts *f);

#endif
