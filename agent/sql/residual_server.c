/* What may have been left behind on the server itself. As in a database: rows of what, evidence, remedy.
 *
 * What every server has from its first day is no finding: VIEW ANY DATABASE and the endpoints for public, TRUSTWORTHY of
 * msdb, ownership chains of the system databases, jobs of sa. */
#include "sql/residual.h"

const struct leftover server_leftovers[] = {
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
	{"server-grant", FINDING_HIGH, LEFTOVER_SERVER,
		"a right on the server for public, or for the role that marks Curfew's logins",
		FOUND
		"g.name, p.permission_name + N' on ' + p.class_desc + N' by ' + r.name,\n"
		"  N'USE [master]; REVOKE ' + p.permission_name + CASE p.class WHEN 101 THEN N' ON LOGIN::' + QUOTENAME(t.name)\n"
		"  ELSE N'' END + N' FROM ' + QUOTENAME(g.name) + N' CASCADE AS ' + QUOTENAME(r.name)\n"
		"FROM sys.server_permissions AS p\n"
		"JOIN sys.server_principals AS g ON g.principal_id = p.grantee_principal_id\n"
		"JOIN sys.server_principals AS r ON r.principal_id = p.grantor_principal_id\n"
		"LEFT JOIN sys.server_principals AS t ON p.class = 101 AND t.principal_id = p.major_id\n"
		"WHERE p.state <> 'D' AND g.name IN (N'public', N'" MARK_ROLE "')\n"
		"  AND NOT (g.name = N'public' AND (p.permission_name = N'VIEW ANY DATABASE' OR p.class = 105));\n"},
	{"server-role-nested", FINDING_CRITICAL, LEFTOVER_SERVER,
		"the role that marks Curfew's logins is inside another: all of them hold what that one has",
		FOUND
		"m.name, N'member of ' + r.name, N'ALTER SERVER ROLE ' + QUOTENAME(r.name) + N' DROP MEMBER ' + QUOTENAME(m.name)\n"
		"FROM sys.server_role_members AS rm\n"
		"JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
		"JOIN sys.server_principals AS m ON m.principal_id = rm.member_principal_id WHERE m.name = N'" MARK_ROLE
		"';\n"},
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
		"  N'EXEC sys.sp_dropserver @server = N''' + REPLACE(s.name, N'''', N'''''') + N''', @droplogins = ''droplogins'''\n"
		"FROM sys.servers AS s WHERE s.is_linked = 1;\n"},
	{"startup-procedure", FINDING_CRITICAL, LEFTOVER_SERVER,
		"a procedure that runs as sysadmin when the server starts",
		FOUND
		"p.name, N'in master', N'EXEC sys.sp_procoption @ProcName = N''' + REPLACE(p.name, N'''', N'''''') +\n"
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
		"WHERE r.name = N'" MARK_ROLE
		"' AND l.is_disabled = 0 AND DATEDIFF(SECOND, l.create_date,\n"
		"  CAST(LOGINPROPERTY(l.name, N'PasswordLastSetTime') AS datetime)) > 5;\n"},
	{0},
};
