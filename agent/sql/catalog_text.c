/* The questions that sql_observe() asks. The first column of every row names its part, so that an answer is understood
 * whatever was left out before it. Only long-standing catalogue views, plainly joined: any DBA can paste and read them. */
#include "sql/catalog.h"
#include "sql/closing.h"

/* A server's local time is what create_date is in: ages are differences of the server's own readings. */
const struct part server_parts[] = {
	{"login",
		"SELECT N'login' AS [part], p.name, CAST(p.sid AS varbinary(85)), p.type, p.is_disabled,\n"
		"  DATEDIFF(SECOND, p.create_date, GETDATE())\n"
		"FROM sys.server_principals AS p WHERE p.type <> 'R';\n",
		true},
	{"server-role",
		"SELECT N'server-role' AS [part], r.name FROM sys.server_principals AS r\n"
		"WHERE r.type = 'R' AND r.name = N'" MARK_ROLE "';\n",
		false},
	{"server-member",
		"SELECT N'server-member' AS [part], r.name, m.name FROM sys.server_role_members AS rm\n"
		"JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"JOIN sys.server_principals AS m ON m.principal_id = rm.member_principal_id;\n",
		false},
	{"server-permission",
		"SELECT N'server-permission' AS [part], p.class, p.state, p.permission_name, t.name, g.name, r.name\n"
		"FROM sys.server_permissions AS p\n"
		"JOIN sys.server_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"JOIN sys.server_principals AS r ON r.principal_id = p.grantor_principal_id\n"
		"LEFT JOIN sys.server_principals AS t ON p.class = 101 AND t.principal_id = p.major_id\n"
		"WHERE g.type = 'S';\n",
		false},
	{"session", session_select, false},
	{"database",
		"SELECT N'database' AS [part], d.name, d.state, HAS_DBACCESS(d.name) FROM sys.databases AS d;\n",
		true},
	{"server-trigger",
		"SELECT N'server-trigger' AS [part], t.name FROM sys.server_triggers AS t WHERE t.is_disabled = 0;\n",
		false},
	{0},
};

/* In these, %zu stands for the database's number; the roles of ours are joined in as %s. */
const struct part database_parts[] = {
	{"user",
		"SELECT N'user' AS [part], %zu, p.name, CAST(p.sid AS varbinary(85)), p.type, o.name\n"
		"FROM sys.database_principals AS p\n"
		"LEFT JOIN sys.database_principals AS o ON p.type = 'R' AND o.principal_id = p.owning_principal_id;\n",
		true},
	{"member",
		"SELECT N'member' AS [part], %zu, r.name, m.name FROM sys.database_role_members AS rm\n"
		"JOIN sys.database_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"JOIN sys.database_principals AS m ON m.principal_id = rm.member_principal_id;\n",
		true},
	{"permissions",
		"SELECT N'permissions' AS [part], %zu, COUNT(*) FROM sys.database_permissions;\n",
		false},
	{"permission",
		"SELECT N'permission' AS [part], %zu, p.class, p.state, p.permission_name,\n"
		"  CASE p.class WHEN 1 THEN os.name WHEN 3 THEN s.name\n"
		"    WHEN 4 THEN CASE t.type WHEN 'R' THEN N'ROLE' WHEN 'A' THEN N'APPLICATION ROLE' ELSE N'USER' END END,\n"
		"  CASE p.class WHEN 1 THEN o.name WHEN 4 THEN t.name END, c.name, g.name, r.name\n"
		"FROM sys.database_permissions AS p\n"
		"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"JOIN sys.database_principals AS r ON r.principal_id = p.grantor_principal_id\n"
		"LEFT JOIN sys.all_objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"
		"LEFT JOIN sys.schemas AS os ON os.schema_id = o.schema_id\n"
		"LEFT JOIN sys.columns AS c ON p.class = 1 AND c.object_id = p.major_id AND c.column_id = p.minor_id\n"
		"LEFT JOIN sys.schemas AS s ON p.class = 3 AND s.schema_id = p.major_id\n"
		"LEFT JOIN sys.database_principals AS so ON so.principal_id = COALESCE(s.principal_id, o.principal_id)\n"
		"LEFT JOIN sys.database_principals AS t ON p.class = 4 AND t.principal_id = p.major_id\n"
		"WHERE (g.type = 'S' AND g.principal_id > 4) OR (r.type = 'S' AND r.principal_id > 4)\n"
		"  OR (so.type = 'S' AND so.principal_id > 4) OR g.name IN (%s);\n",
		false},
	{"schema",
		"SELECT N'schema' AS [part], %zu, s.name FROM sys.schemas AS s WHERE s.name NOT IN\n"
		"  (N'sys', N'INFORMATION_SCHEMA', N'guest', N'db_owner', N'db_accessadmin', N'db_securityadmin',\n"
		"   N'db_ddladmin', N'db_backupoperator', N'db_datareader', N'db_datawriter', N'db_denydatareader',\n"
		"   N'db_denydatawriter');\n",
		false},
	{"owned-schema",
		"SELECT N'owned' AS [part], %zu, N'SCHEMA', NULL, s.name, p.name FROM sys.schemas AS s\n"
		"JOIN sys.database_principals AS p ON p.principal_id = s.principal_id\n"
		"WHERE p.type = 'S' AND p.principal_id > 4;\n",
		false},
	{"owned-object",
		"SELECT N'owned' AS [part], %zu, N'OBJECT', s.name, o.name, p.name FROM sys.objects AS o\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"JOIN sys.database_principals AS p ON p.principal_id = o.principal_id\n"
		"WHERE o.parent_object_id = 0;\n",
		false},
	{"owned-type",
		"SELECT N'owned' AS [part], %zu, N'TYPE', s.name, t.name, p.name FROM sys.types AS t\n"
		"JOIN sys.schemas AS s ON s.schema_id = t.schema_id\n"
		"JOIN sys.database_principals AS p ON p.principal_id = t.principal_id\n"
		"WHERE t.is_user_defined = 1;\n",
		false},
	{"owned-role",
		"SELECT N'owned' AS [part], %zu, N'ROLE', NULL, r.name, p.name FROM sys.database_principals AS r\n"
		"JOIN sys.database_principals AS p ON p.principal_id = r.owning_principal_id\n"
		"WHERE r.type = 'R' AND p.type = 'S' AND p.principal_id > 4;\n",
		false},
	{"trigger",
		"SELECT N'trigger' AS [part], %zu, t.name FROM sys.triggers AS t\n"
		"WHERE t.parent_class = 0 AND t.is_disabled = 0;\n",
		false},
	{0},
};
