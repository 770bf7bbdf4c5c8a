/* Work on files that a disk which hangs could hold up. A thread does it; the caller waits a bounded time, and then goes on
 * as after an error. So a disk that hangs is like a disk that fails, and no access stays open because of it. */
#ifndef CURFEW_DISK_H
#define CURFEW_DISK_H

#include "curfew/base.h"

/* Milliseconds. A healthy disk needs less also when it is busy; removals wait once for so long at most. */
#define DISK_PATIENCE 2000

/* The first member of the caller's own struct, which contains copies of everything that the work needs. */
struct disk_work {
	/* The result of the work; never -ETIMEDOUT. */
	int (*run)(struct disk_work *w);
	/* Frees the struct and what it owns; NULL: free() does. */
	void (*release)(struct disk_work *w);
	/* Must be done, for example because it closes a file: later, if earlier work hangs. */
	bool must;
	/* disk.c's own; release() may read the first: the caller did not wait to the end. */
	bool abandoned;
	struct disk_work *next;
	int result;
};

/* Starts the thread. Call it after the sandbox, which then also confines the thread. Before, and in processes that are
 * forked later, work is done by its caller. 0 or negative errno. */
int disk_start(void);
/* Takes `w`, and releases it when it is done. The result of the work. -ETIMEDOUT: the disk hangs; the work may still be
 * done. */
int disk_run(struct disk_work *w);
/* Earlier work has not ended. */
bool disk_hangs(void);

#endif
