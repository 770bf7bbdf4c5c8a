/* For LD_PRELOAD: a disk that hangs. Every sync waits while the file named by SLOW_DISK is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int synced(const char *name, int fd)
{
	const struct timespec moment = {0, 10000000};
	const char *file = getenv("SLOW_DISK");
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);

	while (file && access(file, F_OK) == 0)
		nanosleep(&moment, NULL);
	return next(fd);
}

int fsync(int fd)
{
	return synced("fsync", fd);
}

int fdatasync(int fd)
{
	return synced("fdatasync", fd);
}
