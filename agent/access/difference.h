/* Inside the difference: who looks at what. Not for other modules. */
#ifndef CURFEW_ACCESS_DIFFERENCE_H
#define CURFEW_ACCESS_DIFFERENCE_H

#include "access/builder.h"

/* What a login's databases came to, while it is being looked at. */
struct login_work {
	const char *client;
	const char *login;
	const struct observed_login *observed; /* NULL: not there yet */
	size_t closings_before;		       /* where this login's closings begin */
	bool narrowed;			       /* something was taken away: its sessions must end */
	bool pending;	/* something is still to be done: it must not be enabled */
	bool blocked;	/* something is in the way: neither enabled nor dropped */
	bool reachable; /* some wanted database is there */
	bool announced; /* its creation stands among the openings */
};

/* roles: brings the roles of ours in each managed database to their terms. True: something is to be done. */
bool roles_want(struct builder *b, const struct observed_database *d);
/* A role of ours there gives more than its terms. */
bool roles_exceed(const struct builder *b, const struct observed_database *d);
/* Members of our roles that nobody wants there. */
void roles_police(struct builder *b, const struct observed_database *d);

/* users */
void user_want(struct builder *b, struct login_work *work, const struct grant *g,
	const struct observed_database *d, bool roles_pending);
void user_remove(struct builder *b, struct login_work *work, const struct observed_database *d,
	const struct observed_user *u, const char *reason);
void orphans_remove(struct builder *b, const struct observed_database *d);

/* logins: brought to what is wanted of them, or taken away. roles_pending: by database, what roles_want() said. */
void login_want(struct builder *b, const struct wanted_login *l, const bool *roles_pending);
void login_remove(struct builder *b, const struct observed_login *l);

#endif
