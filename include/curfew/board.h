/* All clients by phase, the next date first, as a team needs it in a meeting. Pure. */
#ifndef CURFEW_BOARD_H
#define CURFEW_BOARD_H

#include "curfew/milestones.h"
#include "curfew/progress.h"
#include "curfew/schedule.h"

struct board_card {
	const struct client *client;
	enum phase phase;
	bool has_next;
	instant_t next; /* when any user's access changes */
	enum level next_level;
	bool counts; /* the client's file has milestones, so they count */
	struct milestone_state milestones[MILESTONES];
	size_t late;
	struct progress
		progress; /* of the customizations; filled in by the caller, freed with the board */
};
struct board {
	struct board_card *cards; /* by phase, then the next date, then the name */
	size_t n;
	instant_t now;
};
/* `accounts`: for each client of the program, whether its logins were created. 0 or -ENOMEM. */
int board_make(struct board *out, const struct program *p, const struct grants *g,
	const struct overrides *o, const bool *accounts, instant_t now);
void board_free(struct board *b);
int board_print(const struct board *b, FILE *to);
int board_html(const struct board *b, bool practice, FILE *to);
struct json_t *board_json(const struct board *b);
/* "checklist signed is due Mon 2026-12-14 09:00 CST", "... was due ..."; false if nothing is due. */
bool milestone_sentence(char buf[160], const struct board_card *c, instant_t now);

#endif
