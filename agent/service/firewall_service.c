/* The firewall process as a systemd service of its own. It saves last known good versions itself, in a directory that
 * no other user can write, and does not trust those that the service saves. */
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include "curfew/firewall_process.h"
#include "curfew/log.h"
#include "curfew/service.h"
#include "service/configuration.h"

/* Exit statuses. */
enum { FAILED = 1, BAD_CONFIGURATION = 78 };

struct keeper {
	const struct service_options *options;
	const char *folder; /* its own directory; NULL: none, so the service's versions are used */
	/* what to save after the current reload */
	struct last_good saved;
	struct strings kept;
};

static int files_load(struct configuration *out, const struct keeper *k)
{
	return k->folder ? configuration_open_own(out, k->options->config, k->folder)
			 : configuration_open(out, k->options->config, false);
}

static int reload(struct program **out, void *context)
{
	struct keeper *k = context;
	struct configuration c;
	int rc = files_load(&c, k);

	if (rc < 0)
		return rc;
	last_good_free(&k->saved);
	strings_clear(&k->kept);
	k->saved = c.saved;
	k->kept = c.kept;
	*out = c.program;
	rc = configuration_is_partial(&c) ? FIREWALL_PARTIAL : 0;
	free(c.left_out);
	return rc;
}

static void adopted(const struct program *p, void *context)
{
	const struct keeper *k = context;
	int rc = configuration_save(&k->saved, p, &k->kept, k->options->config);

	if (rc < 0)
		log_line(LOG_ERR,
			"firewall process: cannot save the last known good version in %s: %s",
			k->saved.folder, strerror(-rc));
}

static int serve(struct keeper *k, const struct configuration *c, const char *config_folder)
{
	const char *read[] = {config_folder, c->saved.folder, NULL};
	const char *write[] = {k->folder, NULL};
	const struct firewall_process_options o = {.program = c->program,
		.own = c->program,
		.partial = configuration_is_partial(c),
		.reload = reload,
		.adopted = k->folder ? adopted : NULL,
		.context = k,
		.read = read,
		.write = k->folder ? write : NULL,
		.records = k->folder,
		.unconfined = k->options->unconfined};
	int rc = firewall_process_listen(SD_LISTEN_FDS_START, &o);

	log_send(LOG_TROUBLE, NULL, "accepting the service's connection: %s", strerror(-rc));
	return rc;
}

static void load_tell(const struct keeper *k, int rc)
{
	const char *config = k->options->config;

	if (rc == -EINVAL)
		log_send(LOG_TROUBLE, NULL,
			"%s has errors, and %s has no last known good version of it: the packet filter keeps every "
			"end that it has, and nobody new is allowed; access on SQL servers ends on time if the service has "
			"a last known good version; correct the file as `curfew check` says",
			config, k->folder ? k->folder : "the state directory");
	else
		log_send(LOG_TROUBLE, NULL, "configuration %s: %s", config, strerror(-rc));
}

/* The service's call ends with this process; if it waited on, this would be started again at once, and again. */
static void call_end(void)
{
	struct pollfd p = {.fd = SD_LISTEN_FDS_START, .events = POLLIN};

	if (poll(&p, 1, 0) > 0)
		accept4(SD_LISTEN_FDS_START, NULL, NULL, SOCK_CLOEXEC);
}

int service_firewall(const struct service_options *o)
{
	struct keeper k = {.options = o, .folder = getenv("STATE_DIRECTORY")};
	struct configuration c = {0};

	if (sd_listen_fds(1) != 1) {
		log_send(LOG_TROUBLE, NULL,
			"curfew-firewall.service starts this with its socket; by hand, use `curfew run`, which starts it "
			"itself");
		return FAILED;
	}
	_cleanup_free_ char *config = strdup(o->config);
	int rc = config ? files_load(&c, &k) : -ENOMEM;
	if (rc < 0) {
		load_tell(&k, rc);
		call_end();
	} else {
		rc = serve(&k, &c, dirname(config));
	}
	configuration_free(&c);
	last_good_free(&k.saved);
	strings_clear(&k.kept);
	return rc == -EINVAL ? BAD_CONFIGURATION : FAILED;
}
