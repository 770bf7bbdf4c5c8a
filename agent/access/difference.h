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
	size_t openings_before; /* and in builder.openings */
	bool widened;  /* something is granted, which nobody has verified yet: neither enable it */
	bool narrowed; /* permissions are removed, so its sessions must end */
	bool pending;  /* changes remain, so it must not be enabled yet */
	bool roles_wait;    /* managed roles of its databases are changed first, or a DBA must */
	bool blocked;	    /* a blocker exists: neither enable nor drop it */
	const char *holder; /* the unread database that is one; NULL: none is */
	bool reachable;	    /* at least one of its databases exists */
	bool announced;	    /* CHANGE_LOGIN_CREATE is in builder.openings already */
};

/* What has one name, and for some a second one, in order. `at` is its place in the observation. */
struct name_place {
	const char *name, *second; /* "": none */
	size_t at;
};
struct name_index {
	struct name_place *items;
	size_t n;
};
/* The first of that name; name_is_at() tells whether there is one, and whether the next is another. Names are compared
 * exactly. Of one name they stand in the order of the observation. `second` NULL: none. */
size_t name_first(const struct name_index *x, const char *name, const char *second);
bool name_is_at(const struct name_index *x, size_t i, const char *name, const char *second);

/* What a database has by the name of its owner, member, grantee, or grantor (name_index.c); permissions also by
 * permission.schema, and by that and permission.object. It points into the observation. */
struct database_index {
	struct name_index users, members, grantees, grantors, schemas, securables, owners;
	bool full_known, full_given; /* whether a managed login has full access there (fitness.c) */
};
bool database_index_build(
	struct database_index *x, const struct observed_database *d); /* false: no memory */
void database_index_free(struct database_index *x);
/* Built when it is needed first. NULL: no memory, and the builder knows. */
const struct database_index *builder_index(struct builder *b, const struct observed_database *d);

/* A database's permissions on itself and on its schemas, and who owns schemas, for fast look-up (role_index.c). It
 * points into the observation. */
struct role_index {
	const struct permission **permissions;
	size_t n_permissions;
	const struct observed_owned **schemas;
	size_t n_schemas;
};

bool role_index_build(
	struct role_index *x, const struct observed_database *d); /* false: no memory */
void role_index_free(struct role_index *x);
/* On the schema; NULL: on the database. A permission counts only in exactly the scheduled state: GRANT WITH GRANT
 * OPTION does not count as GRANT. */
bool permission_stands(const struct role_index *x, const char *role, const char *schema,
	const char *name, char state);
/* What is granted or denied to the owner is nothing, and its members have everything there. */
bool role_owns(const struct role_index *x, const char *role, const char *schema);

/* Changes that give the managed roles of a database the permissions of their levels. True: there are some. */
bool roles_want(struct builder *b, const struct observed_database *d);
/* Whether a managed role in this database grants more than its level. */
bool roles_exceed(const struct builder *b, const struct observed_database *d);
/* Removes members of managed roles that the configuration does not name. */
void roles_police(struct builder *b, const struct observed_database *d);

/* Creates and marks the login, once. */
void login_announce(struct builder *b, struct login_work *work, const char *reason);
/* Whether the login would stay disabled behind what it gets in addition: then it does not get it. */
bool additions_are_moot(
	const struct builder *b, const struct login_work *work, const struct wanted_login *l);
/* Says in which databases the login gets nothing new, and which unread one is the reason. */
void additions_name(struct builder *b, const struct login_work *work);
/* Takes back what is given from this opening on, as far as it is about users. False: nothing is. */
bool additions_drop(struct builder *b, size_t from);
/* How things were before a grant was planned. */
struct additions {
	size_t openings;
	bool widened;
};
/* Takes back what the server has refused before, if the login would be shut for another attempt; says so. */
void additions_hold(struct builder *b, struct login_work *work, const struct wanted_login *l,
	const struct grant *g, struct additions before);

/* One user in one database. */
/* Removes everything that a user has besides roles: permissions that it granted, explicit permissions, ownership. True:
 * there was something. With `leaves` also what keeps it from being dropped. */
bool user_strip(struct builder *b, const struct login_work *work, const struct observed_database *d,
	const char *user, bool leaves, const char *reason);
void user_want(struct builder *b, struct login_work *work, const struct grant *g,
	const struct observed_database *d, bool roles_pending);
void user_remove(struct builder *b, struct login_work *work, const struct observed_database *d,
	const struct observed_user *u, const char *reason);
void orphans_remove(struct builder *b, const struct observed_database *d);

/* Ends the login's sessions that are at least that old. */
void sessions_kill(struct builder *b, struct change_list *to, const struct login_work *work,
	uint64_t older_than, const char *reason);
/* Adds the DISABLE of the login to the list, in front of the change at `at`, and with `sessions` the KILL of its sessions
 * behind it. */
void login_disable_first(struct builder *b, struct change_list *in, size_t at,
	const struct login_work *work, const char *reason, const char *sessions);
/* Plans what the login's sessions and its enabling need, once the changes in its databases are planned. */
void sessions_plan(struct builder *b, struct login_work *work, const struct wanted_login *l,
	const char *reason);

/* Whether the grant was reduced, and when: sessions from before have too many permissions. */
bool grant_has_narrowed(const struct grant *g, instant_t *at);
/* The first of the journal's rows about the login, which follow each other; without any, where they would be. */
size_t remembered_from(const struct wanted_server *w, const char *login);
/* The journal's row about a login on a database; NULL: none. */
const struct remembered *builder_remembers(
	const struct builder *b, const char *login, const char *database);
/* Shuts a login that may have a user there which is not seen; says why. False: it has none, or its user is seen. */
bool hidden_shut(struct builder *b, struct login_work *work, const struct observed_database *d);
/* Keeps a login disabled that may have more than is scheduled in a database that is not read. */
void unread_judge(struct builder *b, struct login_work *work);
/* Whether a database that is not read may give the login more than the grant: then it gets nothing new on this server. */
bool unread_may_give(
	const struct builder *b, const struct grant *g, const struct observed_database *d);

/* What full access is worth in a database (fitness.c). True: this first grant of it is refused there; says why. */
bool full_is_refused(struct builder *b, const struct grant *g, const struct observed_database *d);
/* Names the databases where somebody has accepted that it equals db_owner. */
void waivers_name(struct builder *b);

/* One login: changed to what is scheduled, or removed. roles_pending[i]: the result of roles_want() for database i. */
void login_changes_add(struct builder *b, const struct wanted_login *l, const bool *roles_pending);
void login_remove(struct builder *b, const struct observed_login *l);

#endif
