/* What another configuration would change: who loses or gains access or time. Pure. */
#ifndef CURFEW_PREVIEW_H
#define CURFEW_PREVIEW_H

#include "curfew/schedule.h"

enum preview_effect { PREVIEW_TAKES = 1, PREVIEW_GIVES = 2 };
/* One user on one database. Borrows from the preview. */
struct preview_change {
	const struct grant *before, *after; /* NULL: not configured */
	unsigned
		effect; /* bits of enum preview_effect; both if one thing ends and another starts */
};
struct preview {
	const struct program *from, *to; /* borrowed; from NULL: nothing is loaded */
	struct grants before, after;
	struct preview_change *items; /* only differences, sorted as grants are */
	size_t n, takes, gives;	      /* n can be less than takes + gives */
	instant_t now;
};
/* 0 or -ENOMEM. */
int preview_make(struct preview *out, const struct program *from, const struct program *to,
	const struct overrides *o, instant_t now);
void preview_free(struct preview *p);
/* Finds clients that `from` has and `to` lacks. Returns their number; `out` must have room for all clients. */
size_t clients_removed(
	const struct client **out, const struct program *from, const struct program *to);
/* Returns a source that `has` may use and `had` may not, or not for as long; NULL: none. Either may be NULL. */
const struct source *source_gained(const struct user *had, const struct user *has);

#endif
