/* Reads records of the journal and of the archives that it names. */
#include <errno.h>
#include <string.h>

#include "commands/past_records.h"

static int path_take(void *context, const struct journal_entry *e)
{
	char **path = context;

	/* Use the later record: the request for an archive has the same action. */
	if (!e->action || !streq(e->action, "archive") || !e->statement || !e->outcome)
		return 0;
	char *copy = strdup(e->statement);
	if (!copy)
		return -ENOMEM;
	free(*path);
	*path = copy;
	return 0;
}

int past_path(char **out, struct journal *j)
{
	const struct journal_filter events = {.kind = JOURNAL_EVENT};

	*out = NULL;
	return journal_read(j, &events, path_take, out);
}

/* Opens the archive that precedes the journal's first record; *out NULL: none. 0 or exit code. */
static int archive_open(struct journal **out, const struct cli *cli, struct journal *j)
{
	uint8_t hash[JOURNAL_HASH_SIZE], its[JOURNAL_HASH_SIZE];
	_cleanup_free_ char *path = NULL;
	int64_t before = 0, id = 0;
	int rc = journal_anchor(hash, &before, j);

	*out = NULL;
	if (!rc && before)
		rc = past_path(&path, j);
	if (rc || !before)
		return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
	if (!path)
		return cli_fail(cli, EXIT_FAILED,
			"the journal follows an archive that it does not name; use --journal FILE");
	rc = journal_open(out, &(struct journal_options){.path = path, .read_only = true});
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot open %s, the archive of the earlier records: %s; if it was moved, use --journal FILE",
			path, journal_problem(rc));
	/* It must be the same archive, not another file in its place. */
	rc = journal_head(its, &id, *out);
	if (rc || id != before || memcmp(its, hash, sizeof(hash)) != 0) {
		journal_close(*out);
		*out = NULL;
		return cli_fail(cli, EXIT_FAILED,
			"%s is not the archive that the journal follows: its head is another",
			path);
	}
	return 0;
}

static int archived(bool *out, const struct cli *cli, struct journal *j, instant_t at)
{
	struct journal_entries none = {0};
	int rc = journal_access_at(j, at, "", journal_entries_keep, &none);

	journal_entries_free(&none);
	*out = rc == -ENODATA;
	return rc && rc != -ENODATA ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
}

int past_journal(struct journal **out, const struct cli *cli, struct journal *j, instant_t at)
{
	struct journal *next = NULL;
	bool earlier = false;
	int code = archived(&earlier, cli, j, at);

	*out = j;
	while (!code && earlier) {
		code = archive_open(&next, cli, *out);
		if (code || !next)
			break;
		if (*out != j)
			journal_close(*out);
		*out = next;
		code = archived(&earlier, cli, *out, at);
	}
	if (code && *out != j) {
		journal_close(*out);
		*out = j;
	}
	return code;
}

int past_read(struct journal_entries *out, const struct cli *cli, struct journal *j,
	const struct journal_filter *f, instant_t from)
{
	struct journal *archive = NULL;
	bool earlier = false;
	int code = archived(&earlier, cli, j, from);

	if (!code && earlier)
		code = archive_open(&archive, cli, j);
	if (!code && archive)
		code = past_read(out, cli, archive, f, from);
	journal_close(archive);
	if (code)
		return code;
	int rc = journal_read(j, f, journal_entries_keep, out);
	return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
}
