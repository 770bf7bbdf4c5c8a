/* Starts and stops the service: what is opened before the event loop, when privileges are dropped, what is closed
 * afterward. Also starts the firewall process when systemd runs it as a service of its own. */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "curfew/disk.h"
#include "curfew/last_good.h"
#include "curfew/notify.h"
#include "curfew/sandbox.h"
#include "curfew/state.h"
#include "curfew/state_tables.h"
#include "service/internal.h"
#include "service/preflights.h"

static int folder_make(const char *path, mode_t mode)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static int say(int rc, const char *what, const char *name)
{
	if (rc < 0)
		log_send(LOG_TROUBLE, NULL,
			"%s%s%s: %s; the service does not start: access on SQL servers does not end, allowlist entries still "
			"expire in the kernel",
			what, *name ? " " : "", name, strerror(-rc));
	return rc;
}

/* Loads the configuration as the service does, with last known good versions. The service has reported the errors. */
static int firewall_reload(struct program **out, void *context)
{
	const struct service *s = context;
	struct configuration c;
	int rc = configuration_open(&c, s->options.config, false);

	if (rc < 0)
		return rc;
	*out = c.program;
	c.program = NULL;
	configuration_free(&c);
	return 0;
}

static int firewall_begin(struct service *s, const char *config_folder)
{
	const char *read[] = {config_folder, s->loaded.saved.folder,
		s->loaded.program->settings.credential_directory, NULL};
	struct firewall_process_options o = {.program = s->loaded.program,
		.own = s->loaded.program,
		.reload = firewall_reload,
		.context = s,
		.read = read,
		.unconfined = s->options.unconfined};

	if (!s->loaded.program->settings.firewall.enabled)
		return 0;
	s->gate = service_gate(s);
	/* The unit sets this variable if the firewall process is a service of its own. Then this process never has
	 * CAP_NET_ADMIN. */
	s->filter.path = getenv("CURFEW_FIREWALL");
	if (s->filter.path) {
		filter_call(s);
		return 0;
	}
	int rc = say(firewall_process_start(&s->firewall, &o), "cannot open the packet filter",
		"(CAP_NET_ADMIN is required, and only one Curfew can own the table; is the service running already?)");
	return rc ? rc : say(witness_open(s), "cannot read the firewall process's memory", "");
}

static gid_t operators(void)
{
	const struct group *g = getgrnam(CONTROL_GROUP);
	gid_t groups[1024];
	int n = getgroups(ARRAY_SIZE(groups), groups);

	/* The socket can be given only to a group of this process. */
	for (int i = 0; g && i < n; i++)
		if (groups[i] == g->gr_gid)
			return g->gr_gid;
	return g && (geteuid() == 0 || getegid() == g->gr_gid) ? g->gr_gid : (gid_t)-1;
}

/* Allowed for reading: the configuration and the user database; for writing: the state directory. Directories of
 * certificates and of the metrics file, and the lists of the product, are fixed at the start; others need a restart. */
static int shed(struct service *s, const char *config_folder)
{
	const struct settings *settings = &s->loaded.program->settings;
	size_t n = s->loaded.program->n_servers;
	const char **read = calloc(n + settings->vendor_lists.n + 8, sizeof(*read));
	const char *write[] = {settings->state_directory, settings->runtime_directory, NULL, NULL};
	char metrics[PATH_MAX];
	size_t k = 0;

	if (!read)
		return -ENOMEM;
	read[k++] = config_folder;
	read[k++] = settings->credential_directory;
	read[k++] = "/etc/passwd";
	read[k++] = "/etc/group";
	for (size_t i = 0; i < n; i++)
		read[k++] = s->loaded.program->servers[i].ca_file;
	for (size_t i = 0; i < settings->vendor_lists.n; i++)
		read[k++] = settings->vendor_lists.items[i];
	if (settings->metrics_file) {
		snprintf(metrics, sizeof(metrics), "%s", settings->metrics_file);
		write[2] = dirname(metrics);
	}
	const struct sandbox_paths paths = {.read = read, .write = write};
	bool landlocked = true;
	int score = workers_score_open();
	s->score = score > 0 ? score : 0;
	int rc = s->options.unconfined ? 0 : sandbox_enter(&landlocked, SANDBOX_SERVICE, &paths);
	if (rc == 0 && !landlocked)
		log_send(LOG_STARTED, NULL,
			"this kernel has no Landlock; only file modes restrict access to files");
	free(read);
	/* After the sandbox, which a thread inherits. */
	if (rc == 0)
		rc = disk_start();
	return say(rc, "cannot drop privileges", "");
}

static int parts_open(struct service *s)
{
	int rc = dispatcher_new(&s->dispatcher);

	if (rc == 0)
		rc = retries_new(&s->retries, monotonic_ms);
	if (rc == 0)
		rc = passes_open(s);
	if (rc == 0)
		rc = queries_open(s);
	if (rc == 0)
		rc = sending_open(s);
	if (rc == 0)
		rc = sampling_open(s);
	if (rc == 0)
		rc = preflights_open(s);
	return rc == 0 ? loop_open(s) : rc;
}

/* Otherwise a server that does not answer the first pass would have none. */
static void excess_remember(struct service *s)
{
	struct verified_list verified = {0};

	if (!s->journal || verified_load(&verified, s->journal) < 0)
		return;
	retries_remember(s->retries, &verified);
	verified_list_free(&verified);
}

/* A pass needs several times the memory that stays: large lists have pages of their own, which go back with them, and the
 * rest is given back when a pass or a reload has ended (mallopt(3)). Each worker would have a copy of its page tables. */
static void memory_settle(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 18);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	/* What is freed is joined at once: each worker would do it for all that was, in pages that it has to copy for that. */
	mallopt(M_MXFAST, 0);
}

static int service_open(struct service *s)
{
	_cleanup_free_ char *config = strdup(s->options.config);

	if (!config)
		return -ENOMEM;
	memory_settle();
	const char *config_file = s->options.config, *config_folder = dirname(config);
	int rc = say(configuration_open(&s->loaded, config_file, true), "cannot load", config_file);
	if (rc < 0)
		return rc;
	const struct settings *settings = &s->loaded.program->settings;
	rc = say(clock_open(&s->clock, settings->state_directory),
		"cannot read the latest time seen in", settings->state_directory);
	if (rc == 0)
		rc = say(folder_make(settings->state_directory, 0750), "cannot create directory",
			settings->state_directory);
	if (rc == 0)
		rc = records_open(s);
	/* Where the files change meanwhile, what was loaded is valid all the same; the next reload saves. */
	if (rc == 0)
		service_save(s, &s->loaded);
	malloc_trim(0);
	if (rc == 0)
		rc = firewall_begin(s, config_folder);
	if (rc == 0)
		rc = say(folder_make(settings->runtime_directory, 0750), "cannot create directory",
			settings->runtime_directory);
	if (rc == 0)
		rc = say(control_open(&s->control, settings->runtime_directory, operators(),
				 service_request, s),
			"cannot open the control socket in", settings->runtime_directory);
	if (rc == 0)
		rc = shed(s, config_folder);
	if (rc == 0)
		rc = say(parts_open(s), "cannot open the service's queues", "");
	s->zones = program_zones(s->loaded.program);
	if (rc == 0)
		rc = retries_set(s->retries, s->loaded.program);
	if (rc == 0)
		excess_remember(s);
	return rc;
}

static void service_close(struct service *s)
{
	if (s->passes.lane)
		sending_close(s);
	sampling_close(s);
	passes_close(s);
	queries_close(s);
	preflights_close(s);
	control_close(s->control);
	filter_close(s);
	loop_close(s);
	dispatcher_free(s->dispatcher);
	if (s->score > 0)
		close(s->score);
	retries_free(s->retries);
	records_close(s);
	configuration_free(&s->loaded);
}

static void signals_hold(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, before);
	signal(SIGPIPE, SIG_IGN);
}

int service_run(const struct service_options *o)
{
	struct service s = {.options = *o,
		.signals.fd = -1,
		.transitions.fd = -1,
		.ticks.fd = -1,
		.watchdog.fd = -1};
	sigset_t before;

	signals_hold(&before);
	int rc = service_open(&s);
	if (rc == 0) {
		s.since = service_now(&s);
		service_event(&s, "start", NULL, NULL, "service", "the service started", NULL);
		s.next_head = s.passes.next_interval = monotonic_ms();
		service_schedule(&s);
		/* Guard the endpoints before reporting readiness. Do not wait for SQL servers. */
		service_network_now(&s, "the service started", "service", false, NULL);
		service_ask(&s, REASON_START);
		log_send(LOG_STARTED, NULL, "started: %zu clients on %zu servers",
			s.loaded.program->n_clients, retries_count(s.retries));
		notify_ready();
		service_loop(&s);
		notify_stopping();
		service_time_save(&s);
		service_event(&s, "stop", NULL, NULL, "service", "the service stopped", NULL);
		log_send(LOG_STOPPED, NULL, "stopped; the kernel still enforces all end times");
	} else {
		s.code = rc == -EINVAL && !s.loaded.program ? CODE_CONFIG : CODE_FAILED;
	}
	service_close(&s);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return s.code;
}
