/* Used only by access/: the lists of changes while the difference is built. */
#ifndef CURFEW_ACCESS_BUILDER_H
#define CURFEW_ACCESS_BUILDER_H

#include "curfew/access.h"

struct change_list {
	struct change *items;
	size_t n;
};

struct database_index;

/* SIDs in order (sid_index.c). They point into what was indexed; `at` is the place there. */
struct sid_place {
	const struct sid *sid;
	size_t at;
};
struct sid_index {
	struct sid_place *items;
	size_t n;
};
bool sid_index_new(struct sid_index *x, size_t n); /* room for n; false: no memory */
void sid_index_add(
	struct sid_index *x, const struct sid *sid, size_t at); /* an empty one is none */
void sid_index_sort(struct sid_index *x);
bool sid_find(size_t *at, const struct sid_index *x, const struct sid *sid); /* the first one */
bool sid_is_in(const struct sid_index *x, const struct sid *sid);

struct builder {
	const struct wanted_server *w;
	const struct observed_server *o;
	const struct claims *c;
	instant_t now;
	struct change_list
		prepare; /* creates managed roles and adds their DENYs; neither grants nor removes */
	struct change_list closings;
	struct change_list openings;
	struct obstacle *obstacles;
	size_t n_obstacles;
	struct database_index *indexes;	  /* one for each database (name_index.c) */
	struct sid_index *users;	  /* one for each database, built when it is needed first */
	struct sid_index logins, claimed; /* of the server, and of the inventory */
	bool *doomed;			  /* by session: the closings end it */
	bool no_memory;
	struct change nowhere; /* receives writes after memory ran out; never read */
};

/* Copies the strings. NULL stays NULL. */
struct change *change_push(struct builder *b, struct change_list *l, enum change_kind kind,
	const char *client, const char *login, const char *database, const char *reason);
char *builder_copy(struct builder *b, const char *text);
void obstacle_push(struct builder *b, enum state state, const char *login, const char *database,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* False: no memory. */
bool builder_sids_build(struct builder *b);
void builder_sids_free(struct builder *b);
/* As observed_user_of(), for whoever asks about many logins. */
const struct observed_user *builder_user_of(
	struct builder *b, const struct observed_database *d, const struct observed_login *l);

void permission_copy(struct builder *b, struct permission *to, const struct permission *p);

/* No change may be made in this database: it cannot be written, or it has an enabled DDL trigger that nobody has
 * reviewed and that would run with Curfew's permissions. */
bool database_is_untouchable(const struct builder *b, const struct observed_database *d);
/* The same, and adds a blocker for the login. */
bool database_refuses(struct builder *b, const struct observed_database *d, const char *login);

/* Removes the changes that must not be made now, except those for which `stays` is true. NULL: removes all. */
void builder_drop(struct builder *b, struct change_list *l, bool (*stays)(const struct change *c));
/* Puts the joined lists into the order of application (change_order.c): n changes, of which n_removals from `removals`
 * on remove access. 0 or -ENOMEM. */
int changes_order(struct change *all, size_t n, size_t removals, size_t n_removals);
/* Joins the lists in the order of application and frees the builder. 0 or -ENOMEM. */
int builder_join(struct difference *out, struct builder *b);

#endif
