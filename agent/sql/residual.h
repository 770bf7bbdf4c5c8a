/* Inside the search for leftovers. Not for other modules. */
#ifndef CURFEW_SQL_LEFTOVER_H
#define CURFEW_SQL_LEFTOVER_H

#include "sql/name.h"
#include "sql/visit.h"

/* A question asks for plain columns; what is said of a row is built here, by forms (words_write). */
struct leftover {
	const char *name;
	enum finding_severity severity;
	enum { LEFTOVER_DATABASE, LEFTOVER_SERVER } scope;
	const char *words; /* what it is, for a person */
	const char *text;
	const char *subject, *evidence, *remedy; /* forms */
	bool renames; /* a row whose first two names are the same is nothing */
};
extern const struct leftover database_leftovers[], server_leftovers[]; /* end with a NULL name */

/* What a baseline keeps of each kind of thing. */
struct base_question {
	const char *kind;
	const char *text;
	const char *name, *hash; /* forms */
};
extern const struct base_question base_questions[],
	server_base_questions[]; /* end with a NULL kind */
/* All questions of a baseline; the database\'s number is in their answers. */
void base_questions_write(FILE *to, const struct base_question *all, size_t database);

/* Of a form, %KL stands for column K (from 1 to 9) written as L says: t text, x bytes as hexadecimal digits, n a name, q a
 * name in brackets, s a name as a string, w schema and name in brackets (from K on), o a securable (from K on). A NULL is
 * empty. 0, negative errno, or why the text is for reading alone and no T-SQL. */
enum {
	WORDS_UNWRITABLE = 1, /* a name is no text */
	WORDS_UNNAMED,	      /* of a securable only the number is known */
};
int words_write(FILE *to, const char *form, const struct sql_value *v, int n);
int words_make(char **out, const char *form, const struct sql_value *v, int n);
/* %C and %D in a question: the number of the check, and of the database. */
void leftover_write(FILE *to, const char *text, size_t check, size_t database);

#define NAME(expression) NAME_BYTES(expression)
/* ... of what may be longer than a name. */
#define LONG_NAME(expression) "CAST(CAST(" expression " AS nvarchar(1035)) AS varbinary(2070))"

/* A permission's row with all that its securable may be; each is at most one row, so none is counted twice. */
#define PERMISSIONS                                                                                             \
	"FROM sys.database_permissions AS p\n"                                                                  \
	"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"                        \
	"JOIN sys.database_principals AS r ON r.principal_id = p.grantor_principal_id\n"                        \
	"LEFT JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"                              \
	"LEFT JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"                                             \
	"LEFT JOIN sys.columns AS k ON p.class = 1 AND k.object_id = p.major_id AND k.column_id = p.minor_id\n" \
	"LEFT JOIN sys.schemas AS c ON p.class = 3 AND c.schema_id = p.major_id\n"                              \
	"LEFT JOIN sys.database_principals AS t ON p.class = 4 AND t.principal_id = p.major_id\n"               \
	"LEFT JOIN sys.assemblies AS a ON p.class = 5 AND a.assembly_id = p.major_id\n"                         \
	"LEFT JOIN sys.types AS y ON p.class = 6 AND y.user_type_id = p.major_id\n"                             \
	"LEFT JOIN sys.schemas AS ys ON ys.schema_id = y.schema_id\n"                                           \
	"LEFT JOIN sys.symmetric_keys AS h ON p.class = 24 AND h.symmetric_key_id = p.major_id\n"               \
	"LEFT JOIN sys.certificates AS e ON p.class = 25 AND e.certificate_id = p.major_id\n"                   \
	"LEFT JOIN sys.asymmetric_keys AS f ON p.class = 26 AND f.asymmetric_key_id = p.major_id\n"
/* Columns from 5 on: class, kind, schema, name, column, id. Kinds are as GRANT writes them. */
#define SECURABLE                                                                                              \
	"p.class, CASE p.class WHEN 1 THEN N'OBJECT' WHEN 3 THEN N'SCHEMA' WHEN 4 THEN CASE t.type\n"          \
	"  WHEN 'R' THEN N'ROLE' WHEN 'A' THEN N'APPLICATION ROLE' ELSE N'USER' END WHEN 5 THEN N'ASSEMBLY'\n" \
	"  WHEN 6 THEN N'TYPE' WHEN 24 THEN N'SYMMETRIC KEY' WHEN 25 THEN N'CERTIFICATE'\n"                    \
	"  WHEN 26 THEN N'ASYMMETRIC KEY' END, COALESCE(" NAME("s.name") ", " NAME(                            \
		"ys.name") "),\n"                                                                              \
			   "  COALESCE(" NAME("o.name") ", " NAME("c.name") ", " NAME(                         \
				   "t.name") ",\n"                                                             \
					     "  " NAME("a.name") ", " NAME("y.name") ", " NAME(                \
						     "h.name") ",\n"                                           \
							       "  " NAME("e.name") ", " NAME(                  \
								       "f.name") "), " NAME("k.name") ", p.major_id\n"
/* Columns 1 to 4: grantee, grantor, permission, state. */
#define GRANT_COLUMNS                                                                              \
	NAME("g.name") ", " NAME("r.name") ", p.permission_name, p.state_desc,\n  " SECURABLE

/* As on the server, where a securable is a login, a server role, an endpoint or a group of replicas. */
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

#define FOUND "SELECT N'finding' AS [part], %C, %D, "

/* What the observation itself shows to be there beyond what is wanted: a RECORD_FINDING for each change that
 * `curfew apply` would make to narrow it, with exactly that statement as its remedy. */
void surplus_tell(struct visit_run *run);

/* Runs every check and tells a RECORD_FINDING for each row, a RECORD_NOTE for each check that this server cannot answer.
 * 0, or negative errno when the session was lost. */
int leftovers_tell(struct visit_run *run, struct sql_error *error);
/* That a check could not be made, and whose fault it is. */
void check_note(const struct visit_run *run, const char *check, const char *database,
	const struct sql_error *error);
/* Tells RECORD_BASELINE for every item of the named databases (NULL-terminated; as the configuration writes them), and a
 * last one with an empty name for each database that was read whole. */
int baselines_tell(struct visit_run *run, struct sql_error *error, const char *const *databases);

#endif
