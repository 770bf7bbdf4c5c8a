/* Inside the search for leftovers. Not for other modules. */
#ifndef CURFEW_SQL_LEFTOVER_H
#define CURFEW_SQL_LEFTOVER_H

#include "sql/visit.h"

struct leftover {
	const char *name;
	enum finding_severity severity;
	enum { LEFTOVER_DATABASE, LEFTOVER_SERVER } scope;
	const char *words; /* what it is, for a person */
	const char *text;
};
extern const struct leftover database_leftovers[], server_leftovers[]; /* end with a NULL name */
extern const char baseline_question[], server_baseline_question[];

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
	"LEFT JOIN sys.certificates AS e ON p.class = 25 AND e.certificate_id = p.major_id\n"
/* " ON SCHEMA::[dbo]", or nothing for the database itself. */
#define SECURABLE                                                                                                           \
	"CASE p.class WHEN 0 THEN N'' ELSE N' ON ' + COALESCE(\n"                                                           \
	"  N'OBJECT::' + QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) + COALESCE(N' (' + QUOTENAME(k.name) + N')', N''),\n" \
	"  N'SCHEMA::' + QUOTENAME(c.name), CASE t.type WHEN 'R' THEN N'ROLE' WHEN 'A' THEN N'APPLICATION ROLE'\n"          \
	"  ELSE N'USER' END + N'::' + QUOTENAME(t.name), N'ASSEMBLY::' + QUOTENAME(a.name),\n"                              \
	"  N'TYPE::' + QUOTENAME(ys.name) + N'.' + QUOTENAME(y.name), N'CERTIFICATE::' + QUOTENAME(e.name),\n"              \
	"  p.class_desc + N'::' + CAST(p.major_id AS nvarchar(20))) END"

/* A question with its numbers in place. */
void leftover_write(FILE *to, const char *text, size_t check, size_t database);

#define FOUND "SELECT N'finding' AS [part], %C, %D, "

/* What the observation itself shows to be there beyond what is wanted: a RECORD_FINDING for each change that
 * `curfew apply` would make to narrow it, with exactly that statement as its remedy. */
void surplus_tell(struct visit_run *run);

/* Runs every check and tells a RECORD_FINDING for each row, a RECORD_NOTE for each check that this server cannot answer.
 * 0, or negative errno when the session was lost. */
int leftovers_tell(struct visit_run *run, struct sql_error *error);
/* Tells RECORD_BASELINE for every item of the named databases (NULL-terminated; as the configuration writes them), and a
 * last one with an empty name for each database that was read whole. */
int baselines_tell(struct visit_run *run, struct sql_error *error, const char *const *databases);

#endif
