/* Inside the difference: lists of changes being built. Not for other modules. */
#ifndef CURFEW_ACCESS_BUILDER_H
#define CURFEW_ACCESS_BUILDER_H

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

/* Strings are copied; NULL stays NULL. */
struct change *change_push(struct builder *b, struct change_list *l, enum change_kind kind,
	const char *client, const char *login, const char *database, const char *reason);
char *builder_copy(struct builder *b, const char *text);
void obstacle_push(struct builder *b, enum state state, const char *login, const char *database,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

void permission_copy(struct builder *b, struct permission *to, const struct permission *p);

/* A database where nothing may be run: a copy that cannot be changed, or one with an enabled DDL trigger that nobody has
 * reviewed, and that would run as us. */
bool database_is_untouchable(const struct builder *b, const struct observed_database *d);
/* The same, and says so of the login. */
bool database_refuses(struct builder *b, const struct observed_database *d, const char *login);

/* Drops what may not be done now; `stays` NULL: everything. */
void builder_drop(struct builder *b, struct change_list *l, bool (*stays)(const struct change *c));
/* The lists in their order, which become the difference's; takes the builder apart. 0 or -ENOMEM. */
int builder_join(struct difference *out, struct builder *b);

#endif
