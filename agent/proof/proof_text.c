/* The questions of a proof: what a user may do, as the server itself works it out for that user.
 *
 * Impersonation plus HAS_PERMS_BY_NAME counts everything within the database: nested roles, ownership, public, column
 * and database grants, denials. Each question answers with one row per permission that is held, so silence is the
 * proof; the last row says that all was asked, as whom, and that a permission which everybody holds was recognized by
 * both functions: a server that answers NULL to everything proves nothing. Rights on the server itself are not seen
 * through EXECUTE AS USER; those are read from the catalog. */
#include "proof/proof.h"

/* Permissions that no user of the level may have, as a table constructor. */
/* RECEIVE takes messages out of a queue
 * (https://learn.microsoft.com/sql/t-sql/statements/receive-transact-sql). */
#define OBJECT_WRITES                                                                                           \
	"(N'INSERT'), (N'UPDATE'), (N'DELETE'), (N'EXECUTE'), (N'ALTER'), (N'CONTROL'), (N'TAKE OWNERSHIP'),\n" \
	"  (N'REFERENCES'), (N'RECEIVE')"
#define SCHEMA_WRITES                                                                                           \
	"(N'INSERT'), (N'UPDATE'), (N'DELETE'), (N'EXECUTE'), (N'ALTER'), (N'CONTROL'), (N'TAKE OWNERSHIP'),\n" \
	"  (N'REFERENCES'), (N'CREATE SEQUENCE')"
#define DEFINITIONS "(N'ALTER'), (N'CONTROL'), (N'TAKE OWNERSHIP'), (N'REFERENCES')"
#define DATABASE_RULES                                                                                              \
	"(N'CONTROL'), (N'ALTER'), (N'TAKE OWNERSHIP'), (N'ALTER ANY USER'), (N'ALTER ANY ROLE'),\n"                \
	"  (N'ALTER ANY APPLICATION ROLE'), (N'ALTER ANY SCHEMA'), (N'ALTER ANY DATABASE DDL TRIGGER'),\n"          \
	"  (N'ALTER ANY ASSEMBLY'), (N'ALTER ANY CERTIFICATE'), (N'ALTER ANY ASYMMETRIC KEY'),\n"                   \
	"  (N'ALTER ANY SYMMETRIC KEY'), (N'ALTER ANY DATABASE EVENT NOTIFICATION'), (N'AUTHENTICATE'),\n"          \
	"  (N'CREATE TABLE'), (N'CREATE VIEW'), (N'CREATE PROCEDURE'), (N'CREATE FUNCTION'), (N'CREATE SCHEMA'),\n" \
	"  (N'CREATE ROLE'), (N'CREATE TYPE'), (N'CREATE SYNONYM'), (N'CREATE ASSEMBLY'),\n"                        \
	"  (N'CREATE CERTIFICATE'), (N'BACKUP DATABASE'), (N'BACKUP LOG')"
#define DATABASE_WRITES "(N'INSERT'), (N'UPDATE'), (N'DELETE'), (N'EXECUTE')"
/* Permissions that any user may have. Each version of the product has new ones: what is not here counts as too much. */
#define DATABASE_READS                                                                             \
	"(N'CONNECT'), (N'CONNECT REPLICATION'), (N'SELECT'), (N'SHOWPLAN'), (N'UNMASK'),\n"       \
	"  (N'SUBSCRIBE QUERY NOTIFICATIONS')"

/* Rows: held, number, class, permission, count, example, answer (NULL: the server did not answer). */
#define HELD "SELECT N'held' AS [part], %C, "

/* 1, 0, or NULL: not told. A permission that the class does not have is NULL too, and held by nobody: then the server knows
 * the securable, and answers for ANY. The function takes no more than 128 characters of its name (sysname), so a longer one
 * may be taken for another: it is not asked about. LEN would count a surrogate pair once in some collations. */
#define ANSWER(name, class, permission)                                                            \
	"CASE WHEN DATALENGTH(" name ") <= 256 THEN COALESCE(HAS_PERMS_BY_NAME(" name              \
	", " class ", " permission "),\n"                                                          \
		   "      HAS_PERMS_BY_NAME(" name ", " class ", N'ANY') * 0) END"
#define UNLESS_NOT_HELD "WHERE q.answer = 1 OR q.answer IS NULL "

/* Only of objects that somebody holds something on, or that have an owner of their own: what all others give comes from
 * their schema or the database, which are asked about themselves. So 50,000 objects cost no more than their grants.
 *
 * SCHEMA_NAME and no join: a user may hold something on an object of a schema that it does not see, and a join would
 * pass over it. An object whose schema has no name for the user is said to be unknown, not left out. */
#define OBJECT_NAME "QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name)"
#define OBJECTS_HELD(permissions)                                                                                                            \
	HELD "N'OBJECT', q.permission, COUNT(*), MIN(q.name), q.answer\n"                                                                    \
	     "FROM (SELECT " OBJECT_NAME                                                                                                     \
	     " AS name, v.permission,\n    " ANSWER(OBJECT_NAME, "N'OBJECT'",                                                                \
		     "v.permission") " AS answer\n"                                                                                          \
				     "  FROM sys.objects AS o CROSS JOIN (VALUES " permissions                                               \
				     ") AS v(permission)\n"                                                                                  \
				     "  WHERE o.parent_object_id = 0 AND (o.principal_id IS NOT NULL OR o.object_id IN\n"                    \
				     "    (SELECT p.major_id FROM sys.database_permissions AS p WHERE p.class = 1))) AS q\n" UNLESS_NOT_HELD \
				     "GROUP BY q.permission, q.answer;\n"
/* Only if column permissions exist. The user sees the rows for itself and its roles. */
#define COLUMNS_HELD(permissions)                                                                  \
	HELD "N'COLUMN', q.permission_name, COUNT(*), MIN(q.name), q.answer\n"                     \
	     "FROM (SELECT " OBJECT_NAME                                                           \
	     " + N'.' + QUOTENAME(c.name) AS name, p.permission_name,\n"                           \
	     "    CASE WHEN DATALENGTH(" OBJECT_NAME                                               \
	     ") <= 256 THEN HAS_PERMS_BY_NAME(" OBJECT_NAME                                        \
	     ",\n      N'OBJECT', p.permission_name, c.name, N'COLUMN') END AS answer\n"           \
	     "  FROM sys.database_permissions AS p\n"                                              \
	     "  JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"               \
	     "  JOIN sys.columns AS c ON c.object_id = p.major_id AND c.column_id = p.minor_id\n"  \
	     "  WHERE p.minor_id > 0 AND p.permission_name IN (" permissions                       \
	     ")) AS q\n" UNLESS_NOT_HELD "GROUP BY q.permission_name, q.answer;\n"
#define SCHEMAS_HELD(permissions)                                                                                    \
	HELD "N'SCHEMA', q.permission, COUNT(*), MIN(q.name), q.answer\n"                                            \
	     "FROM (SELECT s.name, v.permission,\n"                                                                  \
	     "    " ANSWER("QUOTENAME(s.name)", "N'SCHEMA'",                                                         \
		     "v.permission") " AS answer\n"                                                                  \
				     "  FROM sys.schemas AS s CROSS JOIN (VALUES " permissions                       \
				     ") AS v(permission)\n"                                                          \
				     "  WHERE s.name NOT IN (N'sys', N'INFORMATION_SCHEMA')) AS q\n" UNLESS_NOT_HELD \
				     "GROUP BY q.permission, q.answer;\n"
/* By its plain name, as documented, and quoted, for names with a dot or a bracket. */
#define ON_DATABASE(permission)                                                                    \
	"COALESCE(HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', " permission "),\n"         \
	"    HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', " permission "))"
#define DATABASE_HELD(permissions)                                                                 \
	HELD "N'DATABASE', q.permission, 1, DB_NAME(), q.answer\n"                                 \
	     "FROM (SELECT v.permission, " ON_DATABASE(                                            \
		     "v.permission") " AS answer\n"                                                \
				     "  FROM (VALUES " permissions ") AS v(permission)) AS q\n"    \
				     "WHERE q.answer = 1 OR q.answer IS NULL;\n"
/* Everything else that the server says the user has on the database, but for what it may have or was asked about.
 *
 * Where case counts, the function wants its class in lower case (its page of 2005, which no later one repeats). The
 * collation of its column is documented nowhere, nor that of a column made of literals: a collation by name suits both. */
#define DATABASE_BEYOND(permissions)                                                                              \
	HELD "N'DATABASE', m.permission_name, 1, DB_NAME(), 1\n"                                                  \
	     "FROM sys.fn_my_permissions(NULL, N'database') AS m\n"                                               \
	     "WHERE (m.permission_name NOT LIKE N'VIEW %%' OR m.permission_name LIKE N'%%CRYPTOGRAPHICALLY%%')\n" \
	     "  AND NOT EXISTS (SELECT 1 FROM (VALUES " DATABASE_READS ",\n"                                      \
	     "  " permissions                                                                                     \
	     ") AS v(permission) WHERE\n    v.permission = m.permission_name COLLATE Latin1_General_BIN2);\n"
/* Permissions on itself do not count. INFORMATION_SCHEMA (3), sys (4), and the fixed roles stand in the view and are no
 * securables: the function may know nothing of them, which would be no answer. Of these only the roles change, and only by
 * who controls the database, which is asked about itself. Of a Windows user without a login the function cannot tell
 * anything (documented): then a grant on that user counts, and what reaches all users is asked about the database. */
#define PRINCIPALS_HELD                                                                                                                                     \
	HELD "N'USER', q.permission, COUNT(*), MIN(q.name), q.answer\n"                                                                                     \
	     "FROM (SELECT p.name, v.permission, p.type, p.principal_id,\n"                                                                                 \
	     "    " ANSWER("QUOTENAME(p.name)", "N'USER'",                                                                                                  \
		     "v.permission") " AS answer\n"                                                                                                         \
				     "  FROM sys.database_principals AS p\n"                                                                                \
				     "  CROSS JOIN (VALUES (N'IMPERSONATE'), (N'CONTROL')) AS v(permission)\n"                                              \
				     "  WHERE p.type NOT IN ('R', 'A') AND p.principal_id NOT IN (3, 4) AND p.name <> USER_NAME()) AS q\n"                  \
				     "WHERE q.answer = 1 OR (q.answer IS NULL AND (q.type NOT IN ('U', 'G') OR EXISTS\n"                                    \
				     "    (SELECT 1 FROM sys.database_permissions AS d WHERE d.class = 4 AND d.state <> 'D'\n"                              \
				     "      AND d.major_id = q.principal_id))) GROUP BY q.permission, q.answer;\n" HELD                                     \
				     "N'ROLE', q.permission, COUNT(*), MIN(q.name), q.answer\n"                                                             \
				     "FROM (SELECT p.name, v.permission,\n"                                                                                 \
				     "    " ANSWER("QUOTENAME(p.name)", "N'ROLE'",                                                                          \
					     "v.permission") " AS answer\n"                                                                                 \
							     "  FROM sys.database_principals AS p\n"                                                        \
							     "  CROSS JOIN (VALUES (N'ALTER'), (N'CONTROL'), (N'TAKE OWNERSHIP')) AS v(permission)\n"       \
							     "  WHERE p.type = 'R' AND p.is_fixed_role = 0 AND p.name <> N'public') AS q\n" UNLESS_NOT_HELD \
							     "GROUP BY q.permission, q.answer;\n"
/* Securables other than objects that can be owned and altered. */
#define OTHERS_HELD                                                                                                                                 \
	HELD "q.class, q.permission, COUNT(*), MIN(q.name), q.answer\n"                                                                             \
	     "FROM (SELECT x.class, x.name, v.permission,\n"                                                                                        \
	     "    " ANSWER("x.name", "x.class",                                                                                                     \
		     "v.permission") " AS answer\n"                                                                                                 \
				     "  FROM (SELECT N'CERTIFICATE' AS class, QUOTENAME(name) AS name FROM sys.certificates\n"                      \
				     "  UNION ALL SELECT N'ASYMMETRIC KEY', QUOTENAME(name) FROM sys.asymmetric_keys\n"                             \
				     "  UNION ALL SELECT N'SYMMETRIC KEY', QUOTENAME(name) FROM sys.symmetric_keys\n"                               \
				     "  UNION ALL SELECT N'ASSEMBLY', QUOTENAME(name) FROM sys.assemblies WHERE is_user_defined = 1\n"              \
				     "  UNION ALL SELECT N'APPLICATION ROLE', QUOTENAME(name) FROM sys.database_principals WHERE type = 'A'\n"      \
				     "  UNION ALL SELECT N'TYPE', QUOTENAME(SCHEMA_NAME(t.schema_id)) + N'.' + QUOTENAME(t.name)\n"                 \
				     "    FROM sys.types AS t WHERE t.is_user_defined = 1) AS x\n"                                                  \
				     "  CROSS JOIN (VALUES (N'CONTROL'), (N'ALTER'), (N'TAKE OWNERSHIP')) AS v(permission)) AS q\n" UNLESS_NOT_HELD \
				     "GROUP BY q.class, q.permission, q.answer;\n"
/* Those of every other class, also of one that a later version adds: Service Broker, XML schema collections, full text. By
 * the catalog, because it is documented nowhere what the function answers about the server's own ones, and one NULL would
 * leave everybody unverified. A right on all of a class is one on the database. */
#define RARER_HELD                                                                                   \
	HELD "p.class_desc, p.permission_name, COUNT(*), CAST(MIN(p.major_id) AS nvarchar(12)), 1\n" \
	     "FROM sys.database_permissions AS p\n"                                                  \
	     "JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"        \
	     "WHERE p.class NOT IN (0, 1, 3, 4, 5, 6, 24, 25, 26) AND p.state IN ('G', 'W')\n"       \
	     "  AND p.permission_name IN (N'ALTER', N'CONTROL', N'TAKE OWNERSHIP')\n"                \
	     "  AND (g.principal_id = 0 OR g.name = USER_NAME() OR IS_MEMBER(g.name) = 1)\n"         \
	     "  AND NOT EXISTS (SELECT 1 FROM sys.database_permissions AS d\n"                       \
	     "    JOIN sys.database_principals AS e ON e.principal_id = d.grantee_principal_id\n"    \
	     "    WHERE d.state = 'D' AND d.class = p.class AND d.major_id = p.major_id\n"           \
	     "      AND d.permission_name = p.permission_name\n"                                     \
	     "      AND (e.principal_id = 0 OR e.name = USER_NAME() OR IS_MEMBER(e.name) = 1))\n"    \
	     "GROUP BY p.class_desc, p.permission_name;\n"
/* Grants WITH GRANT OPTION to the user or to one of its roles. */
#define OPTIONS_HELD                                                                               \
	HELD "N'GRANT OPTION', p.permission_name, COUNT(*), MIN(p.class_desc), 1\n"                \
	     "FROM sys.database_permissions AS p\n"                                                \
	     "JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"      \
	     "WHERE p.state = 'W' AND (g.name = USER_NAME() OR IS_MEMBER(g.name) = 1) GROUP BY p.permission_name;\n"
/* The list must have CONNECT too: one without a row, or with NULL, says nothing. */
#define ASKED                                                                                           \
	"SELECT N'asked' AS [part], %C, USER_NAME(), " ON_DATABASE(                                     \
		"N'CONNECT'") ",\n"                                                                     \
			      "  (SELECT COUNT(*) FROM sys.fn_my_permissions(NULL, N'database') AS m\n" \
			      "    WHERE m.permission_name = N'CONNECT');\n"

const char *const proof_questions[LEVELS] = {
	[LEVEL_NONE] = NULL,
	/* The highest permissions first, because evidence is cut to the size of a record. */
	[LEVEL_READ_ONLY] = DATABASE_HELD(DATABASE_RULES ", " DATABASE_WRITES)
		DATABASE_BEYOND(DATABASE_RULES ", " DATABASE_WRITES)
			PRINCIPALS_HELD OPTIONS_HELD OTHERS_HELD RARER_HELD COLUMNS_HELD(
				"N'UPDATE', N'REFERENCES'") SCHEMAS_HELD(SCHEMA_WRITES)
				OBJECTS_HELD(OBJECT_WRITES) ASKED,
	/* Data changes, but no definitions that control their use. */
	[LEVEL_WRITE] =
		DATABASE_HELD(DATABASE_RULES) DATABASE_BEYOND(DATABASE_RULES ", " DATABASE_WRITES)
			PRINCIPALS_HELD OPTIONS_HELD OTHERS_HELD RARER_HELD COLUMNS_HELD(
				"N'REFERENCES'") SCHEMAS_HELD(DEFINITIONS ", (N'CREATE SEQUENCE')")
				OBJECTS_HELD(DEFINITIONS) ASKED,
	/* Full access may alter and drop existing objects. It must not create objects, grant, or own anything. */
	[LEVEL_FULL] = DATABASE_HELD(DATABASE_RULES) DATABASE_BEYOND(
		DATABASE_RULES ", " DATABASE_WRITES ", (N'REFERENCES'), (N'CHECKPOINT')")
		PRINCIPALS_HELD OPTIONS_HELD OTHERS_HELD RARER_HELD SCHEMAS_HELD(
			"(N'CONTROL'), (N'TAKE OWNERSHIP'), (N'CREATE SEQUENCE')")
			OBJECTS_HELD("(N'TAKE OWNERSHIP')") ASKED,
};
