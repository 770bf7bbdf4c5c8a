/* A worker for one server, with the same confinement as a worker of a pass. */
#ifndef CURFEW_COMMANDS_CHECK_SERVER_JOB_H
#define CURFEW_COMMANDS_CHECK_SERVER_JOB_H

#include "curfew/server_check.h"

struct check_job {
	const char *read[2];
	uint16_t connect[2];
	struct sandbox_paths paths;
	struct worker_job job;
};
/* `name`: the server's name in the worker's records. */
void check_job_set(struct check_job *j, const struct server *s, const char *name,
	int (*prepare)(void *), int (*run)(struct worker *, void *), void *context);
/* Runs the worker and passes its records to `sink`. 0 or negative errno. */
int check_job_run(struct check_job *j, record_fn sink, void *context);

#endif
