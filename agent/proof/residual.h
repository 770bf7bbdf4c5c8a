/* Used only by the rooms that visit a server: the search for residual access. */
#ifndef CURFEW_SQL_LEFTOVER_H
#define CURFEW_SQL_LEFTOVER_H

#include "sql/name.h"
#include "proof/visit_run.h"

/* A check selects plain columns. Its texts are built from them by templates (words_write). */
struct leftover {
	const char *name;
	enum finding_severity severity;
	/* ELSEWHERE: in the databases that no client file names. */
	enum { LEFTOVER_DATABASE, LEFTOVER_ELSEWHERE, LEFTOVER_SERVER } scope;
	const char *words; /* what was found, for people */
	const char *text;
	const char *subject, *evidence, *remedy; /* templates */
	bool renames; /* skip rows in which the first two names are equal */
};
extern const struct leftover database_leftovers[],
	server_leftovers[]; /* a NULL name ends the list */

/* What a baseline records of one kind of item. */
struct base_question {
	const char *kind;
	const char *text;
	const char *name, *hash; /* templates */
};
extern const struct base_question base_questions[], server_base_questions[],
	msdb_base_questions[]; /* a NULL kind ends the list */
/* Writes all questions of a baseline. The answers contain the number of the database. */
void base_questions_write(FILE *to, const struct base_question *all, size_t database);

/* In a template, %KL is column K (1 to 9) written as: t text, x bytes in hexadecimal, n name, q [name], s N'name', u
 * N'name' or NULL, w [schema].[name] (columns K and K + 1), o securable (columns from K on). Else NULL becomes empty.
 * 0, negative errno, or why the result is not valid T-SQL. */
enum {
	WORDS_UNWRITABLE = 1, /* a name is not valid text */
	WORDS_UNNAMED,	      /* only the id of a securable is known */
};
int words_write(FILE *to, const char *form, const struct sql_value *v, int n);
int words_make(char **out, const char *form, const struct sql_value *v, int n);

#define NAME(expression) NAME_BYTES(expression)
/* The same for a text that may be longer than a name. */
#define LONG_NAME(expression) "CAST(CAST(" expression " AS nvarchar(1035)) AS varbinary(2070))"

/* Securables of rarer kinds in one list, by their class in sys.database_permissions. Names are bytes, so no collations meet. */
#define RARER_OF(kind, class, id, view)                                                            \
	"  UNION ALL SELECT N'" kind                                                               \
	"', " class ", x." id ", CAST(NULL AS varbinary(256)), " NAME(                             \
		"x.name") ", x.principal_id FROM sys." view " AS x\n"
#define RARER                                                                                                       \
	"SELECT N'XML SCHEMA COLLECTION' AS kind, 10 AS class, x.xml_collection_id AS id, " NAME(                   \
		"xs.name") " AS [schema],\n"                                                                        \
			   "    " NAME(                                                                             \
				   "x.name") " AS name, x.principal_id FROM sys.xml_schema_collections AS x\n"      \
					     "    JOIN sys.schemas AS xs ON xs.schema_id = x.schema_id\n" RARER_OF( \
						     "ASSEMBLY", "5", "assembly_id",                                \
						     "assemblies") RARER_OF("MESSAGE TYPE", "15",                   \
						     "message_type_id",                                             \
						     "service_message_types") RARER_OF("CONTRACT",                  \
						     "16", "service_contract_id",                                   \
						     "service_contracts") RARER_OF("SERVICE",                       \
						     "17", "service_id",                                            \
						     "services") RARER_OF("REMOTE SERVICE BINDING",                 \
						     "18", "remote_service_binding_id",                             \
						     "remote_service_bindings") RARER_OF("ROUTE",                   \
						     "19", "route_id",                                              \
						     "routes") RARER_OF("FULLTEXT CATALOG", "23",                   \
						     "fulltext_catalog_id",                                         \
						     "fulltext_catalogs") RARER_OF("SYMMETRIC KEY",                 \
						     "24", "symmetric_key_id",                                      \
						     "symmetric_keys") RARER_OF("CERTIFICATE",                      \
						     "25", "certificate_id",                                        \
						     "certificates") RARER_OF("ASYMMETRIC KEY",                     \
						     "26", "asymmetric_key_id",                                     \
						     "asymmetric_keys") RARER_OF("FULLTEXT STOPLIST",               \
						     "29", "stoplist_id", "fulltext_stoplists")                     \
						     RARER_OF("SEARCH PROPERTY LIST", "31",                         \
							     "property_list_id",                                    \
							     "registered_search_property_lists")

/* Joins everything that a permission's securable can be. Each join adds at most one row, so no permission is doubled.
 * */
#define PERMISSIONS                                                                                             \
	"FROM sys.database_permissions AS p\n"                                                                  \
	"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"                        \
	"JOIN sys.database_principals AS r ON r.principal_id = p.grantor_principal_id\n"                        \
	"LEFT JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"                              \
	"LEFT JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"                                             \
	"LEFT JOIN sys.columns AS k ON p.class = 1 AND k.object_id = p.major_id AND k.column_id = p.minor_id\n" \
	"LEFT JOIN sys.schemas AS c ON p.class = 3 AND c.schema_id = p.major_id\n"                              \
	"LEFT JOIN sys.database_principals AS t ON p.class = 4 AND t.principal_id = p.major_id\n"               \
	"LEFT JOIN (" RARER ") AS a ON a.class = p.class AND a.id = p.major_id\n"                               \
	"LEFT JOIN sys.types AS y ON p.class = 6 AND y.user_type_id = p.major_id\n"                             \
	"LEFT JOIN sys.schemas AS ys ON ys.schema_id = y.schema_id\n"
/* Columns from 5 on: class, kind, schema, name, column, id. The kind is as in GRANT. */
#define SECURABLE                                                                                          \
	"p.class, CASE p.class WHEN 1 THEN N'OBJECT' WHEN 3 THEN N'SCHEMA' WHEN 4 THEN CASE t.type\n"      \
	"  WHEN 'R' THEN N'ROLE' WHEN 'A' THEN N'APPLICATION ROLE' ELSE N'USER' END WHEN 6 THEN N'TYPE'\n" \
	"  ELSE a.kind END, COALESCE(" NAME("s.name") ", " NAME(                                           \
		"ys.name") ", a.[schema]),\n"                                                              \
			   "  COALESCE(" NAME("o.name") ", " NAME("c.name") ", " NAME(                     \
				   "t.name") ",\n"                                                         \
					     "  " NAME("y.name") ", a.name), " NAME(                       \
						     "k.name") ", p.major_id\n"
/* Columns 1 to 4: grantee, grantor, permission, state. */
#define GRANT_COLUMNS                                                                              \
	NAME("g.name") ", " NAME("r.name") ", p.permission_name, p.state_desc,\n  " SECURABLE

/* The same for server permissions, on a login, a server role, or an endpoint; one on an availability group has no name. */
#define SERVER_PERMISSIONS                                                                         \
	"FROM sys.server_permissions AS p\n"                                                       \
	"JOIN sys.server_principals AS g ON g.principal_id = p.grantee_principal_id\n"             \
	"JOIN sys.server_principals AS r ON r.principal_id = p.grantor_principal_id\n"             \
	"LEFT JOIN sys.server_principals AS t ON p.class = 101 AND t.principal_id = p.major_id\n"  \
	"LEFT JOIN sys.endpoints AS e ON p.class = 105 AND e.endpoint_id = p.major_id\n"
#define SERVER_GRANT_COLUMNS                                                                                                   \
	NAME("g.name")                                                                                                         \
	", " NAME(                                                                                                             \
		"r.name") ", p.permission_name, p.state_desc,\n"                                                               \
			  "  p.class, CASE p.class WHEN 101 THEN CASE t.type WHEN 'R' THEN N'SERVER ROLE' ELSE N'LOGIN' END\n" \
			  "  WHEN 105 THEN N'ENDPOINT' END, NULL, COALESCE(" NAME(                                             \
				  "t.name") ", " NAME("e.name") "), NULL, p.major_id\n"

#define FOUND	    "SELECT N'finding' AS [part], %C, %D, "
#define FOUND_AGAIN "SELECT N''finding'' AS [part], %C, %D, " /* in a text */

/* Reports excess that the observation itself shows: a RECORD_FINDING for each change that `curfew apply` would make to
 * remove it, with the same statement as remedy. */
void surplus_tell(struct visit_run *run);
/* What the login holds beyond its level in that database or on the server: "role db_owner, server role dbcreator". */
void surplus_name(char *buf, size_t size, const struct visit_run *run, const char *login,
	const char *database);
/* Reports each denial in a database by which something may be hidden from the agent login, and that the database is
 * then not read whole. */
void denials_tell(const struct visit_run *run);
/* Those of one database. The caller frees the array; NULL: there are none. 0 or -ENOMEM. */
int denials_find(const struct permission ***out, size_t *n, const struct visit_run *run,
	const struct observed_database *d);
/* Some denial may hide something of the database from the agent login, or there was no memory to see. */
bool database_hides(const struct visit_run *run, const struct observed_database *d);
/* Reports each user that has only the name of a managed login. */
void namesakes_tell(const struct visit_run *run);
/* What makes full access worth db_owner, as it was observed. */
void fitness_tell(const struct visit_run *run);

/* Reports each entry of known_triggers that is of no trigger which the server shows: as a note, or in an audit as a
 * finding. */
void known_triggers_tell(const struct visit_run *run);
/* The same of all reviewed names, by the findings of an audit whose checks were all answered. */
void known_names_tell(const struct visit_run *run, const struct record *findings, size_t n);
/* Runs every check. Reports a RECORD_FINDING for each row, and a RECORD_NOTE for each check that this server cannot
 * answer. 0, or negative errno if the session was lost. */
int leftovers_tell(struct visit_run *run, struct sql_error *error);
/* Reports that a check could not run, and why. */
void check_note(const struct visit_run *run, const char *check, const char *database,
	const struct sql_error *error);
/* Reports a RECORD_BASELINE for each item of the named databases (NULL-terminated; configured names), and one with an
 * empty name for each database that was read completely. */
int baselines_tell(struct visit_run *run, struct sql_error *error, const char *const *databases);
/* Whether a baseline is due that can still be taken: no managed login has had a user in that database. */
bool baselines_are_due(const struct visit_run *run);
/* Call if an apply could not read a baseline: no access to that database is granted until it can. 0 or -ENOMEM. */
int baseline_hold(struct visit_run *run, size_t baseline, const struct sql_error *error);
/* Marks those databases in what was observed. 0 or -ENOMEM. */
int baselines_mark_held(struct visit_run *run);

#endif
