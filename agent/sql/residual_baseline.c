/* What a baseline keeps: everything of a database that can be new or changed later.
 *
 * A module's hash is over its text, since a date alone can be brought back; a table's, and that of a module whose text is
 * encrypted, is its last change. */
#include "sql/residual.h"

#define ITEM	    "SELECT N'base' AS [part], %D, "
#define OBJECT_NAME "QUOTENAME(s.name) + N'.' + QUOTENAME(o.name)"

const char baseline_question[] = ITEM
	"N'object', " OBJECT_NAME ",\n"
	"  o.type_desc + N' ' + COALESCE(CONVERT(nvarchar(64), HASHBYTES('SHA2_256', m.definition), 2), y.base_object_name,\n"
	"  CONVERT(nvarchar(30), o.modify_date, 126)) + CASE t.is_disabled WHEN 1 THEN N' disabled' ELSE N'' END\n"
	"FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
	"LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id\n"
	"LEFT JOIN sys.synonyms AS y ON y.object_id = o.object_id\n"
	"LEFT JOIN sys.triggers AS t ON t.object_id = o.object_id\n"
	"WHERE o.type IN ('U', 'V', 'P', 'FN', 'IF', 'TF', 'TR', 'SO', 'SN', 'PC', 'FS', 'FT', 'TA', 'AF', 'X');\n" ITEM
	"N'type', QUOTENAME(s.name) + N'.' + QUOTENAME(t.name), N'TYPE'\n"
	"FROM sys.types AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_user_defined = 1;\n" ITEM
	"N'certificate', QUOTENAME(c.name), N'CERTIFICATE ' + CONVERT(nvarchar(64), c.thumbprint, 2)\n"
	"FROM sys.certificates AS c;\n" ITEM
	"N'principal', QUOTENAME(p.name), p.type_desc + N' ' + COALESCE(CONVERT(nvarchar(172), p.sid, 1), N'')\n"
	"FROM sys.database_principals AS p WHERE p.principal_id > 4 AND p.is_fixed_role = 0;\n" ITEM
	"N'member', QUOTENAME(m.name) + N' in ' + QUOTENAME(r.name), N''\n"
	"FROM sys.database_role_members AS rm\n"
	"JOIN sys.database_principals AS r ON r.principal_id = rm.role_principal_id\n"
	"JOIN sys.database_principals AS m ON m.principal_id = rm.member_principal_id;\n"
	/* As GRANT would have it, so that REVOKE can take it. Below zero are the product's own objects. */
	ITEM "N'permission', p.permission_name + " SECURABLE
	" + N' TO ' + QUOTENAME(g.name), p.state_desc\n" PERMISSIONS
	"WHERE p.major_id >= 0 AND p.state <> 'D';\n" ITEM
	"N'setting', N'trustworthy', CAST(d.is_trustworthy_on AS nvarchar(1))\n"
	"FROM sys.databases AS d WHERE d.database_id = DB_ID();\n" ITEM
	"N'setting', N'chaining', CAST(d.is_db_chaining_on AS nvarchar(1))\n"
	"FROM sys.databases AS d WHERE d.database_id = DB_ID();\n" ITEM
	"N'setting', N'containment', d.containment_desc\n"
	"FROM sys.databases AS d WHERE d.database_id = DB_ID();\n" ITEM
	"N'setting', N'owner', COALESCE(CONVERT(nvarchar(172), d.owner_sid, 1), N'')\n"
	"FROM sys.databases AS d WHERE d.database_id = DB_ID();\n";

/* Under the name of master: what can come and go on the server. */
const char server_baseline_question[] = ITEM
	"N'login', QUOTENAME(l.name), l.type_desc + N' ' + CONVERT(nvarchar(172), l.sid, 1)\n"
	"FROM sys.server_principals AS l WHERE l.name NOT LIKE N'##MS[_]%%' AND l.name NOT LIKE N'NT %%';\n" ITEM
	"N'server-member', QUOTENAME(m.name) + N' in ' + QUOTENAME(r.name), N''\n"
	"FROM sys.server_role_members AS rm\n"
	"JOIN sys.server_principals AS r ON r.principal_id = rm.role_principal_id\n"
	"JOIN sys.server_principals AS m ON m.principal_id = rm.member_principal_id;\n" ITEM
	"N'server-permission', p.permission_name + CASE p.class WHEN 100 THEN N'' WHEN 101 THEN N' ON ' +\n"
	"  CASE t.type WHEN 'R' THEN N'SERVER ROLE' ELSE N'LOGIN' END + N'::' + QUOTENAME(t.name)\n"
	"  ELSE N' ON ' + p.class_desc + N'::' + CAST(p.major_id AS nvarchar(20)) END + N' TO ' + QUOTENAME(g.name),\n"
	"  p.state_desc FROM sys.server_permissions AS p\n"
	"JOIN sys.server_principals AS g ON g.principal_id = p.grantee_principal_id\n"
	"LEFT JOIN sys.server_principals AS t ON p.class = 101 AND t.principal_id = p.major_id\n"
	"WHERE p.state <> 'D' AND p.permission_name <> N'CONNECT SQL';\n" ITEM
	"N'setting', c.name, CAST(c.value_in_use AS nvarchar(20))\n"
	"FROM sys.configurations AS c WHERE c.name IN (N'xp_cmdshell', N'clr enabled', N'Ole Automation Procedures',\n"
	"  N'cross db ownership chaining', N'contained database authentication', N'scan for startup procs',\n"
	"  N'Ad Hoc Distributed Queries', N'clr strict security');\n";
