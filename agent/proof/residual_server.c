/* Residual access on the server itself: rows of object, evidence, remedy. Left out is what every server has after
 * installation: VIEW ANY DATABASE and the endpoints for public, TRUSTWORTHY of msdb, ownership chains of the system
 * databases, and jobs of sa. */
#include "proof/residual.h"
#include "sql/hiding_denial.h"
#include "sql/listener.h"

#define PASSWORD_SET "CAST(LOGINPROPERTY(l.name, N'PasswordLastSetTime') AS datetime)"

/* Session k belongs to a managed login. */
#define OURS                                                                                       \
	"EXISTS (SELECT 1 FROM sys.server_principals AS l\n"                                       \
	"  JOIN sys.server_role_members AS m ON m.member_principal_id = l.principal_id\n"          \
	"  JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id\n"              \
	"  WHERE l.sid = k.original_security_id AND r.name = N'" MARK_ROLE "')"

const struct leftover server_leftovers[] = {
	{"trustworthy", FINDING_CRITICAL, LEFTOVER_SERVER,
		"TRUSTWORTHY: EXECUTE AS reaches out of the database, as its owner, who is sysadmin",
		FOUND NAME(
			"d.name") "\nFROM sys.databases AS d WHERE d.is_trustworthy_on = 1 AND d.name <> N'msdb'\n"
				  "  AND COALESCE(IS_SRVROLEMEMBER(N'sysadmin', SUSER_SNAME(d.owner_sid)), 1) = 1;\n",
		"%1n", "is_trustworthy_on = 1", "ALTER DATABASE %1q SET TRUSTWORTHY OFF"},
	{"trustworthy", FINDING_HIGH, LEFTOVER_SERVER,
		"TRUSTWORTHY: EXECUTE AS reaches out of the database",
		FOUND NAME(
			"d.name") "\nFROM sys.databases AS d WHERE d.is_trustworthy_on = 1 AND d.name <> N'msdb'\n"
				  "  AND IS_SRVROLEMEMBER(N'sysadmin', SUSER_SNAME(d.owner_sid)) = 0;\n",
		"%1n", "is_trustworthy_on = 1", "ALTER DATABASE %1q SET TRUSTWORTHY OFF"},
	{"db-chaining", FINDING_MEDIUM, LEFTOVER_SERVER,
		"DB_CHAINING: ownership chains reach into other databases",
		FOUND NAME(
			"d.name") "\nFROM sys.databases AS d\n"
				  "WHERE d.is_db_chaining_on = 1 AND d.name NOT IN (N'master', N'msdb', N'tempdb');\n",
		"%1n", "is_db_chaining_on = 1", "ALTER DATABASE %1q SET DB_CHAINING OFF"},
	{"database-owner", FINDING_CRITICAL, LEFTOVER_SERVER,
		"a database owned by a login of Curfew's",
		FOUND NAME("d.name") ", " NAME("l.name") ", " NAME(
			"SUSER_SNAME(0x01)") "\n"
					     "FROM sys.databases AS d JOIN sys.server_principals AS l ON l.sid = d.owner_sid\n"
					     "JOIN sys.server_role_members AS rm ON rm.member_principal_id = l.principal_id\n"
					     "JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id WHERE r.name = N'" MARK_ROLE
					     "';\n",
		"%1n", "owned by %2n", "ALTER AUTHORIZATION ON DATABASE::%1q TO %3q"},
	{"server-owner", FINDING_HIGH, LEFTOVER_SERVER,
		"something of the server owned by a login of Curfew's",
		FOUND "x.kind, x.name, " NAME("l.name") ", " NAME(
			"SUSER_SNAME(0x01)") "\n"
					     "FROM (SELECT N'ENDPOINT' AS kind, " NAME(
						     "e.name") " AS name, e.principal_id FROM sys.endpoints AS e\n"
							       "  UNION ALL SELECT N'SERVER ROLE', " NAME(
								       "o.name") ", o.owning_principal_id\n"
										 "    FROM sys.server_principals AS o WHERE o.type = 'R') AS x\n"
										 "JOIN sys.server_principals AS l ON l.principal_id = x.principal_id\n"
										 "JOIN sys.server_role_members AS rm ON rm.member_principal_id = l.principal_id\n"
										 "JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id WHERE r.name = N'" MARK_ROLE
										 "';\n",
		"%2n", "%1t owned by %3n", "ALTER AUTHORIZATION ON %1t::%2q TO %4q"},
	{"server-owner", FINDING_HIGH, LEFTOVER_SERVER,
		"an availability group owned by a login of Curfew's",
		FOUND NAME("g.name") ", " NAME("l.name") ", " NAME(
			"SUSER_SNAME(0x01)") "\n"
					     "FROM sys.availability_groups AS g JOIN sys.server_principals AS l ON EXISTS (SELECT 1\n"
					     "  FROM sys.availability_replicas AS a WHERE a.group_id = g.group_id AND a.owner_sid = l.sid)\n"
					     "JOIN sys.server_role_members AS rm ON rm.member_principal_id = l.principal_id\n"
					     "JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id WHERE r.name = N'" MARK_ROLE
					     "';\n",
		"%1n", "AVAILABILITY GROUP owned by %2n",
		"ALTER AUTHORIZATION ON AVAILABILITY GROUP::%1q TO %3q"},
	{"unnamed-replica", FINDING_HIGH, LEFTOVER_SERVER,
		"replicas that the configuration does not name: after a failover to one nobody gets in, and nobody's access ends",
		FOUND
		"x.n\nFROM (SELECT COUNT(DISTINCT a.replica_server_name) AS n FROM sys.availability_replicas AS a\n"
		"  JOIN sys.availability_groups AS g ON g.group_id = a.group_id WHERE g.is_distributed = 0) AS x\n"
		"WHERE x.n > 1;\n",
		"%1t replicas", "the configuration names fewer",
		"-- add each replica to \"servers\" of curfew.conf, and name them in \"replicas\" of one of them"},
	{"unguarded-listener", FINDING_HIGH, LEFTOVER_SERVER,
		"an address at which the server takes sessions, and which no endpoint names: the packet filter does not guard it",
		FOUND LISTENER_AT "\n" LISTENERS, "%1t",
		"the server listens there, and no endpoint is this address or, of 0.0.0.0 and ::, of this family and port",
		"-- name the address in \"endpoints\" of curfew.conf; if no user can reach it, in \"known_listeners\"; or "
		"remove it in SQL Server Configuration Manager"},
	/* In dynamic text, because versions before 2022 do not have the column. */
	{"contained-group", FINDING_HIGH, LEFTOVER_SERVER,
		"the listener of a contained availability group: its master and its logins are not the instance's",
		"IF CAST(SERVERPROPERTY(N'ProductMajorVersion') AS int) >= 16 EXEC sys.sp_executesql N'" FOUND_AGAIN
		"CONVERT(nvarchar(36), s.contained_availability_group_id)\n"
		"FROM sys.dm_exec_sessions AS s WHERE s.session_id = @@SPID\n"
		"  AND s.contained_availability_group_id IS NOT NULL;';\n",
		"group %1t",
		"the instance's own logins reach the same databases, and are neither seen nor closed here",
		"-- set \"host\" of this server to the instance itself, and name the other instances in \"replicas\""},
	{"server-grant", FINDING_HIGH, LEFTOVER_SERVER,
		"a right on the server for public, or for the role that marks Curfew's logins",
		FOUND SERVER_GRANT_COLUMNS SERVER_PERMISSIONS
		"WHERE p.state IN ('G', 'W') AND g.name IN (N'public', N'" MARK_ROLE "')\n"
		"  AND NOT (g.name = N'public' AND (p.permission_name = N'VIEW ANY DATABASE'\n"
		"    OR (p.class = 105 AND p.permission_name = N'CONNECT' AND p.state = 'G')));\n",
		"%1n", "%3t%5o by %2n", "USE [master]; REVOKE %3t%5o FROM %1q CASCADE AS %2q"},
	/* A denial keeps the user from what the configuration gives, or Curfew from its own logins. */
	{"server-denial", FINDING_MEDIUM, LEFTOVER_SERVER,
		"a denial on the server that keeps users out, or Curfew from their logins",
		/* A denial took the place of the grant that CREATE LOGIN made, or that public has on an endpoint. */
		FOUND
		"CASE WHEN (p.class = 100 AND p.permission_name = N'CONNECT SQL' AND g.type <> 'R')\n"
		"  OR (p.class = 105 AND g.name = N'public') THEN N'GRANT' ELSE N'REVOKE' END,\n"
		"  " SERVER_GRANT_COLUMNS SERVER_PERMISSIONS
		"LEFT JOIN sys.server_principals AS k ON k.name = N'" MARK_ROLE
		"' AND k.type = 'R'\n"
		"LEFT JOIN sys.server_role_members AS gm ON gm.member_principal_id = g.principal_id\n"
		"  AND gm.role_principal_id = k.principal_id\n"
		"LEFT JOIN sys.server_role_members AS tm ON tm.member_principal_id = t.principal_id\n"
		"  AND tm.role_principal_id = k.principal_id\n"
		"WHERE p.state = 'D' AND (gm.role_principal_id IS NOT NULL OR tm.role_principal_id IS NOT NULL\n"
		"  OR g.principal_id = k.principal_id OR t.principal_id = k.principal_id OR (g.name = N'public'\n"
		"  AND (p.permission_name = N'CONNECT SQL' OR (p.class = 105 AND p.permission_name = N'CONNECT'))));\n",
		"%2n", "DENY %4t%6o by %3n", "USE [master]; %1t %4t%6o TO %2q AS %3q"},
	{"server-denial", FINDING_HIGH, LEFTOVER_SERVER,
		"a denial hides something of the server from Curfew: nobody is let in there, and no removal is certified; of a server role REVOKE it ON SERVER ROLE",
		FOUND HIDING_DENIAL_COLUMNS HIDING_DENIALS, "%1n", "DENY %3t%4o by %2n",
		"USE [master]; REVOKE %3t%4o FROM %1q AS %2q"},
	{"server-role-nested", FINDING_CRITICAL, LEFTOVER_SERVER,
		"the role that marks Curfew's logins is inside another: all of them hold what that one has",
		FOUND NAME("m.name") ", " NAME(
			"r.name") "\n"
				  "FROM sys.server_role_members AS rm\n"
				  "JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
				  "JOIN sys.server_principals AS m ON m.principal_id = rm.member_principal_id WHERE m.name = N'" MARK_ROLE
				  "';\n",
		"%1n", "member of %2n", "ALTER SERVER ROLE %2q DROP MEMBER %1q"},
	{"server-trigger", FINDING_HIGH, LEFTOVER_SERVER, "a trigger on the server or at logon",
		FOUND NAME(
			"t.name") ", CASE t.is_disabled WHEN 1 THEN N'disabled' ELSE N'enabled' END\n"
				  "FROM sys.server_triggers AS t;\n",
		"%1n", "%2t", "DROP TRIGGER %1q ON ALL SERVER"},
	{"server-event-notification", FINDING_MEDIUM, LEFTOVER_SERVER,
		"an event notification of the server",
		FOUND NAME("e.name") ", " NAME(
			"e.service_name") "\nFROM sys.server_event_notifications AS e;\n",
		"%1n", "service %2n", "DROP EVENT NOTIFICATION %1q ON SERVER"},
	{"linked-server", FINDING_MEDIUM, LEFTOVER_SERVER,
		"a linked server: queries leave this one",
		FOUND NAME("s.name") ", " LONG_NAME(
			"s.data_source") ",\n"
					 "  CASE WHEN s.data_source IS NULL THEN " NAME(
						 "s.product") " END FROM sys.servers AS s WHERE s.is_linked = 1;\n",
		"%1n", "%2n%3n",
		"EXEC sys.sp_dropserver @server = %1s, @droplogins = 'droplogins'"},
	{"linked-login", FINDING_HIGH, LEFTOVER_SERVER,
		"a linked server that everybody, or a login of Curfew's, enters by a login kept there",
		FOUND NAME("s.name") ", " NAME(
			"p.name") ", CASE WHEN l.local_principal_id = 0 THEN N'everybody' END,\n"
				  "  " NAME(
					  "l.remote_name") "\n"
							   "FROM sys.linked_logins AS l JOIN sys.servers AS s ON s.server_id = l.server_id\n"
							   "LEFT JOIN sys.server_principals AS p ON p.principal_id = l.local_principal_id\n"
							   "WHERE s.is_linked = 1 AND l.uses_self_credential = 0 AND l.remote_name IS NOT NULL\n"
							   "  AND (l.local_principal_id = 0 OR EXISTS (SELECT 1 FROM sys.server_role_members AS rm\n"
							   "    JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
							   "    WHERE rm.member_principal_id = l.local_principal_id AND r.name = N'" MARK_ROLE
							   "'));\n",
		"%1n", "%3t%2n as %4n",
		"EXEC sys.sp_droplinkedsrvlogin @rmtsrvname = %1s, @locallogin = %2u"},
	{"startup-procedure", FINDING_CRITICAL, LEFTOVER_SERVER,
		"a procedure that runs as sysadmin when the server starts",
		FOUND NAME(
			"p.name") "\nFROM master.sys.procedures AS p WHERE p.is_auto_executed = 1;\n",
		"%1n", "in master",
		"USE [master]; EXEC sys.sp_procoption @ProcName = %1s, @OptionName = 'startup', @OptionValue = 'off'"},
	{"agent-job", FINDING_HIGH, LEFTOVER_SERVER,
		"a job owned by a login of Curfew's, or by nobody on this server",
		FOUND NAME("j.name") ", CASE WHEN l.sid IS NULL THEN N'no login of this server' END, " NAME(
			"l.name") "\n"
				  "FROM msdb.dbo.sysjobs AS j LEFT JOIN sys.server_principals AS l ON l.sid = j.owner_sid\n"
				  "WHERE l.sid IS NULL OR EXISTS (SELECT 1 FROM sys.server_role_members AS rm\n"
				  "  JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
				  "  WHERE rm.member_principal_id = l.principal_id AND r.name = N'" MARK_ROLE
				  "');\n",
		"%1n", "owned by %2t%3n", "EXEC msdb.dbo.sp_delete_job @job_name = %1s"},
	{"agent-proxy", FINDING_LOW, LEFTOVER_SERVER,
		"an Agent proxy: jobs run with its credential",
		FOUND NAME(
			"x.name") ", CASE x.enabled WHEN 1 THEN N'enabled' ELSE N'disabled' END\n"
				  "FROM msdb.dbo.sysproxies AS x;\n",
		"%1n", "%2t", "EXEC msdb.dbo.sp_delete_proxy @proxy_name = %1s"},
	/* Both times are in the server's local time, which is set back once a year: so compare the distance, not the
	 * sign. */
	{"password-set", FINDING_MEDIUM, LEFTOVER_SERVER,
		"a password was set although none was handed over",
		FOUND NAME(
			"l.name") ", CONVERT(nvarchar(30), " PASSWORD_SET ", 126)\n"
				  "FROM sys.server_principals AS l JOIN sys.server_role_members AS rm ON rm.member_principal_id = l.principal_id\n"
				  "JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
				  "WHERE r.name = N'" MARK_ROLE
				  "' AND l.is_disabled = 0 AND ABS(DATEDIFF(SECOND, l.create_date,\n"
				  "  " PASSWORD_SET ")) > 5;\n",
		"%1n", "set %2t", "ALTER LOGIN %1q DISABLE"},
	{"bound-session", FINDING_HIGH, LEFTOVER_SERVER,
		"a session that shares its transaction with another: it lives on when one of them is ended",
		FOUND NAME(
			"s.original_login_name") ", t.session_id, t.transaction_id\n"
						 "FROM sys.dm_tran_session_transactions AS t\n"
						 "JOIN sys.dm_exec_sessions AS s ON s.session_id = t.session_id\n"
						 "WHERE t.transaction_id IN (SELECT b.transaction_id FROM sys.dm_tran_session_transactions AS b\n"
						 "  WHERE b.is_bound = 1) AND EXISTS (SELECT 1 FROM sys.dm_tran_session_transactions AS o\n"
						 "  JOIN sys.dm_exec_sessions AS k ON k.session_id = o.session_id\n"
						 "  WHERE o.transaction_id = t.transaction_id AND " OURS
						 ");\n",
		"%1n", "session %2t in transaction %3t", "KILL %2t"},
	{"in-doubt", FINDING_HIGH, LEFTOVER_SERVER,
		"a distributed transaction that no session holds any more: it keeps its locks",
		FOUND NAME(
			"d.name") ", CONVERT(nvarchar(36), k.request_owner_guid)\n"
				  "FROM sys.dm_tran_locks AS k JOIN sys.databases AS d ON d.database_id = k.resource_database_id\n"
				  "WHERE k.request_session_id = -2 GROUP BY d.name, k.request_owner_guid;\n",
		"%1n", "unit of work %2t", "KILL '%2t'"},
	{"long-transaction", FINDING_MEDIUM, LEFTOVER_SERVER,
		"a transaction of a login of Curfew's that is open for a minute and longer: others wait for its locks",
		FOUND NAME(
			"k.original_login_name") ", t.session_id, DATEDIFF(SECOND, a.transaction_begin_time, GETDATE())\n"
						 "FROM sys.dm_tran_session_transactions AS t\n"
						 "JOIN sys.dm_tran_active_transactions AS a ON a.transaction_id = t.transaction_id\n"
						 "JOIN sys.dm_exec_sessions AS k ON k.session_id = t.session_id\n"
						 "WHERE DATEDIFF(SECOND, a.transaction_begin_time, GETDATE()) >= 60 AND " OURS
						 ";\n",
		"%1n", "session %2t, open for %3t s", "KILL %2t"},
	{0},
};
