/* What a former full-access user may have left behind in a database: one named check each, as T-SQL that a DBA can read
 * and run.
 *
 * A check asks for plain columns and says by forms (residual.h) what was found, the evidence, the exact remedy. %C stands
 * for the check's number, %D for the database's. Nothing is left out for being marked as shipped with the product: a
 * database owner can put that mark on anything. */
#include "proof/residual.h"

#define REVOKED "REVOKE %3t%5o FROM %1q CASCADE AS %2q"
/* State R is a column excluded from a grant on its table, and gives nothing. */
#define GRANTED "p.state IN ('G', 'W')"
/* Owners other than dbo, without the principals that SQL Server creates. */
#define OWNED NAME("p.name") ", 1, x.kind, x.[schema], x.name, NULL, NULL\nFROM "
/* Not by dbo, INFORMATION_SCHEMA, and sys. A fixed role has the schema of its name from the start, and guest has his. */
#define BY_OTHERS                                                                                  \
	" AS x JOIN sys.database_principals AS p ON p.principal_id = x.principal_id\n"             \
	"WHERE p.principal_id NOT IN (1, 3, 4) AND NOT (x.kind = N'SCHEMA' AND x.name = " NAME(    \
		"p.name") "\n"                                                                     \
			  "  AND (p.is_fixed_role = 1 OR p.principal_id = 2));\n"
/* All that there is, or the way to it. */
#define WIDEST                                                                                     \
	"p.permission_name IN (N'CONTROL', N'TAKE OWNERSHIP', N'IMPERSONATE') OR p.permission_name LIKE N'ALTER%%'"
#define CREATED "CONVERT(nvarchar(30), p.create_date, 126)"

const struct leftover database_leftovers[] = {
	/* Ways to enter the database. */
	{"orphaned-user", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a user whose login is not on this server",
		FOUND NAME(
			"p.name") ", p.sid\n"
				  "FROM sys.database_principals AS p WHERE p.type = 'S' AND p.authentication_type = 1 AND p.principal_id > 4\n"
				  "  AND NOT EXISTS (SELECT 1 FROM sys.server_principals AS l WHERE l.sid = p.sid);\n",
		"%1n", "SID 0x%2x", "DROP USER %1q"},
	{"renamed-user", FINDING_LOW, LEFTOVER_DATABASE,
		"a user that bears another name than its login",
		FOUND NAME("p.name") ", " NAME(
			"l.name") "\n"
				  "FROM sys.database_principals AS p JOIN sys.server_principals AS l ON l.sid = p.sid\n"
				  /* The observation reports more about managed logins. */
				  "WHERE p.type = 'S' AND p.principal_id > 4 AND NOT EXISTS (SELECT 1\n"
				  "  FROM sys.server_role_members AS m JOIN sys.server_principals AS k ON k.principal_id = m.role_principal_id\n"
				  "  WHERE m.member_principal_id = l.principal_id AND k.name = N'" MARK_ROLE
				  "');\n",
		"%1n", "maps to login %2n", "ALTER USER %1q WITH NAME = %2q", true},
	{"contained-user", FINDING_HIGH, LEFTOVER_DATABASE,
		"a user with a password of its own: it needs no login",
		FOUND NAME(
			"p.name") ", " CREATED "\n"
				  "FROM sys.database_principals AS p WHERE p.type = 'S' AND p.authentication_type = 2;\n",
		"%1n", "created %2t", "DROP USER %1q"},
	{"loginless-user", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a user WITHOUT LOGIN: reached by EXECUTE AS",
		FOUND NAME(
			"p.name") ", " CREATED "\n"
				  "FROM sys.database_principals AS p\n"
				  "WHERE p.type = 'S' AND p.authentication_type = 0 AND p.principal_id > 4;\n",
		"%1n", "created %2t", "DROP USER %1q"},
	{"application-role", FINDING_HIGH, LEFTOVER_DATABASE,
		"an application role: entered by a password alone",
		FOUND NAME("p.name") ", " CREATED "\n"
				     "FROM sys.database_principals AS p WHERE p.type = 'A';\n",
		"%1n", "created %2t", "DROP APPLICATION ROLE %1q"},
	{"certificate-user", FINDING_HIGH, LEFTOVER_DATABASE,
		"a user mapped to a certificate or key: signed modules act as it",
		FOUND NAME(
			"p.name") ", p.type\n"
				  "FROM sys.database_principals AS p WHERE p.type IN ('C', 'K');\n",
		"%1n", "type %2t", "DROP USER %1q"},
	{"guest-connect", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission of guest: every login of the server may hold it",
		FOUND GRANT_COLUMNS PERMISSIONS "WHERE g.name = N'guest' AND " GRANTED
						" AND (o.object_id IS NOT NULL OR p.class <> 1);\n",
		"%3t", "%4t%5o", REVOKED},
	/* In these three guest must be, and what public holds there is the product's. */
	{"guest-elsewhere", FINDING_HIGH, LEFTOVER_ELSEWHERE,
		"guest may enter a database that no client file names: every login of the server has there what public has",
		FOUND NAME(
			"g.name") "\nFROM sys.database_permissions AS p\n"
				  "JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
				  "WHERE p.class = 0 AND p.permission_name = N'CONNECT' AND p.state IN ('G', 'W')\n"
				  "  AND g.name = N'guest' AND DB_NAME() NOT IN (N'master', N'tempdb', N'msdb');\n",
		"%1n", "every login of this server may enter this database",
		"REVOKE CONNECT FROM %1q"},
	/* No login can be kept out of it. Objects are not asked for: everybody's temporary tables lock their rows there. */
	{"guest-elsewhere", FINDING_HIGH, LEFTOVER_ELSEWHERE,
		"a permission of guest or public in tempdb: every login of the server holds it until the server starts again",
		FOUND NAME(
			"g.name") ", p.permission_name\nFROM sys.database_permissions AS p\n"
				  "JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id\n"
				  "WHERE DB_NAME() = N'tempdb' AND g.name IN (N'guest', N'public')\n"
				  "  AND p.class = 0 AND p.state IN ('G', 'W') AND p.permission_name NOT LIKE N'VIEW %%'\n"
				  "  AND NOT (p.permission_name = N'CONNECT' AND p.state = 'G');\n",
		"%1n", "%2t", "REVOKE %2t FROM %1q CASCADE"},
	/* Permissions. */
	{"nested-role", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a role inside another: its members hold what the outer one has",
		FOUND NAME("m.name") ", " NAME(
			"r.name") "\n"
				  "FROM sys.database_role_members AS rm\n"
				  "JOIN sys.database_principals AS r ON r.principal_id = rm.role_principal_id\n"
				  "JOIN sys.database_principals AS m ON m.principal_id = rm.member_principal_id WHERE m.type = 'R';\n",
		"%1n", "member of %2n", "ALTER ROLE %2q DROP MEMBER %1q"},
	{"public-grant", FINDING_CRITICAL, LEFTOVER_DATABASE,
		"a permission of public from which everybody can make others",
		FOUND GRANT_COLUMNS PERMISSIONS "WHERE g.name = N'public' AND (" WIDEST
						") AND " GRANTED ";\n",
		"%3t", "%4t%5o", REVOKED},
	{"public-grant", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission of public: everybody holds it",
		FOUND GRANT_COLUMNS PERMISSIONS
		"WHERE g.name = N'public' AND NOT (" WIDEST ") AND " GRANTED "\n"
		"  AND (o.object_id IS NOT NULL AND p.permission_name <> N'EXECUTE' OR p.class IN (3, 4, 5, 6, 23, 24, 25, 26, 29, 31)\n"
		/* The product's own have lower ids. */
		"    OR p.class IN (10, 15, 16, 17, 18, 19) AND p.major_id > 65535\n"
		"    OR p.class = 0 AND p.permission_name NOT IN (N'CONNECT',\n"
		"      N'VIEW ANY COLUMN ENCRYPTION KEY DEFINITION', N'VIEW ANY COLUMN MASTER KEY DEFINITION'));\n",
		"%3t", "%4t%5o", REVOKED},
	{"grant-option", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission WITH GRANT OPTION: it can be handed on",
		FOUND GRANT_COLUMNS PERMISSIONS "WHERE p.state = 'W';\n", "%1n", "%3t%5o by %2n",
		"REVOKE GRANT OPTION FOR %3t%5o FROM %1q CASCADE AS %2q"},
	{"column-grant", FINDING_LOW, LEFTOVER_DATABASE,
		"a permission on a column: it stands against a denial on the table",
		FOUND GRANT_COLUMNS PERMISSIONS
		"WHERE p.class = 1 AND k.column_id IS NOT NULL AND " GRANTED ";\n",
		"%1n", "%3t on %8n.%9n", REVOKED},
	{"strong-permission", FINDING_HIGH, LEFTOVER_DATABASE,
		"a permission from which others can be made",
		FOUND GRANT_COLUMNS PERMISSIONS
		/* The agent login may have these instead of db_owner. */
		"WHERE " GRANTED " AND COALESCE(g.sid, 0x00) <> SUSER_SID()\n"
		"  AND p.permission_name IN (N'IMPERSONATE', N'CONTROL', N'TAKE OWNERSHIP', N'ALTER ANY USER',\n"
		"  N'ALTER ANY ROLE', N'ALTER ANY APPLICATION ROLE', N'ALTER ANY SCHEMA', N'AUTHENTICATE',\n"
		"  N'ALTER ANY DATABASE DDL TRIGGER', N'ALTER ANY ASSEMBLY', N'ALTER ANY CERTIFICATE',\n"
		"  N'ALTER ANY ASYMMETRIC KEY', N'ALTER ANY SYMMETRIC KEY', N'CREATE ASSEMBLY', N'CREATE ROLE');\n",
		"%1n", "%3t%5o", REVOKED},
	{"foreign-owner", FINDING_MEDIUM, LEFTOVER_DATABASE, "something owned by another than dbo",
		FOUND OWNED
		"(SELECT N'SCHEMA' AS kind, CAST(NULL AS varbinary(256)) AS [schema], " NAME(
			"s.name") " AS name,\n"
				  "    s.principal_id FROM sys.schemas AS s\n"
				  "  UNION ALL SELECT N'OBJECT', " NAME("s.name") ", " NAME(
					  "o.name") ", o.principal_id\n"
						    "    FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id WHERE o.principal_id IS NOT NULL\n"
						    "  UNION ALL SELECT N'TYPE', " NAME("s.name") ", " NAME(
							    "t.name") ", t.principal_id\n"
								      "    FROM sys.types AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_user_defined = 1\n"
								      "  UNION ALL SELECT N'ROLE', CAST(NULL AS varbinary(256)), " NAME(
									      "r.name") ", r.owning_principal_id\n"
											"    FROM sys.database_principals AS r WHERE r.type = 'R')" BY_OTHERS,
		"%5n", "%3t owned by %1n", "ALTER AUTHORIZATION%2o TO [dbo]"},
	{"foreign-owner", FINDING_MEDIUM, LEFTOVER_DATABASE, "something owned by another than dbo",
		FOUND OWNED "(" RARER ")" BY_OTHERS, "%5n", "%3t owned by %1n",
		"ALTER AUTHORIZATION%2o TO [dbo]"},
	/* Code that runs by itself, or as a different user. */
	{"execute-as-module", FINDING_HIGH, LEFTOVER_DATABASE,
		"a module that runs as another than its caller",
		FOUND NAME("s.name") ", " NAME(
			"o.name") ",\n"
				  "  CASE o.type WHEN 'P' THEN N'PROCEDURE' WHEN 'TR' THEN N'TRIGGER' ELSE N'FUNCTION' END,\n"
				  "  CASE WHEN m.execute_as_principal_id = -2 THEN N'OWNER' WHEN p.name IS NULL THEN N'?' END, " NAME(
					  "p.name") "\n"
						    "FROM sys.sql_modules AS m JOIN sys.objects AS o ON o.object_id = m.object_id\n"
						    "JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
						    "LEFT JOIN sys.database_principals AS p ON p.principal_id = m.execute_as_principal_id\n"
						    "WHERE m.execute_as_principal_id IS NOT NULL;\n",
		"%1w", "EXECUTE AS %4t%5n", "DROP %3t %1w"},
	/* Also while its activation is off: who may alter the queue switches that on. */
	{"queue-activation", FINDING_HIGH, LEFTOVER_DATABASE,
		"a queue that runs a procedure by itself, without anybody's session",
		FOUND NAME("s.name") ", " NAME(
			"q.name") ",\n"
				  "  " LONG_NAME(
					  "COALESCE(q.activation_procedure, N'no procedure yet')") ",\n"
												   "  CASE WHEN q.execute_as_principal_id = -2 THEN N'OWNER' WHEN p.name IS NULL THEN N'?' END, " NAME(
													   "p.name") ",\n"
														     "  CASE q.is_activation_enabled WHEN 0 THEN N', once its activation is switched on' END\n"
														     "FROM sys.service_queues AS q JOIN sys.schemas AS s ON s.schema_id = q.schema_id\n"
														     "LEFT JOIN sys.database_principals AS p ON p.principal_id = q.execute_as_principal_id\n"
														     "WHERE q.activation_procedure IS NOT NULL OR q.execute_as_principal_id IS NOT NULL;\n",
		"%1w", "runs %3n as %4t%5n%6t", "ALTER QUEUE %1w WITH ACTIVATION (DROP)"},
	{"activated-task", FINDING_HIGH, LEFTOVER_DATABASE,
		"a procedure that a queue started is running, without anybody's session",
		FOUND LONG_NAME(
			"a.procedure_name") ", a.spid FROM sys.dm_broker_activated_tasks AS a\n"
					    "WHERE a.database_id = DB_ID();\n",
		"%1n", "session %2t", "KILL %2t"},
	{"restored", FINDING_HIGH, LEFTOVER_DATABASE,
		"a restore since a user here was given access: what it brought back is as it was then",
		FOUND "CONVERT(nvarchar(30), h.restore_date, 126), " NAME(
			"h.user_name") " FROM msdb.dbo.restorehistory AS h\n"
				       "WHERE h.destination_database_name = DB_NAME() AND EXISTS (SELECT 1\n"
				       "  FROM sys.database_principals AS u JOIN sys.server_principals AS l ON l.sid = u.sid\n"
				       "  JOIN sys.server_role_members AS m ON m.member_principal_id = l.principal_id\n"
				       "  JOIN sys.server_principals AS k ON k.principal_id = m.role_principal_id\n"
				       "  WHERE k.name = N'" MARK_ROLE
				       "' AND l.create_date < h.restore_date);\n",
		"%1t", "restored by %2n", "-- a DBA must compare what the restore brought back"},
	{"signed-module", FINDING_HIGH, LEFTOVER_DATABASE,
		"a signed module: it has the rights of the signature's user",
		FOUND NAME("s.name") ", " NAME(
			"o.name") ", x.crypt_type_desc,\n"
				  "  CASE WHEN x.crypt_type_desc LIKE N'COUNTER%%' THEN N'COUNTER ' END,\n"
				  "  CASE WHEN c.thumbprint IS NULL THEN N'ASYMMETRIC KEY' ELSE N'CERTIFICATE' END,\n"
				  "  COALESCE(" NAME("c.name") ", " NAME(
					  "k.name") ")\n"
						    "FROM sys.crypt_properties AS x JOIN sys.objects AS o ON o.object_id = x.major_id\n"
						    "JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
						    "LEFT JOIN sys.certificates AS c ON c.thumbprint = x.thumbprint\n"
						    "LEFT JOIN sys.asymmetric_keys AS k ON k.thumbprint = x.thumbprint WHERE x.class = 1;\n",
		"%1w", "%3t", "DROP %4tSIGNATURE FROM %1w BY %5t %6q"},
	{"ddl-trigger", FINDING_HIGH, LEFTOVER_DATABASE,
		"a DDL trigger: it runs as whoever changes something, also as Curfew",
		FOUND NAME(
			"t.name") ", CASE t.is_disabled WHEN 1 THEN N'disabled' ELSE N'enabled' END\n"
				  "FROM sys.triggers AS t WHERE t.parent_class = 0;\n",
		"%1n", "%2t", "DROP TRIGGER %1q ON DATABASE"},
	{"event-notification", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"an event notification: events of this database are sent to a service",
		FOUND NAME("e.name") ", " NAME(
			"e.service_name") "\n"
					  "FROM sys.event_notifications AS e WHERE e.parent_class = 0;\n",
		"%1n", "service %2n", "DROP EVENT NOTIFICATION %1q ON DATABASE"},
	{"event-notification", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"an event notification of a queue: its events are sent to a service",
		FOUND NAME("e.name") ", " NAME("e.service_name") ", " NAME("s.name") ", " NAME(
			"q.name") "\n"
				  "FROM sys.event_notifications AS e JOIN sys.service_queues AS q ON q.object_id = e.parent_id\n"
				  "JOIN sys.schemas AS s ON s.schema_id = q.schema_id WHERE e.parent_class <> 0;\n",
		"%1n", "service %2n, on the queue %3w", "DROP EVENT NOTIFICATION %1q ON QUEUE %3w"},
	{"synonym-outward", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"a synonym for something in another database or server",
		FOUND NAME("s.name") ", " NAME("y.name") ", " LONG_NAME(
			"y.base_object_name") "\n"
					      "FROM sys.synonyms AS y JOIN sys.schemas AS s ON s.schema_id = y.schema_id\n"
					      "WHERE y.base_object_name LIKE N'%%.%%.%%';\n",
		"%1w", "%3n", "DROP SYNONYM %1w"},
	{"assembly", FINDING_HIGH, LEFTOVER_DATABASE, "CLR code in the database",
		FOUND NAME("a.name") ", a.permission_set_desc\n"
				     "FROM sys.assemblies AS a WHERE a.is_user_defined = 1;\n",
		"%1n", "%2t", "DROP ASSEMBLY %1q"},
	{"execute-for-all", FINDING_MEDIUM, LEFTOVER_DATABASE,
		"EXECUTE for public on a module: its writes pass every denial on tables",
		FOUND GRANT_COLUMNS PERMISSIONS
		"WHERE p.class = 1 AND o.object_id IS NOT NULL AND g.name = N'public' AND p.permission_name = N'EXECUTE'\n"
		"  AND " GRANTED ";\n",
		"%7w", "%4t to public", REVOKED},
	{0},
};
