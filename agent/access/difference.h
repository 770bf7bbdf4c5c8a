/* Inside the difference: lists of changes being built. Not for other modules. */
#ifndef CURFEW_ACCESS_DIFFERENCE_H
#define CURFEW_ACCESS_DIFFERENCE_H

#include "curfew/access.h"

struct change_list {
	struct change *items;
	size_t n;
};

struct builder {
	const struct wanted_server *w;
	const struct observed_server *o;
	const struct claims *c;
	instant_t now;
	struct change_list prepare; /* roles of ours and what they deny: gives nobody anything */
	struct change_list closings;
	struct change_list openings;
	struct obstacle *obstacles;
	size_t n_obstacles;
	bool no_memory;
	struct change nowhere; /* takes the writes after memory ran out; never read */
};

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

/* Strings are copied; NULL stays NULL. */
struct change *change_push(struct builder *b, struct change_list *l, enum change_kind kind,
	const char *client, const char *login, const char *database, const char *reason);
char *builder_copy(struct builder *b, const char *text);
void obstacle_push(struct builder *b, enum state state, const char *login, const char *database,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

void permission_copy(struct builder *b, struct permission *to, const struct permission *p);

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

/* A database where nothing may be run: an enabled DDL trigger that nobody has reviewed would run as us. */
bool database_is_trapped(
	const struct builder *b, const struct observed_database *d, const char **trigger);

#endif
