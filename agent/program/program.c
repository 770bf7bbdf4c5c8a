/* Loads the configuration: curfew.conf first, then each client file, then conflicts between them. Loading continues
 * after an error, so that one run reports all. */
#include "curfew/program.h"
#include "curfew/text.h"

#include "program/file.h"
#include "program/loading.h"
#include "program/problems.h"
#include "program/saved.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct loading {
	bool absent; /* curfew.conf does not exist */
	struct program *program;
	struct problems *problems;
	struct drafts drafts;
	char *clients; /* the directory of client files */
	bool last_good; /* all of it is the last known good version, whatever the settings say of a folder */
	const struct saved *saved;	   /* last known good versions, or NULL */
	const char *kept;		   /* the name of their client files' folder, or NULL */
	const struct strings *substitutes; /* client files to read from there */
	crypto_generichash_state digest;
	const struct edited_file *edited;
	instant_t now;
};

static void program_clear(struct program *p)
{
	for (size_t i = 0; i < p->n_servers; i++)
		server_free(&p->servers[i]);
	for (size_t i = 0; i < p->n_clients; i++)
		client_free(&p->clients[i]);
	for (size_t i = 0; i < p->n_files; i++)
		free(p->files[i]);
	maintenance_free(p);
	settings_free(&p->settings);
	free(p->servers);
	free(p->clients);
	free(p->files);
	free(p->clients_folder);
}

void program_free(struct program *p)
{
	if (!p)
		return;
	program_clear(p);
	free(p);
}

/* Adds the lengths first: otherwise text could move from one file to the next without changing the digest. */
static void digest_add(struct loading *l, const char *name, const char *text, size_t size)
{
	uint64_t lengths[2] = {strlen(name), size};

	crypto_generichash_update(&l->digest, (const unsigned char *)lengths, sizeof(lengths));
	crypto_generichash_update(&l->digest, (const unsigned char *)name, strlen(name));
	crypto_generichash_update(&l->digest, (const unsigned char *)text, size);
}

static void digest_end(struct loading *l)
{
	unsigned char hash[32];

	crypto_generichash_final(&l->digest, hash, sizeof(hash));
	sodium_bin2hex(l->program->digest, sizeof(l->program->digest), hash, sizeof(hash));
}

/* Adds a file's name; returns the copy that the program keeps, or NULL. */
static const char *files_add(struct program *p, struct reading *r, const char *file)
{
	char **files = reallocarray(p->files, p->n_files + 1, sizeof(*files));
	char *name = reading_copy(r, file);

	if (!files)
		r->failure = -ENOMEM;
	else
		p->files = files;
	if (!files || !name) {
		free(name);
		return NULL;
	}
	files[p->n_files++] = name;
	return name;
}

/* In place of a folder's descriptor: the file is among the last known good versions. */
enum { AMONG_SAVED = -1 };

/* Reads a file's text, checks it, adds it to the digest, and parses it. False after reporting. */
static bool file_load(struct loading *l, struct reading *r, int folder, const char *name,
	config_t *out, struct file_digest *content)
{
	size_t size = 0;
	_cleanup_free_ char *text =
		folder == AMONG_SAVED
			? saved_text(r, &size, l->saved, r->kept ? SAVED_CLIENTS : "", name)
			: file_read(r, folder, name, &size);

	if (!text)
		return false;
	digest_add(l, name, text, size);
	*content = content_digest(text, size);
	return reading_parse(r, out, text, size);
}

static void main_sections_read(struct loading *l, struct reading *r, const config_t *config,
	const char *folder, bool parsed)
{
	const config_setting_t *root = config_root_setting(config), *key;
	struct program *p = l->program;
	struct reading files = *r;
	const char *clients;

	settings_read(&p->settings, &clients, r, root);
	l->clients = path_join(r, folder, l->last_good ? "clients.d" : clients);
	if (!parsed || p->n_files == 0)
		return;
	servers_read(p, r, root, p->files[0]);
	maintenance_read(p, r, root);
	key = config_setting_get_member(root, "journal_key");
	/* An error in a file that curfew.conf only names does not reject the configuration: access must still end. */
	files.failure = r->failure;
	notice_templates_read(&p->settings.notices, &files, root, l->last_good ? NULL : folder);
	if (r->failure == 0)
		credentials_check(p, &files, key ? (int)config_setting_source_line(key) : 0);
	r->failure = files.failure;
}

/* Loads curfew.conf. After an error the defaults are used, so that the client files can be checked too. */
static int main_load(struct loading *l, const char *file)
{
	struct reading r = {.problems = l->problems, .file = file, .now = l->now};
	_cleanup_free_ char *folder = path_folder(&r, file);
	config_t config;
	bool parsed = false;
	bool found = l->last_good || access(file, F_OK) == 0 || errno != ENOENT;

	files_add(l->program, &r, file);
	if (r.failure)
		return r.failure;
	config_init(&config);
	if (!found)
		reading_error(&r, NULL, "file not found; create it, or use --config FILE");
	int fd = found && !l->last_good ? folder_open(&r, folder) : AMONG_SAVED;
	if (fd >= 0 || l->last_good)
		parsed = file_load(l, &r, fd, base_name(file), &config, &l->program->config);
	if (fd >= 0)
		close(fd);
	if (!parsed) {
		/* Settings before the error would be only part of what is meant. */
		config_destroy(&config);
		config_init(&config);
	}
	main_sections_read(l, &r, &config, folder, parsed);
	config_destroy(&config);
	l->problems->fatal = r.errors > 0;
	l->absent = !found;
	return r.failure;
}

static int client_load(struct loading *l, const char *path, int folder, const char *name)
{
	struct reading r = {.problems = l->problems,
		.now = l->now,
		.edited = l->edited,
		.kept = folder == AMONG_SAVED};
	struct draft *items, *draft;
	config_t config;

	items = reallocarray(l->drafts.items, l->drafts.n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	l->drafts.items = items;
	draft = &items[l->drafts.n++];
	*draft = (struct draft){.kept = r.kept};
	draft->client.file = path_join(&r, path, name);
	r.file = draft->client.file;
	if (r.failure || !files_add(l->program, &r, r.file))
		return -ENOMEM;
	config_init(&config);
	if (file_load(l, &r, folder, name, &config, &draft->client.content))
		client_read(&draft->client, &r, config_root_setting(&config), l->program);
	config_destroy(&config);
	draft->broken = r.errors > 0;
	return r.failure;
}

static int client_load_kept(struct loading *l, const char *name)
{
	return client_load(l, l->kept, AMONG_SAVED, name);
}

static int entry_load(struct loading *l, int folder, const char *name)
{
	struct reading r = {.problems = l->problems, .now = l->now};
	_cleanup_free_ char *path = NULL;

	if (name_is_client_file(name) && l->substitutes && strings_contain(l->substitutes, name))
		return client_load_kept(l, name);
	if (name_is_client_file(name))
		return client_load(l, l->clients, folder, name);
	path = path_join(&r, l->clients, name);
	r.file = path;
	if (path)
		reading_advice(&r, NULL,
			"this file is ignored; the name of a client file must end in .conf and must not "
			"start with a dot");
	return r.failure;
}

static int saved_clients_load(struct loading *l)
{
	const struct saved_index *index = &l->saved->base.index;
	int rc = 0;

	for (size_t i = 0; i < index->n && rc == 0; i++)
		if (begins_with(index->items[i].name, SAVED_CLIENTS))
			rc = client_load(
				l, l->clients, AMONG_SAVED, base_name(index->items[i].name));
	return rc;
}

static int clients_load(struct loading *l, const char *file)
{
	struct reading r = {.problems = l->problems, .file = file, .now = l->now};
	int folder = folder_open(&r, l->clients), n, result = 0;
	const char *fresh = l->edited ? base_name(l->edited->path) : NULL;
	struct dirent **entries = NULL;

	if (r.failure)
		return r.failure;
	/* A directory that cannot be read must not look like one without clients: that would end all access. */
	l->problems->fatal |= folder < 0;
	if (folder < 0)
		return 0;
	n = entries_list(&entries, folder);
	if (n < 0)
		result = n;
	for (int i = 0; i < n; i++) {
		if (result == 0)
			result = entry_load(l, folder, entries[i]->d_name);
		if (fresh && streq(fresh, entries[i]->d_name))
			fresh = NULL;
	}
	/* Client files that are gone, and may be what a file with errors was before. */
	for (size_t i = 0; l->substitutes && i < l->substitutes->n && result == 0; i++)
		if (!entries_contain(entries, n, l->substitutes->items[i]))
			result = client_load_kept(l, l->substitutes->items[i]);
	entries_free(entries, n);
	if (fresh && result == 0)
		result = client_load(l, l->clients, folder, fresh);
	close(folder);
	return result;
}

static int client_order(const void *a, const void *b)
{
	const struct client *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int file_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds only clients without errors and without conflicts to the program. */
static int clients_take(struct loading *l)
{
	struct program *p = l->program;
	int rc = clashes_check(&l->drafts, l->problems, p->settings.shared_databases);

	if (rc < 0)
		return rc;
	p->clients = calloc(l->drafts.n + 1, sizeof(*p->clients));
	if (!p->clients)
		return -ENOMEM;
	for (size_t i = 0; i < l->drafts.n; i++) {
		struct draft *draft = &l->drafts.items[i];

		if (draft->broken || draft->clashes)
			continue;
		p->clients[p->n_clients++] = draft->client;
		draft->client = (struct client){0};
	}
	qsort(p->clients, p->n_clients, sizeof(*p->clients), client_order);
	qsort(p->files, p->n_files, sizeof(*p->files), file_order);
	return 0;
}

static void drafts_free(struct drafts *d)
{
	for (size_t i = 0; i < d->n; i++)
		client_free(&d->items[i].client);
	free(d->items);
}

/* What a client that is not loaded has, nobody knows. */
static int windows_check(struct loading *l, const char *file)
{
	struct reading r = {.problems = l->problems, .file = file, .now = l->now};
	bool complete = true;

	for (size_t i = 0; i < l->drafts.n; i++)
		complete = complete && !l->drafts.items[i].broken && !l->drafts.items[i].clashes;
	maintenance_check(l->program, &r, complete);
	return r.failure;
}

static int loading_run(struct loading *l, const char *file)
{
	int rc;

	if (sodium_init() < 0)
		return -EIO;
	crypto_generichash_init(&l->digest, NULL, 0, 32);
	rc = main_load(l, file);
	/* Without curfew.conf the directory of client files is unknown. */
	if (rc == 0 && !l->absent)
		rc = l->last_good ? saved_clients_load(l) : clients_load(l, file);
	if (rc == 0)
		rc = clients_take(l);
	if (rc == 0 && !l->problems->fatal)
		rc = windows_check(l, file);
	if (rc == 0)
		digest_end(l);
	problems_sort(l->problems);
	return rc;
}

static int load(struct program **out, struct loading *l, const char *file)
{
	int rc;

	*l->problems = (struct problems){0};
	l->program = calloc(1, sizeof(*l->program));
	if (!l->program)
		return -ENOMEM;
	rc = loading_run(l, file);
	drafts_free(&l->drafts);
	l->program->clients_folder = l->clients;
	if (rc < 0 || l->problems->fatal) {
		program_free(l->program);
		l->program = NULL;
	}
	if (rc < 0) {
		problems_free(l->problems);
		return rc;
	}
	*out = l->program;
	return 0;
}

int program_load_with(struct program **out, struct problems *problems, const char *file,
	const struct saved *saved, const char *kept, const struct strings *substitutes,
	instant_t now)
{
	struct loading l = {.problems = problems,
		.saved = saved,
		.kept = kept,
		.substitutes = substitutes,
		.now = now};

	return load(out, &l, file);
}

int program_load(struct program **out, struct problems *problems, const char *file, instant_t now)
{
	return program_load_with(out, problems, file, NULL, NULL, NULL, now);
}

int program_load_edited(struct program **out, struct problems *problems, const char *file,
	const struct edited_file *edited, instant_t now)
{
	struct loading l = {.problems = problems, .edited = edited, .now = now};

	return load(out, &l, file);
}

int program_load_kept(struct program **out, struct problems *problems, const struct saved *saved,
	const char *file, instant_t now)
{
	struct loading l = {.problems = problems, .saved = saved, .last_good = true, .now = now};

	return load(out, &l, file);
}
