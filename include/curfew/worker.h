/* Worker processes, each for one SQL server: no capabilities, no writes, a hard deadline. */
#ifndef CURFEW_WORKER_H
#define CURFEW_WORKER_H

#include "curfew/record.h"
#include "curfew/sandbox.h"

struct worker; /* the worker's end of its channel */

/* In the worker. Both send one record; worker_ask() also waits for the parent's answer: 0 continue, else stop. If the
 * parent has died, both end the process, because nothing may be done that nobody records. Only RECORD_INTENT is sent
 * with worker_ask(), and never with worker_tell(); any other use ends the process. No record may follow RECORD_END. */
void worker_tell(struct worker *w, const struct record *r);
int worker_ask(struct worker *w, const struct record *r);

/* In the worker, of a round that is held: it gets ready, and worker_wait() returns when its instant has come. Until then it
 * must neither report nor change anything. One that does not wait by then is ended, and another begins without a wait.
 * Outside such a round nothing is waited for. */
bool worker_is_held(const struct worker *w);
void worker_wait(struct worker *w);
/* In the worker: its server has accepted the login, and answered what closes. From now on it keeps its place, however
 * long it then reads. Said once. */
void worker_answered(struct worker *w);

struct worker_job {
	const char *name; /* the server's name, for records that the parent makes for the worker */
	/* Runs in the child, after fork: `prepare` still with the parent's rights (reads the credential), then the
	 * child sheds everything, then `run`. Each 0 or negative errno, which becomes the code of RECORD_END when the
	 * job has not told one itself, that of `prepare` always -ENOKEY. The child has of the parent's descriptors only
	 * 0, 1 and 2, and `secret`; it must log nothing to the system log itself, and keeps what prepare opened. */
	int (*prepare)(void *context); /* may be NULL */
	int (*run)(struct worker *w, void *context);
	void *context;
	/* What `run` may read and connect to besides name resolution. Read after `prepare`; may be NULL. */
	const struct sandbox_paths *paths;
	unsigned deadline; /* seconds, for this job only; 0: that of the round */
	/* From workers_score_open(), if the parent cannot open files in /proc any more; 0: the worker opens its own. */
	int score;
	/* A descriptor that the worker keeps as WORKER_SECRET_FD: the password of its server, if the parent cannot open
	 * the file any more. 0: none. */
	int secret;
	/* Worth being ready before its instant, in a round that is held. */
	bool early;
	/* Only for tests: the worker keeps its privileges. */
	bool unconfined;
};

#define WORKER_SECRET_FD 4

/* For `prepare`: what RECORD_END then says of its failure, instead of the error and `curfew credential`. */
void worker_unprepared(const char *why);
/* "": nothing was said. */
const char *worker_unprepared_words(void);

/* Memory limit of one worker. A server that needs more counts as unread. */
#define WORKER_MEMORY_MAX ((size_t)1 << 30)

/* Sanitizers reserve terabytes of address space and use little of it. */
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
/* Under memory pressure the kernel should kill a worker, not the service. */
#define WORKER_OOM_SCORE 500
/* Opens the OOM score of the calling process, before it drops privileges. Negative errno without one. */
int workers_score_open(void);

/* Runs all jobs, at most `parallel` at once and beside them those whose server has not answered within two seconds,
 * each within `deadline` seconds (then it is killed). Every record reaches `sink` in the parent, in order per worker; a
 * job always ends with one RECORD_END, given after its process has gone: its own, or one made for it (code -ETIMEDOUT,
 * -ECHILD crashed, -EBADMSG sent something malformed, -EOVERFLOW too much, with words in `detail`). An intent that
 * could not be answered because its worker is dead is not given: it will not be carried out. A sink that returns
 * WORKERS_AGAIN for a RECORD_END has the job run once more, by a new process, and gets another end. 0 or negative
 * errno. */
enum { WORKERS_DONE = 1, WORKERS_AGAIN = 2 };
int workers_run(const struct worker_job *jobs, size_t n, unsigned parallel, unsigned deadline,
	record_fn sink, void *context);

/* The same for an event loop. `jobs` and what they point to are borrowed until workers_free(). Before the first
 * workers_dispatch() or workers_launch() nothing is forked and no record is passed on. */
struct workers;
int workers_start(struct workers **out, const struct worker_job *jobs, size_t n, unsigned parallel,
	unsigned deadline, record_fn sink, void *context);
/* Before the first dispatch: holds the round. Until workers_release() only the first `n` jobs start, as far as there are
 * processes for them, one every `apart` milliseconds, and no deadline counts. One that dies or reports meanwhile, or
 * is not ready yet, is started anew at the release, and nothing of it is passed on. */
void workers_hold(struct workers *w, size_t n, int64_t apart);
/* The instant has come: a word to each that waits. Their deadlines count from now; the next dispatch starts the others. */
void workers_release(struct workers *w);
/* Starts what may start now, and passes nothing on: for a caller that has to wait for something else before it can
 * listen. The next dispatch listens, and tells what could not be started. */
void workers_launch(struct workers *w);
/* Readable when workers_dispatch() has something to do, deadlines and deaths included. */
int workers_fd(const struct workers *w);
/* Does everything that does not wait. WORKERS_DONE when every job has ended, else 0. */
int workers_dispatch(struct workers *w);
/* Milliseconds for which the job's process has been running; -1: it is not running. */
int64_t workers_age(const struct workers *w, const char *name);
/* Not of a round that is held. Kills running workers and starts no more. Later each job gets its RECORD_END with code -ECANCELED. */
void workers_cancel(struct workers *w);
/* Kills and reaps running workers without calling the sink. Do not call it from the sink. */
void workers_free(struct workers *w);

#endif
