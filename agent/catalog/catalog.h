/* Used only by the folders that visit a server: the questions of an observation, their answers as rows of ids, and how
 * the rows are joined. The views of one server use several collations (catalog, server names, database names), which must
 * not meet in one expression. So each question selects plain columns. Ids are joined here, and texts are built here. */
#ifndef CURFEW_CATALOG_CATALOG_H
#define CURFEW_CATALOG_CATALOG_H

#include "curfew/catalog.h"
#include "sql/session_settings.h"

/* ---- questions (catalog_text.c) ---- */

struct part {
	const char *name;
	const char *text;
	bool needed; /* without it the server or database counts as unread */
};
/* Who is in a database, as its owner sees it. */
#define PART_THERE "there"
extern const struct part server_parts[], database_parts[]; /* a NULL name ends the list */
/* Version, clock, and the agent login's permissions. */
void catalog_probe_write(FILE *to);
extern const char catalog_probe_plain[]; /* for a server without HAS_PERMS_BY_NAME */
/* The database ids of configured names, by the server's own comparison. */
void catalog_names_write(FILE *to, const char *const *names, size_t n);
/* A row N'hidden': the id of a database, its name, and how many files it has. */
void catalog_hidden_write(FILE *to, int id);
/* Which principals of the current database belong to managed logins. */
void catalog_principals_write(FILE *to, const struct sid *sids, size_t n);
/* LOGINPROPERTY of the logins with these SIDs, and of those with these names. */
void catalog_conditions_write(FILE *to, const struct sid *sids, size_t n,
	const struct sql_closing *named, size_t n_named);
/* The session stays in no database: nobody has to wait for us to take one offline. */
void catalog_leave_write(FILE *to);
/* Sessions that may hold a lock in this database. */
void catalog_blocker_write(FILE *to, int database);

/* ---- answers as rows of ids (catalog_row.c) ---- */

#define PRINCIPAL_UNSEEN                                                                           \
	'?' /* in the place of a type: another row names it, and its own is hidden */
struct raw_principal {
	int id, owner;
	char *name;
	struct sid sid;
	char type;
	bool disabled, contained;
	bool age_known;
	int64_t age;
	char *default_database;
};
struct raw_member {
	int role, member;
};
struct raw_permission {
	uint8_t class;
	char state;
	char *name;
	int major, minor, grantee, grantor;
};
struct raw_thing { /* a schema, an object, a type, or a column (schema: its object) */
	int id, schema, owner;
	bool owned; /* apart: without an owner of its own it has its schema's */
	char *name;
};
struct raw_things {
	struct raw_thing *items;
	size_t n;
};
/* Assemblies, keys, and others that have owners: each kind has its own class in sys.database_permissions. */
#define RARER_KINDS 14
int rarer_kind(int class); /* -1: not one of them */
const char *rarer_words(int kind);
struct raw_catalog {  /* of the server or of one database */
	int database; /* rows of a different database mean that USE failed */
	size_t strays;
	struct raw_principal *principals;
	size_t n_principals;
	struct raw_member *members;
	size_t n_members;
	struct raw_permission *permissions;
	size_t n_permissions;
	struct raw_things schemas, objects, types,
		columns; /* of the server, endpoints are the objects */
	struct raw_things rarer[RARER_KINDS];
	struct observed_runner *runners;
	size_t n_runners;
	struct observed_trigger *triggers;
	size_t n_triggers;
	int *there; /* the principals that the owner of the database sees; none: it was not asked */
	size_t n_there;
	bool ended; /* the last row arrived */
	int may_view; /* the agent login can read definitions there; -1: the server did not return it */
	int failed; /* number of the error that ended the reading, caught in T-SQL */
	char words[RECORD_TEXT_MAX];
};
void raw_catalog_free(struct raw_catalog *r);
/* Call before the searches by id. */
void raw_catalog_sort(struct raw_catalog *r);

/* Of a login, by LOGINPROPERTY; -1: unknown. */
enum { CONDITIONS = 5 };
struct raw_condition {
	struct sid sid;
	int values[CONDITIONS];
};

#define RIGHTS_MAX	   8
#define RIGHT_ALTERNATIVES 3
struct server_reading {
	struct observed_server *o;
	struct raw_catalog raw;
	signed char rights
		[RIGHTS_MAX]
		[RIGHT_ALTERNATIVES]; /* of agent_permissions.h: 1, 0, or -1: the server does not know this permission */
	struct raw_condition *conditions;
	size_t n_conditions;
	const char **names; /* of databases: first the configured ones */
	int *ids;	    /* beside them: database_id, or 0 */
	size_t n_names, n_managed;
};
/* Row functions for a struct server_reading and for the raw_catalog of a database. 0, -ENOMEM, or -EBADMSG for a row of
 * the wrong form. */
int catalog_server_row(void *reading, const struct sql_value *values, int n);
int catalog_database_row(void *raw, const struct sql_value *values, int n);

/* A row N'database' of the same (database_state.c). */
int catalog_row_database(struct server_reading *reading, const struct sql_value *values);

/* ---- what is hidden (catalog_unseen.c) ---- */

/* A row N'server-denial': one that hides something from the agent login. */
int catalog_row_unseen(struct server_reading *reading, const struct sql_value *values);
/* Where something is hidden, adds the principals that other rows name. 0 or -ENOMEM. */
int catalog_strangers_add(struct raw_catalog *r, const struct observed_server *o);
/* After the join: which logins are hidden, also by asking for those that the inventory has and no row showed. 0,
 * -ENOMEM, or a lost session. */
int catalog_unseen_settle(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c);

/* ---- joining (catalog_join.c): pure ---- */

/* Both take ownership of what the rows point to. 0, -ENOMEM, or -ESTALE: a row has an id that no other row explains, so
 * the views changed between two reads. */
int catalog_server_join(struct observed_server *o, struct raw_catalog *r);
void catalog_conditions_join(
	struct observed_server *o, const struct raw_condition *conditions, size_t n);
int catalog_database_join(struct observed_database *d, struct raw_catalog *r);
/* Searches by id (catalog_ids.c), after raw_catalog_sort(). NULL: there is none. */
const struct raw_principal *raw_principal_by(const struct raw_catalog *r, int id);
const struct raw_thing *raw_thing_by(const struct raw_things *t, int id);
const struct raw_thing *raw_column_by(const struct raw_things *t, int object, int id);
/* What others own than those who always do (catalog_owned.c). 0 or -ENOMEM. */
int catalog_owned_join(struct observed_database *d, const struct raw_catalog *r);
/* A schema that every database has from the start, but dbo. */
bool catalog_schema_is_fixed(const char *name);

/* ---- reading (catalog.c, catalog_batch.c) ---- */

/* SIDs of logins that are marked, configured, or in the login inventory, present or removed. */
int catalog_managed_sids(struct sid **out, size_t *n, const struct observed_server *o,
	const struct wanted_server *w, const struct claims *c);
/* Their sessions and conditions. 0, -ENOMEM, or a lost session. */
int catalog_managed_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c);
/* Reads the sessions once more where the server tells neither the SID nor the name of a login, as it may while one logs in;
 * reports those of which it tells neither both times. As the above. */
int catalog_unknown_sessions_settle(struct server_reading *r, struct sql_error *error,
	struct sql_session *s, const struct wanted_server *w, const struct claims *c);
/* All of the server in one batch. After SQL_SERVER_ERROR, -EBADMSG or -ESTALE nothing that was read counts. */
int catalog_whole_read(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, const struct sql_head *head);
/* Adds a part of the server or of a database that could not be read. */
int catalog_unreadable_add(
	struct observed_server *o, const char *part, const char *database, const char *why);

/* ---- names of databases (catalog_names.c) ---- */

/* The arrays are the reading's, and the caller's to free. */
int catalog_names_collect(struct server_reading *r, const struct wanted_server *w,
	const struct sql_former *formers, size_t n_formers);
/* Marks what is configured, and adds what no row showed. 0 or -ENOMEM. */
int catalog_names_apply(struct server_reading *r);

/* ---- one database (catalog_database.c) ---- */

/* Milliseconds. After one lock was held for all of LOCK_PATIENCE, later databases get less. */
#define LOCK_PATIENCE_AFTER 1000

struct database_reading {
	struct observed_server *o;
	struct observed_database *d;
	struct sql_session *session;
	struct sql_error *error;
	struct raw_catalog raw;
	const struct sid *sids;
	size_t n_sids;
	unsigned patience;
	enum { READ_TOGETHER, READ_ALONE, READ_NO_MORE } next;
	bool whole;   /* more than the principals of managed logins */
	bool locked;  /* a lock was held for the whole time */
	size_t taken; /* of memory, when it ran out */
};
/* USE and all questions. The first failing statement ends the reading, because every further one would wait as long for the
 * same lock. The row N'end' comes last: without it nothing that was read counts. */
void database_block_write(FILE *to, const struct database_reading *r, bool principals_alone);
/* Sets `unread` unless the answer is complete and from this database. 0 or -ENOMEM. */
int database_answer_judge(struct database_reading *r);
int database_failure_tell(struct database_reading *r, int number, const char *text);
int database_unread_set(struct observed_database *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void database_clear(struct observed_database *d);
/* By batches of its own. 0, -ENOMEM, or a lost session. */
int database_read_alone(struct database_reading *r);

/* ---- memory (catalog_weight.c, catalog_room.c) ---- */

/* Bytes, about. */
size_t database_weight(const struct observed_database *d);
size_t raw_weight(const struct raw_catalog *r);
/* What one database has is too much: it is unread. 0 or -ENOMEM. */
int database_outgrow(struct observed_database *d);
/* The same with the one that takes most. False: none takes more than `least`. */
bool database_largest_outgrow(struct observed_server *o, size_t least);
/* Whether there is enough for what a visit does behind a comparison. */
bool memory_is_left(void);

/* ---- texts (database_state.c): pure ---- */

/* The meaning of an error when a database was entered. NULL: the error says nothing about the database. */
const char *database_error_words(int number);
/* The agent login lacks a right that the bootstrap gives, or it is denied. */
bool database_is_denied(int number);
/* Whoever controls the database can have brought the error about. */
bool database_is_barred(int number);
/* The error says that it is a secondary replica of an availability group. */
bool database_is_secondary(int number);
/* Whether the error is of a state in which nobody can enter the database. */
bool database_is_shut(int number);
const char *database_state_words(int state); /* sys.databases.state; NULL: online */

#endif
