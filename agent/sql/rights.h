/* What the agent's own login needs on a server: asserted before anything is believed, printed by bootstrap. */
#ifndef CURFEW_SQL_RIGHTS_H
#define CURFEW_SQL_RIGHTS_H

static const struct {
	const char *permission;
	const char *why;
} server_rights[] = {
	{"ALTER ANY LOGIN", "create, disable and drop the logins of users"},
	{"VIEW ANY DEFINITION",
		"see every login, user, role and permission: without it rows are missing, not refused"},
	{"VIEW SERVER STATE", "see every session"},
	{"CONNECT ANY DATABASE",
		"look for users in every database, also those made or restored by others"},
	{"ALTER ANY CONNECTION", "KILL the sessions of a login whose access ends or narrows"},
};

#endif
