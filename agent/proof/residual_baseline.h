/* Used only by the questions of baselines: what several of them have in common. */
#ifndef PROOF_RESIDUAL_BASELINE_H
#define PROOF_RESIDUAL_BASELINE_H

#include "proof/residual.h"

#define ITEM		   "SELECT N'base' AS [part], %C, %D, "
#define TWO_PART	   NAME("s.name") ", " NAME("o.name")
#define IN_SCHEMA	   "JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
#define HASH(text)	   "HASHBYTES('SHA2_256', " text ")"
#define FLAG(column, word) "CASE " column " WHEN 1 THEN N'" word "' ELSE N'' END"

/* Users and roles, who is in which role, and what is granted: the same in every database. Whose the names of Curfew's own
 * two logins are, their SIDs tell, which are no items of the database. */
#define PRINCIPAL_ITEMS                                                                                                    \
	{"principal",                                                                                                      \
		ITEM NAME(                                                                                                 \
			"p.name") ", p.type_desc, p.sid\n"                                                                 \
				  "FROM sys.database_principals AS p WHERE p.principal_id > 4 AND p.is_fixed_role = 0;\n", \
		"%1q", "%2t 0x%3x"},                                                                                       \
		{"agent", ITEM "N'sid', SUSER_SID();\n", "%1t", "0x%2x"},                                                  \
	{                                                                                                                  \
		"agent", ITEM "N'users', SUSER_SID(N'" USER_LOGIN "');\n", "%1t", "0x%2x"                                  \
	}
#define MEMBER_ITEMS                                                                                                         \
	{                                                                                                                    \
		"member",                                                                                                    \
			ITEM NAME("m.name") ", " NAME(                                                                       \
				"r.name") "\n"                                                                               \
					  "FROM sys.database_role_members AS rm\n"                                           \
					  "JOIN sys.database_principals AS r ON r.principal_id = rm.role_principal_id\n"     \
					  "JOIN sys.database_principals AS m ON m.principal_id = rm.member_principal_id;\n", \
			"%1q in %2q", ""                                                                                     \
	}
/* As GRANT writes it, so that REVOKE can undo it. Negative ids are system objects. */
#define PERMISSION_ITEMS                                                                           \
	{                                                                                          \
		"permission",                                                                      \
			ITEM GRANT_COLUMNS PERMISSIONS                                             \
			"WHERE p.major_id >= 0 AND p.state IN ('G', 'W');\n",                      \
			"%3t%5o TO %1q", "%4t"                                                     \
	}

#endif
