/* Saves last known good versions: one archive, written whole beside the current one, synced once, and put in its place.
 * The one before stays as the previous generation. */
#include "curfew/last_good.h"
#include "program/loading.h"
#include "program/saved.h"
#include "program/saved_folder.h"
#include "program/saved_forget.h"
#include "program/saved_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY SAVED_CURRENT ".new"

/* What is to be saved. */
struct version {
	char *name;
	const char *file; /* where it is read; NULL: from the saved versions */
	struct file_digest content;
};
struct versions {
	struct version *items; /* sorted by name */
	size_t n;
};

static void versions_free(struct versions *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->items[i].name);
	free(v->items);
}

static int version_compare(const void *a, const void *b)
{
	return strcmp(((const struct version *)a)->name, ((const struct version *)b)->name);
}

/* A file with errors keeps the version that it has. */
static int version_keep(struct version *v, const struct saved *s)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int rc = s ? saved_read(&text, &size, s, v->name) : -ENOENT;

	if (rc < 0)
		return rc;
	v->file = NULL;
	v->content = content_digest(text, size);
	return 0;
}

static int client_add(struct versions *v, const struct client *c, bool kept, const struct saved *s)
{
	struct version new = {.file = c->file, .content = c->content};
	int rc = 0;

	if (asprintf(&new.name, SAVED_CLIENTS "%s", base_name(c->file)) < 0)
		return -ENOMEM;
	if (kept)
		rc = version_keep(&new, s);
	if (rc < 0 || !saved_name_is_valid(new.name)) {
		free(new.name);
		return rc;
	}
	v->items[v->n++] = new;
	return 0;
}

static int versions_list(struct versions *v, const struct program *p, const struct strings *kept,
	const char *file, const struct saved *s)
{
	int rc = 0;

	v->items = calloc(p->n_clients + 1, sizeof(*v->items));
	char *config = v->items ? strdup(SAVED_CONFIG) : NULL;
	if (!config)
		return -ENOMEM;
	v->items[v->n++] = (struct version){config, file, p->config};
	for (size_t i = 0; i < p->n_clients && rc == 0; i++)
		rc = client_add(
			v, &p->clients[i], strings_contain(kept, base_name(p->clients[i].file)), s);
	if (rc == 0)
		qsort(v->items, v->n, sizeof(*v->items), version_compare);
	return rc;
}

/* What is saved already need not be written again: on a full disk it could not be. */
static bool versions_are_saved(const struct versions *v, const struct saved *s)
{
	bool same = v->n == s->base.index.n;

	for (size_t i = 0; i < v->n && same; i++) {
		const struct saved_entry *e = &s->base.index.items[i];

		same = streq(v->items[i].name, e->name) &&
		       v->items[i].content.size == e->content.size &&
		       memcmp(v->items[i].content.hash, e->content.hash, sizeof(e->content.hash)) ==
			       0;
	}
	return same;
}

/* ---- writing ---- */

/* -EAGAIN: it is not what was loaded any more, so nobody has checked it. */
static int file_again(char **out, const struct version *v)
{
	size_t size = (size_t)v->content.size, n = 0;
	int fd = open(v->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = fd < 0 ? NULL : malloc(size + 1);
	ssize_t got = 1;

	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	while (text && n <= size && got > 0) {
		got = read(fd, text + n, size + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	int rc = !text ? -ENOMEM : got < 0 ? -errno : 0;
	close(fd);
	if (rc == 0 && (n != size || !content_is(&v->content, text, size)))
		rc = -EAGAIN;
	if (rc == 0)
		*out = text;
	else
		free(text);
	return rc;
}

static int member_write(struct tar_writer *w, const struct version *v, const struct saved *s)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int rc = v->file ? file_again(&text, v) : saved_read(&text, &size, s, v->name);

	if (rc < 0)
		return rc;
	tar_member(w, v->name, text, (size_t)v->content.size);
	return w->rc;
}

static int index_write(struct tar_writer *w, const struct versions *v)
{
	_cleanup_free_ struct saved_entry *items = calloc(v->n + 1, sizeof(*items));
	_cleanup_free_ char *text = NULL;
	size_t size;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		items[i] = (struct saved_entry){
			.name = v->items[i].name, .content = v->items[i].content};
	int rc = saved_index_print(&text, &size, items, v->n);
	if (rc == 0)
		tar_member(w, "INDEX", text, size);
	return rc < 0 ? rc : w->rc;
}

static int archive_write(int fd, const struct versions *v, const struct saved *s)
{
	_cleanup_free_ struct tar_writer *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	tar_begin(w, fd, (int64_t)time(NULL));
	int rc = index_write(w, v);
	for (size_t i = 0; i < v->n && rc == 0; i++)
		rc = member_write(w, &v->items[i], s);
	return rc < 0 ? rc : tar_end(w);
}

/* Whole and on the disk before it is put in its place. */
static int temporary_write(int folder, const struct versions *v, const struct saved *s)
{
	int fd = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	/* Whatever the umask: commands of the service's group read it when the current file has errors. */
	int rc = fd < 0 || fchmod(fd, 0640) < 0 ? -errno : archive_write(fd, v, s);

	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

static bool version_stays(const void *versions, const char *name)
{
	const struct versions *v = versions;
	struct version key = {.name = (char *)name};

	return bsearch(&key, v->items, v->n, sizeof(*v->items), version_compare);
}

/* Between the two renames the generation before is the one that is read. A generation with damage does not take the
 * place of a sound one. */
static int temporary_place(int folder, bool sound)
{
	if (sound && renameat(folder, SAVED_CURRENT, folder, SAVED_PREVIOUS) < 0)
		return -errno;
	if (renameat(folder, TEMPORARY, folder, SAVED_CURRENT) < 0)
		return -errno;
	/* EINVAL: this file system does not support fsync on directories. */
	return fsync(folder) < 0 && errno != EINVAL ? -errno : 0;
}

static int versions_save(int folder, const struct versions *v, const struct saved *s)
{
	bool sound = s && saved_is_sound(s);

	/* Of a process that did not live to put it in its place. */
	unlinkat(folder, TEMPORARY, 0);
	if (sound && versions_are_saved(v, s))
		return 0;
	int rc = temporary_write(folder, v, s);
	if (rc == 0)
		rc = temporary_place(folder, sound);
	if (rc == 0)
		return 0;
	unlinkat(folder, TEMPORARY, 0);
	if (s && rc != -EAGAIN)
		saved_forget(folder, s, version_stays, v);
	return rc;
}

static int folder_prepare(const char *path)
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

static bool program_reads(const struct program *p, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (streq(p->files[i], path))
			return true;
	return false;
}

int last_good_save(const struct last_good *g, const struct program *p, const struct strings *kept,
	const char *file)
{
	struct versions v = {0};
	struct saved *s = NULL;

	/* If the program was loaded from the last known good version itself, there is nothing to save. */
	if (!program_reads(p, file))
		return 0;
	int folder = folder_prepare(g->folder);
	if (folder < 0)
		return folder;
	int rc = saved_open(&s, g->folder);
	/* What cannot be read is written anew. */
	rc = rc == -ENOMEM ? rc : versions_list(&v, p, kept, file, s);
	if (rc == 0)
		rc = versions_save(folder, &v, s);
	if (rc == 0)
		folder_generation_remove(folder);
	saved_close(s);
	versions_free(&v);
	close(folder);
	return rc;
}
