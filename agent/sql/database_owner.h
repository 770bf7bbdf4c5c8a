/* Used by sql/ and the rooms above it: whether an error of EXECUTE AS USER = N'dbo' says that the database has no owner on
 * this server (statement_owner.c). */
#ifndef CURFEW_SQL_DATABASE_OWNER_H
#define CURFEW_SQL_DATABASE_OWNER_H

#define OWNER_IS_NOT_THERE                                                                                \
	"ERROR_NUMBER() = 15404 OR ERROR_NUMBER() = 15517 AND EXISTS (SELECT 1 FROM sys.databases AS d\n" \
	"  JOIN sys.database_principals AS o ON o.principal_id = 1\n"                                     \
	"  WHERE d.database_id = DB_ID() AND (o.sid <> d.owner_sid OR SUSER_SNAME(d.owner_sid) IS NULL))"

#endif
