/* Children that talk to one SQL server each: no capability, no writes, a hard deadline. */
#ifndef CURFEW_WORKER_H
#define CURFEW_WORKER_H

#include "record.h"

struct worker; /* the child's end of its channel */

/* In the child. Sends one record; worker_ask() also waits for the parent's word: 0 go on, else do not.
 * When the parent has gone, both end the process: nothing may be done that nobody records. */
void worker_tell(struct worker *w, const struct record *r);
int worker_ask(struct worker *w, const struct record *r);

struct worker_job {
	const char *name; /* the server's, for records made on the worker's behalf */
	/* Runs in the child, after fork: `prepare` still with the parent's rights (reads the credential),
	 * then the child sheds everything, then `run`. Each 0 or negative errno. */
	int (*prepare)(void *context);
	int (*run)(struct worker *w, void *context);
	void *context;
};

/* Runs all jobs, at most `parallel` at once, each within `deadline` seconds (then it is killed). Every
 * record reaches `sink` in the parent, in order per worker; a job always ends with one RECORD_END: its own,
 * or one made for it (code -ETIMEDOUT, -ECHILD crashed, with words in `detail`). 0 or negative errno. */
int workers_run(const struct worker_job *jobs, size_t n, unsigned parallel, unsigned deadline, record_fn sink,
	void *context);

#endif
