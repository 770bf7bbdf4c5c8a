/* What another configuration would change: who loses or gains access or time. Pure, contacts nothing. */
#ifndef CURFEW_PREVIEW_H
#define CURFEW_PREVIEW_H

#include "curfew/schedule.h"

enum preview_effect { PREVIEW_TAKES = 1, PREVIEW_GIVES = 2 };
/* One user on one database. Borrows from the preview. */
struct preview_change {
	const struct grant *before, *after; /* NULL: not configured */
	unsigned effect; /* enum preview_effect; both when one thing ends and another begins */
};
struct preview {
	const struct program *from, *to; /* borrowed; from NULL: nothing is in force */
	struct grants before, after;
	struct preview_change *items; /* sorted as grants are; only what differs */
	size_t n, takes, gives;	      /* takes + gives may be more than n */
	instant_t now;
};
/* 0 or -ENOMEM. */
int preview_make(struct preview *out, const struct program *from, const struct program *to,
	const struct overrides *o, instant_t now);
void preview_free(struct preview *p);
/* Which clients `from` has and `to` has not; the number. `out` has room for all of them. */
size_t clients_removed(
	const struct client **out, const struct program *from, const struct program *to);
/* A source that `has` may come from and `had` may not, or not for so long; NULL: none. Either may be NULL. */
const struct source *source_gained(const struct user *had, const struct user *has);

#endif
