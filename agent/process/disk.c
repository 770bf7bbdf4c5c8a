/* The thread that works on files, and the wait for it. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "curfew/disk.h"

/* One for the process, as the disk is. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pid_t owner;		/* the process that has the thread; 0: none */
	struct disk_work *work; /* what the thread does or did; NULL: nothing */
	bool done;
	struct disk_work *first, *last; /* to be done after it */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void work_release(struct disk_work *w)
{
	if (w->release)
		w->release(w);
	else
		free(w);
}

static void *disk_serve(void *none)
{
	pthread_mutex_lock(&disk.lock);
	for (;;) {
		while (!disk.work || disk.done)
			pthread_cond_wait(&disk.changed, &disk.lock);
		struct disk_work *w = disk.work;
		pthread_mutex_unlock(&disk.lock);
		w->result = w->run(w);
		pthread_mutex_lock(&disk.lock);
		disk.done = true;
		if (w->abandoned) {
			work_release(w);
			disk.work = disk.first;
			disk.first = disk.first ? disk.first->next : NULL;
			disk.done = false;
		}
		pthread_cond_broadcast(&disk.changed);
	}
	return none;
}

int disk_start(void)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	pthread_t thread;

	if (disk.owner == getpid())
		return 0;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&disk.changed, &clock);
	pthread_condattr_destroy(&clock);
	disk.work = disk.first = disk.last = NULL;
	disk.done = false;
	/* Signals are the other thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&thread, NULL, disk_serve, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return -rc;
	pthread_detach(thread);
	disk.owner = getpid();
	return 0;
}

static bool is_hanging(void)
{
	return disk.work != NULL;
}

/* Requires that earlier work hangs. */
static int disk_postpone(struct disk_work *w)
{
	w->abandoned = true;
	if (!w->must) {
		work_release(w);
		return -ETIMEDOUT;
	}
	w->next = NULL;
	if (disk.first)
		disk.last->next = w;
	else
		disk.first = w;
	disk.last = w;
	return -ETIMEDOUT;
}

static int disk_wait(struct disk_work *w)
{
	struct timespec end;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += DISK_PATIENCE / 1000;
	end.tv_nsec += DISK_PATIENCE % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	while (!disk.done && rc == 0)
		rc = pthread_cond_timedwait(&disk.changed, &disk.lock, &end);
	if (!disk.done) {
		w->abandoned = true;
		return -ETIMEDOUT;
	}
	disk.work = NULL;
	disk.done = false;
	rc = w->result;
	work_release(w);
	return rc;
}

int disk_run(struct disk_work *w)
{
	int rc;

	if (disk.owner != getpid()) {
		rc = w->run(w);
		work_release(w);
		return rc;
	}
	pthread_mutex_lock(&disk.lock);
	if (is_hanging()) {
		rc = disk_postpone(w);
	} else {
		disk.work = w;
		pthread_cond_broadcast(&disk.changed);
		rc = disk_wait(w);
	}
	pthread_mutex_unlock(&disk.lock);
	return rc;
}

bool disk_hangs(void)
{
	if (disk.owner != getpid())
		return false;
	pthread_mutex_lock(&disk.lock);
	bool hangs = is_hanging();
	pthread_mutex_unlock(&disk.lock);
	return hangs;
}
