/* Saves last known good versions by the thread for work on disks, which may still be at it when the configuration has been
 * replaced. So it gets copies of the names that it needs. */
#include <errno.h>
#include <string.h>
#include "curfew/disk.h"
#include "service/configuration.h"

struct save_work {
	struct disk_work work;
	struct last_good saved;
	struct strings kept;
	struct program program; /* the names and digests of its files alone */
	char *file;
};

static int save_run(struct disk_work *work)
{
	struct save_work *w = (struct save_work *)work;

	return last_good_save(&w->saved, &w->program, &w->kept, w->file);
}

static void save_free(struct disk_work *work)
{
	struct save_work *w = (struct save_work *)work;

	for (size_t i = 0; i < w->program.n_clients; i++)
		free(w->program.clients[i].file);
	free(w->program.clients);
	for (size_t i = 0; i < w->program.n_files; i++)
		free(w->program.files[i]);
	free(w->program.files);
	strings_clear(&w->kept);
	last_good_free(&w->saved);
	free(w->file);
	free(w);
}

static bool text_copy(char **out, const char *text)
{
	*out = strdup(text);
	return *out;
}

static bool program_copy(struct program *out, const struct program *p)
{
	bool whole = (out->clients = calloc(p->n_clients + 1, sizeof(*out->clients))) &&
		     (out->files = calloc(p->n_files + 1, sizeof(*out->files)));

	out->config = p->config;
	for (size_t i = 0; i < p->n_clients && whole; i++, out->n_clients++) {
		out->clients[i].content = p->clients[i].content;
		whole = text_copy(&out->clients[i].file, p->clients[i].file);
	}
	for (size_t i = 0; i < p->n_files && whole; i++, out->n_files++)
		whole = text_copy(&out->files[i], p->files[i]);
	return whole;
}

static bool kept_copy(struct strings *out, const struct strings *kept)
{
	bool whole = (out->items = calloc(kept->n + 1, sizeof(*out->items)));

	for (size_t i = 0; i < kept->n && whole; i++, out->n++)
		whole = text_copy(&out->items[i], kept->items[i]);
	return whole;
}

int configuration_save(const struct last_good *saved, const struct program *p,
	const struct strings *kept, const char *file)
{
	struct save_work *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->work = (struct disk_work){.run = save_run, .release = save_free};
	bool whole = text_copy(&w->saved.folder, saved->folder) &&
		     text_copy(&w->saved.config, saved->config) &&
		     text_copy(&w->saved.clients, saved->clients) && text_copy(&w->file, file) &&
		     kept_copy(&w->kept, kept) && program_copy(&w->program, p);
	if (whole)
		return disk_run(&w->work);
	save_free(&w->work);
	return -ENOMEM;
}
