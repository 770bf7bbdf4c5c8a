/* The milestones of the access program: which are reached, and when the next one is due. Pure. */
#ifndef CURFEW_MILESTONES_H
#define CURFEW_MILESTONES_H

#include "curfew/program.h"

const char *milestone_name(enum milestone m);  /* as in client files: "files_received" */
const char *milestone_words(enum milestone m); /* "files received" */
/* Derived from dates and the journal, and not written in client files. */
bool milestone_is_automatic(enum milestone m);
/* Returns MILESTONES if the name is unknown. */
enum milestone milestone_find(const char *name);

struct milestone_state {
	enum milestone which;
	bool done;
	instant_t due; /* 0: depends on a go-live that has no date yet */
};
/* All milestones in order. `accounts`: whether the client's logins were created. */
void client_milestones(struct milestone_state out[MILESTONES], const struct client *c,
	bool accounts, instant_t now);
/* The open milestone that is due first, or the first open one; NULL: all are reached. */
const struct milestone_state *milestone_next(const struct milestone_state all[MILESTONES]);
/* Number of late milestones. */
size_t milestones_late(const struct milestone_state all[MILESTONES], instant_t now);

#endif
