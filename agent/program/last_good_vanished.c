/* A client file that is renamed and gets an error at the same time has no last known good version under its new name,
 * and the old name is gone. A file with errors never ends access early, so every client that it could be keeps its
 * last known good version. */
#include "curfew/last_good.h"
#include "program/file.h"
#include "program/levels.h"
#include "program/loading.h"
#include "program/problems.h"
#include "program/vanished.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger client files are not read. */
#define TEXT_MAX 65536

/* Returns "" if the file cannot be read: it may then be any client's. */
static char *text_read(const char *path)
{
	char *text = calloc(1, TEXT_MAX + 1);
	int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	struct stat st;

	if (fd >= 0) {
		ssize_t n =
			fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, text, TEXT_MAX) : 0;
		text[n > 0 ? n : 0] = '\0';
		close(fd);
	}
	return text;
}

/* Names are in quotes. A text without any known name may be any client's. */
static bool text_may_be_of(const char *text, const struct program *old, const char *client)
{
	bool names_any = false;

	for (size_t i = 0; i < old->n_clients; i++) {
		char quoted[MAX_NAME_BYTES + 3];

		snprintf(quoted, sizeof(quoted), "\"%s\"", old->clients[i].name);
		if (!strstr(text, quoted))
			continue;
		if (streq(old->clients[i].name, client))
			return true;
		names_any = true;
	}
	return !names_any && !strstr(text, "name");
}

static bool has_version(const struct program *old, const char *file)
{
	for (size_t i = 0; i < old->n_clients; i++)
		if (streq(base_name(old->clients[i].file), base_name(file)))
			return true;
	return false;
}

static bool file_is_there(const struct program *p, const char *name)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (streq(base_name(p->files[i]), name))
			return true;
	return false;
}

/* Whether a file with errors and without a version of its own may be this client's. 1, 0, or -ENOMEM. */
static int client_is_broken(const struct program *old, const char *client,
	const struct problems *problems, const char *config)
{
	const char *last = NULL;

	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *k = &problems->items[i];
		if (k->severity != SEVERITY_ERROR || streq(k->file, config) ||
			(last && streq(last, k->file)) || has_version(old, k->file))
			continue;
		last = k->file;
		_cleanup_free_ char *text = text_read(k->file);
		if (!text)
			return -ENOMEM;
		if (text_may_be_of(text, old, client))
			return 1;
	}
	return 0;
}

int vanished_find(struct strings *out, const struct program *p, const struct problems *problems,
	const char *config, const struct saved *saved, const struct last_good *g)
{
	struct problems ignored;
	struct program *old = NULL;
	int rc = 0, added = 0;

	if (!problems->n_errors || program_load_kept(&old, &ignored, saved, g->config, 0) < 0)
		return 0;
	problems_free(&ignored);
	for (size_t i = 0; old && i < old->n_clients && rc >= 0; i++) {
		const struct client *c = &old->clients[i];
		if (file_is_there(p, base_name(c->file)) || program_client(p, c->name) ||
			strings_contain(out, base_name(c->file)))
			continue;
		rc = client_is_broken(old, c->name, problems, config);
		if (rc <= 0)
			continue;
		rc = strings_add(out, base_name(c->file));
		added++;
	}
	program_free(old);
	return rc < 0 ? rc : added;
}
