/* Between the two sides of a worker's channel. */
#ifndef ENGINE_WORKER_INTERNAL_H
#define ENGINE_WORKER_INTERNAL_H

#include <sys/types.h>
#include "curfew/worker.h"

/* Exit statuses that tell what no record can. */
enum {
	WORKER_EXIT_ORPHAN = 80, /* the parent has gone, or talks nonsense */
	WORKER_EXIT_MISUSE,	 /* a told intent, an asked statement, a word after the end */
};

struct worker_answer {
	uint64_t number; /* the intent's */
	int32_t verdict;
	int32_t reserved;
};

/* Writes the score to its file; what it was before goes to *before, unless NULL. */
void score_set(int fd, int score, int *before);
_Noreturn void worker_main(const struct worker_job *job, int channel, pid_t parent);

#endif
