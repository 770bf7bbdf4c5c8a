/* curfew history: what was done, who had what access, and whether the journal is intact. */
#include <errno.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "commands/history_people.h"
#include "commands/history_select.h"
#include "commands/past_records.h"
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "program/visible_text.h"

struct verified_part {
	int broken; /* journal_verify() */
	int64_t first_broken, before, head;
	char why[256], hash[2 * JOURNAL_HASH_SIZE + 1];
	const char *
		archive; /* the file with the last records up to `before`, which was not opened; NULL: not named */
};

static int verified_json(const struct verified_part *v)
{
	return json_print(
		json_pack("{s:b, s:o, s:s, s:o, s:I, s:s, s:s?}", "intact", !v->broken,
			"first_broken", v->broken ? json_integer(v->first_broken) : json_null(),
			"why", v->why, "first",
			v->head > v->before ? json_integer(v->before + 1) : json_null(), "head",
			(json_int_t)v->head, "hash", v->hash, "archive", v->archive),
		stdout);
}

static void verified_print(const struct verified_part *v)
{
	if (v->broken) {
		printf("BROKEN at record %lld: %s\n", (long long)v->first_broken, v->why);
		return;
	}
	if (!v->before)
		printf("intact: %lld records, head %s\n", (long long)v->head, v->hash);
	else
		text_printf(stdout,
			"intact: records %lld to %lld, head %s\nNot checked: the archived records 1 to %lld, the last of them in %s; use --journal FILE\n",
			(long long)v->before + 1, (long long)v->head, v->hash, (long long)v->before,
			v->archive ? v->archive : "an archive that the journal does not name");
	puts("To detect a replaced journal, compare this head with the heads in the system log.");
}

static int verify(const struct cli *cli, struct journal *j)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	_cleanup_free_ char *archive = NULL;
	struct verified_part v = {0};
	int rc = v.broken = journal_verify(&v.first_broken, v.why, j);

	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	if (journal_anchor(hash, &v.before, j) || (v.before && past_path(&archive, j)) ||
		journal_head(hash, &v.head, j))
		return cli_fail(cli, EXIT_FAILED, "cannot read the head of the journal");
	sodium_bin2hex(v.hash, sizeof(v.hash), hash, sizeof(hash));
	v.archive = archive;
	if (!cli->json)
		verified_print(&v);
	else if (verified_json(&v))
		return EXIT_FAILED;
	return v.broken ? EXIT_DIFFERENT : EXIT_FINE;
}

static int show_entries(const struct cli *cli, const struct journal_entries *h)
{
	if (cli->json) {
		json_t *list = json_array();
		for (size_t i = 0; i < h->n; i++)
			json_array_append_new(list, entry_json(&h->items[i]));
		return json_print(list, stdout) ? EXIT_FAILED : EXIT_FINE;
	}
	if (cli->summary || cli->csv)
		return history_summary(h, cli->csv, stdout) ? EXIT_FAILED : EXIT_FINE;
	if (!h->n)
		puts("no records");
	return entries_print(h->items, h->n, stdout, 0) ? EXIT_FAILED : EXIT_FINE;
}

static int instant_option(instant_t *out, bool *has, const struct cli *cli, const struct program *p,
	const char *name, const char *text)
{
	if (!text)
		return 0;
	*has = true;
	return cli_instant(out, cli, name, text, p->settings.timezone);
}

static int when_check(const struct cli *cli)
{
	if (cli->at && (cli->from || cli->to))
		return cli_fail(cli, EXIT_USAGE,
			"cannot combine --at with --from or --to; --at shows access at one time, --from and --to show changes in a period");
	return 0;
}

static bool is_configured(const struct program *p, const char *database)
{
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases; k++)
			if (names_equal(p->clients[i].databases[k].name, database))
				return true;
	return false;
}

/* If the result is empty because the name is unknown, say so. 0 or exit code. */
static int nothing_explain(const struct cli *cli, const struct program *p)
{
	const struct client *c;

	if (cli->n_operands && !program_client(p, cli->operands[0]))
		return cli_client(&c, cli, p);
	if (cli->server && !program_server(p, cli->server))
		return cli_fail(cli, EXIT_USAGE, "no record of a server '%s', and none in %s",
			cli->server, cli->config);
	if (cli->database && !is_configured(p, cli->database))
		return cli_fail(cli, EXIT_USAGE, "no record of a database '%s', and none in %s",
			cli->database, cli->config);
	return 0;
}

/* Without records, "nobody had access" would be wrong: before the journal begins, and in the future.
 * journal_access_at() reports times in an archive. */
static int instant_is_known(
	const struct cli *cli, const struct program *p, struct journal *j, instant_t at)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	char text[INSTANT_TEXT_MAX];
	instant_t first, last, now;
	struct cli clock = *cli;
	int64_t before = 0;
	int rc = journal_bounds(&first, &last, j);

	if (!rc)
		rc = journal_anchor(hash, &before, j);
	if (rc == -ENOENT)
		return cli_fail(cli, EXIT_FAILED, "the journal is empty; no access is recorded");
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	if (!before && at < first)
		return cli_fail(cli, EXIT_FAILED,
			"the journal begins at %s; earlier access is not recorded",
			instant_format(text, first));
	clock.at = NULL;
	rc = cli_now(&now, &clock, p, NULL);
	/* Practice may record future times. */
	if (!rc && at > now && at > last)
		return cli_fail(cli, EXIT_FAILED,
			"%s is in the future; for scheduled access, run `curfew schedule --at %s`",
			instant_format(text, at), cli->at);
	return rc;
}

/* Also what should have ended by then and was not confirmed as ended: the user may still have had it. */
static int show_access(const struct cli *cli, struct journal *j, instant_t at,
	const struct history_choice *choice, const struct journal_entries *in_effect)
{
	const struct journal_filter f = {
		.client = cli->n_operands ? cli->operands[0] : NULL, .kind = JOURNAL_ACCESS};
	struct journal_entries h = {0}, chosen = {0};
	int rc = journal_read(j, &f, journal_entries_keep, &h), code;

	history_sort_by_time(&h);
	history_select(&chosen, &h, choice);
	code = rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc))
		  : history_access_show(cli, in_effect, &chosen, at);
	journal_entries_free(&h);
	return code;
}

/* The records of these users, or all records, in order. */
static int entries_read(struct journal_entries *out, struct journal *j, struct journal_filter *f,
	const struct logins *people, bool asked)
{
	int rc = 0;

	if (!asked)
		return journal_read(j, f, journal_entries_keep, out);
	for (size_t i = 0; i < people->n && !rc; i++) {
		f->login = people->items[i];
		rc = journal_read(j, f, journal_entries_keep, out);
	}
	if (people->n > 1)
		history_sort(out);
	return rc;
}

static int filter_read(
	struct journal_filter *f, instant_t *at, const struct cli *cli, const struct program *p)
{
	bool has_at;
	int code = when_check(cli);

	if (!code)
		code = instant_option(&f->from, &f->has_from, cli, p, "from", cli->from);
	if (!code)
		code = instant_option(&f->to, &f->has_to, cli, p, "to", cli->to);
	if (!code)
		code = instant_option(at, &has_at, cli, p, "at", cli->at);
	if (!code && f->has_from && f->has_to && f->from >= f->to)
		code = cli_fail(cli, EXIT_USAGE, "--from '%s' must be before --to '%s'", cli->from,
			cli->to);
	return code;
}

static int chosen_show(struct cli *cli, const struct program *p, struct journal *j,
	struct journal_filter *f, instant_t at, struct history_choice *choice)
{
	struct journal_entries h = {0}, chosen = {0};
	bool asked = cli->user || cli->person;
	int code = 0, rc = cli->at ? journal_access_at(j, at, f->client, journal_entries_keep, &h)
				   : entries_read(&h, j, f, choice->people, asked);

	if (!cli->at || !asked)
		choice->people = NULL;
	if (!rc)
		history_select(&chosen, &h, choice);
	if (rc)
		code = cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	else if (!chosen.n)
		code = nothing_explain(cli, p);
	if (!code)
		code = cli->at ? show_access(cli, j, at, choice, &chosen)
			       : show_entries(cli, &chosen);
	journal_entries_free(&h);
	return code;
}

/* An unknown user is an error, not an empty result. */
static int people_choose(
	struct logins *out, const struct cli *cli, const struct program *p, struct journal *j)
{
	const char *name = cli->person ? cli->person : cli->user;
	const char *client = cli->n_operands ? cli->operands[0] : NULL;

	if (!name)
		return 0;
	if (cli->person && cli->user)
		return cli_fail(cli, EXIT_USAGE, "cannot combine --person with --user");
	if (people_find(out, p, j, client, name, cli->person != NULL))
		return cli_fail(cli, EXIT_FAILED, "cannot read the journal");
	return out->n ? 0
		      : cli_fail(cli, EXIT_USAGE, "no record of a user '%s'%s%s, and none in %s",
				name, client ? " of client " : "", client ? client : "",
				cli->config);
}

static int look(struct cli *cli, const struct program *p, struct journal *j)
{
	struct journal_filter f = {.client = cli->n_operands ? cli->operands[0] : NULL, .kind = -1};
	struct history_choice choice;
	struct logins people = {0};
	struct journal *of = j; /* the journal with that time, which may be an archive */
	instant_t at = 0;
	int code = history_choose(&choice, cli);

	if (!code)
		code = filter_read(&f, &at, cli, p);
	if (!code && cli->at)
		code = instant_is_known(cli, p, j, at);
	if (!code && cli->at && !cli->journal)
		code = past_journal(&of, cli, j, at);
	if (!code && of != j)
		code = instant_is_known(cli, p, of, at);
	if (!code)
		code = people_choose(&people, cli, p, of);
	choice.people = &people;
	if (!code)
		code = chosen_show(cli, p, of, &f, at, &choice);
	if (of != j)
		journal_close(of);
	logins_free(&people);
	return code;
}

/* An archive has the format of a journal. Everybody who can read the file may use it. */
static int journal_choose(struct context *c)
{
	struct cli *cli = c->cli;

	if (!cli->journal)
		return cli_journal_required(&c->journal, cli, c->program);
	int rc = journal_open(
		&c->journal, &(struct journal_options){.path = cli->journal, .read_only = true});
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot open %s: %s", cli->journal,
			    journal_problem(rc))
		  : 0;
}

static int run(struct cli *cli)
{
	struct context c;
	int code = context_open(&c, cli, 0);

	if (!code)
		code = journal_choose(&c);
	if (!code && cli->n_operands && streq(cli->operands[0], "verify") &&
		!program_client(c.program, "verify"))
		code = verify(cli, c.journal);
	else if (!code)
		code = look(cli, c.program, c.journal);
	context_close(&c);
	return code;
}

const struct command command_history = {
	.name = "history",
	.operands = "[CLIENT|verify]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_USER | OPT_FROM | OPT_TO | OPT_AT | OPT_SERVER | OPT_DATABASE |
		   OPT_LIMIT | OPT_PERSON | OPT_SUMMARY | OPT_CSV | OPT_JOURNAL,
	.summary = "Show changes, or access at a given time",
	.help = "Reads only the journal. With --at: access at that time, with addresses. Exit status 1 if the journal does not\n"
		"cover the time: before its first record, in an archive that cannot be read, or in the future.\n"
		"A user is found by login, jane.doe, email address, or name, also after leaving the configuration.\n"
		"`curfew history verify` checks whether the journal is intact, and prints its head. It does not open an archive.\n",
	.run = run,
};
