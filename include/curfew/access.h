/* Wanted and observed access on one SQL server, and the typed changes between them. Pure. */
#ifndef CURFEW_ACCESS_H
#define CURFEW_ACCESS_H

#include "curfew/record.h"
#include "curfew/schedule.h"

/* Members of this server role are the logins that Curfew made: the mark that every agent can read.
 * `curfew bootstrap` makes it. A server without it is served by the ledger alone. */
#define MARK_ROLE "curfew_logins"
/* In master: its members, the agents, may take the lock. */
#define LOCK_ROLE "curfew_lock"

/* ---- wanted ---- */

struct wanted_user {
	const struct grant *grant; /* level is not none */
};
struct wanted_login {
	const char *login; /* borrowed from the program */
	const char *client;
	struct wanted_user *users; /* one a database; at least one */
	size_t n_users;
	instant_t narrowed; /* the latest narrowing of any of its grants on this server, or 0 */
};
struct wanted_server {
	const struct server *server;
	struct wanted_login *logins; /* sorted by name, letter case aside */
	size_t n_logins;
	const struct grant *
		*grants; /* every grant of the configuration on this server, at any level */
	size_t n_grants;
	const char **named; /* every login of those grants once, sorted, letter case aside */
	size_t n_named;
	/* Nothing is opened on this server now, and why; NULL: as scheduled. Closings go on. */
	const char *hold;
	/* Nothing at all is on record, and no operator has said that it is to be so: a marked login on the server tells
	 * that records are missing, and holds it. */
	bool first_start;
};
int wanted_build(struct wanted_server *out, const struct server *s, const struct grants *g);
void wanted_free(struct wanted_server *w);
/* Some grant of the configuration on this server is of that login, at whatever level. */
bool wanted_names(const struct wanted_server *w, const char *login);
/* "live: read-only from ... until ...": for the journal and for a person. */
void grant_reason(char *buf, size_t size, const struct grant *g);
const struct wanted_login *wanted_find(const struct wanted_server *w, const char *login);

/* ---- observed ---- */

struct observed_login {
	char *name;
	struct sid sid;
	char type; /* 'S' SQL login, 'U' 'G' Windows, 'E' 'X' external, 'C' 'K' mapped */
	bool disabled;
	instant_t created; /* server's clock */
	char *default_database;
	/* LOGINPROPERTY, of logins of ours alone; -1: the server does not tell */
	int locked, expired, must_change, days_until_expiration, bad_passwords;
	bool marked; /* member of MARK_ROLE */
	bool ours;   /* marked, or the ledger knows it; see observed_claim() */
};
struct observed_member { /* server role membership, the mark aside */
	char *role, *member;
};
/* Ids are used again at once: all three together are one session. */
struct session_key {
	uint32_t id;
	char login_time[32]; /* server's clock, "2026-11-28T04:25:10.123"; empty: unknown */
	struct sid
		sid; /* original_security_id: EXECUTE AS and a rename do not change it; size 0: unknown */
};
bool session_key_equal(const struct session_key *a, const struct session_key *b);
#define SESSION_AGE_UNKNOWN UINT64_MAX /* older than anything */
struct observed_session {
	struct session_key key;
	char *login;	 /* original_login_name */
	char *acting;	 /* login_name */
	uint64_t age;	 /* seconds, by the server's clock */
	bool ending;	 /* killed, and still rolling back */
	uint8_t percent; /* ... so far */
	char *address, *program, *host;
};
struct permission {
	uint8_t class; /* as sys.database_permissions.class; 100 and up: server */
	char state; /* 'G', 'W' with grant option, 'D'; 'R': a column taken out of a grant on its table, no right */
	char *name;			/* "SELECT" */
	char *schema, *object, *column; /* securable's names; unused ones are NULL */
	char *grantee, *grantor;	/* principals' names */
	bool owner_apart; /* the securable has an owner of its own: a transfer of its schema leaves it alone */
};
bool permission_is_right(
	const struct permission *p); /* gives something: granted, with or without grant option */
struct observed_user {
	char *name;
	struct sid sid;
	char type;	/* 'S', 'U', 'R' role, ... */
	bool contained; /* logs in without a login */
	char *owner;	/* of a role: owning principal; else NULL */
};
struct observed_owned { /* something that a principal owns */
	char *kind;	/* "SCHEMA", "OBJECT", "TYPE", "ROLE" */
	char *schema, *name;
	char *owner;
};
struct observed_database {
	char *name;  /* in the server's letter case */
	int id;	     /* database_id; 0: the server shows no such row */
	int source;  /* of a snapshot: the id of its database; else 0 */
	bool absent; /* configured, and the server says that it has none of that name */
	bool online, accessible, system;
	bool managed; /* in the configuration: read whole; else principals only, unless one is ours */
	bool read;    /* its catalog was read */
	char *unread;	  /* why it was not; NULL when it was, or need not be */
	char *unwritable; /* why nothing can be changed there (a copy, read-only); NULL: it can */
	bool permissions_visible;    /* sys.database_permissions has rows at all */
	struct observed_user *users; /* users and roles */
	size_t n_users;
	struct observed_member *members;
	size_t n_members;
	struct permission *permissions;
	size_t n_permissions;
	char **schemas; /* user schemas */
	size_t n_schemas;
	struct observed_owned *owned;
	size_t n_owned;
	char **triggers; /* enabled DDL triggers */
	size_t n_triggers;
};
struct observed_server {
	char *version;
	instant_t clock; /* the server's, UTC */
	bool mark_role;	 /* MARK_ROLE exists */
	bool sessions_visible;
	char **missing_rights; /* of the agent's own login */
	size_t n_missing_rights;
	char **unreadable; /* parts of the catalogue that this server does not have */
	size_t n_unreadable;
	struct observed_login *logins;
	size_t n_logins;
	struct observed_member *members;
	size_t n_members;
	struct permission *permissions; /* server-wide */
	size_t n_permissions;
	struct observed_session *sessions;
	size_t n_sessions;
	struct observed_database *databases;
	size_t n_databases;
	char **triggers; /* enabled server triggers */
	size_t n_triggers;
};
void permission_free(struct permission *p); /* what it points to */
void observed_free(struct observed_server *o);
struct observed_login *observed_find_login(const struct observed_server *o, const char *login);
/* The user of a database that a login maps to: by SID; NULL when there is none. */
const struct observed_user *observed_user_of(
	const struct observed_database *d, const struct observed_login *l);
struct observed_database *observed_find_database(const struct observed_server *o, const char *name);
/* The catalog's picture of what one user may do there, over the user, the roles that it is in (and those these are in),
 * public and guest: what is granted and denied to them, and what they own. Not over other users. As long as it stays the
 * same, what was verified holds. 64 hexadecimal digits, or "" without memory. */
void observed_fingerprint(char out[FINGERPRINT_MAX], const struct observed_database *d,
	const struct observed_user *u);
/* By SID. A session whose SID the server does not tell is nobody's: it is never ended. */
bool observed_session_is_of(const struct observed_session *s, const struct sid *sid);
/* ... but by its name it counts where a login must have no session left. */
bool observed_session_may_be_of(
	const struct observed_session *s, const char *login, const struct sid *sid);
bool observed_is_member(const struct observed_database *d, const char *role, const char *member);

/* Identities of ours, as the ledger has them, living and gone, of every server. */
struct claim {
	const char *server, *login;
	struct sid sid;	    /* size 0 while the creation is only intended */
	instant_t intended; /* the server's clock then, or 0 */
	bool made_now;	    /* by this very session: no clock has to vouch for it */
	bool living;	    /* not seen gone: its mark alone makes it ours */
};
struct claims {
	struct claim *items;
	size_t n;
};
/* Marks the logins that are ours: by the mark where the configuration or a living claim names them, by SID, or by an
 * open intent of at most `window` seconds before. A marked login that nobody names is another configuration's. */
void observed_claim(struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, unsigned window);
bool claims_have_sid(const struct claims *c, const struct sid *s);

/* ---- memory ---- */

/* What a server said of a login's effective permissions on a database, last time. */
struct verified {
	const char *server, *login, *database;
	struct sid sid;	  /* of the login; size 0: unknown */
	enum level level; /* that it gives no more than */
	enum verification result;
	char fingerprint
		[FINGERPRINT_MAX]; /* of what the catalogue shows there; "": it holds for none */
	instant_t at;		   /* our clock */
};
struct verified_list {
	struct verified *items; /* sorted by server, login, database; strings owned */
	size_t n;
};
void verified_list_free(struct verified_list *v);
int verified_compare(const void *a, const void *b);

/* What is known of a login on a database of one server, from all that is on record. */
struct remembered {
	const char *login, *database;
	enum level level; /* the widest of what was seen and verified */
	bool excess;	  /* the last verification says that it gives more than its level */
};

/* Access that ends before anything of the server is read; strings but the reason are borrowed. */
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
/* From memory alone: every login whose remembered access is wider than scheduled now, every living identity that
 * nothing is scheduled for, every login found with excess. A named login of which nothing is on record counts as the
 * widest; `unsure`: for want of the records, and then it is closed only where nothing is scheduled for it at all.
 * `remembered` is of this server, sorted by login and database, letter case aside; `c` of every server. 0 or -ENOMEM. */
int closings_build(struct closings *out, const struct wanted_server *w, const struct claims *c,
	const struct remembered *remembered, size_t n_remembered, bool unsure);
void closings_free(struct closings *c);

/* Whether a grant may let its login in, by its last verification (NULL: none) and the level that is scheduled now. */
enum admission admission_by(const struct verified *last, enum level scheduled);
/* The same for whoever asks no server: by the list alone. A login with something left in a database that its file does
 * not name any more lets nobody in. */
enum admission verified_admission(const struct verified_list *list, const struct grant *g);

/* ---- changes ---- */

struct change {
	enum change_kind kind;
	const char *client; /* borrowed; NULL when no client is concerned */
	char *login;	    /* or NULL */
	char *database;	    /* server's letter case; NULL: server-wide */
	char *principal;    /* user or role in the database */
	char *role;
	struct permission
		permission; /* ROLE_GRANT, ROLE_DENY, REVOKE; kind and names of OWNER in schema/object */
	struct permission
		*regrants; /* OWNER: what others hold on it, which the transfer would drop */
	size_t n_regrants;
	struct session_key session;
	char *reason;
};
/* What stands in the way of a login or database, in words for a person. */
struct obstacle {
	enum state state;
	char *login, *database; /* NULL: all */
	char *text;
	bool records_missing; /* on what was taken for a first start: see wanted_server.first_start */
};
struct difference {
	struct change *changes; /* closings first, in the order to apply them */
	size_t n_changes;
	struct obstacle *obstacles;
	size_t n_obstacles;
};
/* 0 or -ENOMEM. An empty difference without obstacles is agreement. */
int difference_build(struct difference *out, const struct wanted_server *w,
	const struct observed_server *o, const struct claims *c, instant_t now);
void difference_free(struct difference *d);
/* Takes one change out. */
void difference_drop(struct difference *d, size_t i);
/* Two lists of the same changes have the same number; others hardly ever. */
uint64_t difference_digest(const struct difference *d);

/* The widest level that a login has on a database as observed by roles; *exact says that it has nothing else. */
enum level observed_level(bool *exact, const struct observed_server *o,
	const struct observed_database *d, const struct observed_login *l, const struct server *s);

#endif
