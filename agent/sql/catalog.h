/* Inside the observation: its questions, its answers as rows of ids, and how they are joined. Not for other modules.
 *
 * A server's views are of several collations (its own lists, the server's names, a database's names), which must not meet
 * in one expression. So every question asks for plain columns; ids are joined here, texts are built here. */
#ifndef CURFEW_SQL_CATALOG_H
#define CURFEW_SQL_CATALOG_H

#include "curfew/sql.h"

/* ---- questions (catalog_text.c) ---- */

struct part {
	const char *name;
	const char *text;
	bool needed; /* without it nothing can be said of the server or database */
};
extern const struct part server_parts[], database_parts[]; /* end with a NULL name */
/* The version, the clock, and what the agent's own login may do. */
void catalog_probe_write(FILE *to);
extern const char catalog_probe_plain[]; /* where the server cannot say what anybody may do */
/* What a name of the configuration is on this server, by the server's own comparison. */
void catalog_names_write(FILE *to, const char *const *names, size_t n);
/* Which of the principals of the database in use are ours. */
void catalog_principals_write(FILE *to, const struct sid *sids, size_t n);
/* How the logins with these SIDs stand. */
void catalog_conditions_write(FILE *to, const struct sid *sids, size_t n);
/* Who may be holding a lock in that database. */
void catalog_blocker_write(FILE *to, int database);
/* 0x0105..., or 0x for none. */
void sid_write(FILE *to, const struct sid *s);
/* "0x01, 0x02"; for none, what no SID equals. */
void sids_write(FILE *to, const struct sid *sids, size_t n);

/* ---- answers as rows of ids (catalog_row.c) ---- */

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
	char *name;
};
struct raw_things {
	struct raw_thing *items;
	size_t n;
};
struct raw_catalog {  /* of the server, or of one database */
	int database; /* rows of another one are strays: a USE did not take us there */
	size_t strays;
	struct raw_principal *principals;
	size_t n_principals;
	struct raw_member *members;
	size_t n_members;
	struct raw_permission *permissions;
	size_t n_permissions;
	struct raw_things schemas, objects, types, columns;
	char **triggers;
	size_t n_triggers;
	bool ended;   /* everything was answered */
	int may_view; /* the agent's own login sees definitions there; -1: the server does not tell */
	int failed;   /* number of the error that ended the reading, caught by the server */
	char words[RECORD_TEXT_MAX];
};
void raw_catalog_free(struct raw_catalog *r);

#define RIGHTS_MAX	   8
#define RIGHT_ALTERNATIVES 3
struct server_reading {
	struct observed_server *o;
	struct raw_catalog raw;
	signed char rights[RIGHTS_MAX]
			  [RIGHT_ALTERNATIVES]; /* of rights.h: 1, 0; -1: unknown to the server */
	int *ids;				/* by name asked for: its database_id, or 0 */
	size_t n_ids;
};
/* sql_row_fn over a struct server_reading, and over the raw_catalog of a database. 0, -ENOMEM, or -EBADMSG for a row that
 * is not as asked. */
int catalog_server_row(void *reading, const struct sql_value *values, int n);
int catalog_database_row(void *raw, const struct sql_value *values, int n);

/* ---- joining (catalog_join.c): pure ---- */

/* Both take what the rows point to. 0, -ENOMEM, or -ESTALE: some row names an id that no other explains, so the rows are
 * not of one moment. */
int catalog_server_join(struct observed_server *o, struct raw_catalog *r);
int catalog_database_join(struct observed_database *d, struct raw_catalog *r);

/* ---- reading (catalog.c, catalog_database.c) ---- */

/* SIDs of logins that bear the mark, that the configuration or the inventory names, and of those that are gone. */
int catalog_sids_of_ours(struct sid **out, size_t *n, const struct observed_server *o,
	const struct wanted_server *w, const struct claims *c);
/* A part of the server, or of one database, that it does not show. */
int catalog_unreadable_add(
	struct observed_server *o, const char *part, const char *database, const char *why);

/* ---- words (database_state.c): pure ---- */

/* What an error says of a database that was to be entered; NULL: it says nothing of the database as such. */
const char *database_error_words(int number);
const char *database_state_words(int state); /* sys.databases.state; NULL: online */

#endif
