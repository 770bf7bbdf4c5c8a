/* One SQL server: a session that is proved encrypted, its security catalogue, and changes as T-SQL. */
#ifndef CURFEW_SQL_H
#define CURFEW_SQL_H

#include "curfew/access.h"
#include "curfew/source.h"
#include "curfew/worker.h"

/* ---- quoting ---- */

/* Writes [a]]b]. Names were validated; NUL cannot occur. */
void sql_write_name(FILE *to, const char *name);
/* Writes N'a''b'. */
void sql_write_string(FILE *to, const char *text);

/* ---- session ---- */

struct sql_session;

/* How far a session came that could not be opened. */
enum sql_stage { SQL_STAGE_LOGIN, SQL_STAGE_ENCRYPTION, SQL_STAGE_SETTINGS };

struct sql_error {
	int number; /* SQL Server's, or 0 */
	int severity;
	int os_error;	      /* negative errno of a broken connection, or 0 */
	enum sql_stage stage; /* of sql_session_open(): what it failed at */
	int library;	      /* db-lib's number for what broke it, or 0 */
	char text[RECORD_TEXT_MAX];
};

struct sql_session_options {
	const char *host;
	uint16_t port;
	const char *ca_file;
	const char *login;
	const char *password;	  /* wiped by the caller */
	unsigned connect_timeout; /* seconds */
	unsigned read_timeout; /* seconds for each answer; the worker's deadline stands above it */
};

/* One value of a row. Text is UTF-8 and ends with NUL; binary is raw. */
struct sql_value {
	const char *data; /* NULL: NULL */
	size_t size;
};
/* Other than 0 stops the reading of rows and is returned, when the whole answer was read. */
typedef int (*sql_row_fn)(void *context, const struct sql_value *values, int n);

enum {
	SQL_SERVER_ERROR = 1
}; /* the server answered an error of severity 11 or more; the session lives on */

/* Connects with TLS 1.2+, TDS 7.4, a verified certificate for `host`, and gives the session settings of our own. Only to
 * be called once per process at a time. 0 or negative errno: -EACCES the login was refused, -EPROTO no trustworthy
 * encryption, or settings that the server does not let us have, -ETIMEDOUT, ... */
int sql_session_open(
	struct sql_session **out, struct sql_error *error, const struct sql_session_options *o);
/* 0, SQL_SERVER_ERROR, or negative errno. After -ENOMEM, -EBADMSG (not as asked) and -EOVERFLOW (a flood, cut) the session
 * lives on; after any other it does not. */
int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context);
/* NULL, or why this server could not tell which settings the session has: then nothing on it is verified. */
const char *sql_session_unsettled(const struct sql_session *s);
/* Batches sent. */
unsigned sql_session_round_trips(const struct sql_session *s);
void sql_session_close(struct sql_session *s);

/* ---- catalog ---- */

/* Given once, not named by the configuration any more, and not seen gone yet: looked for, and told as a RECORD_GRANT of
 * that login and database, level none and state ok when it is verified gone, unread where that cannot be told. */
struct sql_remnant {
	const char *login, *database;
	struct sid sid;	    /* size 0: unknown */
	const char *client; /* or NULL */
};

/* Databases whose catalog somebody held locked: not asked again in the same visit, for each time takes its patience. */
struct sql_blocked {
	int *ids;
	char **reasons;
	size_t n;
};
void sql_blocked_free(struct sql_blocked *b);

/* The server itself: principals, sessions of logins of ours, which databases there are. Nothing of it waits for what
 * happens in a database. Databases that the configuration or a remnant names are looked for also where no row shows them:
 * `absent` is only what the server itself says that it does not have. 0, -ENOMEM, or what sql_session_run() said when not even the parts that count could be read. */
int sql_observe_server(struct observed_server *out, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, const struct sql_remnant *remnants,
	size_t n_remnants);
/* Then its databases; of those that the configuration does not name, principals alone unless one of them is ours. One
 * that cannot be read is `unread`, with the reason. 0, -ENOMEM, or a lost session. */
int sql_observe_databases(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, struct sql_blocked *blocked);

/* ---- statements ---- */

/* The exact T-SQL of a change. `password` is written where the statement needs one; NULL writes '********'. */
int sql_write_change(FILE *to, const struct change *c, const char *password);
/* The one-time password of a hand-over. */
int sql_write_handover(FILE *to, const char *login, const char *password, bool must_change);
/* What a DBA reviews and runs once. */
int sql_write_bootstrap(
	FILE *to, const struct server *s, char *const *databases, size_t n_databases);
/* The way back. */
int sql_write_bootstrap_drop(
	FILE *to, const struct server *s, char *const *databases, size_t n_databases);

/* A random password that meets the usual policies: 32 characters. In guarded memory; sodium_free() wipes it. */
char *sql_password_new(void);

/* ---- a visit: one server's part of a pass, in its worker ---- */

/* Access that ends before anything of the server is read. The pass makes the list from the journal alone: every login
 * whose last verified level is wider than scheduled now, that is not wanted any more, or that was found with excess. */
struct sql_closing {
	const char *login;
	struct sid sid;	    /* size 0: unknown; then only a login that bears the mark is closed */
	const char *client; /* or NULL */
	const char *reason; /* for the journal, "read-only since go-live 2026-11-23T15:00:00Z" */
	instant_t since;    /* when the access ended; 0: unknown */
	const struct source *
		source; /* not NULL: only its sessions from there end, and the login stays enabled */
};

enum sql_visit_mode { SQL_PLAN, SQL_APPLY, SQL_STATUS, SQL_HANDOVER, SQL_AUDIT };

struct sql_visit {
	enum sql_visit_mode mode;
	const struct program *program;
	const struct server *server;
	struct wanted_server wanted;
	struct claims claims;
	instant_t now;
	/* SQL_APPLY: closed first. What came of each is told as a RECORD_OUTCOME without an intent. */
	const struct sql_closing *closings;
	size_t n_closings;
	const struct sql_remnant *remnants; /* of this server, in every mode */
	size_t n_remnants;
	/* The last verifications on this server, as on record, sorted by login and database. One whose fingerprint is seen
	 * unchanged holds; any other is asked for anew before its login is enabled. Each answer is told as a
	 * RECORD_VERIFICATION and saved by the pass. */
	const struct verified *verified;
	size_t n_verified;
	const char *only_client; /* reports and changes of this client alone; NULL: all */
	const char *const *
		baselines; /* SQL_APPLY, SQL_AUDIT: databases whose baseline is to be told; may be NULL */
	const char *handover_login; /* SQL_HANDOVER */
	const char *handover_password;
	char *password; /* the agent's own; set by sql_visit_prepare(), wiped by sql_visit_run() */
};
/* worker_job.prepare and .run; context is a struct sql_visit. */
int sql_visit_prepare(void *context);
int sql_visit_run(struct worker *w, void *context);

#endif
