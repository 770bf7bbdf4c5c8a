/* A lane with a configuration, a journal, and a clock that the test sets. Its workers are real processes that stand in for
 * servers: one ends at once, one hangs, or both wait for their instant. */
#ifndef TESTS_SERVICE_LANE_STAGE_H
#define TESTS_SERVICE_LANE_STAGE_H

#include "../program/fixture.h"

#include "curfew/journal.h"
#include "service/lane.h"

#define NOW    1793500000
#define GOLIVE 1795446000

extern int64_t clock_ms;

struct stage {
	char *folder;
	struct program *program;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct lane *lane;
	struct pass_options options;
	const char *hangs; /* the server that does */
	bool announces;	   /* and announces a change first */
	unsigned ranks[2]; /* of sql07 and the other */
	size_t n_ended;
	int error;
	struct pass_result result;
	char ends[128]; /* servers in the order in which they ended */
	int code;	/* of the last that ended */
	bool waits;	/* workers get ready, and wait for their instant */
	unsigned (*adjust)(void *stage, struct worker_job *job); /* as lane_options has it */
	/* Shared with the workers: how many were ready, and how many went on. */
	struct ready {
		int ready, gone_on;
	} * ready;
};

int stage_setup(void **state);
int stage_teardown(void **state);
/* On sqltest02, at GOLIVE: the time of the next pass. */
void something_ends(struct stage *s);
void begin(struct stage *s);
/* Until the one that does not hang has ended, and the other has begun. */
void work_to_the_hang(struct stage *s);
/* However long that takes: a hang ends the test program. */
void work_to_the_end(struct stage *s);
/* Another process can write to the journal. */
bool can_write(const struct stage *s);

#endif
