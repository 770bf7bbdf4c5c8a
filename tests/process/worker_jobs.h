/* Jobs that tests give to workers, and what reaches the sink of them. */
#ifndef TESTS_ENGINE_WORKER_JOBS_H
#define TESTS_ENGINE_WORKER_JOBS_H

#include "curfew/worker.h"

struct seen {
	size_t n, n_notes, n_intents, n_ends;
	int verdict;
	int32_t code;
	char server[MAX_NAME_BYTES + 1], detail[RECORD_TEXT_MAX], note[RECORD_TEXT_MAX];
};

/* A sink; the context is a struct seen, whose verdict it gives on an intent. */
int seen_record(void *context, const struct record *r);
size_t count_descriptors(void);
/* Runs one job; whatever it does, there is one end, no zombie and no descriptor more than before. */
struct seen run_one(
	int (*run)(struct worker *, void *), void *context, unsigned deadline, int verdict);

/* ---- inside a worker ---- */

void tell_note(struct worker *w, const char *text);
int wait_for_ever(void);
int run_quietly(struct worker *w, void *context); /* a note, and the end */
int run_hanging(struct worker *w, void *context); /* a note, and no end */

#endif
