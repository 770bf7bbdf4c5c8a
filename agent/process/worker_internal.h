/* Used only by process/: what both sides of a worker's channel share. */
#ifndef PROCESS_WORKER_INTERNAL_H
#define PROCESS_WORKER_INTERNAL_H

#include <sys/types.h>
#include "curfew/worker.h"

/* Exit statuses for what no record can report. */
enum {
	WORKER_EXIT_ORPHAN = 80, /* the parent died or sent an invalid message */
	/* misuse: an intent with worker_tell(), another record with worker_ask(), a record after RECORD_END,
	 * worker_answered() then or before the instant */
	WORKER_EXIT_MISUSE,
};

struct worker_answer {
	uint64_t number; /* the intent's, or WORKER_GO */
	int32_t verdict;
	int32_t reserved;
};

/* No intent has this number: the instant has come. */
#define WORKER_GO UINT64_MAX
/* A message of this one byte, which no record is: a worker that is held waits for the instant. */
#define WORKER_READY '!'
/* The same: its server has answered. */
#define WORKER_ANSWERED '.'

/* Writes the OOM score. The previous one goes to *before, unless NULL. */
void score_set(int fd, int score, int *before);
_Noreturn void worker_main(const struct worker_job *job, bool held, int channel, pid_t parent);

#endif
