/* The questions of a proof: what a user may do, as the server itself works it out for that user.
 *
 * Impersonation plus HAS_PERMS_BY_NAME counts everything: nested roles, ownership, public, column and database grants,
 * denials. Each question answers with one row per permission that is held, so silence is the proof; the last row says
 * that all was asked, and as whom. */
#include "sql/proof.h"

/* Names of permissions that no user of that level may hold, as a table constructor. */
#define OBJECT_WRITES                                                                                           \
	"(N'INSERT'), (N'UPDATE'), (N'DELETE'), (N'EXECUTE'), (N'ALTER'), (N'CONTROL'), (N'TAKE OWNERSHIP'),\n" \
	"  (N'REFERENCES')"
#define SCHEMA_WRITES                                                                                           \
	"(N'INSERT'), (N'UPDATE'), (N'DELETE'), (N'EXECUTE'), (N'ALTER'), (N'CONTROL'), (N'TAKE OWNERSHIP'),\n" \
	"  (N'CREATE SEQUENCE')"
#define DATABASE_RULES                                                                                              \
	"(N'CONTROL'), (N'ALTER'), (N'TAKE OWNERSHIP'), (N'ALTER ANY USER'), (N'ALTER ANY ROLE'),\n"                \
	"  (N'ALTER ANY APPLICATION ROLE'), (N'ALTER ANY SCHEMA'), (N'ALTER ANY DATABASE DDL TRIGGER'),\n"          \
	"  (N'CREATE TABLE'), (N'CREATE VIEW'), (N'CREATE PROCEDURE'), (N'CREATE FUNCTION'), (N'CREATE SCHEMA'),\n" \
	"  (N'CREATE ROLE'), (N'CREATE TYPE'), (N'CREATE SYNONYM'), (N'BACKUP DATABASE')"
#define DATABASE_WRITES "(N'INSERT'), (N'UPDATE'), (N'DELETE')"

#define OBJECTS_HELD(permissions)                                                                            \
	"SELECT N'held' AS [part], %zu, N'OBJECT', v.permission, COUNT(*), MIN(s.name + N'.' + o.name)\n"    \
	"FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"                         \
	"CROSS JOIN (VALUES " permissions ") AS v(permission)\n"                                             \
	"WHERE o.parent_object_id = 0 AND HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name),\n" \
	"  N'OBJECT', v.permission) = 1 GROUP BY v.permission;\n"
#define SCHEMAS_HELD(permissions)                                                                  \
	"SELECT N'held' AS [part], %zu, N'SCHEMA', v.permission, COUNT(*), MIN(s.name)\n"          \
	"FROM sys.schemas AS s CROSS JOIN (VALUES " permissions ") AS v(permission)\n"             \
	"WHERE s.name NOT IN (N'sys', N'INFORMATION_SCHEMA')\n"                                    \
	"  AND HAS_PERMS_BY_NAME(QUOTENAME(s.name), N'SCHEMA', v.permission) = 1 GROUP BY v.permission;\n"
#define DATABASE_HELD(permissions)                                                                 \
	"SELECT N'held' AS [part], %zu, N'DATABASE', v.permission, 1, DB_NAME()\n"                 \
	"FROM (VALUES " permissions ") AS v(permission)\n"                                         \
	"WHERE HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', v.permission) = 1;\n"
/* Of himself a user may do what he likes. */
#define PRINCIPALS_HELD                                                                                           \
	"SELECT N'held' AS [part], %zu, N'USER', v.permission, COUNT(*), MIN(p.name)\n"                           \
	"FROM sys.database_principals AS p CROSS JOIN (VALUES (N'IMPERSONATE'), (N'CONTROL')) AS v(permission)\n" \
	"WHERE p.type IN ('S', 'U') AND p.name <> USER_NAME()\n"                                                  \
	"  AND HAS_PERMS_BY_NAME(QUOTENAME(p.name), N'USER', v.permission) = 1 GROUP BY v.permission;\n"          \
	"SELECT N'held' AS [part], %zu, N'ROLE', v.permission, COUNT(*), MIN(p.name)\n"                           \
	"FROM sys.database_principals AS p CROSS JOIN (VALUES (N'ALTER'), (N'CONTROL')) AS v(permission)\n"       \
	"WHERE p.type = 'R' AND p.name <> N'public'\n"                                                            \
	"  AND HAS_PERMS_BY_NAME(QUOTENAME(p.name), N'ROLE', v.permission) = 1 GROUP BY v.permission;\n"
#define ASKED "SELECT N'asked' AS [part], %zu, USER_NAME();\n"

const char *const proof_questions[3] = {
	[LEVEL_NONE] = NULL,
	[LEVEL_READ_ONLY] = OBJECTS_HELD(OBJECT_WRITES) SCHEMAS_HELD(SCHEMA_WRITES)
		DATABASE_HELD(DATABASE_RULES ", " DATABASE_WRITES) PRINCIPALS_HELD ASKED,
	/* Full access changes and drops what is there; it makes nothing, hands nothing on, and owns nothing. */
	[LEVEL_FULL] = OBJECTS_HELD("(N'TAKE OWNERSHIP')")
		SCHEMAS_HELD("(N'CONTROL'), (N'TAKE OWNERSHIP'), (N'CREATE SEQUENCE')")
			DATABASE_HELD(DATABASE_RULES) PRINCIPALS_HELD ASKED,
};
