/* The kinds of changes: their names, and which of them give access. */
#include "curfew/change.h"

static const struct {
	const char *name, *plain;
	bool closes; /* takes something away: it never waits for the records, nor for what failed before it */
	bool opens; /* gives, or takes back what denies */
} changes[CHANGE_KINDS] = {
	[CHANGE_LOGIN_DISABLE] = {"login-disable", "disable the login", .closes = true},
	[CHANGE_MEMBER_RESTRICT] = {"member-restrict",
		"put the user into the role with less access", .closes = true},
	[CHANGE_SERVER_MEMBER_DROP] = {"server-member-drop", "take the login out of a server role",
		.closes = true},
	[CHANGE_SERVER_REVOKE] = {"server-revoke", "revoke a permission of the login on the server",
		.closes = true},
	[CHANGE_MEMBER_DROP] = {"member-drop", "take the user out of a role", .closes = true},
	[CHANGE_REVOKE] = {"revoke", "revoke a permission in the database", .closes = true},
	[CHANGE_OWNER] = {"owner", "give what the user owns to dbo", .closes = true},
	[CHANGE_SESSION_KILL] = {"session-kill", "end a session", .closes = true},
	[CHANGE_USER_DROP] = {"user-drop", "drop the user", .closes = true},
	[CHANGE_LOGIN_DROP] = {"login-drop", "drop the login", .closes = true},
	/* A role that nobody is in gives nobody anything yet; it is shown among what opens. */
	[CHANGE_ROLE_CREATE] = {"role-create", "create the role", .opens = true},
	[CHANGE_ROLE_DENY] = {"role-deny", "deny a permission to the role"},
	[CHANGE_ROLE_DENY_REMOVE] = {"role-deny-remove", "remove a denial from the role",
		.opens = true},
	[CHANGE_ROLE_GRANT] = {"role-grant", "grant a permission to the role", .opens = true},
	[CHANGE_LOGIN_CREATE] = {"login-create", "create the login", .opens = true},
	[CHANGE_LOGIN_MARK] = {"login-mark", "mark the login as managed by Curfew", .opens = true},
	[CHANGE_USER_CREATE] = {"user-create", "create the user", .opens = true},
	[CHANGE_USER_REMAP] = {"user-remap", "map the user to its login", .opens = true},
	[CHANGE_MEMBER_ADD] = {"member-add", "put the user into its role", .opens = true},
	[CHANGE_LOGIN_ENABLE] = {"login-enable", "enable the login", .opens = true},
	[CHANGE_HANDOVER] = {"handover", "set a one-time password"},
};

const char *change_name(enum change_kind k)
{
	return (size_t)k < ARRAY_SIZE(changes) ? changes[k].name : "unknown";
}

const char *change_plain(enum change_kind k)
{
	return (size_t)k < ARRAY_SIZE(changes) ? changes[k].plain : "unknown";
}

bool change_closes(enum change_kind k)
{
	return changes[k].closes;
}

bool change_opens(enum change_kind k)
{
	return changes[k].opens;
}

static const struct {
	const char *name;
	bool opens;
} firewall_changes[FIREWALL_CHANGE_KINDS] = {
	[FIREWALL_TABLE] = {"build", false},
	[FIREWALL_GUARD_ADD] = {"guard", false},
	[FIREWALL_GUARD_REMOVE] = {"unguard", true},
	/* The hoster's own machines wait for no SQL server: a guard must never come without them. */
	[FIREWALL_TRUSTED_ADD] = {"trust", false},
	[FIREWALL_TRUSTED_REMOVE] = {"distrust", false},
	[FIREWALL_ALLOW_ADD] = {"add", true},
	[FIREWALL_ALLOW_EXTEND] = {"extend", true},
	[FIREWALL_ALLOW_SHORTEN] = {"shorten", false},
	/* Waits for the openings: who shares an element is known when SQL has spoken of all. */
	[FIREWALL_ALLOW_COMMENT] = {"rename", true},
	[FIREWALL_ALLOW_REMOVE] = {"remove", false},
};

const char *firewall_change_name(enum firewall_change_kind k)
{
	return (size_t)k < ARRAY_SIZE(firewall_changes) ? firewall_changes[k].name : "unknown";
}

bool firewall_change_opens(enum firewall_change_kind k)
{
	return firewall_changes[k].opens;
}
