/* The configuration in force: read, kept, compared with the one before, handed to the firewall process. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "curfew/calendar.h"
#include "curfew/notify.h"
#include "curfew/state.h"
#include "service/internal.h"

/* Files that change while they are read are read again; a folder that never rests is told. */
#define MAX_READINGS	 3
#define LAST_GOOD_CONFIG "curfew.conf"

void strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct strings){0};
}

static void problems_tell(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		if (p->severity != SEVERITY_ADVICE)
			log_send(p->severity == SEVERITY_ERROR ? LOG_RELOAD_FAILED
							       : LOG_CONFIG_WARNING,
				NULL, "%s:%d: %s", p->file, p->line, p->text);
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A client file that has errors and was never good: nothing of it is in force. */
static bool is_any_left_out(
	const struct problems *problems, const struct strings *kept, const char *config)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		if (p->severity == SEVERITY_ERROR && strcmp(p->file, config) != 0 &&
			!strings_contain(kept, base_name(p->file)))
			return true;
	}
	return false;
}

int service_load(struct program **out, struct strings *kept, bool *left_out, const char *config,
	const char *kept_folder, bool tell)
{
	struct problems problems;
	struct timespec t;
	struct program *p = NULL;

	clock_gettime(CLOCK_REALTIME, &t);
	int r = program_load_keeping(&p, &problems, kept, config, kept_folder, (instant_t)t.tv_sec);
	if (r < 0)
		return r;
	if (tell)
		problems_tell(&problems);
	for (size_t i = 0; tell && p && i < kept->n; i++)
		log_send(LOG_CLIENT_KEPT, NULL,
			"%s has errors: its last good version stays in force, with its ends",
			kept->items[i]);
	if (p && left_out)
		*left_out = is_any_left_out(&problems, kept, config);
	problems_free(&problems);
	if (!p)
		return -EINVAL;
	*out = p;
	return 0;
}

/* ---- last good versions ---- */

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
	return fsync(to) < 0 ? -errno : 0;
}

/* Whole or not at all: half a file would be another, shorter configuration. */
static int file_keep(const char *file, int folder, const char *name)
{
	static const char fresh[] = ".new";
	int from = open(file, O_RDONLY | O_CLOEXEC), r;

	if (from < 0)
		return -errno;
	unlinkat(folder, fresh, 0);
	int to = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	/* For commands of the service's group, whatever the unit's umask is: they go by it when the files are faulty. */
	r = to < 0 || fchmod(to, 0640) < 0 ? -errno : descriptor_copy(from, to);
	close(from);
	if (to >= 0 && close(to) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(folder, fresh, folder, name) < 0)
		r = -errno;
	return r;
}

static bool program_reads(const struct program *p, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(p->files[i], path) == 0)
			return true;
	return false;
}

static bool program_has_file(const struct program *p, const char *name)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(base_name(p->files[i]), name) == 0)
			return true;
	return false;
}

/* What has no file any more is not kept either: its access ends. */
static void kept_prune(const struct program *p, int folder)
{
	int copy = dup(folder);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d) {
		if (copy >= 0)
			close(copy);
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && !program_has_file(p, e->d_name))
			unlinkat(folder, e->d_name, 0);
	closedir(d);
}

static int folder_open(const char *path)
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A folder of ours; as file_keep() says. Another's mode is its owner's to choose. */
	fchmod(fd, 0750);
	return fd;
}

static int clients_keep(const struct program *p, const struct strings *kept, const char *path)
{
	int folder = folder_open(path), r = 0;

	if (folder < 0)
		return folder;
	for (size_t i = 0; i < p->n_clients && r == 0; i++) {
		const char *name = base_name(p->clients[i].file);
		if (!strings_contain(kept, name))
			r = file_keep(p->clients[i].file, folder, name);
	}
	kept_prune(p, folder);
	if (r == 0 && fsync(folder) < 0 && errno != EINVAL)
		r = -errno;
	close(folder);
	return r;
}

int service_keep(
	const struct program *p, const struct strings *kept, const char *config, const char *folder)
{
	_cleanup_free_ char *clients = NULL;
	int fd = folder_open(folder);

	if (fd < 0)
		return fd;
	/* In force by its last good version: there is nothing better to keep. */
	int r = program_reads(p, config) ? file_keep(config, fd, LAST_GOOD_CONFIG) : 0;
	close(fd);
	if (r < 0)
		return r;
	if (asprintf(&clients, "%s/" LAST_GOOD_CLIENTS, folder) < 0) {
		clients = NULL;
		return -ENOMEM;
	}
	return clients_keep(p, kept, clients);
}

/* The last good version as a whole, where the state lies unless the configuration says otherwise. */
static int fallback_load(struct program **out, char **folder)
{
	const char *managed = getenv("STATE_DIRECTORY");
	_cleanup_free_ char *config = NULL;
	struct problems problems;
	struct program *p = NULL;

	if (asprintf(folder, "%s/" LAST_GOOD, managed && *managed ? managed : "/var/lib/curfew") <
		0) {
		*folder = NULL;
		return -ENOMEM;
	}
	if (asprintf(&config, "%s/" LAST_GOOD_CONFIG, *folder) < 0) {
		config = NULL;
		return -ENOMEM;
	}
	int r = program_load_last_good(&p, &problems, *folder, 0);
	if (r < 0)
		return r;
	problems_free(&problems);
	if (!p)
		return -EINVAL;
	log_send(LOG_RELOAD_FAILED, NULL,
		"%s stays in force, with its ends, until curfew.conf is mended", config);
	*out = p;
	return 0;
}

int service_load_first(
	struct program **out, struct strings *kept, char **folder, const char *config, bool tell)
{
	struct problems problems;
	struct program *p = NULL;
	char *last_good = NULL, *clients = NULL;

	/* Once to learn where last good versions are kept, once with them. */
	int r = program_load(&p, &problems, config, 0);
	if (r < 0)
		return r;
	if (!p)
		problems_tell(&problems);
	problems_free(&problems);
	*kept = (struct strings){0};
	if (!p) {
		r = fallback_load(out, &last_good);
	} else {
		if (asprintf(&last_good, "%s/" LAST_GOOD, p->settings.state_directory) < 0)
			last_good = NULL;
		else if (asprintf(&clients, "%s/" LAST_GOOD_CLIENTS, last_good) < 0)
			clients = NULL;
		r = clients ? service_load(out, kept, NULL, config, clients, tell) : -ENOMEM;
		free(clients);
	}
	program_free(p);
	if (r < 0)
		free(last_good);
	else
		*folder = last_good;
	return r;
}

/* ---- what a reload changes ---- */

static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int c = strcmp(x->client->name, y->client->name);

	if (!c)
		c = strcmp(x->user->login, y->user->login);
	if (!c)
		c = strcmp(x->server->name, y->server->name);
	return c ? c : strcmp(x->database->name, y->database->name);
}

static const struct source *source_added(const struct user *before, const struct user *now)
{
	for (size_t i = 0; i < now->n_sources; i++) {
		size_t k = 0;
		while (k < before->n_sources &&
			source_compare(&before->sources[k], &now->sources[i]) != 0)
			k++;
		if (k == before->n_sources)
			return &now->sources[i];
	}
	return NULL;
}

/* In words, or NULL: what somebody has now that the configuration before did not give. */
static const char *grant_widened(
	char words[RECORD_TEXT_MAX], const struct grant *before, const struct grant *now)
{
	char a[INSTANT_TEXT_MAX], b[INSTANT_TEXT_MAX], text[SOURCE_TEXT_MAX];
	const struct source *added;

	if (!before) {
		if (now->level == LEVEL_NONE)
			return NULL;
		record_printf(words, RECORD_TEXT_MAX, "new grant: %s until %s",
			level_name(now->level), instant_format(a, now->until));
		return words;
	}
	added = source_added(before->user, now->user);
	if (now->level > before->level)
		record_printf(words, RECORD_TEXT_MAX, "level %s, was %s", level_name(now->level),
			level_name(before->level));
	else if (now->level == before->level && now->level != LEVEL_NONE &&
		 now->until > before->until)
		record_printf(words, RECORD_TEXT_MAX, "%s until %s, was until %s",
			level_name(now->level), instant_format(a, now->until),
			instant_format(b, before->until));
	else if (now->end > before->end)
		record_printf(words, RECORD_TEXT_MAX, "access until %s, was until %s",
			instant_format(a, now->end), instant_format(b, before->end));
	else if (added && now->level != LEVEL_NONE)
		record_printf(words, RECORD_TEXT_MAX, "new source %s", source_format(text, added));
	else
		return NULL;
	return words;
}

static void widenings_tell(struct service *s, const struct grants *before, const struct grants *now)
{
	char words[RECORD_TEXT_MAX];

	for (size_t i = 0; i < now->n; i++) {
		const struct grant *g = &now->items[i];
		const struct grant *old =
			before->n ? bsearch(g, before->items, before->n, sizeof(*g), grant_compare)
				  : NULL;
		if (!grant_widened(words, old, g))
			continue;
		struct log_fields f = {g->client->name, g->user->login, g->server->name,
			g->database->name, words, "configuration"};
		log_send(LOG_WIDENED, &f, "%s on %s/%s: %s", g->user->login, g->server->name,
			g->database->name, words);
		service_event(s, "access-extended", g->client->name, g->user->login, "configuration",
			"the configuration was changed", words);
	}
}

static void vanished_tell(
	struct service *s, const struct program *before, const struct program *now)
{
	for (size_t i = 0; i < before->n_clients; i++) {
		const struct client *c = &before->clients[i];
		if (program_client(now, c->name))
			continue;
		struct log_fields f = {.client = c->name};
		log_send(LOG_CLIENT_GONE, &f,
			"client %s is gone from the configuration: its access ends", c->name);
		service_event(s, "client-removed", c->name, NULL, "configuration",
			"its file is gone from the configuration", c->file);
	}
}

static void settings_tell(const struct settings *a, const struct settings *b)
{
	if (strcmp(a->state_directory, b->state_directory) != 0 ||
		strcmp(a->runtime_directory, b->runtime_directory) != 0 ||
		a->firewall.enabled != b->firewall.enabled)
		log_send(LOG_RELOAD_FAILED, NULL,
			"state_directory, runtime_directory and firewall.enabled are taken at start only: "
			"restart the service");
}

/* Both sides must have read the same files. 0, -EAGAIN: they have not. */
int service_firewall_take(struct service *s, const struct program *p)
{
	char digest[65];

	if (!s->firewall)
		return 0;
	int r = firewall_client_reload(digest, s->firewall);
	if (r == 0 && strcmp(digest, p->digest) != 0)
		return -EAGAIN;
	if (r == 0)
		r = firewall_client_adopt(s->firewall, digest);
	if (r == -EPIPE || r == -ETIMEDOUT)
		service_firewall_died(s, r);
	return r;
}

static int configuration_read(
	struct program **out, struct strings *kept, bool *left_out, struct service *s)
{
	struct program *p = NULL;
	struct strings names = {0};
	int r = -EAGAIN;

	for (int i = 0; i < MAX_READINGS && r == -EAGAIN; i++) {
		r = service_load(&p, &names, left_out, s->options.config, s->kept_folder, true);
		if (r < 0)
			return r;
		r = service_keep(p, &names, s->options.config, s->last_good);
		if (r == 0)
			r = service_firewall_take(s, p);
		if (r != 0) {
			program_free(p);
			strings_clear(&names);
		}
	}
	if (r == 0) {
		*out = p;
		*kept = names;
	}
	return r;
}

void service_reload_ask(struct service *s)
{
	notify_reloading();
	s->reload_wanted = true;
	service_pass_hurry(s);
	service_reading_hurry(s);
}

/* Whoever asked hears what came of it: 0 taken, 2 taken but for some files, 78 not taken. */
static void reload_answer(struct service *s, int code, const char *error)
{
	for (size_t i = 0; i < s->n_reloaders; i++)
		control_end(s->reloaders[i], code, error,
			json_pack("{s:I, s:I}", "clients", (json_int_t)s->program->n_clients,
				"kept", (json_int_t)s->kept.n));
	s->n_reloaders = 0;
	notify_ready();
}

void service_reload(struct service *s)
{
	struct program *p = NULL;
	struct strings kept = {0};
	struct grants before, now;
	bool left_out = false;

	s->reload_wanted = false;
	int r = configuration_read(&p, &kept, &left_out, s);
	if (r != 0) {
		log_send(LOG_RELOAD_FAILED, NULL,
			"the new configuration is not taken (%s); the one before stays in force, with its ends",
			r == -EINVAL ? "it has errors" : strerror(-r));
		reload_answer(s, 78,
			"the new configuration is not taken; the one before stays in force, with its ends; "
			"`curfew check` says what is wrong");
		return;
	}
	instant_t at = service_now(s);
	bool compared = schedule_at(&before, s->program, &s->overrides, at) == 0;
	if (compared && schedule_at(&now, p, &s->overrides, at) < 0) {
		grants_free(&before);
		compared = false;
	}
	if (strcmp(s->program->digest, p->digest) != 0)
		service_event(s, "reload", NULL, NULL, "service",
			"the configuration was read again", p->digest);
	if (compared) {
		widenings_tell(s, &before, &now);
		grants_free(&before);
		grants_free(&now);
	}
	vanished_tell(s, s->program, p);
	settings_tell(&s->program->settings, &p->settings);
	program_free(s->program);
	s->program = p;
	strings_clear(&s->kept);
	s->kept = kept;
	if (service_servers_set(s) < 0)
		service_stop(s, CODE_FAILED);
	service_schedule(s);
	service_ask(s, REASON_RELOAD);
	log_send(LOG_RELOADED, NULL,
		"configuration taken: %zu clients, %zu by their last good version", p->n_clients,
		s->kept.n);
	const char *error = NULL;
	if (left_out)
		error = "a client file with errors was left out: nothing of it is in force; "
			"`curfew check` says what is wrong";
	else if (s->kept.n > 0)
		error = "client files with errors stay in force by their last good version; "
			"`curfew check` says what is wrong";
	reload_answer(s, error ? 2 : 0, error);
}
