/* The file in which the firewall process saves revocations, the journal's head, and its guards. Lines are appended, never
 * changed. When the file is large, the lines that still count go into a new one, and the old one is kept beside it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "curfew/disk.h"
#include "curfew/text.h"
#include "firewall/helper_guards.h"
#include "firewall/helper_records.h"

#define FILE_NAME "records"
#define OLD_NAME  "records.1"
#define NEW_NAME  "records.new"
/* Above this size the file is renewed. A head of some hundred bytes after each pass with changes: that takes years. */
#define RECORDS_LONG (1 << 20)
/* Larger files are not read, because this process cannot have written them. */
#define RECORDS_MAX (64 << 20)

struct helper_records {
	int folder, file; /* -1: nothing is remembered */
	struct firewall_memory memory;
};

/* NULL: the file cannot be read whole, and errno says why. */
static char *file_text(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
	if (!S_ISREG(st.st_mode) || st.st_size > RECORDS_MAX)
		return NULL;
	char *text = malloc((size_t)st.st_size + 1);
	size_t n = 0;
	while (text && n < (size_t)st.st_size) {
		ssize_t k = pread(fd, text + n, (size_t)st.st_size - n, (off_t)n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			free(text);
			errno = k < 0 ? errno : EIO;
			return NULL;
		}
		n += (size_t)k;
	}
	if (text)
		text[n] = '\0';
	return text;
}

static int text_put(int fd, const char *text, size_t size)
{
	ssize_t n = write(fd, text, size);

	if (n != (ssize_t)size)
		return n < 0 ? -errno : -ENOSPC;
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* If a power failure or a full disk cut off the last line, ends it, so that the next line starts a new one. */
static int file_end_line(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		return -EIO;
	return last == '\n' ? 0 : text_put(fd, "\n", 1);
}

struct line_work {
	struct disk_work work;
	int fd;
	char *text;
};

static int line_work_run(struct disk_work *work)
{
	const struct line_work *w = (struct line_work *)work;

	int rc = file_end_line(w->fd);

	return rc < 0 ? rc : text_put(w->fd, w->text, strlen(w->text));
}

static void line_work_free(struct disk_work *work)
{
	struct line_work *w = (struct line_work *)work;

	free(w->text);
	free(w);
}

/* The packet filter does not wait for a disk that hangs. */
static int lines_put(int fd, const char *text)
{
	struct line_work *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct line_work){.work = {.run = line_work_run, .release = line_work_free},
		.fd = fd,
		.text = strdup(text)};
	if (w->text)
		return disk_run(&w->work);
	free(w);
	return -ENOMEM;
}

static int file_open(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	/* The boot unit is of the folder's group, and reads it. Older versions made it without. */
	if (fd >= 0)
		(void)fchmod(fd, 0640);
	return fd < 0 ? -errno : fd;
}

/* The shortest file with the same meaning: current revocations, the head, and the guards. */
static char *memory_text(const struct firewall_memory *m)
{
	char line[FIREWALL_RECORD_MAX];
	struct text t;

	if (!text_begin(&t))
		return NULL;
	for (size_t i = 0; i < m->n; i++)
		if (firewall_record_write(line, &m->revoked[i]) == 0)
			fprintf(t.to, "%s\n", line);
	if (m->head.kind && firewall_record_write(line, &m->head) == 0)
		fprintf(t.to, "%s\n", line);
	for (size_t i = 0; i < m->guards.n; i++) {
		const struct kept_guard *k = &m->guards.items[i];
		helper_guard_print(t.to, k->server, &k->endpoint, k->trusted, k->n_trusted,
			(instant_t)time(NULL));
	}
	return text_end(&t);
}

static int file_renew(struct helper_records *r)
{
	_cleanup_free_ char *text = memory_text(&r->memory);

	if (!text)
		return -ENOMEM;
	unlinkat(r->folder, NEW_NAME, 0);
	int fd = file_open(r->folder, NEW_NAME);
	int rc = fd < 0 ? fd : text_put(fd, text, strlen(text));
	if (rc == 0 && (renameat(r->folder, FILE_NAME, r->folder, OLD_NAME) < 0 ||
			       renameat(r->folder, NEW_NAME, r->folder, FILE_NAME) < 0))
		rc = -errno;
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	close(r->file);
	r->file = fd;
	return 0;
}

static int records_load(struct helper_records *r, const char *path, size_t *unreadable)
{
	struct stat st;

	r->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0)
		return -errno;
	/* Complete a renewal that a power failure stopped between the two renames. */
	if (fstatat(r->folder, FILE_NAME, &st, 0) < 0 && errno == ENOENT)
		renameat(r->folder, NEW_NAME, r->folder, FILE_NAME);
	r->file = file_open(r->folder, FILE_NAME);
	int rc = r->file < 0 ? r->file : file_end_line(r->file);
	_cleanup_free_ char *text = rc == 0 ? file_text(r->file) : NULL;
	if (rc == 0)
		rc = text ? firewall_memory_read(&r->memory, unreadable, text) : -errno;
	if (rc == 0 && text && strlen(text) > RECORDS_LONG)
		rc = file_renew(r);
	return rc;
}

int helper_records_open(struct helper_records **out, const char *folder, size_t *unreadable)
{
	struct helper_records *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->folder = r->file = -1;
	*unreadable = 0;
	int rc = folder ? records_load(r, folder, unreadable) : 0;
	*out = r;
	return rc;
}

int helper_records_add(struct helper_records *r, const char *line)
{
	struct firewall_record record;
	char text[FIREWALL_RECORD_MAX + 1];
	int n = snprintf(text, sizeof(text), "%s\n", line);
	int rc = strchr(line, '\n') || n >= (int)sizeof(text) ? -EINVAL
							      : firewall_record_read(&record, line);

	/* The service changes guards in the table alone. */
	if (rc == 0 && record.kind >= FIREWALL_GUARD)
		rc = -EINVAL;
	if (rc < 0 || r->file < 0)
		return rc;
	rc = lines_put(r->file, text);
	/* What is revoked stays closed, whatever the disk does. */
	int known = rc == 0 || record.kind == FIREWALL_REVOKED
			    ? firewall_memory_add(&r->memory, &record)
			    : 0;
	return rc < 0 ? rc : known;
}

int helper_records_guards(struct helper_records *r, const struct allowlist *w, instant_t now)
{
	_cleanup_free_ char *text = NULL;
	size_t unreadable = 0;

	if (r->file < 0)
		return 0;
	int rc = helper_guards_changes(&text, &r->memory, w, now);
	if (rc == 0 && *text)
		rc = lines_put(r->file, text);
	return rc ? rc : firewall_memory_read(&r->memory, &unreadable, text);
}

int firewall_memory_open(const char *folder)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return -errno;
	int fd = openat(at, FILE_NAME, flags);
	/* The power failed in a renewal, between the two renames. */
	if (fd < 0 && errno == ENOENT)
		fd = openat(at, NEW_NAME, flags);
	int rc = fd < 0 ? -errno : fd;
	close(at);
	return rc;
}

int firewall_memory_load(struct firewall_memory *out, size_t *unreadable, int fd)
{
	struct firewall_memory m = {0};
	_cleanup_free_ char *text = file_text(fd);
	int rc = text ? 0 : -errno;

	*unreadable = 0;
	if (rc == 0)
		rc = firewall_memory_read(&m, unreadable, text);
	if (rc < 0)
		firewall_memory_free(&m);
	else
		*out = m;
	return rc;
}

char *helper_records_text(const struct helper_records *r)
{
	return r->file < 0 ? strdup("") : file_text(r->file);
}

const struct firewall_memory *helper_records_memory(const struct helper_records *r)
{
	return r ? &r->memory : NULL;
}

void helper_records_close(struct helper_records *r)
{
	if (!r)
		return;
	if (r->file >= 0)
		close(r->file);
	if (r->folder >= 0)
		close(r->folder);
	firewall_memory_free(&r->memory);
	free(r);
}
