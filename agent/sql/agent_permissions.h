/* Permissions that the agent login needs on a server. Checked before a result is trusted, and printed by bootstrap. */
#ifndef CURFEW_SQL_AGENT_PERMISSIONS_H
#define CURFEW_SQL_AGENT_PERMISSIONS_H

static const struct {
	/* The first, or all of the others: SQL Server 2022 splits some permissions. A server may not know all of them.
	 * */
	const char *permissions[3];
	const char *why;
} server_rights[] = {
	{{"ALTER ANY LOGIN"}, "create, disable and drop the logins of users"},
	{{"VIEW ANY DEFINITION"},
		"see every login, user, role, and permission; without it the catalog hides rows"},
	{{"VIEW ANY DATABASE"},
		"see every database; public has it by default; without it databases are hidden"},
	{{"VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE"},
		"see every session, and the address of its client"},
	{{"CONNECT ANY DATABASE"},
		"search for users in every database, also in databases that others created or restored"},
	{{"ALTER ANY CONNECTION"}, "KILL the sessions of a login whose access ends or is reduced"},
};

#endif
