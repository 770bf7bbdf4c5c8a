/* What a former full-access user may have left behind: one named check each, as T-SQL that a DBA can read and run.
 *
 * A check answers with rows: what was found, the evidence, the exact remedy. %C stands for the check's number, %D for the
 * database's. Names in remedies are quoted by the server, which knows its own rules. */
#include "sql/leftover.h"

#define FOUND "SELECT N'finding' AS [part], %C, %D, "

const struct leftover leftovers[] = {
	/* Who can come in. */
	{"orphaned-user", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a user whose login is not on this server",
		FOUND
		"p.name, N'SID ' + CONVERT(nvarchar(172), p.sid, 1), N'DROP USER ' + QUOTENAME(p.name)\n"
		"FROM sys.database_principals AS p WHERE p.type = 'S' AND p.authentication_type = 1 AND p.principal_id > 4\n"
		"  AND NOT EXISTS (SELECT 1 FROM sys.server_principals AS l WHERE l.sid = p.sid);\n"},
	{"renamed-user", FINDING_HIGH, LEFTOVER_DATABASE,
		"a user that bears another name than its login",
		FOUND
		"p.name, N'maps to login ' + l.name, N'ALTER USER ' + QUOTENAME(p.name) + N' WITH NAME = ' + "
		"QUOTENAME(l.name)\n"
		"FROM sys.database_principals AS p JOIN sys.server_principals AS l ON l.sid = p.sid\n"
		"WHERE p.type = 'S' AND p.principal_id > 4 AND p.name <> l.name;\n"},
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
		"FROM sys.database_principals AS p WHERE p.type IN ('C', 'K') AND p.name NOT LIKE N'##%%';\n"},
	{"guest-connect", FINDING_HIGH, LEFTOVER_DATABASE,
		"guest may connect: every login of the server has access",
		FOUND
		"N'guest', N'CONNECT is granted to guest', N'REVOKE CONNECT FROM [guest]'\n"
		"FROM sys.database_permissions AS p JOIN sys.database_principals AS g\n"
		"  ON g.principal_id = p.grantee_principal_id\n"
		"WHERE g.name = N'guest' AND p.permission_name = N'CONNECT' AND p.state <> 'D'\n"
		"  AND DB_NAME() NOT IN (N'master', N'tempdb', N'msdb');\n"},
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
		"p.permission_name, p.class_desc + N' ' + COALESCE(s.name + N'.' + o.name, c.name, DB_NAME()),\n"
		"  N'REVOKE ' + p.permission_name + COALESCE(N' ON OBJECT::' + QUOTENAME(s.name) + N'.' +\n"
		"  QUOTENAME(o.name), N' ON SCHEMA::' + QUOTENAME(c.name), N'') + N' FROM [public]'\n"
		"FROM sys.database_permissions AS p\n"
		"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"LEFT JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"
		"LEFT JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"LEFT JOIN sys.schemas AS c ON p.class = 3 AND c.schema_id = p.major_id\n"
		"WHERE g.name = N'public' AND p.state <> 'D'\n"
		"  AND (o.object_id IS NOT NULL OR p.class = 3 OR (p.class = 0 AND p.permission_name NOT IN\n"
		"    (N'CONNECT', N'VIEW ANY COLUMN ENCRYPTION KEY DEFINITION',\n"
		"     N'VIEW ANY COLUMN MASTER KEY DEFINITION')));\n"},
	{"grant-option", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission WITH GRANT OPTION: it can be handed on",
		FOUND
		"g.name, p.permission_name + N' by ' + r.name,\n"
		"  N'REVOKE GRANT OPTION FOR ' + p.permission_name + COALESCE(N' ON OBJECT::' + QUOTENAME(s.name) +\n"
		"  N'.' + QUOTENAME(o.name), N' ON SCHEMA::' + QUOTENAME(c.name), N'') + N' FROM ' + QUOTENAME(g.name)\n"
		"  + N' CASCADE AS ' + QUOTENAME(r.name)\n"
		"FROM sys.database_permissions AS p\n"
		"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"JOIN sys.database_principals AS r ON r.principal_id = p.grantor_principal_id\n"
		"LEFT JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"
		"LEFT JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"LEFT JOIN sys.schemas AS c ON p.class = 3 AND c.schema_id = p.major_id WHERE p.state = 'W';\n"},
	{"column-grant", FINDING_LOW, LEFTOVER_DATABASE,
		"a permission on a column: it stands against a denial on the table",
		FOUND
		"g.name, p.permission_name + N' on ' + o.name + N'.' + c.name,\n"
		"  N'REVOKE ' + p.permission_name + N' ON OBJECT::' + QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) + N' (' +\n"
		"  QUOTENAME(c.name) + N') FROM ' + QUOTENAME(g.name)\n"
		"FROM sys.database_permissions AS p\n"
		"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"JOIN sys.objects AS o ON o.object_id = p.major_id JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"JOIN sys.columns AS c ON c.object_id = p.major_id AND c.column_id = p.minor_id\n"
		"WHERE p.class = 1 AND p.minor_id > 0 AND p.state <> 'D';\n"},
	{"strong-permission", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission from which others can be made",
		FOUND
		"g.name, p.permission_name + N' on ' + p.class_desc,\n"
		"  N'REVOKE ' + p.permission_name + COALESCE(N' ON OBJECT::' + QUOTENAME(s.name) + N'.' +\n"
		"  QUOTENAME(o.name), N' ON SCHEMA::' + QUOTENAME(c.name), N' ON USER::' + QUOTENAME(t.name), N'') +\n"
		"  N' FROM ' + QUOTENAME(g.name) + N' CASCADE'\n"
		"FROM sys.database_permissions AS p\n"
		"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"LEFT JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"
		"LEFT JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"LEFT JOIN sys.schemas AS c ON p.class = 3 AND c.schema_id = p.major_id\n"
		"LEFT JOIN sys.database_principals AS t ON p.class = 4 AND t.principal_id = p.major_id\n"
		"WHERE p.state <> 'D' AND p.permission_name IN (N'IMPERSONATE', N'CONTROL', N'TAKE OWNERSHIP',\n"
		"  N'ALTER ANY USER', N'ALTER ANY ROLE', N'ALTER ANY APPLICATION ROLE', N'ALTER ANY SCHEMA', N'AUTHENTICATE',\n"
		"  N'ALTER ANY DATABASE DDL TRIGGER', N'ALTER ANY ASSEMBLY');\n"},
	{"foreign-owner", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"something owned by a user that is not dbo",
		FOUND
		"x.name, x.kind + N' owned by ' + p.name, N'ALTER AUTHORIZATION ON ' + x.kind + N'::' + x.name + N' TO [dbo]'\n"
		"FROM (SELECT N'SCHEMA' AS kind, QUOTENAME(s.name) AS name, s.principal_id FROM sys.schemas AS s\n"
		"  UNION ALL SELECT N'OBJECT', QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), o.principal_id\n"
		"    FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id WHERE o.principal_id IS NOT NULL\n"
		"  UNION ALL SELECT N'ASSEMBLY', QUOTENAME(a.name), a.principal_id FROM sys.assemblies AS a\n"
		"  UNION ALL SELECT N'CERTIFICATE', QUOTENAME(c.name), c.principal_id FROM sys.certificates AS c\n"
		"  UNION ALL SELECT N'ASYMMETRIC KEY', QUOTENAME(k.name), k.principal_id FROM sys.asymmetric_keys AS k\n"
		"  UNION ALL SELECT N'SYMMETRIC KEY', QUOTENAME(k.name), k.principal_id FROM sys.symmetric_keys AS k) AS x\n"
		"JOIN sys.database_principals AS p ON p.principal_id = x.principal_id\n"
		"WHERE p.type = 'S' AND p.principal_id > 4;\n"},
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
		"QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), N'signature ' + x.crypt_type_desc,\n"
		"  N'DROP SIGNATURE FROM ' + QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) + N' BY CERTIFICATE ' +\n"
		"  COALESCE(QUOTENAME(c.name), N'?')\n"
		"FROM sys.crypt_properties AS x JOIN sys.objects AS o ON o.object_id = x.major_id\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"LEFT JOIN sys.certificates AS c ON c.thumbprint = x.thumbprint WHERE x.class = 1;\n"},
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
		"EXECUTE for public on a procedure: its writes pass every denial on tables",
		FOUND
		"QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), N'EXECUTE is granted to public',\n"
		"  N'REVOKE EXECUTE ON OBJECT::' + QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) + N' FROM [public]'\n"
		"FROM sys.database_permissions AS p JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
		"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"WHERE g.name = N'public' AND p.permission_name = N'EXECUTE' AND p.state <> 'D';\n"},
	/* The database and the server. */
	{"trustworthy", FINDING_HIGH, LEFTOVER_SERVER,
		"TRUSTWORTHY: EXECUTE AS reaches out of the database",
		FOUND
		"d.name, N'is_trustworthy_on = 1', N'ALTER DATABASE ' + QUOTENAME(d.name) + N' SET TRUSTWORTHY OFF'\n"
		"FROM sys.databases AS d WHERE d.is_trustworthy_on = 1 AND d.name <> N'msdb';\n"},
	{"db-chaining", FINDING_MEDIUM, LEFTOVER_SERVER,
		"DB_CHAINING: ownership chains reach into other databases",
		FOUND
		"d.name, N'is_db_chaining_on = 1', N'ALTER DATABASE ' + QUOTENAME(d.name) + N' SET DB_CHAINING OFF'\n"
		"FROM sys.databases AS d\n"
		"WHERE d.is_db_chaining_on = 1 AND d.name NOT IN (N'master', N'msdb', N'tempdb');\n"},
	{"database-owner", FINDING_CRITICAL, LEFTOVER_SERVER,
		"a database owned by a login of Curfew's",
		FOUND
		"d.name, N'owned by ' + l.name, N'ALTER AUTHORIZATION ON DATABASE::' + QUOTENAME(d.name) + N' TO [sa]'\n"
		"FROM sys.databases AS d JOIN sys.server_principals AS l ON l.sid = d.owner_sid\n"
		"JOIN sys.server_role_members AS rm ON rm.member_principal_id = l.principal_id\n"
		"JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id WHERE r.name = N'" MARK_ROLE
		"';\n"},
	{"server-role-member", FINDING_CRITICAL, LEFTOVER_SERVER,
		"a login of Curfew's in a server role",
		FOUND
		"l.name, N'member of ' + r.name,\n"
		"  N'ALTER SERVER ROLE ' + QUOTENAME(r.name) + N' DROP MEMBER ' + QUOTENAME(l.name)\n"
		"FROM sys.server_role_members AS rm\n"
		"JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"JOIN sys.server_principals AS l ON l.principal_id = rm.member_principal_id\n"
		"JOIN sys.server_role_members AS m ON m.member_principal_id = l.principal_id\n"
		"JOIN sys.server_principals AS k ON k.principal_id = m.role_principal_id\n"
		"WHERE k.name = N'" MARK_ROLE "' AND r.name <> k.name;\n"},
	{"server-trigger", FINDING_HIGH, LEFTOVER_SERVER, "a trigger on the server or at logon",
		FOUND
		"t.name, CASE t.is_disabled WHEN 1 THEN N'disabled' ELSE N'enabled' END,\n"
		"  N'DROP TRIGGER ' + QUOTENAME(t.name) + N' ON ALL SERVER' FROM sys.server_triggers AS t;\n"},
	{"server-event-notification", FINDING_MEDIUM, LEFTOVER_SERVER,
		"an event notification of the server",
		FOUND
		"e.name, N'service ' + e.service_name, N'DROP EVENT NOTIFICATION ' + QUOTENAME(e.name) + N' ON SERVER'\n"
		"FROM sys.server_event_notifications AS e;\n"},
	{"linked-server", FINDING_MEDIUM, LEFTOVER_SERVER,
		"a linked server: queries leave this one",
		FOUND
		"s.name, COALESCE(s.data_source, s.product, N'?'),\n"
		"  N'EXEC sp_dropserver @server = N''' + REPLACE(s.name, N'''', N'''''') + N''', @droplogins = ''droplogins'''\n"
		"FROM sys.servers AS s WHERE s.is_linked = 1;\n"},
	{"startup-procedure", FINDING_CRITICAL, LEFTOVER_SERVER,
		"a procedure that runs as sysadmin when the server starts",
		FOUND
		"p.name, N'in master', N'EXEC sp_procoption @ProcName = N''' + REPLACE(p.name, N'''', N'''''') +\n"
		"  N''', @OptionName = ''startup'', @OptionValue = ''off'''\n"
		"FROM master.sys.procedures AS p WHERE p.is_auto_executed = 1;\n"},
	{"agent-job", FINDING_HIGH, LEFTOVER_SERVER,
		"a job owned by a login of Curfew's, or by nobody on this server",
		FOUND
		"j.name, COALESCE(N'owned by ' + l.name, N'its owner is no login of this server'),\n"
		"  N'EXEC msdb.dbo.sp_delete_job @job_name = N''' + REPLACE(j.name, N'''', N'''''') + N''''\n"
		"FROM msdb.dbo.sysjobs AS j LEFT JOIN sys.server_principals AS l ON l.sid = j.owner_sid\n"
		"WHERE l.sid IS NULL OR EXISTS (SELECT 1 FROM sys.server_role_members AS rm\n"
		"  JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"  WHERE rm.member_principal_id = l.principal_id AND r.name = N'" MARK_ROLE
		"');\n"},
	{"agent-proxy", FINDING_LOW, LEFTOVER_SERVER,
		"an Agent proxy: jobs run with its credential",
		FOUND
		"x.name, CASE x.enabled WHEN 1 THEN N'enabled' ELSE N'disabled' END,\n"
		"  N'EXEC msdb.dbo.sp_delete_proxy @proxy_name = N''' + REPLACE(x.name, N'''', N'''''') + N''''\n"
		"FROM msdb.dbo.sysproxies AS x;\n"},
	{"password-set", FINDING_MEDIUM, LEFTOVER_SERVER,
		"a password was set although none was handed over",
		FOUND
		"l.name, N'set ' + CONVERT(nvarchar(30), CAST(LOGINPROPERTY(l.name, N'PasswordLastSetTime') AS datetime), 126),\n"
		"  N'ALTER LOGIN ' + QUOTENAME(l.name) + N' DISABLE'\n"
		"FROM sys.server_principals AS l JOIN sys.server_role_members AS rm ON rm.member_principal_id = l.principal_id\n"
		"JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"WHERE r.name = N'" MARK_ROLE "' AND DATEDIFF(SECOND, l.create_date,\n"
		"  CAST(LOGINPROPERTY(l.name, N'PasswordLastSetTime') AS datetime)) > 60;\n"},
	{0},
};

/* What the baseline keeps: everything that can be new or changed later. A table's hash is its last change by ALTER; a
 * module's is over its text, since a date alone can be brought back. */
const char baseline_question[] =
	"SELECT N'base' AS [part], %D, N'object', QUOTENAME(s.name) + N'.' + QUOTENAME(o.name),\n"
	"  o.type_desc + N' ' + COALESCE(CONVERT(nvarchar(64), HASHBYTES('SHA2_256', m.definition), 2),\n"
	"  CONVERT(nvarchar(30), o.modify_date, 126))\n"
	"FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
	"LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id\n"
	"WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V', 'P', 'FN', 'IF', 'TF', 'TR', 'SO', 'SN', 'PC', 'FS', 'FT');\n"
	"SELECT N'base' AS [part], %D, N'principal', p.name, p.type_desc + N' ' + COALESCE(CONVERT(nvarchar(172), p.sid, 1),\n"
	"  N'') FROM sys.database_principals AS p WHERE p.principal_id > 4;\n"
	"SELECT N'base' AS [part], %D, N'permission', p.permission_name + N' on ' + p.class_desc + N' ' +\n"
	"  CAST(p.major_id AS nvarchar(20)) + N'/' + CAST(p.minor_id AS nvarchar(20)) + N' to ' + g.name, p.state_desc\n"
	"FROM sys.database_permissions AS p\n"
	"JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id WHERE p.major_id >= 0;\n";
