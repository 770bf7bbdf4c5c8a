/* One server's sample of use, made in a worker process: reads the databases and computes colors and tallies there, so that
 * the service only writes the result. */
#ifndef SERVICE_SAMPLING_JOB_H
#define SERVICE_SAMPLING_JOB_H

#include "curfew/inventory.h"
#include "curfew/sql_inventory.h"

struct sampling_job {
	struct sql_inventory reading;
	struct samples before;
	const char **databases; /* names; owned, the strings are borrowed */
	const char *read[2];
	uint16_t connect[2];
	struct sandbox_paths paths;
	struct worker_job job;
	/* Only in the worker. */
	struct vendor vendor;
	struct inventory inventory;
	int unlisted; /* the lists of the product could not be read */
	char why[RECORD_TEXT_MAX];
};
/* Samples the databases of the server that the configuration names and whose sample is older than `hours`. -ENOENT: there
 * is none. 0 or another negative errno. What it points to is borrowed until sampling_job_clear(). */
int sampling_job_set(struct sampling_job *j, const struct program *p, const struct server *s,
	struct journal *journal, instant_t now);
void sampling_job_clear(struct sampling_job *j);

#endif
