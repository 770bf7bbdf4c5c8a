/* What a visit asks of its worker besides its reports: nothing here is held, and nobody waits for an answer. */
#ifndef TESTS_VISIT_IDLE_WORKER_H
#define TESTS_VISIT_IDLE_WORKER_H

#include "curfew/worker.h"

bool worker_is_held(const struct worker *w)
{
	(void)w;
	return false;
}

void worker_answered(struct worker *w)
{
	(void)w;
}

void worker_wait(struct worker *w)
{
	(void)w;
}

#endif
