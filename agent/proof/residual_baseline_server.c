/* What the baselines of a server record: of the server itself, and of SQL Server Agent. Code in master and msdb is recorded
 * whether or not it bears the mark of what SQL Server ships, for a database owner can put that mark on anything
 * (sys.sp_MS_marksystemobject). Marked code is of a kind of its own, because updates change it too. */
#include "proof/residual_baseline.h"

/* What a sysadmin was led to leave behind: it runs as whoever comes by, in any database, or at the next event. */
#define MODULES_OF(kind, shipped)                                                                                                                              \
	{                                                                                                                                                      \
		kind,                                                                                                                                          \
			ITEM TWO_PART ", o.type_desc, " HASH(                                                                                                  \
				"m.definition") ", CASE WHEN m.definition IS NULL THEN CONVERT(nvarchar(30), o.modify_date, 126) END,\n"                       \
						"  " FLAG("t.is_disabled",                                                                                     \
							" disabled") "\n"                                                                                      \
								     "FROM sys.objects AS o JOIN sys.sql_modules AS m ON m.object_id = o.object_id " IN_SCHEMA \
								     "LEFT JOIN sys.triggers AS t ON t.object_id = o.object_id\n"                              \
								     "WHERE o.is_ms_shipped = " shipped                                                        \
								     ";\n",                                                                                    \
			"%1w", "%3t %4x%5t%6t"                                                                                                                 \
	}
/* sys.objects has no DDL triggers. */
#define CODE_ITEMS                                                                                                                  \
	MODULES_OF("server-module", "0"), MODULES_OF("shipped-module", "1"),                                                        \
	{                                                                                                                           \
		"system-ddl-trigger",                                                                                               \
			ITEM NAME("t.name") ", " HASH("m.definition") ", " FLAG("t.is_disabled",                                    \
				" disabled") "\n"                                                                                   \
					     "FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n" \
					     "WHERE t.parent_class = 0;\n",                                                         \
			"%1q", "%2x%3t"                                                                                             \
	}
#define PASSWORDS_OF(kind, member)                                                                                                          \
	{                                                                                                                                   \
		kind,                                                                                                                       \
			ITEM NAME(                                                                                                          \
				"l.name") ", CONVERT(nvarchar(30), CAST(LOGINPROPERTY(l.name, N'PasswordLastSetTime') AS datetime), 126)\n" \
					  "FROM sys.server_principals AS l WHERE l.type = 'S'\n"                                            \
					  "  AND COALESCE(IS_SRVROLEMEMBER(N'sysadmin', l.name), 1) " member                                \
					  ";\n",                                                                                            \
			"%1q", "%2t"                                                                                                        \
	}
#define LINKED_LOGINS(which, form)                                                                                                  \
	{                                                                                                                           \
		"linked-login",                                                                                                     \
			ITEM NAME("s.name") ", " NAME("p.name") ", " NAME(                                                          \
				"l.remote_name") "\n"                                                                               \
						 "FROM sys.linked_logins AS l JOIN sys.servers AS s ON s.server_id = l.server_id\n" \
						 "LEFT JOIN sys.server_principals AS p ON p.principal_id = l.local_principal_id\n"  \
						 "WHERE s.is_linked = 1 AND l.uses_self_credential = 0 AND " which                  \
						 ";\n",                                                                             \
			form, "as %3n"                                                                                              \
	}
/* "made" changes only when the database is created or restored; "kinds" tells which kinds a baseline has (BASELINE_KINDS):
 * those of earlier versions are without the later ones. */
#define MARKS                                                                                      \
	{"setting",                                                                                \
		ITEM "N'made', CONVERT(nvarchar(30), d.create_date, 126)\n"                        \
		     "FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",                   \
		"%1t", "%2t"},                                                                     \
	{                                                                                          \
		"setting", ITEM "N'kinds', N'" BASELINE_KINDS "';\n", "%1t", "%2t"                 \
	}

/* Stored under the name of master: items of the server that can appear and disappear. */
const struct base_question server_base_questions[] = {
	{"login", ITEM NAME("l.name") ", l.type_desc, l.sid\nFROM sys.server_principals AS l;\n",
		"%1q", "%2t 0x%3x"},
	{"login-state",
		ITEM NAME(
			"l.name") ", CASE l.is_disabled WHEN 1 THEN N'disabled' ELSE N'enabled' END\n"
				  "FROM sys.server_principals AS l WHERE l.type <> 'R';\n",
		"%1q", "%2t"},
	PASSWORDS_OF("sysadmin-password", "= 1"),
	PASSWORDS_OF("login-password", "= 0"),
	{"server-member",
		ITEM NAME("m.name") ", " NAME(
			"r.name") "\n"
				  "FROM sys.server_role_members AS rm\n"
				  "JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
				  "JOIN sys.server_principals AS m ON m.principal_id = rm.member_principal_id;\n",
		"%1q in %2q", ""},
	{"server-permission",
		ITEM SERVER_GRANT_COLUMNS SERVER_PERMISSIONS
		"WHERE p.state = 'W' OR (p.state = 'G' AND p.permission_name <> N'CONNECT SQL');\n",
		"%3t%5o TO %1q", "%4t"},
	{"setting",
		ITEM NAME(
			"c.name") ", CAST(c.value_in_use AS nvarchar(20))\n"
				  "FROM sys.configurations AS c WHERE c.name IN (N'xp_cmdshell', N'clr enabled', N'Ole Automation Procedures',\n"
				  "  N'cross db ownership chaining', N'contained database authentication', N'scan for startup procs',\n"
				  "  N'Ad Hoc Distributed Queries', N'clr strict security');\n",
		"%1n", "%2t"},
	CODE_ITEMS,
	{"server-trigger",
		ITEM NAME("t.name") ", " HASH("m.definition") ", " FLAG("t.is_disabled",
			" disabled") "\n"
				     "FROM sys.server_triggers AS t LEFT JOIN sys.server_sql_modules AS m ON m.object_id = t.object_id;\n",
		"%1q", "%2x%3t"},
	/* A way into the server. The administrators' own has another port after each start. */
	{"endpoint",
		ITEM NAME(
			"e.name") ", e.type_desc, e.protocol_desc, e.state_desc, p.sid,\n"
				  "  CASE t.is_dynamic_port WHEN 0 THEN t.port END\n"
				  "FROM sys.endpoints AS e LEFT JOIN sys.tcp_endpoints AS t ON t.endpoint_id = e.endpoint_id\n"
				  "LEFT JOIN sys.server_principals AS p ON p.principal_id = e.principal_id;\n",
		"%1q", "%2t %3t %4t, of 0x%5x, port %6t"},
	/* As whom the server goes elsewhere. The secret is not shown, but when it was set. */
	{"credential",
		ITEM NAME("c.name") ", " LONG_NAME(
			"c.credential_identity") ", CONVERT(nvarchar(30), c.modify_date, 126)\n"
						 "FROM sys.credentials AS c;\n",
		"%1q", "identity %2n, set %3t"},
	/* Without a login of its own, a session gets to the other server as itself. */
	LINKED_LOGINS("l.local_principal_id <> 0", "%1q for %2q"),
	LINKED_LOGINS("l.local_principal_id = 0", "%1q for everybody"),
	/* Whoever owns master, or may run what stands there, may act as the next sysadmin who comes by. */
	PRINCIPAL_ITEMS,
	MEMBER_ITEMS,
	PERMISSION_ITEMS,
	/* Ids of the server's own objects are negative. Its extended procedures reach its host, and which of them everybody
	 * may run from the start differs from version to version. */
	{"permission",
		ITEM NAME("g.name") ", p.permission_name, p.state_desc, " NAME(
			"o.name") "\n"
				  "FROM sys.database_permissions AS p\n"
				  "JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
				  "JOIN sys.all_objects AS o ON o.object_id = p.major_id\n"
				  "WHERE p.class = 1 AND p.major_id < 0 AND o.type = 'X' AND p.state IN ('G', 'W');\n",
		"%2t ON OBJECT::[sys].%4q TO %1q", "%3t"},
	MARKS,
	{0},
};

/* Stored under the name of msdb: what runs by itself, and as whom. Every job's T-SQL can be that of a sysadmin. */
const struct base_question msdb_base_questions[] = {
	{"job",
		ITEM NAME(
			"j.name") ", CASE j.enabled WHEN 1 THEN N'enabled' ELSE N'disabled' END, j.owner_sid\n"
				  "FROM msdb.dbo.sysjobs AS j;\n",
		"%1q", "JOB %2t, of 0x%3x"},
	{"job-step",
		ITEM NAME("j.name") ", p.step_id, p.subsystem, " NAME("p.database_name") ", " NAME(
			"p.database_user_name") ", p.proxy_id, " HASH("p.command") "\n"
										   "FROM msdb.dbo.sysjobsteps AS p JOIN msdb.dbo.sysjobs AS j ON j.job_id = p.job_id;\n",
		"%1q step %2t", "%3t in %4n%5n%6t: %7x"},
	{"job-schedule",
		ITEM NAME("j.name") ", h.schedule_id, " NAME(
			"h.name") ", CASE h.enabled WHEN 1 THEN N'enabled' ELSE N'disabled' END,\n"
				  "  h.freq_type, h.freq_interval, h.active_start_date, h.active_start_time\n"
				  "FROM msdb.dbo.sysjobschedules AS k JOIN msdb.dbo.sysjobs AS j ON j.job_id = k.job_id\n"
				  "JOIN msdb.dbo.sysschedules AS h ON h.schedule_id = k.schedule_id;\n",
		"%1q schedule %2t", "%3n %4t, type %5t/%6t from %7t %8t"},
	/* An alert starts a job when something happens. */
	{"alert",
		ITEM NAME("a.name") ", CASE a.enabled WHEN 1 THEN N'enabled' ELSE N'disabled' END, a.message_id, a.severity, " NAME(
			"j.name") "\n"
				  "FROM msdb.dbo.sysalerts AS a LEFT JOIN msdb.dbo.sysjobs AS j ON j.job_id = a.job_id;\n",
		"%1q", "ALERT %2t, message %3t, severity %4t, job %5q"},
	{"proxy",
		ITEM NAME(
			"x.name") ", x.credential_id, CASE x.enabled WHEN 1 THEN N'enabled' ELSE N'disabled' END\n"
				  "FROM msdb.dbo.sysproxies AS x;\n",
		"%1q", "PROXY credential %2t, %3t"},
	{"proxy-login",
		ITEM NAME("x.name") ", " NAME(
			"l.name") ", g.sid\n"
				  "FROM msdb.dbo.sysproxylogin AS g JOIN msdb.dbo.sysproxies AS x ON x.proxy_id = g.proxy_id\n"
				  "LEFT JOIN sys.server_principals AS l ON l.sid = g.sid;\n",
		"%1q for %2q, SID 0x%3x", ""},
	CODE_ITEMS,
	PRINCIPAL_ITEMS,
	MEMBER_ITEMS,
	PERMISSION_ITEMS,
	MARKS,
	{0},
};
