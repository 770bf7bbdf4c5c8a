/* The configuration of a command: the files or, if a service answers, what that has loaded.
 *
 * A typing error in a file must not keep an operator from removing access through the service. The command then uses
 * the last known good version, as the service does. Such a configuration never acts without the service, because the
 * service's user can write its files. */
#include <errno.h>
#include <libgen.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "commands/command.h"
#include "curfew/control.h"
#include "curfew/last_good.h"

struct description {		/* A running service's description of itself. */
	int result;		/* of the request: 0 or negative errno */
	bool answers;		/* the service runs and may be asked */
	char configuration[65]; /* digest of the loaded configuration; "" if unknown */
	char *file;		/* path of its configuration; owned, NULL if unknown */
};

int cli_service_ask(struct cli *cli, const char *runtime_directory)
{
	json_t *end = NULL;
	int rc = control_call(
		&end, runtime_directory, json_pack("{s:s}", "command", "service"), NULL, NULL);

	json_decref(cli->service);
	cli->service = end;
	return rc;
}

static void description_ask(struct description *out, struct cli *cli, const char *runtime_directory)
{
	int rc = cli_service_ask(cli, runtime_directory);
	const json_t *end = cli->service;

	*out = (struct description){
		.result = rc, .answers = rc != -ENOENT && rc != -ECONNREFUSED && rc != -EACCES};
	const char *digest = json_string_value(json_object_get(end, "configuration"));
	const char *file = json_string_value(json_object_get(end, "file"));
	record_set(out->configuration, sizeof(out->configuration), digest);
	out->file = file ? strdup(file) : NULL;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return streq(a, b) || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
				      x.st_ino == y.st_ino);
}

struct program *cli_saved(const struct cli *cli, const struct program *p)
{
	struct last_good folder;
	struct problems problems;
	struct program *saved = NULL;

	if (last_good_locate(&folder, p ? p->settings.state_directory : NULL) < 0)
		return NULL;
	/* Do not trust the directory of last known good versions: its owner could have replaced it. */
	_cleanup_free_ char *state = strdup(folder.folder);
	if (!state || cli_enter(cli, dirname(state), p)) {
		last_good_free(&folder);
		return NULL;
	}
	int rc = last_good_load(&saved, &problems, &folder, (instant_t)time(NULL));
	last_good_free(&folder);
	if (rc < 0)
		return NULL;
	problems_free(&problems);
	return saved;
}

/* curfew.conf has errors. Use the service's saved configuration, but only if the service runs with the same file. */
static int faulty_go_on(struct program **out, struct cli *cli)
{
	struct program *taken = cli_saved(cli, NULL);
	struct description told = {0};
	int code = 0;

	if (taken)
		description_ask(&told, cli, taken->settings.runtime_directory);
	if (!told.answers)
		code = cli_fail(cli, EXIT_CONFIG, "%s%s has errors",
			cli->outcome ? "" : "nothing done: ", cli->config);
	else if (told.file && !is_same_file(told.file, cli->config))
		code = cli_fail(cli, EXIT_CONFIG,
			"%s%s has errors, and the running service uses %s",
			cli->outcome ? "" : "nothing done: ", cli->config, told.file);
	else
		cli_fail(cli, 0,
			"warning: %s has errors; using the last known good version, as the service does; "
			"fix the file, then run `systemctl reload curfew`",
			cli->config);
	free(told.file);
	if (code) {
		program_free(taken);
		return code;
	}
	*out = taken;
	return 0;
}

/* The files differ from the service's configuration. The service answers by its own, so the command must use it too. */
static struct program *changed_go_on(struct cli *cli, struct program *p,
	const struct description *told, const char *runtime_directory)
{
	if (told->file && !is_same_file(told->file, cli->config))
		cli_fail(cli, 0,
			"warning: the service in %s uses %s, not %s; showing the service's configuration",
			runtime_directory, told->file, cli->config);
	else
		cli_fail(cli, 0,
			"warning: configuration files changed since the last reload; showing the loaded configuration; "
			"to load the files, run `systemctl reload curfew`");
	struct program *taken = cli_saved(cli, p);
	if (!taken || !streq(taken->digest, told->configuration)) {
		program_free(taken);
		return p;
	}
	program_free(p);
	cli->by_service = true;
	return taken;
}

/* Report it once, not for every server and the packet filter. */
static int alone_refuse(const struct cli *cli, const struct program *p, int result)
{
	if (result == -EACCES)
		return cli_fail(cli, EXIT_FAILED,
			"cannot contact the service in %s: permission denied; run as root or as a member of group " CONTROL_GROUP,
			p->settings.runtime_directory);
	return cli_fail(cli, EXIT_FAILED,
		"the service is not running; start it with `systemctl start curfew`, or run this command as root");
}

int cli_load_in_force(struct program **out, struct cli *cli)
{
	struct program *p = NULL;
	struct description told = {0};
	int code = cli_read(&p, cli);

	if (code)
		return code;
	if (!p) {
		code = faulty_go_on(out, cli);
		cli->by_service = !code;
		return code;
	}
	description_ask(&told, cli, p->settings.runtime_directory);
	if (!told.answers && cli->unprivileged) {
		code = alone_refuse(cli, p, told.result);
		program_free(p);
		return code;
	}
	if (*told.configuration && !streq(told.configuration, p->digest))
		p = changed_go_on(cli, p, &told, p->settings.runtime_directory);
	free(told.file);
	*out = p;
	return 0;
}
