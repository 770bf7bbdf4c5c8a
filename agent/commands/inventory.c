/* curfew inventory CLIENT: objects in the client's databases that are not the product's own, and whether they are in
 * use. */
#include <errno.h>
#include <string.h>

#include "commands/check_server_job.h"
#include "commands/inventory_memory.h"
#include "curfew/client_samples.h"
#include "curfew/inventory_report.h"
#include "curfew/report.h"
#include "curfew/sql_inventory.h"

static int server_read(struct inventory *v, const struct program *p, const struct server *s,
	const char *const *names, bool alone)
{
	struct sql_inventory reading = {
		.databases = names, .visit = {.program = p, .server = s, .now = v->at}};
	struct check_job job;
	int rc = 0;

	while (names[reading.n_databases] && !rc)
		rc = inventory_expect(v, s->name, names[reading.n_databases++], alone);
	if (rc)
		return rc;
	check_job_set(&job, s, s->name, sql_inventory_prepare, sql_inventory_run, &reading);
	return check_job_run(&job, inventory_take, v);
}

static bool is_named(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (names_equal(*names, name))
			return true;
	return false;
}

/* Reads the client's databases. A server that cannot be read does not affect the others. */
static int client_read(
	struct inventory *v, const struct cli *cli, const struct program *p, const struct client *c)
{
	_cleanup_free_ const char **names = calloc(c->n_databases + 1, sizeof(*names));
	size_t found = 0;
	int rc = names ? 0 : -ENOMEM;

	for (size_t s = 0; s < p->n_servers && !rc; s++) {
		size_t n = 0;
		memset(names, 0, (c->n_databases + 1) * sizeof(*names));
		for (size_t i = 0; i < c->n_databases; i++) {
			const struct database *d = &c->databases[i];
			if (d->server == s && !is_named(names, d->name) &&
				(!cli->database || names_equal(cli->database, d->name)))
				names[n++] = d->name;
		}
		found += n;
		if (n)
			rc = server_read(v, p, &p->servers[s], names, client_is_alone(p, c, s));
	}
	if (!rc && !found)
		return cli_fail(cli, EXIT_USAGE, "client %s has no database '%s'", c->name,
			cli->database ? cli->database : "");
	return rc ? cli_fail(cli, EXIT_FAILED, "%s", strerror(-rc)) : 0;
}

static int html_write(const struct cli *cli, const struct inventory_report *r)
{
	FILE *to = cli_output(cli, cli->html);

	if (!to)
		return EXIT_FAILED;
	int rc = inventory_html(r, to);
	if (to != stdout && fclose(to))
		rc = -EIO;
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot write %s: %s", cli->html, strerror(-rc)) : 0;
}

static int show(const struct cli *cli, const struct inventory_report *r)
{
	int code = cli->html ? html_write(cli, r) : 0, rc = 0;

	if (code)
		return code;
	if (cli->drop)
		rc = inventory_drop_script(stdout, r->inventory);
	else if (cli->csv)
		rc = inventory_print_csv(r, stdout);
	else if (cli->json)
		rc = json_print(inventory_json(r), stdout);
	else if (!cli->html)
		rc = inventory_print(r, stdout);
	return rc ? EXIT_FAILED : 0;
}

static int unread_tell(const struct cli *cli, const struct inventory *v)
{
	int code = 0;

	for (size_t i = 0; i < v->n_databases; i++)
		if (!v->databases[i].read)
			code = cli_fail(cli, EXIT_FAILED, "%s / %s is unread: %s",
				v->databases[i].server, v->databases[i].database,
				v->databases[i].why);
	return code;
}

static int decisions_read(char **out, const struct cli *cli)
{
	size_t size;

	*out = cli->decisions ? inventory_file(&size, cli->decisions) : NULL;
	return !cli->decisions || *out ? 0
				       : cli_fail(cli, EXIT_FAILED, "cannot read %s: %s",
						 cli->decisions, strerror(errno));
}

static int decisions_take(struct inventory *v, const struct cli *cli, const char *text)
{
	char why[256];
	int rc = inventory_decide(v, text, why);

	return rc ? cli_fail(cli, EXIT_USAGE, "%s: %s", cli->decisions,
			    rc == -EINVAL ? why : strerror(-rc))
		  : 0;
}

/* Without a configured list every object would appear to be the client's, so an unreadable list is an error. */
static int inputs_read(
	struct vendor *vendor, char **decisions, const struct cli *cli, const struct program *p)
{
	char why[RECORD_TEXT_MAX];

	if (vendor_load(vendor, why, &p->settings.vendor_lists))
		return cli_fail(cli, EXIT_CONFIG, "%s", why);
	return decisions_read(decisions, cli);
}

/* A reading of all of the client's databases is the last point of its progress. */
static int progress_read(struct progress *out, const struct cli *cli, const struct inventory *v,
	const struct samples *samples)
{
	struct sample_tally now;
	bool whole = !cli->database;

	for (size_t i = 0; i < v->n_databases; i++)
		whole = whole && v->databases[i].read;
	inventory_tally(&now, v, NULL, NULL);
	return progress_make(out, samples, whole ? &now : NULL);
}

static int client_show(struct cli *cli, const struct program *p, struct inventory *v,
	const struct client *c, const struct vendor *vendor, const char *decisions,
	struct inventory_memory *memory)
{
	struct progress progress = {0};
	/* Without earlier samples the inventory is shown too, with less certain colors. */
	int unsure = inventory_memory_open(memory, cli, p, c, decisions != NULL), code = 0;

	v->samples = &memory->samples;
	if (inventory_finish(v, vendor))
		code = EXIT_FAILED;
	if (!code && decisions)
		code = unsure ? unsure : decisions_take(v, cli, decisions);
	if (!code && decisions)
		code = inventory_memory_decide(memory, cli, c, v);
	if (!code && progress_read(&progress, cli, v, &memory->samples))
		code = EXIT_FAILED;
	const struct inventory_report report = {.inventory = v,
		.vendor = vendor,
		.client = c->name,
		.zone = c->timezone,
		.about = c,
		.progress = &progress,
		.practice = p->settings.practice};
	if (!code)
		code = show(cli, &report);
	progress_free(&progress);
	inventory_memory_close(memory);
	v->samples = NULL;
	return code ? code : unsure;
}

static int client_run(struct cli *cli, const struct program *p, struct inventory *v)
{
	const struct client *c;
	struct vendor vendor = {0};
	struct inventory_memory memory = {0};
	_cleanup_free_ char *decisions = NULL;
	int code = cli_client(&c, cli, p);

	if (!code)
		code = inputs_read(&vendor, &decisions, cli, p);
	if (!code)
		code = client_read(v, cli, p, c);
	if (!code)
		code = client_show(cli, p, v, c, &vendor, decisions, &memory);
	if (!code)
		code = unread_tell(cli, v);
	vendor_free(&vendor);
	return code;
}

/* An incomplete list would make the missing objects appear to be the client's. */
static int vendor_run(struct cli *cli, const struct program *p, struct inventory *v)
{
	const char *const names[] = {cli->operands[1], NULL};
	const struct server *s;
	int code = cli_server(&s, cli, p);

	if (code)
		return code;
	if (server_read(v, p, s, names, false) || inventory_finish(v, NULL))
		return EXIT_FAILED;
	code = unread_tell(cli, v);
	for (size_t i = 0; i < v->n_coverage && !code; i++)
		if (v->coverage[i].seen == ANSWER_UNKNOWN && *v->coverage[i].database)
			code = cli_fail(cli, EXIT_FAILED, "part %s was not read: %s",
				v->coverage[i].part, v->coverage[i].detail);
	return code ? code : vendor_write(stdout, v, cli->operands[1]) ? EXIT_FAILED : 0;
}

static int run(struct cli *cli)
{
	struct program *p;
	int code;

	if (cli->vendor != (cli->n_operands == 2))
		return cli_fail(cli, EXIT_USAGE,
			"write either `curfew inventory CLIENT`, or `curfew inventory --vendor SERVER DATABASE`");
	code = cli_load(&p, cli);
	if (code)
		return code;
	struct inventory v = {.at = (instant_t)time(NULL), .days = p->settings.unused_days};
	if (cli->unprivileged)
		code = cli_fail(cli, EXIT_FAILED,
			"root is required to read the agent's credentials; run `sudo curfew inventory %s`",
			cli->operands[0]);
	else if (!cli->vendor && !program_client(p, cli->operands[0]) &&
		 program_server(p, cli->operands[0]))
		code = cli_fail(cli, EXIT_USAGE,
			"'%s' is a server; write `curfew inventory CLIENT`, or `curfew inventory --vendor %s DATABASE`",
			cli->operands[0], cli->operands[0]);
	else
		code = cli->vendor ? vendor_run(cli, p, &v) : client_run(cli, p, &v);
	inventory_free(&v);
	program_free(p);
	return code;
}

const struct command command_inventory = {
	.name = "inventory",
	.operands = "CLIENT|SERVER [DATABASE]",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_JSON | OPT_CSV | OPT_HTML | OPT_DATABASE | OPT_VENDOR | OPT_DROP_SCRIPT |
		   OPT_DECISIONS,
	.summary =
		"List what is not the product's own in a client's databases, and whether it is used",
	.help = "The product is the application that the databases belong to. CLIENT alone lists its databases; SERVER and\n"
		"DATABASE are for --vendor.\n"
		"Reads catalog views and the server's statistics of use, never a user's table, and changes nothing. Green was\n"
		"seen in use; red was not, for as long as `unused_days` says, and nothing refers to it; yellow is all else.\n"
		"With --decisions FILE what people wrote into the list is merged, conflicts are named, and the journal keeps the\n"
		"decisions; --csv prints the list with them. What earlier readings of the service saw in use counts too.\n"
		"With --drop prints the T-SQL to be reviewed and run by the client's own people. With --vendor prints the list\n"
		"of a clean installation, for `vendor_lists` in curfew.conf.\n"
		"Exit status: 0 all was read, 1 something was not.\n",
	.run = run,
};
