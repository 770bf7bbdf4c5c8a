/* What a former full-access user may have left behind in a database: one named check each, as T-SQL that a DBA can read
 * and run.
 *
 * A check answers with rows: what was found, the evidence, the exact remedy. %C stands for the check's number, %D for the
 * database's. Names in remedies are quoted by the server, which knows its own rules. Nothing is left out for being marked
 * as shipped with the product: a database owner can put that mark on anything. */
#include "sql/residual.h"

#define REVOKED                                                                                    \
	"N'REVOKE ' + p.permission_name + " SECURABLE                                              \
	" +\n  N' FROM ' + QUOTENAME(g.name) + N' CASCADE AS ' + QUOTENAME(r.name)\n"
/* Who may own something beside dbo: those that the product makes itself may. */
#define OWNER "p.type IN ('S', 'U', 'R', 'A') AND p.principal_id > 4 AND p.is_fixed_role = 0"

const struct leftover database_leftovers[] = {
	/* Who can come in. */
	{"orphaned-user", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a user whose login is not on this server",
		FOUND
		"p.name, N'SID ' + CONVERT(nvarchar(172), p.sid, 1), N'DROP USER ' + QUOTENAME(p.name)\n"
		"FROM sys.database_principals AS p WHERE p.type = 'S' AND p.authentication_type = 1 AND p.principal_id > 4\n"
		"  AND NOT EXISTS (SELECT 1 FROM sys.server_principals AS l WHERE l.sid = p.sid);\n"},
	{"renamed-user", FINDING_LOW, LEFTOVER_DATABASE,
		"a user that bears another name than its login",
		FOUND
		"p.name, N'maps to login ' + l.name, N'ALTER USER ' + QUOTENAME(p.name) + N' WITH NAME = ' + "
		"QUOTENAME(l.name)\n"
		"FROM sys.database_principals AS p JOIN sys.server_principals AS l ON l.sid = p.sid\n"
		/* Of Curfew's own logins the observation says more. */
		"WHERE p.type = 'S' AND p.principal_id > 4 AND p.name <> l.name AND NOT EXISTS (SELECT 1\n"
		"  FROM sys.server_role_members AS m JOIN sys.server_principals AS k ON k.principal_id = m.role_principal_id\n"
		"  WHERE m.member_principal_id = l.principal_id AND k.name = N'" MARK_ROLE "');\n"},
	{"contained-user", FINDING_HIGH, LEFTOVER_DATABASE,
		"a user with a password of its own: it needs no login",
		FOUND
		"p.name, N'created ' + CONVERT(nvarchar(30), p.create_date, 126), N'DROP USER ' + QUOTENAME(p.name)\n"
		"FROM sys.database_principals AS p WHERE p.type = 'S' AND p.authentication_type = 2;\n"},
	{"loginless-user", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a user WITHOUT LOGIN: reached by EXECUTE AS",
		FOUND
		"p.name, N'created ' + CONVERT(nvarchar(30), p.create_date, 126), N'DROP USER ' + QUOTENAME(p.name)\n"
		"FROM sys.database_principals AS p\n"
		"WHERE p.type = 'S' AND p.authentication_type = 0 AND p.principal_id > 4;\n"},
	{"application-role", FINDING_HIGH, LEFTOVER_DATABASE,
		"an application role: entered by a password alone",
		FOUND "p.name, N'created ' + CONVERT(nvarchar(30), p.create_date, 126),\n"
		      "  N'DROP APPLICATION ROLE ' + QUOTENAME(p.name)\n"
		      "FROM sys.database_principals AS p WHERE p.type = 'A';\n"},
	{"certificate-user", FINDING_HIGH, LEFTOVER_DATABASE,
		"a user mapped to a certificate or key: signed modules act as it",
		FOUND
		"p.name, N'type ' + p.type, N'DROP USER ' + QUOTENAME(p.name)\n"
		"FROM sys.database_principals AS p WHERE p.type IN ('C', 'K') AND p.name NOT LIKE N'##MS[_]%%';\n"},
	{"guest-connect", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission of guest: every login of the server may hold it",
		FOUND
		"p.permission_name, p.state_desc + " SECURABLE ",\n  " REVOKED PERMISSIONS
		"WHERE g.name = N'guest' AND p.state <> 'D' AND (o.object_id IS NOT NULL OR p.class <> 1);\n"},
	/* What they hold. */
	{"nested-role", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a role inside another: its members hold what the outer one has",
		FOUND
		"m.name, N'member of ' + r.name,\n"
		"  N'ALTER ROLE ' + QUOTENAME(r.name) + N' DROP MEMBER ' + QUOTENAME(m.name)\n"
		"FROM sys.database_role_members AS rm\n"
		"JOIN sys.database_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"JOIN sys.database_principals AS m ON m.principal_id = rm.member_principal_id WHERE m.type = 'R';\n"},
	{"public-grant", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission of public: everybody holds it",
		FOUND
		"p.permission_name, p.state_desc + " SECURABLE ",\n  " REVOKED PERMISSIONS
		"WHERE g.name = N'public' AND p.state <> 'D'\n"
		"  AND (o.object_id IS NOT NULL AND p.permission_name <> N'EXECUTE' OR p.class IN (3, 4, 5, 6, 25)\n"
		"    OR p.class = 0 AND p.permission_name NOT IN (N'CONNECT',\n"
		"      N'VIEW ANY COLUMN ENCRYPTION KEY DEFINITION', N'VIEW ANY COLUMN MASTER KEY DEFINITION'));\n"},
	{"grant-option", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission WITH GRANT OPTION: it can be handed on",
		FOUND
		"g.name, p.permission_name + " SECURABLE " + N' by ' + r.name,\n"
		"  N'REVOKE GRANT OPTION FOR ' + p.permission_name + " SECURABLE " +\n"
		"  N' FROM ' + QUOTENAME(g.name) + N' CASCADE AS ' + QUOTENAME(r.name)\n" PERMISSIONS
		"WHERE p.state = 'W';\n"},
	{"column-grant", FINDING_LOW, LEFTOVER_DATABASE,
		"a permission on a column: it stands against a denial on the table",
		FOUND "g.name, p.permission_name + N' on ' + o.name + N'.' + k.name,\n  " REVOKED
			PERMISSIONS
		      "WHERE p.class = 1 AND k.column_id IS NOT NULL AND p.state <> 'D';\n"},
	{"strong-permission", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission from which others can be made",
		FOUND
		"g.name, p.permission_name + " SECURABLE ",\n  " REVOKED PERMISSIONS
		/* The agent's own login may hold these in the place of db_owner. */
		"WHERE p.state <> 'D' AND COALESCE(g.sid, 0x00) <> SUSER_SID()\n"
		"  AND p.permission_name IN (N'IMPERSONATE', N'CONTROL', N'TAKE OWNERSHIP', N'ALTER ANY USER',\n"
		"  N'ALTER ANY ROLE', N'ALTER ANY APPLICATION ROLE', N'ALTER ANY SCHEMA', N'AUTHENTICATE',\n"
		"  N'ALTER ANY DATABASE DDL TRIGGER', N'ALTER ANY ASSEMBLY', N'ALTER ANY CERTIFICATE',\n"
		"  N'ALTER ANY ASYMMETRIC KEY', N'ALTER ANY SYMMETRIC KEY', N'CREATE ASSEMBLY', N'CREATE ROLE');\n"},
	{"foreign-owner", FINDING_MEDIUM, LEFTOVER_DATABASE, "something owned by another than dbo",
		FOUND
		"x.name, x.kind + N' owned by ' + p.name, N'ALTER AUTHORIZATION ON ' + x.kind + N'::' + x.name + N' TO [dbo]'\n"
		"FROM (SELECT N'SCHEMA' AS kind, QUOTENAME(s.name) AS name, s.principal_id FROM sys.schemas AS s\n"
		"  UNION ALL SELECT N'OBJECT', QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), o.principal_id\n"
		"    FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id WHERE o.principal_id IS NOT NULL\n"
		"  UNION ALL SELECT N'TYPE', QUOTENAME(s.name) + N'.' + QUOTENAME(t.name), t.principal_id\n"
		"    FROM sys.types AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_user_defined = 1\n"
		"  UNION ALL SELECT N'ROLE', QUOTENAME(r.name), r.owning_principal_id\n"
		"    FROM sys.database_principals AS r WHERE r.type = 'R'\n"
		"  UNION ALL SELECT N'ASSEMBLY', QUOTENAME(a.name), a.principal_id FROM sys.assemblies AS a\n"
		"  UNION ALL SELECT N'CERTIFICATE', QUOTENAME(c.name), c.principal_id FROM sys.certificates AS c\n"
		"  UNION ALL SELECT N'ASYMMETRIC KEY', QUOTENAME(k.name), k.principal_id FROM sys.asymmetric_keys AS k\n"
		"  UNION ALL SELECT N'SYMMETRIC KEY', QUOTENAME(k.name), k.principal_id FROM sys.symmetric_keys AS k) AS x\n"
		"JOIN sys.database_principals AS p ON p.principal_id = x.principal_id\n"
		"WHERE " OWNER ";\n"},
	/* What runs by itself, or as somebody else. */
	{"execute-as-module", FINDING_HIGH, LEFTOVER_DATABASE,
		"a module that runs as another than its caller",
		FOUND
		"QUOTENAME(s.name) + N'.' + QUOTENAME(o.name),\n"
		"  N'EXECUTE AS ' + CASE m.execute_as_principal_id WHEN -2 THEN N'OWNER' ELSE COALESCE(p.name, N'?') END,\n"
		"  N'DROP ' + CASE o.type WHEN 'P' THEN N'PROCEDURE ' WHEN 'TR' THEN N'TRIGGER ' ELSE N'FUNCTION ' END +\n"
		"  QUOTENAME(s.name) + N'.' + QUOTENAME(o.name)\n"
		"FROM sys.sql_modules AS m JOIN sys.objects AS o ON o.object_id = m.object_id\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"LEFT JOIN sys.database_principals AS p ON p.principal_id = m.execute_as_principal_id\n"
		"WHERE m.execute_as_principal_id IS NOT NULL;\n"},
	{"signed-module", FINDING_HIGH, LEFTOVER_DATABASE,
		"a signed module: it has the rights of the signature's user",
		FOUND
		"QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), x.crypt_type_desc,\n"
		"  N'DROP ' + CASE WHEN x.crypt_type_desc LIKE N'COUNTER%%' THEN N'COUNTER ' ELSE N'' END + N'SIGNATURE FROM ' +\n"
		"  QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) +\n"
		"  COALESCE(N' BY CERTIFICATE ' + QUOTENAME(c.name), N' BY ASYMMETRIC KEY ' + QUOTENAME(k.name), N' BY ?')\n"
		"FROM sys.crypt_properties AS x JOIN sys.objects AS o ON o.object_id = x.major_id\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"LEFT JOIN sys.certificates AS c ON c.thumbprint = x.thumbprint\n"
		"LEFT JOIN sys.asymmetric_keys AS k ON k.thumbprint = x.thumbprint WHERE x.class = 1;\n"},
	{"ddl-trigger", FINDING_HIGH, LEFTOVER_DATABASE,
		"a DDL trigger: it runs as whoever changes something, also as Curfew",
		FOUND "t.name, CASE t.is_disabled WHEN 1 THEN N'disabled' ELSE N'enabled' END,\n"
		      "  N'DROP TRIGGER ' + QUOTENAME(t.name) + N' ON DATABASE'\n"
		      "FROM sys.triggers AS t WHERE t.parent_class = 0;\n"},
	{"event-notification", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"an event notification: what happens here is told elsewhere",
		FOUND
		"e.name, N'service ' + e.service_name, N'DROP EVENT NOTIFICATION ' + QUOTENAME(e.name) + N' ON DATABASE'\n"
		"FROM sys.event_notifications AS e;\n"},
	{"synonym-outward", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a synonym for something in another database or server",
		FOUND "QUOTENAME(s.name) + N'.' + QUOTENAME(y.name), y.base_object_name,\n"
		      "  N'DROP SYNONYM ' + QUOTENAME(s.name) + N'.' + QUOTENAME(y.name)\n"
		      "FROM sys.synonyms AS y JOIN sys.schemas AS s ON s.schema_id = y.schema_id\n"
		      "WHERE y.base_object_name LIKE N'%.%.%';\n"},
	{"assembly", FINDING_HIGH, LEFTOVER_DATABASE, "CLR code in the database",
		FOUND "a.name, a.permission_set_desc, N'DROP ASSEMBLY ' + QUOTENAME(a.name)\n"
		      "FROM sys.assemblies AS a WHERE a.is_user_defined = 1;\n"},
	{"execute-for-all", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"EXECUTE for public on a module: its writes pass every denial on tables",
		FOUND
		"QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), p.state_desc + N' to public',\n  " REVOKED
			PERMISSIONS
		"WHERE p.class = 1 AND o.object_id IS NOT NULL AND g.name = N'public' AND p.permission_name = N'EXECUTE'\n"
		"  AND p.state <> 'D';\n"},
	{0},
};
