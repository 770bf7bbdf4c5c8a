/* The validated configuration: which users may access which databases, from where, and when. */
#ifndef CURFEW_PROGRAM_H
#define CURFEW_PROGRAM_H

#include "curfew/notice_template.h"
#include "curfew/pool.h"
#include "curfew/source.h"

enum level {
	LEVEL_NONE,
	LEVEL_READ_ONLY,
	LEVEL_WRITE,
	LEVEL_FULL
}; /* ordered: a higher level allows more */
#define LEVELS (LEVEL_FULL + 1)
enum database_role { ROLE_STAGING, ROLE_PRODUCTION };

const char *level_name(enum level l);		      /* "none", "read-only", "write", "full" */
const char *database_role_name(enum database_role r); /* "staging", "production" */

struct strings {
	char **items; /* owned */
	size_t n;
};
bool strings_contain(const struct strings *s, const char *item);

/* A level on a server: a role with permissions that Curfew creates, or existing roles. */
struct level_terms {
	char *role;		  /* NULL if member_of is used */
	struct strings member_of; /* empty if role is used */
	struct strings database_grants, database_denies;
	struct strings schema_grants, schema_denies; /* on each user schema */
};

/* Login as which a login gets its user in a database. Nobody can log in with it. `curfew bootstrap` creates it. */
#define USER_LOGIN "curfew_users"

struct server {
	char *name;
	char *host; /* to connect to; the certificate must contain it: FreeTDS 1.3 checks no other */
	uint16_t port;
	struct endpoint *endpoints; /* of the users' packets at the packet filter */
	size_t n_endpoints;
	struct source *trusted; /* always allowed, without an end time */
	size_t n_trusted;
	char *ca_file;	  /* absolute path; never NULL */
	char *login;	  /* the agent login */
	char *credential; /* name of the file with the agent login's password */
	bool evidence_catalog; /* verify by the catalog, because the server cannot show a user's permissions */
	bool must_change; /* one-time passwords must be changed at the first login */
	struct strings
		known_triggers; /* DDL triggers, of databases and of the server, that the operator has reviewed */
	struct strings known_linked_servers,
		known_proxies;		/* likewise; proxies of SQL Server Agent */
	struct strings known_listeners; /* address:port that no user can reach */
	struct strings replicas; /* names of the servers that hold the databases of this one too */
	struct level_terms terms[LEVELS]; /* by enum level; the entry of LEVEL_NONE is empty */
	const char *file; /* the file with this entry, for messages; owned by program */
	int line;
};

struct database {
	enum database_role role;
	size_t server; /* index in program.servers */
	char *name;
	enum level before_go_live; /* default: full on staging */
	struct {
		char *approved_by, *ticket; /* NULL: missing */
	} full_waiver; /* an operator's acceptance that full access to this database may equal db_owner */
	int line;
};

struct user {
	char *first, *last, *email;
	char *login;
	struct source *sources;
	instant_t *source_ends; /* one for each source; NULL: none ends before the access */
	size_t n_sources;
	int line;
};
#define SOURCE_NO_END INT64_MAX

/* In the order in which they are reached. Recorded only; they never change access. */
enum milestone {
	MILESTONE_FILES_RECEIVED,
	MILESTONE_SERVICE_PACK_CHECKED,
	MILESTONE_DATABASE_UPGRADED,
	MILESTONE_ACCOUNTS_SET_UP, /* derived, as are those of go-live */
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

/* What a file held when it was loaded. */
struct file_digest {
	uint64_t size;
	uint8_t hash[32]; /* BLAKE2b */
};

struct client {
	char *name, *ticket, *approved_by;
	char *timezone;
	char *language;	    /* language of notices to its users, or "" */
	instant_t approved; /* start of approved_on */
	instant_t starts;   /* S */
	bool has_go_live;
	instant_t go_live;	      /* G */
	instant_t testing_end;	      /* T; holds only without a go-live */
	instant_t staging_end;	      /* min(E14, E30); set only with a go-live */
	instant_t end;		      /* E30 with a go-live, else T: nothing outlives it */
	char *milestones[MILESTONES]; /* the date as written, or the ticket; NULL: missing */
	bool has_milestones;	      /* the file has the group `milestones` */
	struct database *databases;
	size_t n_databases;
	struct user *users;
	size_t n_users;
	char *file; /* owned */
	struct file_digest content;
	int line;
};

enum firewall_hooks { HOOK_INPUT = 1, HOOK_FORWARD = 2 };

struct firewall_settings {
	bool enabled;
	unsigned hooks;	     /* bits of enum firewall_hooks */
	int priority;	     /* default -10 */
	bool log;	     /* log denied packets, with a rate limit */
	bool guard_loopback; /* default false: traffic on lo is not filtered */
};

enum mail_tls { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN };

/* Notices and the mail server; without `host` no notices are sent. */
/* Stands for the webhook's address, which may hold a secret, where a mail has its recipient. */
#define WEBHOOK_RECIPIENT "webhook"
#define WEBHOOK_URL_MAX	  1023
struct notice_settings {
	char *host;
	uint16_t port;
	enum mail_tls tls;
	char *ca_file;		      /* CA certificates to verify the mail server */
	char *user, *credential;      /* both or neither */
	char *from, *team;	      /* addresses; not NULL if there is a host */
	char *webhook, *webhook_host; /* "https://...", and the host in it; NULL: none */
	uint16_t webhook_port;
	char *webhook_credential; /* the secret that signs; not NULL if there is a webhook */
	struct notice_template *templates; /* the operator's templates without errors */
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
	struct strings holidays; /* "2026-12-25": advice against a go-live on this day */
	bool shared_databases;	 /* default false: two clients cannot name the same database */
	bool practice;
	char *state_directory;	 /* /var/lib/curfew: journal.db, clock, last known good versions */
	char *runtime_directory; /* /run/curfew */
	char *credential_directory; /* $CREDENTIALS_DIRECTORY, else /etc/curfew/credentials */
	char *metrics_file;	    /* NULL: none */
	char *journal_key;	    /* credential name, or NULL */
	unsigned interval;	    /* seconds between regular passes; 300 */
	unsigned connect_timeout;   /* seconds; 10 */
	unsigned server_deadline;   /* seconds for the worker of one server; 60 */
	unsigned workers;	    /* SQL workers at the same time; 8 */
	struct firewall_settings firewall;
	struct notice_settings notices;
	struct strings vendor_lists; /* files with the product's own objects, one a version */
	unsigned unused_days;	     /* days without use before an object counts as unused; 90 */
	unsigned sample_hours; /* hours between samples of use for the inventory; 0: none; 24 */
};

/* A time in which a database or a whole server is expected to be offline. */
struct maintenance {
	size_t server;	/* index in program.servers */
	char *database; /* NULL: the server and all its databases */
	instant_t from, until;
	int line;
};

struct program {
	struct settings settings;
	struct maintenance *maintenance;
	size_t n_maintenance;
	struct server *servers; /* sorted by name */
	size_t n_servers;
	struct client *clients; /* sorted by name; only those without errors and conflicts */
	size_t n_clients;
	char digest
		[65]; /* BLAKE2b-256, in hexadecimal, of the names and contents of all files read, in order */
	struct file_digest config; /* of curfew.conf */
	char *clients_folder;	   /* the directory of client files; owned */
	char **files;		   /* every file read, sorted; owned */
	size_t n_files;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_ADVICE };
struct problem {
	const char *file;
	int line; /* 0: the whole file */
	enum severity severity;
	const char *text; /* "PROBLEM; FIX"; never contains a secret */
	bool unseen;	  /* this user may not read the file, so nothing is known about it */
};
struct problems {
	struct problem *items;
	size_t n, n_errors;
	bool fatal; /* curfew.conf itself has errors, so there is no program */
	struct pool texts;
};

/* Loads FILE and the files clients.d/ *.conf beside it (the setting `clients` names another directory). Reports every
 * problem of every file, sorted by file and line. Sets *out whenever curfew.conf itself is valid, with the clients
 * whose files are valid. 0, or negative errno only for lack of resources. `now` matters only for advice (a go-live
 * that is near), never for errors. */
int program_load(struct program **out, struct problems *problems, const char *file, instant_t now);
void program_free(struct program *p);
void problems_free(struct problems *p);
/* Prints lines "FILE:LINE: error: TEXT". */
void problems_print(const struct problems *p, FILE *to);

/* Adds a warning for each server whose `host` is an address of this host that, with its port, is not a guarded
 * endpoint: users could reach it there. `is_local`: whether an address belongs to this host's interfaces; need not
 * cover loopback addresses. 0 or -ENOMEM. */
int program_hosts_check(struct problems *problems, const struct program *p,
	bool (*is_local)(void *context, int family, const uint8_t *addr), void *context);

/* Compares as SQL Server does: ignores the case of ASCII letters, whatever the locale. */
bool names_equal(const char *a, const char *b);
int names_compare(const char *a, const char *b);
/* The path of a credential: NAME in the directory of credentials, or curfew_NAME, which systemd's LoadCredential=
 * makes of a whole directory. 0 or -ENAMETOOLONG. The file need not exist. */
int settings_credential(char path[4096], const struct settings *s, const char *name);
/* A number that changes when a time zone file that the configuration uses changes: its dates may then mean other
 * times. */
uint64_t program_zones(const struct program *p);
/* A trusted source of the server that overlaps this source: users behind it can reach the server after their access
 * ends. NULL: none. */
const struct source *source_overlaps_trusted(const struct source *source, const struct server *s);
/* Whether `now` is in a maintenance window of that database; `database` NULL: of the whole server. Suppresses alarms
 * of unread and unreachable, nothing else. */
bool maintenance_covers(
	const struct program *p, const char *server, const char *database, instant_t now);
/* Whether the client has a database on that server, as a replica too. */
bool client_uses_server(const struct program *p, const struct client *c, const struct server *s);
bool database_is_on(const struct program *p, const struct database *d, const struct server *s);
bool client_names_database(
	const struct program *p, const struct client *c, const char *server, const char *database);
/* Whether `s` names the other as its replica. */
bool server_has_replica(const struct server *s, const struct server *other);
/* Whether the packet filter guards this address:port; 0.0.0.0 and [::] as soon as it guards one of that family and port.
 * What cannot be read is not guarded. A server without endpoints is guarded by other means. */
bool server_is_guarded(const struct server *s, const char *at);
/* Whether that is so, or the operator says that no user can reach it. */
bool server_is_expected(const struct server *s, const char *at);
/* The server that names this one as a replica, by which client files call it; itself where none does. */
const struct server *server_first(const struct program *p, const struct server *s);
bool server_is_replicated(const struct program *p, const struct server *s);
const struct client *program_client(const struct program *p, const char *name);
const struct server *program_server(const struct program *p, const char *name);
/* The time from which the user's source is blocked; SOURCE_NO_END: as long as the access lasts. */
static inline instant_t user_source_end(const struct user *u, size_t i)
{
	return u->source_ends ? u->source_ends[i] : SOURCE_NO_END;
}
/* Sources that have not ended: "203.0.113.7, 198.51.100.0/29". Owned; NULL without memory. */
char *user_sources_text(const struct user *u, instant_t now);
const struct user *client_user(
	const struct client *c, const char *name); /* login, email or "first.last" */

#endif
