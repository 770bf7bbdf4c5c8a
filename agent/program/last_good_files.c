/* The files of last known good versions: where they are, and how they are written. */
#include "curfew/last_good.h"
#include "program/loading.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER	    "last-good"
#define CONFIG_FILE "curfew.conf"
#define CLIENTS	    "clients.d"
/* The state directory if neither a configuration nor systemd names one. */
#define USUAL_STATE "/var/lib/curfew"
/* So many are synchronized one by one. */
#define FEW_FILES 8

static char *path_of(const char *folder, const char *name)
{
	char *path = NULL;

	return folder && asprintf(&path, "%s/%s", folder, name) >= 0 ? path : NULL;
}

int last_good_locate(struct last_good *out, const char *state_directory)
{
	const char *managed = getenv("STATE_DIRECTORY");
	struct last_good g = {0};

	if (!state_directory)
		state_directory = managed && *managed ? managed : USUAL_STATE;
	g.folder = path_of(state_directory, FOLDER);
	g.config = path_of(g.folder, CONFIG_FILE);
	g.clients = path_of(g.folder, CLIENTS);
	if (!g.config || !g.clients) {
		last_good_free(&g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void last_good_free(struct last_good *g)
{
	free(g->folder);
	free(g->config);
	free(g->clients);
	*g = (struct last_good){0};
}

void strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct strings){0};
}

int last_good_load(
	struct program **out, struct problems *problems, const struct last_good *g, instant_t now)
{
	return program_load_kept(out, problems, g->folder, now);
}

static int descriptor_copy(int from, int to)
{
	char part[65536];
	ssize_t n;

	while ((n = read(from, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (ssize_t done = 0, k; done < n; done += k) {
			k = write(to, part + done, (size_t)(n - done));
			if (k < 0)
				return -errno;
		}
	}
	return 0;
}

/* A version that is saved already need not be written again: on a full disk it could not be. */
static bool descriptors_are_equal(int a, int b)
{
	char x[4096], y[4096];
	struct stat s, t;
	ssize_t n = 0;

	if (fstat(a, &s) < 0 || fstat(b, &t) < 0 || s.st_size != t.st_size)
		return false;
	for (off_t at = 0; at < s.st_size; at += n) {
		n = pread(a, x, sizeof(x), at);
		if (n <= 0 || pread(b, y, sizeof(y), at) != n || memcmp(x, y, (size_t)n) != 0)
			return false;
	}
	return true;
}

static bool file_is_saved(int from, int folder, const char *name)
{
	int kept = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool same = kept >= 0 && descriptors_are_equal(from, kept);

	if (kept >= 0)
		close(kept);
	return same;
}

/* A new version beside its place: half a file would be a valid, shorter configuration. */
struct fresh {
	const char *name;
	char beside[24];
};

/* Adds to `fresh` what is not saved yet. */
static int fresh_write(
	struct fresh *fresh, size_t *n, int folder, const char *name, const char *file)
{
	struct fresh f = {.name = name};
	int from = open(file, O_RDONLY | O_CLOEXEC), rc;

	if (from < 0)
		return -errno;
	if (file_is_saved(from, folder, f.name)) {
		close(from);
		return 0;
	}
	snprintf(f.beside, sizeof(f.beside), ".new%zu", *n);
	unlinkat(folder, f.beside, 0);
	int to = openat(folder, f.beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	/* Whatever the umask: commands of the service's group read it when the current file has errors. */
	rc = to < 0 || fchmod(to, 0640) < 0 ? -errno : descriptor_copy(from, to);
	close(from);
	if (to >= 0 && close(to) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		fresh[(*n)++] = f;
	else if (to >= 0)
		unlinkat(folder, f.beside, 0);
	return rc;
}

static int file_sync(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* On the disk before any is put in its place; many of them at once, and not one after the other. */
static int fresh_sync(const struct fresh *fresh, size_t n, int folder)
{
	int rc = 0;

	if (n > FEW_FILES)
		return syncfs(folder) < 0 ? -errno : 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = file_sync(folder, fresh[i].beside);
	return rc;
}

static int fresh_place(const struct fresh *fresh, size_t n, int folder)
{
	int rc = fresh_sync(fresh, n, folder);

	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && renameat(folder, fresh[i].beside, folder, fresh[i].name) < 0)
			rc = -errno;
		if (rc < 0)
			unlinkat(folder, fresh[i].beside, 0);
	}
	return rc;
}

static bool program_reads(const struct program *p, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (streq(p->files[i], path))
			return true;
	return false;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Delete saved versions of removed client files: their access ends. */
static void clients_prune(const struct program *p, int folder)
{
	_cleanup_free_ const char **names = calloc(p->n_files + 1, sizeof(*names));
	int copy = dup(folder);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d || !names) {
		if (d)
			closedir(d);
		else if (copy >= 0)
			close(copy);
		return;
	}
	for (size_t i = 0; i < p->n_files; i++)
		names[i] = base_name(p->files[i]);
	qsort(names, p->n_files, sizeof(*names), name_compare);
	for (struct dirent *e; (e = readdir(d));) {
		const char *name = e->d_name;

		if (name[0] != '.' &&
			!bsearch(&name, names, p->n_files, sizeof(*names), name_compare))
			unlinkat(folder, name, 0);
	}
	closedir(d);
}

static int directory_open(const char *path)
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Corrects the mode of an existing directory. Fails for another user's directory, which keeps its mode. */
	fchmod(fd, 0750);
	return fd;
}

static int clients_save(const struct program *p, const struct strings *kept, const char *path)
{
	_cleanup_free_ struct fresh *fresh = calloc(p->n_clients + 1, sizeof(*fresh));
	int folder = directory_open(path), rc = 0, failed;
	size_t n = 0;

	if (folder < 0)
		return folder;
	if (!fresh)
		rc = -ENOMEM;
	for (size_t i = 0; i < p->n_clients && rc == 0; i++) {
		const char *file = p->clients[i].file;

		if (!strings_contain(kept, base_name(file)))
			rc = fresh_write(fresh, &n, folder, base_name(file), file);
	}
	/* Where one could not be written, those before it are good. */
	failed = fresh_place(fresh, n, folder);
	if (rc == 0)
		rc = failed;
	clients_prune(p, folder);
	if (rc == 0 && fsync(folder) < 0 && errno != EINVAL)
		rc = -errno;
	close(folder);
	return rc;
}

static int config_save(const char *file, int folder)
{
	struct fresh fresh;
	size_t n = 0;
	int rc = fresh_write(&fresh, &n, folder, CONFIG_FILE, file);

	return rc < 0 ? rc : fresh_place(&fresh, n, folder);
}

int last_good_save(const struct last_good *g, const struct program *p, const struct strings *kept,
	const char *file)
{
	int fd = directory_open(g->folder);

	if (fd < 0)
		return fd;
	/* If the program was loaded from the last known good version itself, there is nothing to save. */
	int rc = program_reads(p, file) ? config_save(file, fd) : 0;
	close(fd);
	return rc < 0 ? rc : clients_save(p, kept, g->clients);
}
