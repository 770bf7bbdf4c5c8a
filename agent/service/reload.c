/* Reloads the configuration between two passes: load, save, pass to the firewall process. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "curfew/notify.h"
#include "service/internal.h"

/* If files change while they are read, read them again, at most this often. */
#define MAX_READINGS 3

/* The firewall process and the service must have read the same files. If a file has errors, each uses its own last known
 * good version, and the firewall process may have another, or none. Then it opens nothing that its own version does not
 * confirm, and nothing waits for the file to be fixed. */
int service_firewall_adopt(struct service *s, const struct configuration *c)
{
	char digest[65];

	if (!s->firewall)
		return 0;
	int rc = firewall_client_reload(digest, s->firewall);
	bool same = rc == 0 && streq(digest, c->program->digest);
	if (rc == 0 && !same && (c->main_kept || !configuration_is_partial(c)))
		return -EAGAIN;
	if (rc == 0)
		rc = firewall_client_adopt(s->firewall, digest);
	if (rc == 0 && !same)
		log_send(LOG_RELOAD_FAILED, NULL,
			"the firewall process has another last known good version of a client file with errors, or none: it "
			"opens nothing that its own does not confirm; addresses that are allowed stay until their end; fix "
			"the file, then reload");
	return service_firewall_asked(s, rc);
}

/* A full disk must not keep a reload from removing access, so the files are loaded anyway. -EAGAIN: they changed
 * meanwhile. */
int service_save(struct service *s, const struct configuration *c)
{
	int rc = configuration_save(&c->saved, c->program, &c->kept, s->options.config);

	s->unsaved = rc < 0 && rc != -EAGAIN;
	if (s->unsaved)
		log_send(LOG_RELOAD_FAILED, NULL,
			"cannot save the last known good version in %s: %s; the files are loaded, and a file that gets "
			"errors falls back on an older version",
			c->saved.folder, strerror(-rc));
	return rc == -EAGAIN ? rc : 0;
}

/* What the files end waits for no firewall process: they are loaded without one that died or does not answer, and it
 * gets them when it is called again. */
static int firewall_reload(struct service *s, const struct configuration *c)
{
	int rc = service_firewall_adopt(s, c);

	if (rc != -EPIPE && rc != -ETIMEDOUT)
		return rc;
	if (s->firewall)
		service_firewall_lose(s, firewall_client_error(s->firewall));
	return 0;
}

static int configuration_read(struct configuration *out, struct service *s)
{
	struct configuration c = {0};
	int rc = -EAGAIN;

	for (int i = 0; i < MAX_READINGS && rc == -EAGAIN; i++) {
		rc = configuration_load(&c, s->options.config, &s->loaded.saved);
		if (rc < 0)
			return rc;
		rc = service_save(s, &c);
		if (rc == 0)
			rc = firewall_reload(s, &c);
		if (rc != 0)
			configuration_free(&c);
	}
	if (rc == 0)
		*out = c;
	return rc;
}

void service_reload_ask(struct service *s)
{
	notify_reloading();
	s->reload_wanted = true;
	service_hurry(s, true);
	s->queries.hurried = true;
	lane_hurry(s->queries.lane);
}

/* Answers the callers of a reload: 0 loaded, 2 loaded except for some files, 78 not loaded. */
static void reload_answer(struct service *s, int code, const char *error)
{
	for (size_t i = 0; i < s->n_reloaders; i++)
		control_end(s->reloaders[i], code, error,
			json_pack("{s:I, s:I}", "clients", (json_int_t)s->loaded.program->n_clients,
				"kept", (json_int_t)s->loaded.kept.n));
	s->n_reloaders = 0;
	notify_ready();
}

static void reload_refuse(struct service *s, int error)
{
	log_send(LOG_RELOAD_FAILED, NULL,
		"reload failed (%s); the service keeps the loaded configuration and its end times",
		error == -EINVAL ? "the configuration has errors" : strerror(-error));
	reload_answer(s, CODE_CONFIG,
		"reload failed; the service keeps the loaded configuration and its end times; "
		"run `curfew check`");
}

void service_zones_watch(struct service *s)
{
	uint64_t zones = program_zones(s->loaded.program);
	struct configuration c;

	if (zones == s->zones)
		return;
	s->zones = zones;
	if (configuration_load(&c, s->options.config, &s->loaded.saved) < 0)
		return;
	bool same = streq(c.program->digest, s->loaded.program->digest);
	configuration_free(&c);
	if (same) {
		log_send(LOG_RELOADED, NULL,
			"time zone data was updated; loading the configuration with it");
		service_reload_ask(s);
	} else {
		log_send(LOG_RELOAD_FAILED, NULL,
			"time zone data was updated, but configuration files changed since the last reload; dates "
			"keep their times until `systemctl reload curfew`");
	}
}

void service_reload(struct service *s)
{
	struct configuration c;

	s->reload_wanted = false;
	early_drop(s);
	int rc = configuration_read(&c, s);
	if (rc != 0) {
		reload_refuse(s, rc);
		return;
	}
	if (!streq(s->loaded.program->digest, c.program->digest))
		service_event(s, "reload", NULL, NULL, "service", "the configuration was reloaded",
			c.program->digest);
	reload_report(s, c.program);
	sampling_reload(s);
	configuration_free(&s->loaded);
	s->loaded = c;
	s->zones = program_zones(c.program);
	if (retries_set(s->retries, c.program) < 0)
		service_stop(s, CODE_FAILED);
	service_schedule(s);
	sending_reload(s);
	service_ask(s, REASON_RELOAD);
	log_send(LOG_RELOADED, NULL,
		"configuration reloaded: %zu clients, %zu of them from the last known good version",
		c.program->n_clients, c.kept.n);
	const char *error = NULL;
	if (s->unsaved)
		error = "access is removed and granted as the files say, but their last known good version "
			"could not be saved; free some space in state_directory, then reload again";
	else if (c.left_out)
		error = "a client file with errors has no last known good version and was not loaded; "
			"run `curfew check`";
	else if (c.kept.n > 0)
		error = "client files with errors were replaced by their last known good version; "
			"run `curfew check`";
	reload_answer(s, error ? CODE_DIFFERENCES : 0, error);
}
