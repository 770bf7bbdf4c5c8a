/* Scheduled and observed access on one SQL server, and the typed changes between them. Pure. */
#ifndef CURFEW_ACCESS_H
#define CURFEW_ACCESS_H

#include "curfew/record.h"
#include "curfew/schedule.h"

/* Server role whose members are the logins that Curfew created, so that every agent recognizes them. `curfew bootstrap`
 * creates it. On a server without this role only the login inventory (table `ledger`) identifies them. */
#define MARK_ROLE "curfew_logins"
/* Database role in master. Its members, the agent logins, may take the application lock. */
#define LOCK_ROLE "curfew_lock"

/* ---- scheduled ---- */

struct wanted_user {
	const struct grant *grant; /* its level is not none */
};
struct wanted_login {
	const char *login; /* borrowed from the program */
	const char *client;
	struct wanted_user *users; /* one for each database; at least one */
	size_t n_users;
	instant_t narrowed; /* latest reduction of any of its grants on this server, or 0 */
	struct sid
		sid; /* with which it is created, the same on all replicas; size 0: not known yet */
};
struct wanted_server {
	const struct server *server;
	struct wanted_login *logins; /* sorted by name, ignoring case */
	size_t n_logins;
	const struct grant *
		*grants; /* every grant of the configuration on this server, at any level */
	size_t n_grants;
	const char **named; /* logins of those grants, each once, sorted, ignoring case */
	size_t n_named;
	/* Why no access is granted on this server now; NULL: granted as scheduled. Removals continue. */
	const char *hold;
	/* The journal is empty, and no operator has accepted that. A marked login on the server then means that records
	 * are missing, and no access is granted. */
	bool first_start;
	bool looked_at; /* nothing is changed: what a trigger keeps Curfew from changing is listed all the same */
	bool replicated; /* is a replica or has some: logins are created with the SID that is chosen for them */
};
int wanted_build(struct wanted_server *out, const struct server *s, const struct grants *g);
void wanted_free(struct wanted_server *w);
/* Whether any grant of the configuration on this server, at any level, is for this login. */
bool wanted_names(const struct wanted_server *w, const char *login);
/* "live: read-only from ... until ...". For the journal and for people. */
void grant_reason(char *buf, size_t size, const struct grant *g);
const struct wanted_login *wanted_find(const struct wanted_server *w, const char *login);

/* ---- observed ---- */

struct observed_login {
	char *name;
	struct sid sid;
	char type; /* 'S' SQL login, 'U' 'G' Windows, 'E' 'X' external, 'C' 'K' mapped */
	bool disabled;
	instant_t created; /* by the server's clock */
	char *default_database;
	/* LOGINPROPERTY, only of managed logins; -1: the server did not return it */
	int locked, expired, must_change, days_until_expiration, bad_passwords;
	bool marked; /* member of MARK_ROLE */
	bool ours;   /* managed: marked, or in the login inventory; see observed_claim() */
};
struct observed_member { /* membership in a server role other than MARK_ROLE */
	char *role, *member;
};
/* SQL Server reuses session ids at once. Only all three members identify a session. */
struct session_key {
	uint32_t id;
	char login_time[32]; /* by the server's clock, "2026-11-28T04:25:10.123"; empty: unknown */
	struct sid
		sid; /* original_security_id, which EXECUTE AS and renaming do not change; size 0: unknown */
};
bool session_key_equal(const struct session_key *a, const struct session_key *b);
#define SESSION_AGE_UNKNOWN UINT64_MAX /* counts as older than any time */
struct observed_session {
	struct session_key key;
	char *login;	       /* original_login_name */
	char *acting;	       /* login_name */
	uint64_t age;	       /* seconds, by the server's clock */
	bool ending;	       /* killed, and still rolling back */
	uint8_t percent;       /* of the rollback that is done */
	unsigned transactions; /* open ones; 0 also if the server does not tell */
	char *address, *program, *host;
};
struct permission {
	uint8_t class; /* as sys.database_permissions.class; 100 and up: server */
	char state; /* 'G', 'W' WITH GRANT OPTION, 'D'; 'R': a column excluded from a table grant, gives nothing */
	char *name;			/* "SELECT" */
	char *schema, *object, *column; /* names of the securable; NULL where it has none */
	char *grantee, *grantor;	/* names of the principals */
	bool owner_apart; /* the securable has its own owner, so a transfer of its schema does not change it */
};
bool permission_is_right(const struct permission *p); /* is a GRANT, with or without grant option */
/* A DENY on the server that keeps its grantee from logging in. */
bool permission_is_denied_entry(const struct permission *p);
/* Every managed login holds it, by public or by MARK_ROLE, and no level includes it: it is of the server, and more than to
 * connect and to look. */
bool permission_is_everybodys(const struct permission *p);
struct observed_user {
	char *name;
	struct sid sid;
	char type;	/* 'S', 'U', 'R' role, ... */
	bool contained; /* authenticates in the database, without a login */
	char *owner;	/* the owner of a role; else NULL */
};
struct observed_owned { /* something that a principal owns */
	char *kind;	/* as in ALTER AUTHORIZATION: "SCHEMA", "OBJECT", "CERTIFICATE", ... */
	char *schema, *name;
	char *owner;
};
#define DIGEST_TEXT_MAX 65 /* SHA-256 in hexadecimal digits */
struct observed_trigger {  /* an enabled DDL trigger of a database */
	char *name;
	char digest[DIGEST_TEXT_MAX]; /* of its definition; "": the server does not show it */
	bool reaches; /* it names tables, procedures, or anything else that is no part of the product */
	bool dynamic; /* it runs something with EXEC */
};
/* Runs with other permissions than its caller's, or decides what others see, and uses what full access may alter. */
struct observed_runner {
	enum { RUNNER_MODULE = 1, RUNNER_ASSEMBLY, RUNNER_QUEUE, RUNNER_POLICY } kind;
	char *schema, *name;
	bool as_owner;
};
struct observed_database {
	char *name;  /* in the server's case */
	int id;	     /* database_id; 0: the server returned no row */
	int source;  /* for a snapshot: database_id of its source; else 0 */
	bool absent; /* configured, and the server reports that no database has this name */
	bool online, accessible;
	bool system; /* tempdb: not read, for no user in it lasts */
	bool managed; /* named in the configuration: read completely. Else only principals, unless one is managed */
	bool read;	  /* the catalog was read */
	char *unread;	  /* why it was not read; NULL if it was, or was not needed */
	char *held;	  /* why nobody may be added who is not there yet; NULL: as scheduled */
	bool secondary;	  /* a secondary replica of an availability group */
	char *unwritable; /* why nothing can be changed there (snapshot, read-only); NULL: it can */
	bool permissions_visible;    /* sys.database_permissions returned any rows */
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
	struct observed_trigger *triggers; /* enabled DDL triggers */
	size_t n_triggers;
	struct sid owner;
	bool chaining, trustworthy;
	struct observed_runner *runners;
	size_t n_runners;
	bool runners_unknown;  /* the server has no such catalog views */
	bool triggers_unknown; /* the view could not be read */
};
struct observed_server {
	char *version;
	instant_t clock; /* the server's clock, UTC */
	bool mark_role;	 /* MARK_ROLE exists */
	bool sessions_visible;
	char **missing_rights; /* that the agent login needs */
	size_t n_missing_rights;
	char **unreadable; /* catalog views that this server does not have */
	size_t n_unreadable;
	struct observed_login *logins;
	size_t n_logins;
	struct observed_member *members;
	size_t n_members;
	struct permission *permissions; /* of the server */
	size_t n_permissions;
	bool everybody_exceeds; /* see observed_everybody_exceeds() */
	struct observed_session *sessions;
	size_t n_sessions;
	struct observed_database *databases;
	size_t n_databases;
	bool chaining;			   /* ownership chains reach across all databases */
	struct observed_trigger *triggers; /* enabled server triggers */
	size_t n_triggers;
	bool triggers_unknown; /* the view could not be read */
	bool lock_is_open;     /* the role that keeps others from Curfew's lock is missing */
};
/* Why full access there equals db_owner: the n-th reason, in a few words, and the check of the audit that it belongs to.
 * NULL: there are not so many. */
#define FITNESS_REASON_MAX (2 * MAX_NAME_BYTES + 80)
const char *fitness_reason(char buf[FITNESS_REASON_MAX], const struct observed_server *o,
	const struct observed_database *d, size_t n);
/* The first of them in one text; "": there is none. Owned; NULL without memory. */
char *fitness_text(const struct observed_server *o, const struct observed_database *d);
/* NULL, or why a review of its text cannot show what it does. */
const char *trigger_unsafe(const struct observed_trigger *t);
/* NULL, or why this trigger of the server must not run with Curfew's permissions: a part of a sentence about it. */
const char *server_trigger_refused(const struct strings *known, const struct observed_trigger *t);
/* "NAME sha256:DIGEST": the entry of known_triggers for exactly this text. */
#define TRIGGER_ENTRY_MAX (MAX_NAME_BYTES + 8 + DIGEST_TEXT_MAX + 1)
void trigger_entry(char buf[TRIGGER_ENTRY_MAX], const struct observed_trigger *t);
/* Some entry has the name, whatever its digest; with the digest of its text, and safe. */
bool trigger_is_named(const struct strings *known, const char *name);
bool trigger_is_known(const struct strings *known, const struct observed_trigger *t);
/* A right on the server is everybody's, or MARK_ROLE is a member of another role. */
bool observed_everybody_exceeds(const struct observed_server *o);
void permission_free(struct permission *p); /* frees the members */
void observed_free(struct observed_server *o);
struct observed_login *observed_find_login(const struct observed_server *o, const char *login);
/* The user to which the login maps in this database, by SID. NULL: none. */
const struct observed_user *observed_user_of(
	const struct observed_database *d, const struct observed_login *l);
/* Another login or database has a name that Curfew takes for this one. */
bool observed_has_twins(const struct observed_server *o, const char *login, const char *database);
struct observed_database *observed_find_database(const struct observed_server *o, const char *name);
/* A hash of what the catalog says about one user's permissions: what is granted or denied to the user, its roles
 * (nested too), public, and guest, and what these own. Other users do not count. A verification stays valid while the
 * fingerprint is the same. 64 hexadecimal digits, or "" without memory. */
void observed_fingerprint(char out[FINGERPRINT_MAX], const struct observed_database *d,
	const struct observed_user *u);
/* By SID. A session without a SID belongs to nobody and is never ended. */
bool observed_session_is_of(const struct observed_session *s, const struct sid *sid);
/* The same, but a session without a SID counts by its login name. Use it where no session may be left. */
bool observed_session_may_be_of(
	const struct observed_session *s, const char *login, const struct sid *sid);
bool observed_is_member(const struct observed_database *d, const char *role, const char *member);

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
};
struct verified_list {
	struct verified *items; /* sorted by server, login, database; the strings are owned */
	size_t n;
};
void verified_list_free(struct verified_list *v);
int verified_compare(const void *a, const void *b);

/* The journal's data about a login on one database of a server. */
struct remembered {
	const char *login, *database;
	enum level level; /* highest level that was observed or verified */
	bool excess;	  /* the last verification found more than the level */
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
	struct sid sid; /* of LOGIN_CREATE; size 0: the server makes one */
	char *reason;
};
/* A reason why a login or a database cannot be changed, as text. */
struct obstacle {
	enum state state;
	char *login, *database; /* NULL: all */
	char *text;
	bool records_missing; /* see wanted_server.first_start */
};
struct difference {
	struct change *changes; /* removals first, in the order of application */
	size_t n_changes;
	struct obstacle *obstacles;
	size_t n_obstacles;
};
/* 0 or -ENOMEM. No changes and no obstacles means that the server matches. */
int difference_build(struct difference *out, const struct wanted_server *w,
	const struct observed_server *o, const struct claims *c, instant_t now);
void difference_free(struct difference *d);
/* Removes one change from the list. */
void difference_drop(struct difference *d, size_t i);
/* Equal lists have equal digests; different lists almost never do. */
uint64_t difference_digest(const struct difference *d);

/* The highest level that a login has in a database by its observed roles. *exact: it has no other permissions. */
enum level observed_level(bool *exact, const struct observed_server *o,
	const struct observed_database *d, const struct observed_login *l, const struct server *s);

#endif
