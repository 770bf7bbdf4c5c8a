/* "I cannot connect": the facts about one user's access, the cause, and the fix. Pure: facts in, text out. Any fact
 * may be missing; a missing fact is never taken for a cause. */
#ifndef CURFEW_EXPLAIN_H
#define CURFEW_EXPLAIN_H

#include "curfew/access.h"
#include "curfew/report.h"

enum explain_reach {
	REACH_UNASKED, /* the server was not asked */
	REACH_READ,
	REACH_DOWN,
	REACH_CERTIFICATE, /* no TLS session, because of the certificate */
	REACH_REFUSED,	   /* the agent login was rejected */
	REACH_NO_PASSWORD, /* the agent's password could not be read, so the server was not asked */
};

enum explain_login {
	EXPLAIN_LOGIN_UNKNOWN,
	EXPLAIN_LOGIN_MISSING,
	EXPLAIN_LOGIN_DISABLED,
	EXPLAIN_LOGIN_ENABLED
};

/* A server with a database of the user. Texts are borrowed; NULL: none. */
struct explain_server {
	const struct server *server;
	enum explain_reach reach;
	const char *problem; /* why the server could not be read */
	const char *lacks;   /* permissions that the agent login lacks */
	/* What failed when the user's access there was changed last: the server's words, and all the T-SQL. */
	const char *failed, *remedy;
	bool incomplete;    /* the server may not have shown every login */
	bool network_known; /* the packet filter was read */
	bool unguarded;	    /* and it blocks nobody there */
	bool allowed;	    /* an entry allows the user, from the given address if there is one */
	bool trusted;	    /* the given address is allowed as a trusted source */
	instant_t allowed_until;
	uint64_t packets;
	enum explain_login login;
	enum answer locked, must_change, expired, handed_over;
	instant_t created, handed_over_at; /* 0: unknown; created: by the server's clock */
};

struct explain_database {
	const struct grant *grant;
	bool seen;   /* `state` was observed now */
	bool unread; /* `state` is known, but the database could not be read */
	enum state state;
	enum level observed;
	const char *detail;
	const char *unverified; /* what the last verification found or lacked; NULL: it went well */
	const struct verified *last; /* the last verification in the journal, or NULL */
};

/* Denied packets that may be the user's. */
struct explain_denied {
	const struct refused *refused;
	const struct server *server; /* NULL: no configured server has this endpoint */
	const struct source *near;   /* the user's source that contains the address or is near it */
	bool own;		     /* the address is in `near` */
};

struct explain_facts {
	const struct client *client;
	const struct user *user;
	const struct source *address; /* the address to explain, or NULL */
	instant_t now;		      /* Curfew's time */
	instant_t clock_behind;	      /* seconds that the system clock is behind it */
	bool filters;		      /* the firewall is enabled on this host */
	const char *held; /* why Curfew grants no access to anybody; NULL: as scheduled */
	const struct override *revoked_client, *revoked_user;
	const char *revoked_by; /* actor */
	const struct explain_server *servers;
	size_t n_servers;
	const struct explain_database *databases;
	size_t n_databases;
	const struct explain_denied *denied; /* newest first */
	size_t n_denied;
};

/* In the order of the checks. */
enum explain_cause {
	CAUSE_CLIENT_REVOKED,
	CAUSE_USER_REVOKED,
	CAUSE_CLOCK_BEHIND,
	CAUSE_NOT_STARTED,
	CAUSE_ENDED,
	CAUSE_ADDRESS_ENDED, /* of a temporary source */
	CAUSE_ADDRESS_NEAR,
	CAUSE_ADDRESS_WRONG,
	CAUSE_GUARD_KEPT,
	CAUSE_CERTIFICATE,
	CAUSE_AGENT_REFUSED,
	CAUSE_AGENT_PASSWORD,
	CAUSE_SERVER_DOWN,
	CAUSE_HELD, /* no access is granted: records are missing or cannot be read */
	CAUSE_AGENT_RIGHTS,
	CAUSE_EXCESS,
	CAUSE_DATABASE_MISSING,
	CAUSE_DATABASE_UNREAD,
	CAUSE_CHANGE_FAILED,
	CAUSE_LOGIN_MISSING,
	CAUSE_UNVERIFIED,
	CAUSE_LOGIN_DISABLED,
	CAUSE_NETWORK_CLOSED,
	CAUSE_NEVER_HANDED_OVER,
	CAUSE_LOCKED,
	CAUSE_EXPIRED,
	CAUSE_MUST_CHANGE,
	CAUSE_NOT_AS_SCHEDULED,
	CAUSE_TRUSTED_ONLY,
	CAUSE_READ_ONLY,
	CAUSE_DENIED_NEAR, /* no address was given, and packets from a near one were denied */
	CAUSE_NOT_READ,	   /* nothing seen keeps the user out, and something was not read */
	CAUSE_NONE,
};
#define CAUSES (CAUSE_NONE + 1)
const char *explain_cause_name(enum explain_cause c); /* "client-revoked", ... */

/* Returns the first cause that applies, and writes the last line: the cause and the fix. */
#define EXPLAIN_TEXT_MAX 1024
enum explain_cause explain_verdict(char text[EXPLAIN_TEXT_MAX], const struct explain_facts *f);

/* Prints all facts, then the cause. Negative errno if writing fails. */
int explain_print(const struct explain_facts *f, FILE *to);
struct json_t *explain_json(const struct explain_facts *f);

#endif
