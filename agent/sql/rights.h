/* What the agent's own login needs on a server: asserted before anything is believed, printed by bootstrap. */
#ifndef CURFEW_SQL_RIGHTS_H
#define CURFEW_SQL_RIGHTS_H

static const struct {
	/* The first, or all the others together: 2022 splits some. A server that does not know one says nothing of it. */
	const char *permissions[3];
	const char *why;
} server_rights[] = {
	{{"ALTER ANY LOGIN"}, "create, disable and drop the logins of users"},
	{{"VIEW ANY DEFINITION"},
		"see every login, user, role and permission: without it rows are missing, not refused"},
	{{"VIEW ANY DATABASE"},
		"see every database: public has it unless somebody took it away, and what is not seen is not absent"},
	{{"VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE"},
		"see every session, and where it comes from"},
	{{"CONNECT ANY DATABASE"},
		"look for users in every database, also those made or restored by others"},
	{{"ALTER ANY CONNECTION"}, "KILL the sessions of a login whose access ends or narrows"},
};

#endif
