/* The milestones of the program: what was reached, and by when the next one is due. Pure. */
#ifndef CURFEW_MILESTONES_H
#define CURFEW_MILESTONES_H

#include "curfew/program.h"

const char *milestone_name(enum milestone m);  /* as in files: "files_received" */
const char *milestone_words(enum milestone m); /* "files received" */
/* Known from the dates and the journal, not written into files. */
bool milestone_is_automatic(enum milestone m);
/* MILESTONES when there is none of that name. */
enum milestone milestone_find(const char *name);

struct milestone_state {
	enum milestone which;
	bool done;
	instant_t due; /* 0: hangs on a go-live that is not agreed */
};
/* All of them, in their order. `accounts`: whether the client's logins have been made. */
void client_milestones(struct milestone_state out[MILESTONES], const struct client *c,
	bool accounts, instant_t now);
/* Of those that are not done the one that is due first, or else the first; NULL: all are done. */
const struct milestone_state *milestone_next(const struct milestone_state all[MILESTONES]);
/* How many are late. */
size_t milestones_late(const struct milestone_state all[MILESTONES], instant_t now);

#endif
