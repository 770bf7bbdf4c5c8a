/* Children that talk to one SQL server each: no capability, no writes, a hard deadline. */
#ifndef CURFEW_WORKER_H
#define CURFEW_WORKER_H

#include "curfew/record.h"
#include "curfew/sandbox.h"

struct worker; /* the child's end of its channel */

/* In the child. Sends one record; worker_ask() also waits for the parent's word: 0 go on, else do not.
 * When the parent has gone, both end the process: nothing may be done that nobody records.
 * Only RECORD_INTENT is asked, and it is never merely told: the other way round ends the process too.
 * After RECORD_END nothing more may be said. */
void worker_tell(struct worker *w, const struct record *r);
int worker_ask(struct worker *w, const struct record *r);

struct worker_job {
	const char *name; /* the server's, for records made on the worker's behalf */
	/* Runs in the child, after fork: `prepare` still with the parent's rights (reads the credential),
	 * then the child sheds everything, then `run`. Each 0 or negative errno, which becomes the code of
	 * RECORD_END when the job has not told one itself. The child has of the parent's descriptors only
	 * 0, 1 and 2, and `secret`; it must log nothing to the system log itself, and keeps what prepare opened. */
	int (*prepare)(void *context); /* may be NULL */
	int (*run)(struct worker *w, void *context);
	void *context;
	/* What `run` may read and connect to beyond name resolution; read after prepare; may be NULL. */
	const struct sandbox_paths *paths;
	unsigned deadline; /* seconds, of this job alone; 0: that of the round */
	/* From workers_score_open(), in a parent that may not open files of /proc any more; 0: the child opens its own. */
	int score;
	/* A descriptor that the child keeps too, as WORKER_SECRET_FD: its server's password, in a parent that may not open
	 * it by its name any more. 0: none. */
	int secret;
	/* For tests of the machinery alone: the child keeps its rights. */
	bool unconfined;
};

#define WORKER_SECRET_FD 4

/* What one worker may have of memory. A server that makes it need more is one that could not be read. */
#define WORKER_MEMORY_MAX ((size_t)1 << 30)

/* Instruments map terabytes, and use few of them. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_INSTRUMENTED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_INSTRUMENTED true
#endif
#endif
#ifndef IS_INSTRUMENTED
#define IS_INSTRUMENTED false
#endif
/* A worker that takes too much is the one that the kernel ends, and not the service. */
#define WORKER_OOM_SCORE 500
/* The calling process's file of that score, to be opened before it sheds its rights; negative errno without one. */
int workers_score_open(void);

/* Runs all jobs, at most `parallel` at once, each within `deadline` seconds (then it is killed). Every
 * record reaches `sink` in the parent, in order per worker; a job always ends with one RECORD_END, given
 * after its process has gone: its own, or one made for it (code -ETIMEDOUT, -ECHILD crashed, -EBADMSG sent
 * something malformed, -EOVERFLOW too much, with words in `detail`). An intent that could not be answered
 * because its worker is dead is not given: it will not be carried out. 0 or negative errno. */
int workers_run(const struct worker_job *jobs, size_t n, unsigned parallel, unsigned deadline,
	record_fn sink, void *context);

/* The same for an event loop. `jobs` and what they point to are borrowed until workers_free(). Nothing is
 * forked and no record given before the first workers_dispatch(). */
struct workers;
int workers_start(struct workers **out, const struct worker_job *jobs, size_t n, unsigned parallel,
	unsigned deadline, record_fn sink, void *context);
/* Readable when workers_dispatch() has something to do; deadlines and deaths included. */
int workers_fd(const struct workers *w);
/* Does what can be done without waiting. WORKERS_DONE when every job has ended, 0 while some have not. */
enum { WORKERS_DONE = 1 };
int workers_dispatch(struct workers *w);
/* For how many milliseconds the job's process has been running; -1: it is not. */
int64_t workers_age(const struct workers *w, const char *name);
/* Ends what still runs and starts nothing more: by and by each job has its RECORD_END, code -ECANCELED. */
void workers_cancel(struct workers *w);
/* Kills and reaps what still runs, without a word to the sink. Not from within the sink. */
void workers_free(struct workers *w);

#endif
