/* What the journal knows of a time, and of a name: an empty answer must never mean that nobody knows. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/history_known.h"
#include "commands/past_records.h"
#include "curfew/calendar.h"

static bool is_configured(const struct program *p, const char *database)
{
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases; k++)
			if (names_equal(p->clients[i].databases[k].name, database))
				return true;
	return false;
}

static bool is_recorded(struct journal *j, enum journal_name what, const char *name)
{
	bool known = false;

	return journal_has_name(&known, j, what, name) || known;
}

int history_unknown(const struct cli *cli, struct journal *j, const char *what, const char *name,
	const char *client)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	_cleanup_free_ char *path = NULL;
	int64_t before = 0;
	int rc = journal_anchor(hash, &before, j);

	if (!rc && before)
		rc = past_path(&path, j);
	if (rc)
		return cli_fail(
			cli, EXIT_FAILED, "cannot read the journal: %s", journal_problem(rc));
	if (before)
		return cli_fail(cli, EXIT_USAGE,
			"no record of a %s '%s'%s%s since the records up to %lld were archived, and none in %s; the last of "
			"those are in %s: use --journal FILE",
			what, name, client ? " of client " : "", client ? client : "",
			(long long)before, cli->config,
			path ? path : "an archive that the journal does not name");
	return cli_fail(cli, EXIT_USAGE, "no record of a %s '%s'%s%s, and none in %s", what, name,
		client ? " of client " : "", client ? client : "", cli->config);
}

/* Without an archive the names that the files have help more. */
static int client_unknown(const struct cli *cli, const struct program *p, struct journal *j)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	const struct client *c;
	int64_t before = 0;

	if (journal_anchor(hash, &before, j) || before)
		return history_unknown(cli, j, "client", cli->operands[0], NULL);
	return cli_client(&c, cli, p);
}

/* If the result is empty because the name is unknown, say so. 0 or exit code. */
int history_nothing_explain(const struct cli *cli, const struct program *p, struct journal *j)
{
	if (cli->n_operands && !program_client(p, cli->operands[0]) &&
		!is_recorded(j, JOURNAL_CLIENT, cli->operands[0]))
		return client_unknown(cli, p, j);
	if (cli->server && !program_server(p, cli->server) &&
		!is_recorded(j, JOURNAL_SERVER, cli->server))
		return history_unknown(cli, j, "server", cli->server, NULL);
	if (cli->database && !is_configured(p, cli->database) &&
		!is_recorded(j, JOURNAL_DATABASE, cli->database))
		return history_unknown(cli, j, "database", cli->database, NULL);
	return 0;
}

/* An archive, or a copy of the journal, knows nothing of what was recorded after it was made. */
static bool is_live(const struct program *p, struct journal *j, const char *path)
{
	_cleanup_free_ char *live = NULL;
	struct stat its, the;

	if (asprintf(&live, "%s/journal.db", p->settings.state_directory) < 0) {
		live = NULL;
		return false;
	}
	return !journal_is_closed(j) && !stat(path, &its) && !stat(live, &the) &&
	       its.st_dev == the.st_dev && its.st_ino == the.st_ino;
}

/* Without records, "nobody had access" would be wrong: before the journal begins, after its end, and in the future.
 * access_read() reports times in an archive. */
int history_instant_is_known(
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
	if (cli->journal && at > last && !is_live(p, j, cli->journal))
		return cli_fail(cli, EXIT_FAILED,
			"%s has records until %s; later access is not recorded in it", cli->journal,
			instant_format(text, last));
	clock.at = NULL;
	rc = cli_now(&now, &clock, p, NULL);
	/* Practice may record future times. */
	if (!rc && at > now && at > last)
		return cli_fail(cli, EXIT_FAILED,
			"%s is in the future; for scheduled access, run `curfew schedule --at %s`",
			instant_format(text, at), cli->at);
	return rc;
}

/* Also what records that are missing would have said. */
int history_lost_check(const struct cli *cli, struct journal *j, instant_t at)
{
	struct lost_records lost;
	char text[INSTANT_TEXT_MAX];
	int code = past_lost(&lost, cli, j, at, at + 1);

	if (!code && lost.n)
		code = cli_fail(cli, EXIT_FAILED, "who had access at %s is not known",
			instant_format(text, at));
	lost_records_free(&lost);
	return code;
}
