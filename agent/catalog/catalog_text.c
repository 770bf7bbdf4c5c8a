/* The questions of an observation. The first column of each row names the part, so that the answer is clear even if
 * parts were left out. Uses only catalog views that all supported versions have, and never two of them in one
 * expression. */
#include "catalog/catalog.h"
#include "sql/agent_permissions.h"
#include "sql/database_owner.h"
#include "sql/hiding_denial.h"
#include "sql/name.h"
#include "sql/trigger_events.h"

/* The module runs something: EXEC stands there, but for an EXECUTE AS, whose last word ends. EXECUTE as_anything is a call. */
#define EXECUTES                                                                                    \
	"REPLACE(REPLACE(REPLACE(REPLACE(UPPER(m.definition), NCHAR(9), N' '), NCHAR(10), N' '),\n" \
	"    NCHAR(13), N' '), N'EXECUTE AS ', N'') LIKE N'%EXEC%'"

/* create_date is in the server's local time, so ages are differences between readings of the server's own clock. */
const struct part server_parts[] = {
	{"principal",
		"SELECT N'principal' AS [part], p.principal_id,\n"
		"  CAST(CAST(p.name AS nvarchar(128)) AS varbinary(256)), CAST(p.sid AS varbinary(85)), p.type, p.is_disabled,\n"
		"  CASE WHEN p.create_date < '19900101' THEN NULL ELSE DATEDIFF(SECOND, p.create_date, GETDATE()) END,\n"
		"  CAST(CAST(p.default_database_name AS nvarchar(128)) AS varbinary(256)), p.owning_principal_id\n"
		"FROM sys.server_principals AS p;\n",
		true},
	{"endpoint",
		"SELECT N'endpoint' AS [part], 0, e.endpoint_id, CAST(CAST(e.name AS nvarchar(128)) AS varbinary(256)), NULL,\n"
		"  e.principal_id FROM sys.endpoints AS e;\n",
		false},
	{"server-member",
		"SELECT N'server-member' AS [part], m.role_principal_id, m.member_principal_id\n"
		"FROM sys.server_role_members AS m;\n",
		false},
	{"server-permission",
		"SELECT N'server-permission' AS [part], p.class, p.state, p.permission_name, p.major_id,\n"
		"  p.grantee_principal_id, p.grantor_principal_id FROM sys.server_permissions AS p;\n",
		false},
	{"server-denial",
		"SELECT N'server-denial' AS [part], " HIDING_DENIAL_COLUMNS HIDING_DENIALS, false},
	{"database",
		"SELECT N'database' AS [part], d.database_id, CAST(CAST(d.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  d.state, d.user_access, d.source_database_id, d.is_read_only, d.is_in_standby, HAS_DBACCESS(d.name),\n"
		"  CAST(DATABASEPROPERTYEX(d.name, N'Updateability') AS nvarchar(20)),\n"
		"  CAST(d.owner_sid AS varbinary(85)), d.is_db_chaining_on, d.is_trustworthy_on,\n"
		"  CONVERT(nvarchar(30), d.create_date, 126) FROM sys.databases AS d;\n",
		true},
	{"chaining",
		"SELECT N'chaining' AS [part], CAST(c.value_in_use AS int) FROM sys.configurations AS c\n"
		"WHERE c.name = N'cross db ownership chaining';\n",
		false},
	/* A step in T-SQL runs as the job's owner, or as the Agent's own account, which is a sysadmin, if the owner is
	 * one (https://learn.microsoft.com/sql/ssms/agent/manage-job-steps). Only of a SQL login, found by the owner's
	 * SID, the server can say that it is none: whoever logs in as a member of a Windows group has no login, and of
	 * a Windows login IS_SRVROLEMEMBER may miss groups. Inside a text, so that TRY catches that the agent may not
	 * read there. */
	{"job",
		"BEGIN TRY EXEC sys.sp_executesql N'SELECT DISTINCT N''job'' AS [part], DB_ID(s.database_name), " NAME_BYTES(
			"j.name") "\n"
				  "FROM msdb.dbo.sysjobs AS j JOIN msdb.dbo.sysjobsteps AS s ON s.job_id = j.job_id\n"
				  "WHERE j.enabled = 1 AND s.subsystem = N''TSQL''\n"
				  "  AND NOT EXISTS (SELECT 1 FROM sys.server_principals AS p WHERE p.sid = j.owner_sid AND p.type = ''S''\n"
				  "    AND IS_SRVROLEMEMBER(N''sysadmin'', p.name) = 0);';\n"
				  "END TRY BEGIN CATCH SELECT N'job' AS [part], NULL, NULL; END CATCH;\n",
		false},
	/* A change that failed may have left the session in a database: the role is in master, and so are the
	 * references of the triggers. Those may be read by the owners of master, and by whom `curfew bootstrap` lets
	 * read them, so they are asked for only where there is an enabled trigger: an agent that may not read them goes
	 * on elsewhere. */
	{"lock-role",
		"USE [master];\nSELECT N'lock-role' AS [part], IS_ROLEMEMBER(N'" LOCK_ROLE "');\n",
		false},
	{"server-trigger",
		"IF EXISTS (SELECT 1 FROM sys.server_triggers AS t WHERE t.is_disabled = 0)\n"
		"SELECT N'server-trigger' AS [part], CAST(CAST(t.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  HASHBYTES('SHA2_256', m.definition),\n"
		"  CASE WHEN " EXECUTES " THEN 1 ELSE 0 END,\n"
		"  (SELECT COUNT(*) FROM sys.sql_expression_dependencies AS d WHERE d.referencing_class = 13\n"
		"    AND d.referencing_id = t.object_id AND (d.referenced_server_name IS NOT NULL\n"
		"    OR d.referenced_database_name NOT IN (N'master', N'msdb')))\n"
		"FROM sys.server_triggers AS t LEFT JOIN sys.server_sql_modules AS m ON m.object_id = t.object_id\n"
		"WHERE t.is_disabled = 0;\n",
		false},
	{0},
};

#define RARER(class, id, view)                                                                     \
	class ", x." id ", " NAME_BYTES("x.name") ", NULL, x.principal_id FROM sys." view " AS x\n"
#define AND_RARER "UNION ALL SELECT N'rarer', DB_ID(), "

/* Each row names its database, so that a failed USE is noticed. Of objects, types, and columns only those on which
 * somebody has a permission, or that have their own owner. */
const struct part database_parts[] = {
	{"user",
		"SELECT N'user' AS [part], DB_ID(), p.principal_id, CAST(CAST(p.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  CAST(p.sid AS varbinary(85)), p.type, p.owning_principal_id, p.authentication_type\n"
		"FROM sys.database_principals AS p;\n",
		true},
	{"member",
		"SELECT N'member' AS [part], DB_ID(), m.role_principal_id, m.member_principal_id\n"
		"FROM sys.database_role_members AS m;\n",
		true},
	{"schema",
		"SELECT N'schema' AS [part], DB_ID(), s.schema_id, CAST(CAST(s.name AS nvarchar(128)) AS varbinary(256)), NULL,\n"
		"  s.principal_id FROM sys.schemas AS s;\n",
		false},
	{"permission",
		"SELECT N'permission' AS [part], DB_ID(), p.class, p.state, p.permission_name, p.major_id, p.minor_id,\n"
		"  p.grantee_principal_id, p.grantor_principal_id FROM sys.database_permissions AS p WHERE p.major_id >= 0;\n",
		false},
	{"object",
		"SELECT N'object' AS [part], DB_ID(), o.object_id, CAST(CAST(o.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  o.schema_id, o.principal_id FROM sys.objects AS o WHERE o.parent_object_id = 0 AND (o.principal_id IS NOT NULL\n"
		"  OR o.object_id IN (SELECT p.major_id FROM sys.database_permissions AS p WHERE p.class = 1));\n",
		false},
	{"column",
		"SELECT N'column' AS [part], DB_ID(), c.column_id, CAST(CAST(c.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  c.object_id, NULL FROM sys.columns AS c WHERE c.object_id IN\n"
		"  (SELECT p.major_id FROM sys.database_permissions AS p WHERE p.class = 1 AND p.minor_id > 0);\n",
		false},
	{"type",
		"SELECT N'type' AS [part], DB_ID(), t.user_type_id, CAST(CAST(t.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  t.schema_id, t.principal_id FROM sys.types AS t WHERE t.is_user_defined = 1;\n",
		false},
	/* Few databases have many of them. Names are bytes here, so no collations meet. ALTER AUTHORIZATION knows no
	 * credential, so nobody is said to own one. */
	{"rarer",
		"SELECT N'rarer' AS [part], DB_ID(), 10, x.xml_collection_id, " NAME_BYTES(
			"x.name") ", x.schema_id,\n"
				  "  x.principal_id FROM sys.xml_schema_collections AS x\n" AND_RARER
					  RARER("5", "assembly_id", "assemblies") AND_RARER RARER(
						  "15", "message_type_id",
						  "service_message_types") AND_RARER RARER("16",
						  "service_contract_id",
						  "service_contracts") AND_RARER RARER("17",
						  "service_id", "services") AND_RARER RARER("18",
						  "remote_service_binding_id",
						  "remote_service_bindings") AND_RARER RARER("19",
						  "route_id", "routes") AND_RARER RARER("23",
						  "fulltext_catalog_id",
						  "fulltext_catalogs") AND_RARER RARER("24",
						  "symmetric_key_id",
						  "symmetric_keys") AND_RARER RARER("25",
						  "certificate_id",
						  "certificates") AND_RARER RARER("26",
						  "asymmetric_key_id",
						  "asymmetric_keys") AND_RARER RARER("29",
						  "stoplist_id", "fulltext_stoplists")
						  AND_RARER RARER("31", "property_list_id",
							  "registered_search_property_lists")
							  AND_RARER
		"32, x.credential_id, " NAME_BYTES(
			"x.name") ", NULL, NULL\n"
				  "  FROM sys.database_scoped_credentials AS x;\n",
		false},
	/* What it uses may be read by the owners of the database alone: asked for only where there is one. */
	{"trigger",
		"IF EXISTS (SELECT 1 FROM sys.triggers AS t WHERE t.parent_class = 0 AND t.is_disabled = 0)\n"
		"SELECT N'trigger' AS [part], DB_ID(), CAST(CAST(t.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  HASHBYTES('SHA2_256', m.definition),\n"
		"  CASE WHEN " EXECUTES " THEN 1 ELSE 0 END,\n"
		"  (SELECT COUNT(*) FROM sys.sql_expression_dependencies AS d WHERE d.referencing_class = 12\n"
		"    AND d.referencing_id = t.object_id),\n"
		"  CASE WHEN " FIRES_ELSEWHERE(
			"t.object_id") " THEN 1 ELSE 0 END\n"
				       "FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
				       "WHERE t.parent_class = 0 AND t.is_disabled = 0;\n",
		false},
	/* 1: a module, 2: a CLR module, 3: a queue, 4: a policy, 5: a DDL trigger, which is not in sys.objects
	 * (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-objects-transact-sql). What
	 * uses nothing can be altered by nobody but itself. A queue counts also while its activation is off: ALTER
	 * QUEUE switches that on, and asks for no IMPERSONATE unless it names whom to run as. A DDL trigger that is
	 * disabled stays so: to enable it takes ALTER ANY DATABASE DDL TRIGGER, which no level has. Whatever it fires
	 * on counts, above all what Curfew never does: users with full access alter tables. The triggers of Change Data
	 * Capture and of publications run as their callers. */
	{"runner",
		"SELECT N'runner' AS [part], DB_ID(), 1, CAST(CAST(s.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  CAST(CAST(o.name AS nvarchar(128)) AS varbinary(256)), m.execute_as_principal_id\n"
		"FROM sys.sql_modules AS m JOIN sys.objects AS o ON o.object_id = m.object_id\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id WHERE m.execute_as_principal_id IS NOT NULL\n"
		"  AND (m.definition IS NULL OR " EXECUTES "\n"
		"    OR EXISTS (SELECT 1 FROM sys.sql_expression_dependencies AS d WHERE d.referencing_id = m.object_id));\n"
		"SELECT N'runner' AS [part], DB_ID(), 2, CAST(CAST(s.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  CAST(CAST(o.name AS nvarchar(128)) AS varbinary(256)), a.execute_as_principal_id\n"
		"FROM sys.assembly_modules AS a JOIN sys.objects AS o ON o.object_id = a.object_id\n"
		"JOIN sys.schemas AS s ON s.schema_id = o.schema_id WHERE a.execute_as_principal_id IS NOT NULL;\n"
		"SELECT N'runner' AS [part], DB_ID(), 3, CAST(CAST(s.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  CAST(CAST(q.name AS nvarchar(128)) AS varbinary(256)), q.execute_as_principal_id\n"
		"FROM sys.service_queues AS q JOIN sys.schemas AS s ON s.schema_id = q.schema_id\n"
		"WHERE (q.activation_procedure IS NOT NULL OR q.execute_as_principal_id IS NOT NULL) AND q.is_ms_shipped = 0;\n"
		"SELECT N'runner' AS [part], DB_ID(), 4, CAST(CAST(s.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  CAST(CAST(y.name AS nvarchar(128)) AS varbinary(256)), NULL\n"
		"FROM sys.security_policies AS y JOIN sys.schemas AS s ON s.schema_id = y.schema_id\n"
		"WHERE y.is_schema_bound = 0;\n"
		"SELECT N'runner' AS [part], DB_ID(), 5, NULL, CAST(CAST(t.name AS nvarchar(128)) AS varbinary(256)),\n"
		"  m.execute_as_principal_id FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
		"LEFT JOIN sys.assembly_modules AS a ON a.object_id = t.object_id WHERE t.parent_class = 0 AND t.is_disabled = 0\n"
		"  AND (m.execute_as_principal_id IS NOT NULL OR a.execute_as_principal_id IS NOT NULL)\n"
		"  AND (m.definition IS NULL OR " EXECUTES "\n"
		"    OR EXISTS (SELECT 1 FROM sys.sql_expression_dependencies AS d WHERE d.referencing_class = 12\n"
		"      AND d.referencing_id = t.object_id));\n",
		false},
	/* Whoever controls the database can deny the sight of a user while users are read, and revoke that before denials
	 * are. The owner sees everybody at any time, for its permissions are not checked
	 * (https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine). Nothing of the
	 * database runs meanwhile, so no cookie is needed. */
	{PART_THERE,
		"BEGIN TRY\n"
		"EXECUTE AS USER = N'dbo';\n"
		"SELECT N'" PART_THERE
		"' AS [part], DB_ID(), p.principal_id FROM sys.database_principals AS p;\n"
		"REVERT;\n"
		"END TRY\n"
		"BEGIN CATCH\n"
		"REVERT;\n"
		"IF NOT (" OWNER_IS_NOT_THERE ") THROW;\n"
		"END CATCH;\n",
		false},
	{"end",
		"SELECT N'end' AS [part], DB_ID(), COALESCE(HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DEFINITION'),\n"
		"  HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION'));\n",
		true},
	{0},
};

/* Seconds since 2020, because DATEDIFF returns an int: good until 2088. */
#define CLOCK "DATEDIFF(SECOND, '20200101', GETDATE())"

void catalog_probe_write(FILE *to)
{
	fputs("SELECT N'server' AS [part], CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)),\n"
	      "  " CLOCK ";\n",
		to);
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++)
		for (size_t k = 0; k < ARRAY_SIZE(server_rights[i].permissions); k++) {
			const char *permission = server_rights[i].permissions[k];
			if (permission)
				fprintf(to,
					"%s %zu, %zu, CASE WHEN IS_SRVROLEMEMBER(N'sysadmin') = 1 THEN 1\n"
					"  ELSE HAS_PERMS_BY_NAME(NULL, NULL, N'%s') END\n",
					i || k ? "UNION ALL SELECT N'right',"
					       : "SELECT N'right' AS [part],",
					i, k, permission);
		}
	fputs(";\n", to);
}

const char catalog_probe_plain[] =
	"SELECT N'server' AS [part], CAST(@@VERSION AS nvarchar(128)), " CLOCK ";\n";

void catalog_names_write(FILE *to, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fprintf(to, "SELECT N'database-id' AS [part], %zu, DB_ID(", i);
		sql_write_string(to, names[i]);
		fputs(");\n", to);
	}
}

void catalog_principals_write(FILE *to, const struct sid *sids, size_t n)
{
	fputs("SELECT N'user' AS [part], DB_ID(), p.principal_id, CAST(CAST(p.name AS nvarchar(128)) AS varbinary(256)),\n"
	      "  CAST(p.sid AS varbinary(85)), p.type, p.owning_principal_id, p.authentication_type\n"
	      "FROM sys.database_principals AS p WHERE p.sid IN (",
		to);
	sids_write(to, sids, n);
	/* A denial may hide one of theirs: then the database is read completely, and the denial is named. */
	fputs(") OR p.authentication_type = 2 OR (p.principal_id = 0 AND EXISTS (SELECT 1 FROM sys.database_permissions AS d\n"
	      "  WHERE d.state = 'D' AND d.class IN (0, 4)\n"
	      "    AND d.permission_name IN (N'VIEW DEFINITION', N'VIEW SECURITY DEFINITION', N'CONTROL')));\n",
		to);
}

void catalog_conditions_write(
	FILE *to, const struct sid *sids, size_t n, const struct sql_closing *named, size_t n_named)
{
	static const char *const properties[CONDITIONS] = {
		"IsLocked", "IsExpired", "IsMustChange", "DaysUntilExpiration", "BadPasswordCount"};

	fputs("SELECT N'condition' AS [part], CAST(p.sid AS varbinary(85))", to);
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		fprintf(to, ",\n  CAST(LOGINPROPERTY(p.name, N'%s') AS int)", properties[i]);
	fputs("\nFROM sys.server_principals AS p WHERE p.sid IN (", to);
	sids_write(to, sids, n);
	for (size_t i = 0; i < n_named; i++) {
		fputs(",\n  SUSER_SID(", to);
		sql_write_string(to, named[i].login);
		putc(')', to);
	}
	fputs(");\n", to);
}

void catalog_leave_write(FILE *to)
{
	fprintf(to, "USE [master];\nSET LOCK_TIMEOUT %d;\n", LOCK_PATIENCE);
}

void catalog_blocker_write(FILE *to, int database)
{
	fprintf(to,
		"SELECT TOP (1) N'blocker' AS [part], s.session_id,\n"
		"  CAST(CAST(s.original_login_name AS nvarchar(128)) AS varbinary(256))\n"
		"FROM sys.dm_exec_sessions AS s\n"
		"WHERE s.database_id = %d AND s.open_transaction_count > 0 AND s.session_id <> @@SPID\n"
		"ORDER BY s.last_request_start_time;\n",
		database);
}
