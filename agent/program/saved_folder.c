/* Until there is an archive, the files that an older version of Curfew saved are read. They have no digests. */
#include "program/saved_folder.h"
#include "program/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
/* The new version of curfew.conf. */
#define OLD_TEMPORARY ".new0"

/* Every client file, then curfew.conf: sorted, since "clients.d/" is before "curfew.conf". */
static int names_write(char **out, size_t *n, struct dirent **entries, int found, bool config)
{
	size_t size;
	FILE *to = open_memstream(out, &size);

	if (!to)
		return -ENOMEM;
	for (int i = 0; i < found; i++) {
		if (!name_is_client_file(entries[i]->d_name))
			continue;
		fprintf(to, SAVED_CLIENTS "%s%c", entries[i]->d_name, '\0');
		(*n)++;
	}
	if (config)
		fprintf(to, SAVED_CONFIG "%c", '\0');
	*n += config;
	return fclose(to) != 0 ? -ENOMEM : 0;
}

static int index_make(struct saved_index *out, struct dirent **entries, int found, bool config)
{
	struct saved_index x = {0};
	size_t n = 0;
	int rc = names_write(&x.text, &n, entries, found, config);

	if (rc == 0)
		x.items = calloc(n + 1, sizeof(*x.items));
	if (rc == 0 && !x.items)
		rc = -ENOMEM;
	for (const char *name = x.text; rc == 0 && x.n < n; name += strlen(name) + 1)
		x.items[x.n++].name = name;
	if (rc < 0)
		saved_index_free(&x);
	else
		*out = x;
	return rc;
}

int folder_generation_open(struct generation *out, int folder, uid_t owner)
{
	bool config = faccessat(folder, SAVED_CONFIG, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int clients = openat(folder, SAVED_CLIENTS, FOLDER_FLAGS), found = 0;
	struct generation g = {.is_folder = true, .owner = owner};
	struct dirent **entries = NULL;

	if (clients < 0 && !config)
		return -ENOENT;
	if (clients >= 0) {
		found = entries_list(&entries, clients);
		close(clients);
	}
	int rc = found < 0 ? found : index_make(&g.index, entries, found, config);
	entries_free(entries, found);
	if (rc < 0)
		return rc;
	g.fd = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	if (g.fd < 0) {
		rc = -errno;
		saved_index_free(&g.index);
		return rc;
	}
	*out = g;
	return 0;
}

int folder_entry_read(char **text, size_t *size, const struct generation *g, const char *name)
{
	struct problems ignored = {0};
	struct reading r = {.problems = &ignored, .file = name, .owner = g->owner};
	char *read = file_read(&r, g->fd, name, size);

	problems_free(&ignored);
	if (!read)
		return r.failure ? r.failure : -EBADMSG;
	*text = read;
	return 0;
}

void folder_generation_remove(int folder)
{
	int clients = openat(folder, SAVED_CLIENTS, FOLDER_FLAGS), found = 0;
	struct dirent **entries = NULL;

	unlinkat(folder, SAVED_CONFIG, 0);
	unlinkat(folder, OLD_TEMPORARY, 0);
	if (clients < 0)
		return;
	found = entries_list(&entries, clients);
	for (int i = 0; i < found; i++)
		unlinkat(clients, entries[i]->d_name, 0);
	entries_free(entries, found);
	close(clients);
	unlinkat(folder, SAVED_CLIENTS, AT_REMOVEDIR);
}
