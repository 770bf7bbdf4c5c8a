/* The typed changes between observed access on one SQL server and what is scheduled. Pure. */
#ifndef CURFEW_ACCESS_H
#define CURFEW_ACCESS_H

#include "curfew/observed.h"

/* Logins in the login inventory, present and removed, of every server. */
struct claim {
	const char *server, *login;
	struct sid sid;	    /* size 0: the creation was recorded as intended, and no result */
	instant_t intended; /* by the server's clock, or 0 */
	bool made_now;	    /* this session created it, so no time has to match */
	bool living;	    /* not seen removed: the mark is enough to manage it */
};
struct claims {
	struct claim *items;
	size_t n;
};
/* Sets `ours` (managed): for a marked login that the configuration or a living claim names, for a SID in the inventory
 * whatever the login's name is now, or for a login created within `window` seconds after an open intent. Other marked
 * logins belong to another agent. */
void observed_claim(struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, unsigned window);
bool claims_have_sid(const struct claims *c, const struct sid *s);
/* Of a login of this server, whatever it is called now. */
bool claims_have_sid_of(
	const struct claims *c, const char *server, const char *login, const struct sid *s);
/* The login of this name; else one that the inventory of this server had under this name, and somebody renamed. NULL:
 * neither. */
const struct observed_login *observed_find_claimed(const struct observed_server *o,
	const struct claims *c, const char *server, const char *login);
/* The name that the inventory has for the login, if somebody renamed it since; else NULL. */
const char *observed_former_name(
	const struct observed_login *l, const struct claims *c, const char *server);

/* ---- journal data ---- */

/* The server's last answer about a login's effective permissions on a database. */
struct verified {
	const char *server, *login, *database;
	struct sid sid;	  /* of the login; size 0: unknown */
	enum level level; /* the login has at most this level */
	enum verification result;
	char fingerprint[FINGERPRINT_MAX]; /* of the catalog at that time; "": none */
	instant_t at;			   /* by Curfew's clock */
	int database_id;		   /* which database had the name; 0: unknown */
	char made[DATABASE_MADE_MAX];	   /* its create_date */
};
struct verified_list {
	struct verified *items; /* sorted by server, login, database */
	size_t n;
	struct pool texts;
};
void verified_list_free(struct verified_list *v);
int verified_compare(const void *a, const void *b);
/* NULL: never verified. */
const struct verified *verified_find(const struct verified_list *list, const struct grant *g);

/* The journal's data about a login on one database of a server. */
struct remembered {
	const char *login, *database;
	enum level level; /* highest level that was observed or verified */
	bool excess;	  /* the last verification found more than the level */
	/* The last verification succeeded, and which database had the name then; 0 and NULL: unknown. */
	bool verified;
	int database_id;
	const char *made;
};

/* Access to end before the server is read. All strings except `reason` are borrowed. */
struct closing {
	const char *login, *client; /* client NULL: unknown */
	struct sid sid;		    /* size 0: unknown */
	instant_t since;	    /* 0: unknown */
	char *reason;
};
struct closings {
	struct closing *items;
	size_t n;
};
/* Uses only the journal's data. Lists every login whose remembered access is above the scheduled level, every inventory
 * login without scheduled access, and every login found with excess access. A configured login without a record counts
 * as having the highest level; with `unsure` (records are missing) only if no access at all is scheduled for it.
 * `remembered` is of this server, sorted by login and database, ignoring case; `c` is of every server. 0 or -ENOMEM. */
int closings_build(struct closings *out, const struct wanted_server *w, const struct claims *c,
	const struct remembered *remembered, size_t n_remembered, bool unsure);
void closings_free(struct closings *c);

/* Whether the packet filter may allow the login: by its last verification (NULL: none) and its scheduled level. */
enum admission admission_by(const struct verified *last, enum level scheduled);
/* The same by the list alone, without asking a server. A login that still has access in a database that the client's
 * file no longer names is not allowed. */
enum admission verified_admission(const struct verified_list *list, const struct grant *g);

/* ---- changes ---- */

struct change {
	enum change_kind kind;
	const char *client; /* borrowed; NULL: no client */
	char *login;	    /* or NULL */
	char *database;	    /* in the server's case; NULL: a change of the server */
	char *principal;    /* user or role in the database */
	char *role;
	struct permission
		/* of ROLE_GRANT, ROLE_DENY, REVOKE; for OWNER, kind and name in name, schema, and object */
		permission;
	struct permission
		*regrants; /* for OWNER: permissions of others, which the transfer drops */
	size_t n_regrants;
	struct session_key session;
	bool before_opening; /* takes away only for the time until what follows it is verified */
	bool may_wait; /* of a database that needs so many changes that a later pass may go on with them */
	struct sid
		sid; /* of LOGIN_CREATE, size 0: the server makes one; of LOGIN_ENABLE and LOGIN_DROP: as read */
	char *reason;
};
void change_free(struct change *c); /* what it owns */
/* A reason why a login or a database cannot be changed, as text. */
struct obstacle {
	enum state state;
	char *login, *database; /* NULL: all */
	char *text;
	bool records_missing; /* see wanted_server.first_start */
	bool shuts; /* nobody knows that the login has no more than is scheduled there: its network is blocked too */
};
struct difference {
	struct change *
		changes; /* in the order of application: removals first, but for those that may wait */
	size_t n_changes;
	struct obstacle *obstacles;
	size_t n_obstacles;
};
/* 0 or -ENOMEM. No changes and no obstacles means that the server matches. */
int difference_build(struct difference *out, const struct wanted_server *w,
	const struct observed_server *o, const struct claims *c, instant_t now);
void difference_free(struct difference *d);
/* The database from which a user of this login is still to be dropped; NULL: none. */
const struct observed_database *user_elsewhere(const struct observed_server *o,
	const struct difference *difference, const struct observed_login *l);
/* A login, and the client that it is of; NULL: unknown. */
struct login_of_client {
	const struct client *client;
	const char *login;
};
/* Whom it concerns that something of a database is not known: concern.c has the rule. Here: only files of other clients
 * name the database. */
bool database_is_anothers(const struct observed_database *d, const struct client *c);
bool database_concerns(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct observed_database *d,
	const struct login_of_client *who);
/* The user has the login's name, and none of the SIDs that the login is known to have had, in a database to which
 * access was not given to it. */
bool user_is_namesake(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct observed_database *d, const struct observed_user *u,
	const struct login_of_client *who);
/* A question about it has no answer. */
bool database_is_partial(const struct observed_server *o, const struct observed_database *d);
/* How many of the questions without an answer concern the login. */
size_t unreadable_for(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct login_of_client *who);
/* Some question without an answer concerns everybody there. */
bool unreadable_is_of_all(const struct observed_server *o);
/* Removes the changes for which `stays` is false. */
void difference_filter(struct difference *d,
	bool (*stays)(const void *context, const struct change *c), const void *context);
/* Equal lists have equal digests; different lists almost never do. */
uint64_t difference_digest(const struct difference *d);

/* The highest level that a login has in a database by its observed roles. *exact: it has no other permissions. */
enum level observed_level(bool *exact, const struct observed_server *o,
	const struct observed_database *d, const struct observed_login *l, const struct server *s);

/* What a person does about missing records. Revocations first: afterward a running service grants at its next pass. */
#define LOSS_FIX                                                                                                              \
	"no access is granted until you restore the journal, or run `curfew revoke CLIENT USER --reason TEXT` for each user " \
	"who must stay blocked, then `curfew accept-loss --reason TEXT`"

#endif
