/* Used only by access/: the parts of the difference. */
#ifndef CURFEW_ACCESS_DIFFERENCE_H
#define CURFEW_ACCESS_DIFFERENCE_H

#include "access/builder.h"

/* What the difference has found so far about one login. */
struct login_work {
	const char *client;
	const char *login;
	const struct observed_login *observed; /* NULL: the login does not exist */
	struct sid sid;		/* with which to create it; size 0: the server makes one */
	size_t closings_before; /* index of this login's first change in builder.closings */
	bool narrowed;		/* permissions are removed, so its sessions must end */
	bool pending;		/* changes remain, so it must not be enabled yet */
	bool blocked;		/* a blocker exists: neither enable nor drop it */
	bool reachable;		/* at least one of its databases exists */
	bool announced;		/* CHANGE_LOGIN_CREATE is in builder.openings already */
};

/* Changes that give the managed roles of a database the permissions of their levels. True: there are some. */
bool roles_want(struct builder *b, const struct observed_database *d);
/* Whether a managed role in this database grants more than its level. */
bool roles_exceed(const struct builder *b, const struct observed_database *d);
/* Removes members of managed roles that the configuration does not name. */
void roles_police(struct builder *b, const struct observed_database *d);

/* Creates and marks the login, once. */
void login_announce(struct builder *b, struct login_work *work, const char *reason);
/* One user in one database. */
void user_want(struct builder *b, struct login_work *work, const struct grant *g,
	const struct observed_database *d, bool roles_pending);
void user_remove(struct builder *b, struct login_work *work, const struct observed_database *d,
	const struct observed_user *u, const char *reason);
void orphans_remove(struct builder *b, const struct observed_database *d);

/* What full access is worth in a database (fitness.c). True: this first grant of it is refused there; says why. */
bool full_is_refused(struct builder *b, const struct grant *g, const struct observed_database *d);
/* Names the databases where somebody has accepted that it equals db_owner. */
void waivers_name(struct builder *b);

/* One login: changed to what is scheduled, or removed. roles_pending[i]: the result of roles_want() for database i. */
void login_want(struct builder *b, const struct wanted_login *l, const bool *roles_pending);
void login_remove(struct builder *b, const struct observed_login *l);

#endif
