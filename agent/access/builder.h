/* Used only by access/: the lists of changes while the difference is built. */
#ifndef CURFEW_ACCESS_BUILDER_H
#define CURFEW_ACCESS_BUILDER_H

#include "curfew/access.h"

struct change_list {
	struct change *items;
	size_t n;
};

struct database_index;

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
	struct database_index *indexes; /* one for each database (name_index.c) */
	bool *doomed;			/* by session: the closings end it */
	bool no_memory;
	struct change nowhere; /* receives writes after memory ran out; never read */
};

/* Copies the strings. NULL stays NULL. */
struct change *change_push(struct builder *b, struct change_list *l, enum change_kind kind,
	const char *client, const char *login, const char *database, const char *reason);
char *builder_copy(struct builder *b, const char *text);
void obstacle_push(struct builder *b, enum state state, const char *login, const char *database,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

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
