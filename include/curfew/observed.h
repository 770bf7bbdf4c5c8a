/* Observed access on one SQL server, as its catalog shows it. Pure. */
#ifndef CURFEW_OBSERVED_H
#define CURFEW_OBSERVED_H

#include "curfew/permission.h"
#include "curfew/pool.h"
#include "curfew/wanted.h"

/* Server role whose members are the logins that Curfew created, so that every agent recognizes them. `curfew bootstrap`
 * creates it. On a server without this role only the login inventory (table `ledger`) identifies them. */
#define MARK_ROLE "curfew_logins"
/* Database role in master. Its members, the agent logins, may take the application lock. */
#define LOCK_ROLE "curfew_lock"

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
	int database;	       /* database_id of the one that it is in; 0: unknown */
	bool ending;	       /* killed, and still rolling back */
	uint8_t percent;       /* of the rollback that is done */
	unsigned transactions; /* open ones; 0 also if the server does not tell */
	char *address, *program, *host;
};
/* A session of this login was seen in this database. */
struct observed_entry {
	struct sid sid;
	int database;
};
/* The server refused to make a user for this login there, because there is one (15063, 15023). */
struct unseen_user {
	const char *login, *database; /* borrowed */
};
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
/* Of the server: owned by the login, or by what every managed login is a member of. */
bool owned_is_of(const struct observed_owned *w, const char *login);
#define DIGEST_TEXT_MAX 65 /* SHA-256 in hexadecimal digits */
struct observed_trigger {  /* an enabled DDL trigger of a database */
	char *name;
	char digest[DIGEST_TEXT_MAX]; /* of its definition; "": the server does not show it */
	bool reaches; /* it names tables, procedures, or anything else that is no part of the product */
	bool dynamic;	/* it runs something with EXEC */
	bool elsewhere; /* no statement of Curfew fires it */
};
/* Runs with other permissions than its caller's, or decides what others see, and uses what full access may alter. */
struct observed_runner {
	enum {
		RUNNER_MODULE = 1,
		RUNNER_ASSEMBLY,
		RUNNER_QUEUE,
		RUNNER_POLICY,
		RUNNER_DDL_TRIGGER
	} kind;
	char *schema, *name; /* a DDL trigger has no schema: "" */
	bool as_owner;
};
struct observed_job { /* of Agent: enabled, a sysadmin's, with a step in T-SQL in this database */
	int database;
	char *name;
};
struct observed_database {
	char *name;		      /* in the server's case */
	int id;			      /* database_id; 0: the server returned no row */
	char made[DATABASE_MADE_MAX]; /* create_date; "": unknown */
	int source;		      /* for a snapshot: database_id of its source; else 0 */
	bool absent; /* configured, and the server reports that no database has this name */
	/* The databases that had this name and were verified are there under other names, and are settled there. */
	bool renamed;
	bool online, accessible;
	bool shut; /* the server says a state in which nobody can enter it */
	bool system; /* tempdb: made anew at each start of the server; a login enters without a user */
	bool managed; /* named in the configuration: read completely. Else only principals, unless one is managed */
	bool read;    /* the catalog was read */
	char *unread; /* why it was not read; NULL if it was, or was not needed */
	bool barred;  /* not read, and whoever controls the database can have brought that about */
	bool missed;  /* its owner sees users or roles that the agent login was not shown */
	char *hidden; /* why a user may be there that is not seen, though it was read; NULL: none can */
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
	bool tells_visibility; /* the server has said that the agent login may see every definition there */
};
/* Something of the server that is kept from the agent login's sight. */
struct observed_unseen {
	char *text; /* what is hidden, and by what */
	char *fix;  /* the statement that a DBA runs; "": unknown */
	int id;	    /* principal_id; 0: none, or unknown */
	char *login; /* the one managed login that is hidden; NULL: it may be a role, and anybody in it */
};
/* A question that the server does not answer, for example because it lacks the catalog view. */
struct observed_unreadable {
	char *text;	/* "runner of AcmeTest: WHY" */
	char *database; /* NULL: it is about the server */
};
struct observed_server {
	char *version;
	instant_t clock;       /* the server's clock, UTC */
	bool mark_role;	       /* MARK_ROLE exists */
	bool sessions_visible; /* all of them, and whose each is */
	char **missing_rights; /* that the agent login needs */
	size_t n_missing_rights;
	struct observed_unseen *unseen;
	size_t n_unseen;
	struct observed_unreadable *unreadable;
	size_t n_unreadable;
	struct observed_login *logins;
	size_t n_logins;
	struct observed_member *members;
	size_t n_members;
	struct permission *permissions; /* of the server */
	size_t n_permissions;
	struct observed_owned *owned; /* server roles and endpoints */
	size_t n_owned;
	bool everybody_exceeds; /* see observed_everybody_exceeds() */
	struct observed_session *sessions;
	size_t n_sessions;
	const struct observed_entry
		*entries; /* of the visit so far, also of sessions that it has ended; borrowed */
	size_t n_entries;
	const struct unseen_user *unseen_users; /* of the visit so far; borrowed */
	size_t n_unseen_users;
	struct observed_database *databases;
	size_t n_databases;
	bool chaining; /* ownership chains reach across all databases */
	struct observed_job *jobs;
	size_t n_jobs;
	bool jobs_unknown;		   /* the agent login may not read them */
	struct observed_trigger *triggers; /* enabled server triggers */
	size_t n_triggers;
	bool triggers_unknown; /* the view could not be read */
	bool additions_refused; /* the server refuses what logins would get in addition: they do without it */
	bool lock_is_open; /* the role that keeps others from Curfew's lock is missing */
};
/* Why full access equals db_owner in a database, and what makes a database unsafe beside it. */
enum unfit {
	UNFIT_NONE,
	UNFIT_MODULE,
	UNFIT_QUEUE,
	UNFIT_POLICY,
	UNFIT_TRUSTWORTHY,
	UNFIT_OWNER,
	UNFIT_JOB,
	UNFIT_TRIGGER,
	/* The agent login cannot read it, so nobody knows. */
	UNFIT_UNREAD_MODULE,
	UNFIT_UNREAD_JOB,
	UNFITS
};
/* Why full access there equals db_owner: the n-th reason, in a few words. UNFIT_NONE: there are not so many. */
#define FITNESS_REASON_MAX (2 * MAX_NAME_BYTES + 80)
enum unfit fitness_reason(char buf[FITNESS_REASON_MAX], const struct observed_server *o,
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
/* Everything was read in which an entry of known_triggers could be found. */
bool triggers_are_shown(const struct observed_server *o);
/* An enabled trigger is the one that the entry was written for. */
bool trigger_entry_is_used(const char *entry, const struct observed_server *o);
/* USER_LOGIN is there; and nobody made more of it than bootstrap does. */
bool observed_has_user_login(const struct observed_server *o);
bool observed_user_login_is_fit(const struct observed_server *o);
/* A right on the server is everybody's, or MARK_ROLE is a member of another role or owns one. */
bool observed_everybody_exceeds(const struct observed_server *o);
void observed_free(struct observed_server *o);
void observed_database_free(struct observed_database *d); /* what it owns */
/* The agent login lacks a permission, or something is hidden from it: what is not shown may be there all the same. */
bool observed_is_partial(const struct observed_server *o);
/* This login is hidden. */
bool observed_is_hidden(const struct observed_server *o, const char *login);
struct observed_login *observed_find_login(const struct observed_server *o, const char *login);
/* Why users may be hidden where no denial is seen (observed_database.missed). */
#define USERS_MISSED                                                                                                        \
	"the database's owner sees users that are not shown to the agent login: find who denies VIEW DEFINITION there and " \
	"revokes it again"
/* The user to which the login maps in this database, by SID. NULL: none. */
const struct observed_user *observed_user_of(
	const struct observed_database *d, const struct observed_login *l);
/* That of the agent login. NULL: it has none there. */
const struct observed_user *observed_user_of_agent(
	const struct observed_server *o, const struct observed_database *d, const struct server *s);
/* Another login or database has a name that Curfew takes for this one. */
bool observed_has_twins(const struct observed_server *o, const char *login, const char *database);
struct observed_database *observed_find_database(const struct observed_server *o, const char *name);
/* A hash of what the catalog says about one user's permissions: what is granted or denied to the user, its roles
 * (nested too), public, and guest, and what these own. Other users do not count. A verification stays valid while the
 * fingerprint is the same. 64 hexadecimal digits, or "" without memory. */
void observed_fingerprint(char out[FINGERPRINT_MAX], const struct observed_database *d,
	const struct observed_user *u);
/* 1: a denial in the closure of the fingerprint may hide parts of the catalog from the user, so what it does not see may be
 * there all the same. 0: none does. -ENOMEM. `users`: only of what hides users and roles. */
int observed_hides(const struct permission **by, const struct observed_database *d,
	const struct observed_user *u, bool users);
/* All of these denials. The caller frees the array; NULL: there are none. 0 or -ENOMEM. */
int observed_denials(const struct permission ***out, size_t *n, const struct observed_database *d,
	const struct observed_user *u, bool users);
/* Who answers for a database: "owned by login [NAME]". */
#define DATABASE_OWNER_MAX 160
void database_owner_words(char buf[DATABASE_OWNER_MAX], const struct observed_server *o,
	const struct observed_database *d);
/* Why a login stays shut that has a user in a database where no access is scheduled for it, and whose matter that is. */
void user_elsewhere_words(char *buf, size_t size, const struct wanted_server *w,
	const struct observed_server *o, const struct observed_database *d, const char *login);
/* Sets `hidden` of each database. 0 or -ENOMEM. */
int observed_mark_hidden(struct observed_server *o, const struct server *s);
/* Why the login may have a user there, though none is seen in what was read; NULL: its user is seen, or there is none,
 * or the database was not read. `l` is the login; NULL: the server has none of this name. */
const char *observed_user_hidden(const struct observed_server *o, const struct observed_database *d,
	const struct observed_login *l, const char *login);
/* The database of the entry, if the configuration does not name it for this login and it could not be read: nobody knows
 * what the login has there. Else NULL. */
const struct observed_database *observed_unread_entry(const struct observed_server *o,
	const struct wanted_server *w, const char *login, const struct observed_entry *e);
/* By SID. A session without a SID belongs to nobody and is never ended. */
bool observed_session_is_of(const struct observed_session *s, const struct sid *sid);
/* The same, but a session without a SID counts by its login name. Use it where no session may be left. */
bool observed_session_may_be_of(
	const struct observed_session *s, const char *login, const struct sid *sid);
bool observed_is_member(const struct observed_database *d, const char *role, const char *member);

#endif
