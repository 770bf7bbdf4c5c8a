/* The validated configuration: who may reach which database, on which terms. */
#ifndef CURFEW_PROGRAM_H
#define CURFEW_PROGRAM_H

#include "curfew/notice_template.h"
#include "curfew/source.h"

enum level { LEVEL_NONE, LEVEL_READ_ONLY, LEVEL_WRITE, LEVEL_FULL }; /* ordered: wider is greater */
#define LEVELS (LEVEL_FULL + 1)
enum database_role { ROLE_STAGING, ROLE_PRODUCTION };

const char *level_name(enum level l);		      /* "none", "read-only", "write", "full" */
const char *database_role_name(enum database_role r); /* "staging", "production" */

struct strings {
	char **items; /* owned */
	size_t n;
};
bool strings_contain(const struct strings *s, const char *item);

/* What a level means on a server: a role of ours with permissions, or roles that exist there. */
struct level_terms {
	char *role;		  /* NULL when member_of is used */
	struct strings member_of; /* empty when role is used */
	struct strings database_grants, database_denies;
	struct strings schema_grants, schema_denies; /* on each user schema */
};

struct server {
	char *name;
	char *host; /* what the agent connects to, and what the certificate must carry: FreeTDS 1.3 checks no other name */
	uint16_t port;
	struct endpoint *endpoints; /* what users' packets carry where we filter */
	size_t n_endpoints;
	struct source *trusted; /* keep reaching the endpoints, without an end */
	size_t n_trusted;
	char *ca_file;	  /* absolute path; never NULL */
	char *login;	  /* the agent's own login */
	char *credential; /* name of the file with its password */
	bool evidence_catalog; /* where the server cannot tell a user's permissions, its catalog verifies */
	bool must_change;	       /* one-time passwords carry MUST_CHANGE */
	struct strings known_triggers; /* DDL and server triggers that the operator has reviewed */
	struct strings known_linked_servers, known_proxies; /* these too, and Agent proxies */
	struct level_terms terms[LEVELS]; /* by enum level; LEVEL_NONE's is empty */
	const char *file;		  /* where it is written, for messages; owned by program */
	int line;
};

struct database {
	enum database_role role;
	size_t server; /* index in program.servers */
	char *name;
	enum level before_go_live; /* of staging full, unless it is written */
	struct {
		char *approved_by, *ticket; /* NULL: none */
	} full_waiver; /* full access there may be worth db_owner, and somebody has accepted that */
	int line;
};

struct user {
	char *first, *last, *email;
	char *login;
	struct source *sources;
	instant_t *source_ends; /* one for each source; NULL: none ends before the access does */
	size_t n_sources;
	int line;
};
#define SOURCE_NO_END INT64_MAX

/* In the order of the course. Recorded, never acted upon. */
enum milestone {
	MILESTONE_FILES_RECEIVED,
	MILESTONE_SERVICE_PACK_CHECKED,
	MILESTONE_DATABASE_UPGRADED,
	MILESTONE_ACCOUNTS_SET_UP, /* by itself, as are those of go-live */
	MILESTONE_GATEWAY_ONBOARDED,
	MILESTONE_TEST_PLAN_DONE,
	MILESTONE_CHECKLIST_SIGNED,
	MILESTONE_PRODUCTION_TICKET,
	MILESTONE_GO_LIVE_AGREED,
	MILESTONE_GO_LIVE_DONE,
	MILESTONE_STAGING_REMOVED,
	MILESTONE_POST_UPGRADE_DONE,
	MILESTONES
};

struct client {
	char *name, *ticket, *approved_by;
	char *timezone;
	char *language;	    /* of its people's notices, "" where none is named */
	instant_t approved; /* start of approved_on */
	instant_t starts;   /* S */
	bool has_go_live;
	instant_t go_live;	      /* G */
	instant_t testing_end;	      /* T; holds only without a go-live */
	instant_t staging_end;	      /* min(E14, E30); set only with a go-live */
	instant_t end;		      /* E30 with a go-live, else T: nothing outlives it */
	char *milestones[MILESTONES]; /* the date as written, or the ticket; NULL: not there */
	bool has_milestones;	      /* the file has the group */
	struct database *databases;
	size_t n_databases;
	struct user *users;
	size_t n_users;
	char *file; /* owned */
	int line;
};

enum firewall_hooks { HOOK_INPUT = 1, HOOK_FORWARD = 2 };

struct firewall_settings {
	bool enabled;
	unsigned hooks;	     /* enum firewall_hooks, or-ed */
	int priority;	     /* default -10 */
	bool log;	     /* rate-limited log line for refused packets */
	bool guard_loopback; /* default false: traffic over lo is exempt */
};

enum mail_tls { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN };

/* What people are told, and by which mail server; without `host` nothing is sent. */
struct notice_settings {
	char *host;
	uint16_t port;
	enum mail_tls tls;
	char *ca_file;			   /* what the mail server's certificate is verified by */
	char *user, *credential;	   /* both or neither */
	char *from, *team;		   /* addresses; never NULL with a host */
	struct notice_template *templates; /* the operator's, only those without a fault */
	size_t n_templates;
};
static inline bool notices_are_on(const struct notice_settings *n)
{
	return n->host && n->from && n->team;
}

struct settings {
	unsigned max_users;	 /* 3 */
	unsigned max_sources;	 /* of one user; 50 */
	unsigned read_only_days; /* 30 */
	unsigned staging_days;	 /* 14 */
	unsigned testing_days;	 /* 180 */
	unsigned widest_prefix4; /* 24 */
	unsigned widest_prefix6; /* 48 */
	char *timezone;		 /* "UTC" */
	struct strings holidays; /* "2026-12-25": advised against */
	bool shared_databases;	 /* several clients may name one database; false */
	bool practice;
	char *state_directory;	    /* /var/lib/curfew: journal.db, clock, last good client files */
	char *runtime_directory;    /* /run/curfew */
	char *credential_directory; /* $CREDENTIALS_DIRECTORY, else /etc/curfew/credentials */
	char *metrics_file;	    /* NULL: none */
	char *journal_key;	    /* credential name, or NULL */
	unsigned interval;	    /* seconds between passes without another reason; 300 */
	unsigned connect_timeout;   /* seconds; 10 */
	unsigned server_deadline;   /* seconds that one server's worker may take; 60 */
	unsigned workers;	    /* SQL workers at once; 8 */
	struct firewall_settings firewall;
	struct notice_settings notices;
	struct strings vendor_lists; /* files: what the product itself has, of several versions */
	unsigned unused_days;	     /* without use before an object counts as unused; 90 */
	unsigned sample_hours;	     /* between samples of use, for the inventory; 0: none; 24 */
};

/* A time in which a database, or a whole server, is expected to be offline. */
struct maintenance {
	size_t server;	/* index in program.servers */
	char *database; /* NULL: every database of the server, and the server itself */
	instant_t from, until;
	int line;
};

struct program {
	struct settings settings;
	struct maintenance *maintenance;
	size_t n_maintenance;
	struct server *servers; /* sorted by name */
	size_t n_servers;
	struct client *clients; /* sorted by name; only those whose file is whole and valid */
	size_t n_clients;
	char digest
		[65]; /* hex BLAKE2b-256 over the names and contents of the files read, in order */
	char *clients_folder; /* of the client files; owned */
	char **files;	      /* every file read, sorted; owned */
	size_t n_files;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_ADVICE };
struct problem {
	char *file; /* owned */
	int line;   /* 0: the file as a whole */
	enum severity severity;
	char *text;  /* "what; what would be right"; never a secret */
	bool unseen; /* whoever reads may not look there: it says nothing of the configuration */
};
struct problems {
	struct problem *items;
	size_t n, n_errors;
	bool fatal; /* curfew.conf itself has errors: there is no program to work with */
};

/* Reads FILE and clients.d/ *.conf beside it (setting `clients` names another folder). Always reports
 * every problem of every file, sorted by file and line. *out is set whenever curfew.conf itself is
 * valid, with the clients whose files are valid. 0, or negative errno on resource failure only.
 * `now` is used for advice (a go-live that is near), never for what is valid. */
int program_load(struct program **out, struct problems *problems, const char *file, instant_t now);
void program_free(struct program *p);
void problems_free(struct problems *p);
/* "FILE:LINE: error: TEXT" lines. */
void problems_print(const struct problems *p, FILE *to);

/* Adds a warning for each server whose `host` is an address of this host and, with its port, no guarded endpoint: users
 * could reach it there. `is_local`: whether the address is one of this host's interfaces; a loopback address need not
 * be. 0 or -ENOMEM. */
int program_hosts_check(struct problems *problems, const struct program *p,
	bool (*is_local)(void *context, int family, const uint8_t *addr), void *context);

/* As SQL Server compares names: the case of ASCII letters does not count, whatever the locale. */
bool names_equal(const char *a, const char *b);
int names_compare(const char *a, const char *b);
/* Where a credential lies: NAME in the folder of credentials, or curfew_NAME, which is what LoadCredential= makes of
 * a whole folder. 0 or -ENAMETOOLONG; whether it is there is for the caller to see. */
int settings_credential(char path[4096], const struct settings *s, const char *name);
/* Another number when a time zone file that the configuration names is another than before: its dates may then be other
 * instants. */
uint64_t program_zones(const struct program *p);
/* The trusted source of the server that lies within this source or contains it: whoever connects from there keeps
 * reaching the server after the end. NULL: there is none. */
const struct source *source_overlaps_trusted(const struct source *source, const struct server *s);
/* Whether `now` lies within a maintenance window of that database; `database` NULL: of the server as a whole. Quiets
 * alarms of unread and unreachable, and changes nothing else. */
bool maintenance_covers(
	const struct program *p, const char *server, const char *database, instant_t now);
/* Whether the client has a database on that server (an index in program.servers). */
bool client_uses_server(const struct client *c, size_t server);
const struct client *program_client(const struct program *p, const char *name);
const struct server *program_server(const struct program *p, const char *name);
/* The instant from which on the user's source is no longer let in; SOURCE_NO_END: it stays as long as the access. */
static inline instant_t user_source_end(const struct user *u, size_t i)
{
	return u->source_ends ? u->source_ends[i] : SOURCE_NO_END;
}
/* Those that have not ended, "203.0.113.7, 198.51.100.0/29". Owned; NULL without memory. */
char *user_sources_text(const struct user *u, instant_t now);
const struct user *client_user(
	const struct client *c, const char *name); /* login, email or "first.last" */

#endif
