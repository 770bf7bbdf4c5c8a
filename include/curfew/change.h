/* The kinds of changes that a pass makes, on an SQL server and in the packet filter, and what it decides for the
 * network. */
#ifndef CURFEW_CHANGE_H
#define CURFEW_CHANGE_H

#include "curfew/base.h"

/* What is done to a server; change_closes() and change_opens() say what a kind does to access. */
enum change_kind {
	CHANGE_LOGIN_DISABLE,
	CHANGE_MEMBER_RESTRICT, /* into the role with less access, before the user leaves the others */
	CHANGE_SERVER_MEMBER_DROP,
	CHANGE_SERVER_REVOKE,
	CHANGE_MEMBER_DROP,
	CHANGE_REVOKE, /* from a user, or granted by a user (AS grantor) */
	CHANGE_OWNER,  /* ALTER AUTHORIZATION to dbo */
	CHANGE_SESSION_KILL,
	CHANGE_USER_DROP,
	CHANGE_LOGIN_DROP,
	CHANGE_ROLE_CREATE,
	CHANGE_ROLE_DENY,
	CHANGE_ROLE_DENY_REMOVE, /* a DENY that is not among the permissions of the level */
	CHANGE_ROLE_GRANT,
	CHANGE_LOGIN_CREATE,
	CHANGE_LOGIN_MARK,
	CHANGE_USER_CREATE,
	CHANGE_USER_REMAP, /* a managed user without its login, after a restore */
	CHANGE_MEMBER_ADD,
	CHANGE_LOGIN_ENABLE, /* last, when all else of the login is as scheduled */
	CHANGE_HANDOVER,     /* a one-time password is set; never part of a difference */
};
#define CHANGE_KINDS (CHANGE_HANDOVER + 1)
const char *change_name(
	enum change_kind k); /* "login-disable", ...: in JSON, the journal, and the log */
const char *change_plain(enum change_kind k); /* "disable the login", ...: in sentences */
bool change_closes(enum change_kind k);
bool change_opens(enum change_kind k);

enum firewall_change_kind {
	FIREWALL_TABLE, /* the table is missing or not as we make it: build it anew, in one batch */
	FIREWALL_GUARD_ADD,
	FIREWALL_GUARD_REMOVE,
	FIREWALL_TRUSTED_ADD,
	FIREWALL_TRUSTED_REMOVE,
	FIREWALL_ALLOW_ADD,
	FIREWALL_ALLOW_EXTEND,	/* later end: an opening */
	FIREWALL_ALLOW_SHORTEN, /* earlier end: a closing */
	FIREWALL_ALLOW_COMMENT, /* same end, other people behind it */
	FIREWALL_ALLOW_REMOVE,
};
#define FIREWALL_CHANGE_KINDS (FIREWALL_ALLOW_REMOVE + 1)
const char *firewall_change_name(enum firewall_change_kind k); /* "add", "extend", ... */
bool firewall_change_opens(enum firewall_change_kind k);

/* nft reads comments of at most 128 characters. */
#define ALLOW_COMMENT_MAX 128

/* What is known of a grant on its SQL server says whether the network may be open for it. */
enum admission {
	ADMIT_NOT_YET, /* not verified to be at its level: it lets nobody in */
	ADMIT,
	ADMIT_NOBODY, /* the login has more than scheduled: the packet filter allows none of its sources to that server */
};
#define ADMISSIONS (ADMIT_NOBODY + 1)

#endif
