/* Loads the configuration for the service, the firewall process, and `curfew apply --boot`. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "curfew/log.h"
#include "curfew/owner.h"
#include "service/configuration.h"

static void problems_log(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		if (p->severity != SEVERITY_ADVICE)
			log_send(p->severity == SEVERITY_ERROR ? LOG_RELOAD_FAILED
							       : LOG_CONFIG_WARNING,
				NULL, "%s:%d: %s", p->file, p->line > 0 ? p->line : 1, p->text);
	}
}

/* The first client file that has errors and no last known good version, so that it is not loaded. */
static int left_out_find(
	char **out, const struct problems *problems, const struct strings *kept, const char *config)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		if (p->severity == SEVERITY_ERROR && !streq(p->file, config) &&
			!strings_contain(kept, base_name(p->file))) {
			*out = strdup(base_name(p->file));
			return *out ? 0 : -ENOMEM;
		}
	}
	return 0;
}

static instant_t wall_clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (instant_t)t.tv_sec;
}

/* Takes what program_load() returned. Requires `c->saved`. */
static int files_complete(struct configuration *c, struct program *p, struct problems *problems,
	const char *file, instant_t now, bool report)
{
	int rc = last_good_complete(&p, problems, &c->kept, file, &c->saved, now);

	if (rc < 0)
		return rc;
	c->program = p;
	if (report)
		problems_log(problems);
	for (size_t i = 0; report && c->program && i < c->kept.n; i++)
		log_send(LOG_CLIENT_KEPT, NULL,
			"%s has errors; using its last known good version and its end times",
			c->kept.items[i]);
	if (c->program)
		rc = left_out_find(&c->left_out, problems, &c->kept, file);
	problems_free(problems);
	return c->program ? rc : -EINVAL;
}

/* Requires `c->saved`. */
static int files_load(struct configuration *c, const char *file)
{
	const instant_t now = wall_clock_now();
	struct problems problems;
	struct program *p = NULL;
	int rc = program_load(&p, &problems, file, now);

	return rc < 0 ? rc : files_complete(c, p, &problems, file, now, true);
}

int configuration_load(struct configuration *out, const char *file, const struct last_good *saved)
{
	struct configuration c = {
		.saved = {strdup(saved->folder), strdup(saved->config), strdup(saved->clients)}};
	int rc = c.saved.folder && c.saved.config && c.saved.clients ? files_load(&c, file)
								     : -ENOMEM;

	if (rc < 0)
		configuration_free(&c);
	else
		*out = c;
	return rc;
}

static int saved_load(struct configuration *c, const char *folder)
{
	struct problems problems = {0};
	int rc = last_good_locate(&c->saved, folder);

	if (rc == 0)
		rc = last_good_load(&c->program, &problems, &c->saved, 0);
	if (rc < 0)
		return rc;
	problems_log(&problems);
	problems_free(&problems);
	if (!c->program)
		return -EINVAL;
	log_send(LOG_RELOAD_FAILED, NULL, "using %s and its end times until curfew.conf is fixed",
		c->saved.config);
	return 0;
}

/* Takes what program_load() returned. `folder`: the directory of last known good versions. */
static int files_take(struct configuration *c, struct program *p, struct problems *problems,
	const char *file, const char *folder, instant_t now, bool report)
{
	int rc;

	if (owner_differs(folder)) {
		log_send(LOG_TROUBLE, NULL,
			"%s belongs to another user, who could have planted files there; start the service as that user, "
			"for example with `systemctl start curfew`",
			folder);
		rc = -EPERM;
	} else {
		rc = last_good_locate(&c->saved, folder);
	}
	if (rc == 0)
		return files_complete(c, p, problems, file, now, report);
	program_free(p);
	problems_free(problems);
	return rc;
}

/* `own`: the directory of last known good versions; NULL: the one in the state directory. */
static int files_open(struct configuration *out, const char *file, bool report, const char *own)
{
	const instant_t now = wall_clock_now();
	struct configuration c = {0};
	struct problems problems;
	struct program *p = NULL;
	int rc = program_load(&p, &problems, file, now);

	if (rc < 0)
		return rc;
	if (p) {
		rc = files_take(&c, p, &problems, file, own ? own : p->settings.state_directory,
			now, report);
	} else {
		problems_log(&problems);
		problems_free(&problems);
		rc = saved_load(&c, own);
		c.main_kept = true;
	}
	if (rc < 0)
		configuration_free(&c);
	else
		*out = c;
	return rc;
}

int configuration_open(struct configuration *out, const char *file, bool report)
{
	return files_open(out, file, report, NULL);
}

int configuration_open_own(struct configuration *out, const char *file, const char *folder)
{
	return files_open(out, file, false, folder);
}

bool configuration_is_partial(const struct configuration *c)
{
	return c->main_kept || c->left_out || c->kept.n > 0;
}

void configuration_free(struct configuration *c)
{
	program_free(c->program);
	free(c->left_out);
	strings_clear(&c->kept);
	last_good_free(&c->saved);
	*c = (struct configuration){0};
}
