/* One SQL server: a session with verified encryption, and changes as T-SQL. */
#ifndef CURFEW_SQL_H
#define CURFEW_SQL_H

#include "curfew/access.h"
#include "curfew/source.h"
#include "curfew/worker.h"

/* ---- quoting ---- */

/* Writes [a]]b]. Names are validated and contain no NUL. */
void sql_write_name(FILE *to, const char *name);
/* Writes N'a''b'. */
void sql_write_string(FILE *to, const char *text);
/* 0x0105..., or 0x for none. */
void sid_write(FILE *to, const struct sid *s);
/* "0x01, 0x02"; for an empty list, a value that equals no SID. */
void sids_write(FILE *to, const struct sid *sids, size_t n);

/* ---- session ---- */

struct sql_session;

/* How far sql_session_open() came when it failed. */
enum sql_stage { SQL_STAGE_LOGIN, SQL_STAGE_ENCRYPTION, SQL_STAGE_SETTINGS };

struct sql_error {
	int number; /* the server's error number, or 0 */
	int severity;
	int os_error;	      /* negative errno of a lost connection, or 0 */
	enum sql_stage stage; /* where sql_session_open() failed */
	int library;	      /* db-lib's error number for a lost connection, or 0 */
	char text[RECORD_TEXT_MAX];
};

struct sql_session_options {
	const char *host;
	uint16_t port;
	const char *ca_file;
	const char *login;
	const char *password;	  /* wiped by the caller */
	unsigned connect_timeout; /* seconds */
	unsigned read_timeout;	  /* seconds for each answer; the worker's deadline is longer */
};

/* One value of a row. Text is UTF-8 with a terminating NUL; binary data is raw. */
struct sql_value {
	const char *data; /* NULL: SQL NULL */
	size_t size;
};
/* A result other than 0 skips the remaining rows and is returned when the whole answer was read. */
typedef int (*sql_row_fn)(void *context, const struct sql_value *values, int n);

enum {
	SQL_SERVER_ERROR = 1
}; /* the server returned an error of severity 11 or more; the session remains usable */

/* FreeTDS converts texts by modules of the C library. Each worker would find, link, and unload them by itself, which is
 * most of what one costs whose server does not answer: a process that holds them has them ready in all that it
 * forks. */
void sql_conversions_hold(void);
/* Connects with TLS 1.2+, TDS 7.4, and a certificate that is verified for `host`, and sets the session options. Only
 * one session per process at a time. 0 or negative errno: -EACCES login refused, -EPROTO no trustworthy encryption or a
 * session option was refused, -ETIMEDOUT, ... */
int sql_session_open(
	struct sql_session **out, struct sql_error *error, const struct sql_session_options *o);
/* A session that waits for its instant: that its connection has died shows within a second or two. */
void sql_session_watch(struct sql_session *s, bool on);
/* From now on each answer has this time as a whole, or the session is lost: -ETIMEDOUT. 0: no such limit. */
void sql_session_limit(struct sql_session *s, unsigned milliseconds);
/* 0, SQL_SERVER_ERROR, or negative errno. After -ENOMEM, -EBADMSG (unexpected form), and -EOVERFLOW (too large, cut)
 * the session remains usable; after any other errno it does not. */
int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context);
/* An error number by which a server says that it does not know a statement. */
bool is_syntax_error(int number);
bool sql_session_is_lost(const struct sql_session *s);
/* NULL, or why the session options could not be read. Then nothing in this session counts as verified. */
const char *sql_session_unsettled(const struct sql_session *s);
/* Number of batches sent. */
unsigned sql_session_round_trips(const struct sql_session *s);
void sql_session_close(struct sql_session *s);

/* ---- statements ---- */

/* How a change is run in a database. */
struct change_way {
	const struct observed_database *guarded; /* NULL: it is of the server */
	bool as_agent;	     /* the server does not know how to run it as somebody else */
	bool has_user_login; /* the server has USER_LOGIN */
};
/* The exact T-SQL of a change. `password` is inserted where a statement needs one; NULL writes '********'. In a guarded
 * database it is run as somebody who has nothing elsewhere, where that can be, and of several statements each stands
 * behind a check of the DDL triggers. `way` NULL: the change alone, to be read. */
int sql_write_change(
	FILE *to, const struct change *c, const char *password, const struct change_way *way);
/* What a batch declares once, before changes that are guarded. */
void statement_write_variables(FILE *to);
/* Sets the one-time password of a handover. */
int sql_write_handover(FILE *to, const char *login, const char *password, bool must_change);
/* The script that a DBA reviews and runs once. `first`: the server that names this one as a replica, or itself. */
int sql_write_bootstrap(FILE *to, const struct server *s, const struct server *first,
	char *const *databases, size_t n_databases);
/* The script that undoes it. */
int sql_write_bootstrap_drop(FILE *to, const struct server *s, const struct server *first,
	char *const *databases, size_t n_databases);

/* An item of a baseline, as RECORD_BASELINE reports it. */
struct sql_item {
	const char *kind, *name, *hash;
};
/* The databases under whose names the server's own baselines are stored: of the server itself, of SQL Server Agent, and
 * of what each new database begins with. */
#define SQL_SERVER_BASELINE "master"
#define SQL_AGENT_BASELINE  "msdb"
#define SQL_MODEL_BASELINE  "model"
bool sql_is_server_baseline(const char *database);
/* The last kinds of items that were added to these: a baseline says which it has. */
#define BASELINE_KINDS "4"
/* Length of the quoted name at the start of `text`, with its brackets. */
size_t sql_quoted_size(const char *text);
/* One batch that removes a new item. An item that was changed, or that contains data, is only shown: a DBA must judge. */
void sql_write_remedy(FILE *to, const char *database, const struct sql_item *i, bool changed);
/* One batch that ends a denial in a database. What it hides has no name for whoever asked: that one is then found by its id. */
void sql_write_undenied(FILE *to, const char *database, const struct permission *p);

/* A random password of 32 characters that meets common policies, in guarded memory; free it with sodium_free(). */
char *sql_password_new(void);
/* Whether a text repeats the password, or its beginning. */
bool sql_password_is_told(const char *text, const char *password);

/* Access to end before anything is read from the server. The pass builds the list from the journal only: logins whose
 * last verified level is above the scheduled level, that are no longer configured, or that had excess access. */
struct sql_closing {
	const char *login;
	struct sid sid;	    /* size 0: unknown; then the login is closed only if it is marked */
	const char *client; /* or NULL */
	const char *reason; /* for the journal, "read-only since go-live 2026-11-23T15:00:00Z" */
	instant_t since;    /* when access ended; 0: unknown */
	const struct source *
		source; /* not NULL: end only its sessions from this source, and leave the login enabled */
	const struct session_key
		*session; /* not NULL: end only this session, and leave the login enabled */
};

#endif
