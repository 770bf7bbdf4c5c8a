/* Used by sql/ and the rooms above it: denials on the server that keep logins, server roles, endpoints, or all of them
 * from whoever asks. VIEW ANY DEFINITION shows everything but what is denied by itself, and HAS_PERMS_BY_NAME says that
 * it is held all the same (https://learn.microsoft.com/previous-versions/sql/sql-server-2008-r2/ms175808(v=sql.105)).
 * One's own denials are always shown; what is shown in spite of one is not hidden. */
#ifndef CURFEW_SQL_HIDING_DENIAL_H
#define CURFEW_SQL_HIDING_DENIAL_H

#include "sql/name.h"

/* Grantee, grantor, permission, and its securable: class, kind, schema, name, column, id. Nothing tells whether a
 * hidden principal is a login or a server role: of a hidden role IS_SRVROLEMEMBER returns NULL as of a login
 * (https://learn.microsoft.com/sql/t-sql/functions/is-srvrolemember-transact-sql). */
#define HIDING_DENIAL_COLUMNS                                                                                                \
	"COALESCE(" NAME_BYTES("g.name") ", " NAME_BYTES("SUSER_NAME(p.grantee_principal_id)") "),\n  COALESCE(" NAME_BYTES( \
		"r.name") ", " NAME_BYTES("SUSER_NAME(p.grantor_principal_id)") "),\n  p.permission_name, p.class,\n  CASE p.class WHEN 101 THEN N'LOGIN' WHEN 105 THEN N'ENDPOINT' END,\n  NULL, CASE p.class WHEN 101 THEN " NAME_BYTES("SUSER_NAME(p.major_id)") " END, NULL, p.major_id\n"
#define HIDING_DENIALS                                                                                              \
	"FROM sys.server_permissions AS p\n"                                                                        \
	"LEFT JOIN sys.server_principals AS g ON g.principal_id = p.grantee_principal_id\n"                         \
	"LEFT JOIN sys.server_principals AS r ON r.principal_id = p.grantor_principal_id\n"                         \
	"LEFT JOIN sys.server_principals AS t ON p.class = 101 AND t.principal_id = p.major_id\n"                   \
	"LEFT JOIN sys.endpoints AS e ON p.class = 105 AND e.endpoint_id = p.major_id\n"                            \
	"WHERE p.state = 'D' AND COALESCE(IS_SRVROLEMEMBER(N'sysadmin'), 0) = 0\n"                                  \
	"  AND (g.principal_id IS NULL OR g.name = N'public' OR g.principal_id = SUSER_ID()\n"                      \
	"    OR IS_SRVROLEMEMBER(g.name) = 1)\n"                                                                    \
	"  AND (p.class = 100 AND p.permission_name IN (N'VIEW ANY DEFINITION', N'VIEW ANY SECURITY DEFINITION',\n" \
	"      N'CONTROL SERVER')\n"                                                                                \
	"    OR p.class IN (101, 105) AND p.permission_name IN (N'VIEW DEFINITION', N'CONTROL')\n"                  \
	"      AND t.principal_id IS NULL AND e.endpoint_id IS NULL);\n"

#endif
