/* Used only by process/: the parent's side of the workers' channels. */
#ifndef PROCESS_WORKERS_INTERNAL_H
#define PROCESS_WORKERS_INTERNAL_H

#include "process/worker_internal.h"

struct slot {
	const struct worker_job *job; /* NULL: free */
	int channel;
	pid_t pid;		 /* valid until it is reaped */
	int64_t began, deadline; /* monotonic clock, milliseconds */
	int failure;		 /* why the job failed, or 0 */
	char why[128];
	bool deaf; /* sent an invalid record: ignore all further ones */
	size_t n_records;
	bool held;     /* it is to wait for workers_release() */
	bool ready;    /* and does */
	bool lost;     /* it died while it was held: started again then; there is no process */
	bool answered; /* its server has: it works */
	bool ended;    /* `end` contains its own RECORD_END */
	struct record end;
};

/* Milliseconds for the first word of a worker: that its server has accepted the login and answered what closes. Behind
 * it one that has said nothing keeps no other from its turn: it waits, and needs little memory. */
#define WORKER_SILENT 2000

struct workers {
	const struct worker_job *jobs;
	size_t n_jobs, next, n_running;
	size_t parallel; /* how many places there are; more processes only beside those that are silent */
	unsigned deadline;
	bool canceled;
	bool held; /* until workers_release() only the first `n_early` jobs start */
	size_t n_early;
	int64_t apart, early; /* milliseconds between two of these; when the next may start */
	record_fn sink;
	void *context;
	int epoll, timer;
	size_t n_slots;
	struct slot slots[];
};

/* worker_slot.c */
int workers_watch(struct workers *w, int fd, uint64_t what);
/* The next dispatch is due. */
void workers_wake(struct workers *w);
/* Returns what the sink does. */
int workers_give(struct workers *w, const struct worker_job *job, struct record *r);
void slot_kill(struct slot *s, int failure, const char *why);
unsigned slot_seconds(const struct workers *w, const struct slot *s);
/* What became of a job whose process could not be started. */
void workers_fail_job(struct workers *w, const struct worker_job *job, int error);
int slot_start(struct workers *w, struct slot *s, const struct worker_job *job);
/* Closes the channel and waits for the process. Returns its status. */
int slot_reap(struct workers *w, struct slot *s);
void slot_keep_time(const struct workers *w, struct slot *s);

/* workers_hold.c */
/* The channel of a worker that was held has ended: nothing was done, and nothing is told. */
void slot_lose(struct workers *w, struct slot *s);
/* Its server has answered, or it has reported something. */
bool slot_works(const struct slot *s);
/* It keeps another from its turn. */
bool slot_takes_a_place(const struct slot *s, int64_t now);
/* Whether the next job may start now. */
bool workers_may_start(struct workers *w);
/* The first word of a worker that is held. */
void slot_hear(struct slot *s, const uint8_t *word, size_t size);
/* Behind the release: those that were not ready then are started anew. `told`: what cannot be started has failed; else the
 * next dispatch tries again. */
void workers_renew(struct workers *w, bool told);

#endif
