/* curfew history: what was done, who had what access, and whether the journal is intact. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/former_clients.h"
#include "commands/history_known.h"
#include "commands/history_people.h"
#include "commands/history_select.h"
#include "commands/history_verify.h"
#include "commands/past_records.h"
#include "curfew/calendar.h"
#include "curfew/clock_resets.h"
#include "curfew/report.h"
#include "curfew/state.h"
#include "program/visible_text.h"

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
	return cli_instant(out, cli, name, text, cli_zone(cli, p));
}

static int when_check(const struct cli *cli)
{
	if (cli->at && (cli->from || cli->to))
		return cli_fail(cli, EXIT_USAGE,
			"cannot combine --at with --from or --to; --at shows access at one time, --from and --to show changes in a period");
	return 0;
}

/* Also what should have ended by then and was not confirmed as ended: the user may still have had it. */
static int show_access(const struct cli *cli, const struct program *p, struct journal *j,
	instant_t at, const struct history_choice *choice, struct journal_entries *all,
	const struct journal_entries *handovers)
{
	const struct history_records records = {all, handovers};
	struct journal_entries held = {0}, held_chosen = {0};
	bool any = false;
	int code = access_entries_at(&held, all, at)
			   ? cli_fail(cli, EXIT_FAILED, "%s", strerror(ENOMEM))
			   : 0;

	if (!code)
		history_select(&held_chosen, &held, choice);
	history_sort_by_time(all);
	for (size_t i = 0; i < all->n && !any; i++)
		any = history_is_chosen(&all->items[i], choice);
	/* Access past its end is an answer too. */
	if (!code && !held_chosen.n && !any)
		code = history_nothing_explain(cli, p, j);
	if (!code)
		code = history_access_show(cli, &held_chosen, &records, choice, at);
	free(held.items);
	return code;
}

/* The records that the filter lets through: with --journal those of that file, else also those of the archives that the
 * time requires. 0 or exit code. */
static int records_read(struct journal_entries *out, const struct cli *cli, struct journal *j,
	const struct journal_filter *f, instant_t at)
{
	bool covers = false;

	if (!cli->journal)
		return past_read(out, cli, j, f, at);
	int code = past_verify(cli, j);
	if (code)
		return code;
	int rc = journal_covers(&covers, j, at);
	if (!rc)
		rc = covers ? journal_read(j, f, journal_entries_keep, out) : -ENODATA;
	return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
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

/* What stands before a correction of the clock, and bears a later time. 0 or exit code. */
static int refuted_drop(
	struct journal_entries *all, const struct cli *cli, struct journal *j, instant_t at)
{
	const struct journal_filter f = {.kind = JOURNAL_EVENT, .action = CLOCK_RESET};
	struct journal_entries events = {0};
	struct clock_resets resets = {0};
	int rc = 0, code = 0;

	if (cli->journal)
		rc = journal_read(j, &f, journal_entries_keep, &events);
	else
		code = past_read(&events, cli, j, &f, at);
	if (!rc && !code)
		rc = clock_resets_find(&resets, &events);
	clock_resets_drop(all, &resets);
	free(resets.items);
	journal_entries_free(&events);
	return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : code;
}

/* What a clock recorded that was ahead by mistake confirms nothing, also once that time has come; practice may record
 * future times. 0 or exit code. */
static int future_drop(struct journal_entries *all, const struct cli *cli, const struct program *p,
	struct journal *j, instant_t at)
{
	struct cli clock = *cli;
	instant_t now;
	size_t n = 0;

	if (p->settings.practice)
		return 0;
	clock.at = NULL;
	int code = cli_now(&now, &clock, p, NULL);
	for (size_t i = 0; i < all->n && !code; i++)
		if (all->items[i].at > now)
			journal_entry_free(&all->items[i]);
		else
			all->items[n++] = all->items[i];
	all->n = code ? all->n : n;
	return code ? code : refuted_drop(all, cli, j, at);
}

/* An unknown user is an error, not an empty result. Looks into the records `among`, or NULL: into the journal. */
static int people_choose(struct logins *out, const struct cli *cli, const struct program *p,
	struct journal *j, const struct journal_entries *among)
{
	const char *name = cli->person ? cli->person : cli->user;
	const char *client = cli->n_operands ? cli->operands[0] : NULL;

	if (!name)
		return 0;
	if (cli->person && cli->user)
		return cli_fail(cli, EXIT_USAGE, "cannot combine --person with --user");
	int rc = people_find(out, p, j, among, client, name, cli->person != NULL);
	if (rc)
		return cli_fail(
			cli, EXIT_FAILED, "cannot read the journal: %s", journal_problem(rc));
	if (out->n)
		return 0;
	return history_unknown(cli, j, "user", name, client);
}

/* Whether another client had a database of this one at that time. The records are sorted. 0 or exit code. */
static int former_check(bool *former, const struct cli *cli, const struct program *p,
	const struct journal_entries *all, instant_t at)
{
	struct journal_entries held = {0};
	int code = 0;

	*former = false;
	if (!cli->n_operands)
		return 0;
	if (access_entries_at(&held, all, at))
		code = cli_fail(cli, EXIT_FAILED, "%s", strerror(ENOMEM));
	const struct journal_entry **items = calloc(held.n + 1, sizeof(*items));
	for (size_t i = 0; items && i < held.n; i++)
		items[i] = &held.items[i];
	if (!code)
		*former = items && former_clients_tell(cli, p, items, held.n) > 0;
	free(items);
	free(held.items);
	return code;
}

static int handovers_read(struct journal_entries *out, const struct cli *cli,
	const struct program *p, struct journal *j, instant_t at)
{
	const struct journal_filter f = {.kind = JOURNAL_EVENT, .action = "handover"};
	int code = records_read(out, cli, j, &f, at);

	return code ? code : future_drop(out, cli, p, j, at);
}

/* Former users are known from the files that have their records: from all that were read. Of all clients, because a login
 * that is written in a file may be another client's since. */
static int access_at_show(struct cli *cli, const struct program *p, struct journal *j,
	const struct journal_filter *f, instant_t at, struct history_choice *choice)
{
	const struct journal_filter access = {.kind = JOURNAL_ACCESS};
	struct journal_entries all = {0}, handovers = {0};
	struct logins people = {0};
	bool former = false;
	int code = records_read(&all, cli, j, &access, at);

	if (!code)
		code = people_choose(&people, cli, p, j, &all);
	if (cli->user || cli->person)
		choice->people = &people;
	choice->client = f->client;
	if (!code)
		code = future_drop(&all, cli, p, j, at);
	if (!code)
		code = handovers_read(&handovers, cli, p, j, at);
	access_entries_sort(&all);
	if (!code)
		code = former_check(&former, cli, p, &all, at);
	if (!code)
		code = show_access(cli, p, j, at, choice, &all, &handovers);
	if (!code && former)
		code = EXIT_DIFFERENT;
	choice->people = NULL;
	logins_free(&people);
	journal_entries_free(&handovers);
	journal_entries_free(&all);
	return code;
}

static int chosen_show(struct cli *cli, const struct program *p, struct journal *j,
	struct journal_filter *f, struct history_choice *choice)
{
	struct journal_entries h = {0}, chosen = {0};
	struct lost_records lost = {0};
	struct logins people = {0};
	int rc = 0, code = people_choose(&people, cli, p, j, NULL);

	if (!code)
		code = past_tell(cli, j, f);
	if (!code)
		code = past_lost_here(&lost, cli, j, f->has_from ? f->from : INT64_MIN,
			f->has_to ? f->to : INT64_MAX);
	if (!code)
		rc = entries_read(&h, j, f, &people, cli->user || cli->person);
	if (!code && !rc)
		history_select(&chosen, &h, choice);
	if (rc)
		code = cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	else if (!code && !chosen.n)
		code = history_nothing_explain(cli, p, j);
	if (!code)
		code = show_entries(cli, &chosen);
	/* Who asks for a period asks for all of it. */
	if (!code && lost.n && (f->has_from || f->has_to))
		code = EXIT_DIFFERENT;
	lost_records_free(&lost);
	logins_free(&people);
	journal_entries_free(&h);
	return code;
}

static int look(struct cli *cli, const struct program *p, struct journal *j)
{
	struct journal_filter f = {.client = cli->n_operands ? cli->operands[0] : NULL, .kind = -1};
	struct history_choice choice;
	struct journal *of = j; /* the journal with that time, which may be an archive */
	instant_t at = 0;
	int code = history_choose(&choice, cli);

	if (!code)
		code = filter_read(&f, &at, cli, p);
	if (!code && cli->at)
		code = history_instant_is_known(cli, p, j, at);
	if (!code && cli->at && !cli->journal)
		code = past_journal(&of, cli, j, at);
	if (!code && of != j)
		code = history_instant_is_known(cli, p, of, at);
	if (!code && cli->at)
		code = history_lost_check(cli, j, at);
	if (!code)
		code = cli->at ? access_at_show(cli, p, j, &f, at, &choice)
			       : chosen_show(cli, p, j, &f, &choice);
	if (of != j)
		journal_close(of);
	return code;
}

/* An archive has the format of a journal. Everybody who can read the file may use it. */
static int journal_choose(struct context *c)
{
	struct cli *cli = c->cli;

	if (!cli->journal)
		return cli_journal_required(&c->journal, cli, c->program);
	int rc = state_archive_open(&c->journal, &c->program->settings, cli->journal);
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
		code = history_verify(cli, c.journal);
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
		"cover the time: before its first record, in an archive that cannot be read, in the future, after the last record\n"
		"of another file of --journal, while records are missing, or if the journal is broken.\n"
		"A user is found by login, jane.doe, email address, or name, also after leaving the configuration.\n"
		"`curfew history verify` checks whether the journal is intact, and prints its head. It does not open an archive.\n",
	.run = run,
};
