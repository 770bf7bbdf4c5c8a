/* The latest time seen: one line on disk, replaced atomically and synced. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "curfew/clock.h"
#include "curfew/disk.h"

#define CLOCK_FILE "clock"
/* One line: the word, a space, seconds, a newline. */
#define CLOCK_WORD     "highest"
#define CLOCK_TEXT_MAX 64
/* Years 1970 to 9999. A file with any other time is damaged. */
#define CLOCK_LATEST INT64_C(253402300799)
/* Leap-second smearing and NTP adjustments stay below this. A larger step back raises an alarm. */
#define CLOCK_TOLERANCE 1

static int clock_read(instant_t *out, const char *path)
{
	char text[CLOCK_TEXT_MAX], again[CLOCK_TEXT_MAX];
	int64_t value;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	int rc = n < 0 ? -errno : 0;
	close(fd);
	if (n < 0)
		return rc;
	text[n] = '\0';
	/* Format the value again and compare, so that a cut or extended line is not taken for another time. */
	if (strncmp(text, CLOCK_WORD " ", strlen(CLOCK_WORD " ")) != 0)
		return -EBADMSG;
	value = strtoll(text + strlen(CLOCK_WORD " "), NULL, 10);
	snprintf(again, sizeof(again), CLOCK_WORD " %" PRId64 "\n", value);
	if ((size_t)n != strlen(again) || memcmp(text, again, (size_t)n) != 0)
		return -EBADMSG;
	if (value < 0 || value > CLOCK_LATEST)
		return -EBADMSG;
	*out = value;
	return 0;
}

static int file_sync_close(int fd, int rc)
{
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

static int clock_write(const char *path, instant_t value)
{
	char text[CLOCK_TEXT_MAX], next[PATH_MAX + 8], folder[PATH_MAX];
	int n = snprintf(text, sizeof(text), CLOCK_WORD " %" PRId64 "\n", value);

	snprintf(next, sizeof(next), "%s.new", path);
	/* A temporary file that was left behind, perhaps by root, must not block the service. */
	unlink(next);
	int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, text, (size_t)n);
	int rc = file_sync_close(fd, written == n ? 0 : written < 0 ? -errno : -EIO);
	if (rc == 0 && rename(next, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(next);
		return rc;
	}
	/* Sync the directory too, or a power failure could bring the old time back. */
	snprintf(folder, sizeof(folder), "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : file_sync_close(fd, 0);
}

struct clock_work {
	struct disk_work work;
	instant_t value;
	char path[PATH_MAX];
};

static int clock_work_run(struct disk_work *work)
{
	const struct clock_work *w = (struct clock_work *)work;

	return clock_write(w->path, w->value);
}

/* Waits a bounded time for a disk that hangs. */
static int clock_put(const char *path, instant_t value)
{
	struct clock_work *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->work.run = clock_work_run;
	w->value = value;
	snprintf(w->path, sizeof(w->path), "%s", path);
	return disk_run(&w->work);
}

/* Seconds since boot, including suspension; independent of the system clock. */
static int64_t clock_elapsed(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec;
}

static instant_t clock_machine(void)
{
	struct timespec t;

	/* Not time(): it reads a coarser clock, which may still return the previous second just after a timer has
	 * fired. */
	clock_gettime(CLOCK_REALTIME, &t);
	return (instant_t)t.tv_sec;
}

int clock_open(struct clock *c, const char *state_directory)
{
	struct clock fresh = {0};
	int n = snprintf(fresh.path, sizeof(fresh.path), "%s/" CLOCK_FILE, state_directory);

	if (n < 0 || (size_t)n >= sizeof(fresh.path))
		return -ENAMETOOLONG;
	int rc = clock_read(&fresh.highest, fresh.path);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	fresh.saved = fresh.highest;
	fresh.anchor = clock_elapsed();
	*c = fresh;
	return 0;
}

int clock_now(instant_t *out, instant_t *behind, const struct clock *c)
{
	instant_t machine = clock_machine(), expected;

	if (c->fixed) {
		*out = c->at;
		return 0;
	}
	/* Without a saved time only the system clock can be used. */
	expected = c->highest ? c->highest + (clock_elapsed() - c->anchor) : machine;
	if (expected - machine <= CLOCK_TOLERANCE) {
		*out = machine > c->highest ? machine : c->highest;
		return 0;
	}
	if (behind)
		*behind = expected - machine;
	if (expected - machine > CLOCK_WAIT_MAX)
		*out = expected;
	else
		*out = machine > c->highest ? machine : c->highest;
	return CLOCK_RAN_BACK;
}

void clock_see(struct clock *c, instant_t now)
{
	if (c->fixed || now <= c->highest)
		return;
	c->highest = now;
	c->anchor = clock_elapsed();
}

int clock_save(struct clock *c)
{
	if (c->fixed || c->highest <= c->saved)
		return 0;
	int rc = c->path[0] ? clock_put(c->path, c->highest) : 0;
	if (rc == 0)
		c->saved = c->highest;
	return rc;
}

int clock_advance(struct clock *c, instant_t now)
{
	clock_see(c, now);
	return clock_save(c);
}

int clock_reset_check(const struct clock *c, instant_t to)
{
	instant_t machine = clock_machine(), latest = machine > c->highest ? machine : c->highest;

	if (to < 0 || to > CLOCK_LATEST)
		return -EINVAL;
	/* Some time may have passed since the operator noted the time. */
	return to < machine - CLOCK_WAIT_MAX || to > latest + CLOCK_WAIT_MAX ? -ERANGE : 0;
}

int clock_reset(struct clock *c, instant_t to)
{
	int rc = clock_reset_check(c, to);

	if (rc == 0 && c->path[0])
		rc = clock_put(c->path, to);
	if (rc == 0) {
		c->highest = c->saved = to;
		c->anchor = clock_elapsed();
	}
	return rc;
}
