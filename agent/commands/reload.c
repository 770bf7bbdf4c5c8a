/* curfew reload: the running service loads its configuration again, and reports the result. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "commands/preview_files.h"
#include "commands/reload_ask.h"
#include "curfew/control.h"
#include "curfew/report.h"

static int service_fail(const struct cli *cli, int rc)
{
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return cli_fail(cli, EXIT_FAILED,
			"nothing to reload: the service is not running; other commands read the configuration files themselves");
	return cli_contact_fail(cli, rc);
}

static int service_check(const struct cli *cli, const struct program *p)
{
	json_t *end = NULL;
	int rc = control_call(&end, p->settings.runtime_directory,
		json_pack("{s:s}", "command", "service"), NULL, NULL);

	json_decref(end);
	return rc < 0 ? service_fail(cli, rc) : 0;
}

static int preview_show(const struct cli *cli, const struct preview *p)
{
	if (cli->json)
		return json_print(preview_json(p), stdout) ? EXIT_FAILED : 0;
	return preview_print(p, cli->dry_run ? stdout : stderr) ? EXIT_FAILED : 0;
}

/* The operator sees what would end before it ends. */
static int agree(const struct cli *cli, const struct preview *p)
{
	char question[128];

	if (!p->takes)
		return 0;
	snprintf(question, sizeof(question), "This takes access or time in %zu case%s.", p->takes,
		p->takes == 1 ? "" : "s");
	return cli_agrees(question)
		       ? 0
		       : cli_fail(cli, EXIT_FAILED,
				 "nothing done: the service keeps the loaded configuration");
}

static int previewed(struct context *c)
{
	struct program *saved = NULL;
	struct preview preview = {0};
	int code = preview_files(&preview, &saved, c);

	if (!code)
		code = preview_show(c->cli, &preview);
	if (!code && c->cli->dry_run && preview.n)
		code = EXIT_DIFFERENT;
	else if (!code && !c->cli->dry_run)
		code = agree(c->cli, &preview);
	preview_free(&preview);
	program_free(saved);
	return code;
}

static int run_reload(struct cli *cli)
{
	struct context c = {.cli = cli};
	bool asks = !cli->yes && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
	int code = cli_read(&c.program, cli);

	if (!code && !c.program)
		code = cli_fail(cli, EXIT_CONFIG,
			"reload failed: %s has errors; the service keeps the loaded configuration",
			cli->config);
	if (!code && c.program && !cli->dry_run)
		code = service_check(cli, c.program);
	if (!code && (cli->dry_run || asks))
		code = previewed(&c);
	if (!code && c.program && !cli->dry_run)
		code = reload_ask(cli, c.program);
	if (code == -ENOENT)
		code = service_fail(cli, code);
	if (!code && !cli->json)
		check_state_print(cli, c.program, &(struct check_out){.to = stdout});
	context_close(&c);
	return code;
}

const struct command command_reload = {
	.name = "reload",
	.operands = "",
	.options = OPT_DRY_RUN | OPT_YES | OPT_JSON,
	.summary = "Reload the configuration of the service",
	.help = "Does the same as `systemctl reload curfew`. If a client file has errors, the service uses its last known good\n"
		"version and its end times. If a client file was deleted, the access of its client ends.\n"
		"On a terminal, shows first who loses or gains access or time, and asks if anything is taken.\n"
		"Exit status: 0 all files loaded, 2 some files not loaded, 78 no file loaded. With --dry-run: 0 no changes, 2 changes.\n",
	.run = run_reload,
};
