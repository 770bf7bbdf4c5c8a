/* Reads records of the journal and of the archives that it names. */
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "commands/past_records.h"
#include "curfew/state_tables.h"

/* A file of the chain, and the one that follows it. */
struct past {
	struct journal *j;
	const struct past *newer; /* NULL: this is the journal */
};

struct path_search {
	char hash[2 * JOURNAL_HASH_SIZE + 1]; /* of the archive's last record */
	char *path;
};

/* Each archive has one record with its file and its last hash. */
static int path_take(void *context, const struct journal_entry *e)
{
	struct path_search *s = context;

	if (s->path || !e->after || !e->statement || !streq(e->after, s->hash))
		return 0;
	s->path = strdup(e->statement);
	return s->path ? 0 : -ENOMEM;
}

/* The record is in this file or in a newer one: it was written when the archive was made, which may be after the time up
 * to which a later archive reaches. */
static int path_find(char **out, const struct past *p, const uint8_t hash[JOURNAL_HASH_SIZE])
{
	const struct journal_filter events = {.kind = JOURNAL_EVENT};
	struct path_search s = {0};
	int rc = 0;

	sodium_bin2hex(s.hash, sizeof(s.hash), hash, JOURNAL_HASH_SIZE);
	for (; p && !rc && !s.path; p = p->newer)
		rc = journal_read(p->j, &events, path_take, &s);
	*out = s.path;
	return rc;
}

int past_path(char **out, struct journal *j)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	int64_t before = 0;
	int rc = journal_anchor(hash, &before, j);

	*out = NULL;
	return rc ? rc : path_find(out, &(struct past){.j = j}, hash);
}

/* Each file once: a command reads several times. */
static bool was_verified(const uint8_t hash[JOURNAL_HASH_SIZE], bool now)
{
	static uint8_t known[16][JOURNAL_HASH_SIZE];
	static size_t n;

	for (size_t i = 0; i < n && i < ARRAY_SIZE(known); i++)
		if (memcmp(known[i], hash, JOURNAL_HASH_SIZE) == 0)
			return true;
	if (now)
		memcpy(known[n++ % ARRAY_SIZE(known)], hash, JOURNAL_HASH_SIZE);
	return false;
}

/* Reports believe no file that was not verified: its records can be changed by whoever can write it. 0 or exit code. */
static int file_verify(const struct cli *cli, struct journal *j, const char *name, const char *what)
{
	char why[256];
	int64_t first;
	int rc = journal_verify(&first, why, j);

	if (rc == JOURNAL_BROKEN)
		return cli_fail(cli, EXIT_FAILED, "%s%s is BROKEN at record %lld: %s", name, what,
			(long long)first, why);
	if (rc && rc != -ENOKEY)
		return cli_fail(
			cli, EXIT_FAILED, "cannot verify %s: %s", name, journal_problem(rc));
	if (rc)
		cli_fail(cli, 0,
			"warning: the chain of %s is not verified: the credential of journal_key cannot be read",
			name);
	return 0;
}

static int archive_verify(const struct cli *cli, struct journal *archive, const char *path,
	const uint8_t hash[JOURNAL_HASH_SIZE])
{
	if (was_verified(hash, false))
		return 0;
	int code = file_verify(cli, archive, path, ", the archive of the earlier records,");
	if (!code)
		was_verified(hash, true);
	return code;
}

/* Once for each command, which may read several times. */
int past_verify(const struct cli *cli, struct journal *j)
{
	static const struct journal *verified;

	if (verified == j)
		return 0;
	int code = file_verify(cli, j, cli->journal ? cli->journal : "the journal", "");
	if (!code)
		verified = j;
	return code;
}

/* Opens the archive that precedes the file's first record; *out NULL: none. 0 or exit code. */
static int archive_open(struct journal **out, const struct cli *cli, const struct past *p)
{
	uint8_t hash[JOURNAL_HASH_SIZE], its[JOURNAL_HASH_SIZE];
	_cleanup_free_ char *path = NULL;
	int64_t before = 0, id = 0;
	int rc = journal_anchor(hash, &before, p->j), code = 0;

	*out = NULL;
	if (!rc && before)
		rc = path_find(&path, p, hash);
	if (rc || !before)
		return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
	if (!path)
		return cli_fail(cli, EXIT_FAILED,
			"the journal follows an archive that it does not name; use --journal FILE");
	rc = journal_open_archive(out, p->j, path);
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot open %s, the archive of the earlier records: %s; if it was moved, use --journal FILE",
			path, journal_problem(rc));
	/* It must be the same archive, not another file in its place. */
	rc = journal_head(its, &id, *out);
	if (rc || id != before || memcmp(its, hash, sizeof(hash)) != 0)
		code = cli_fail(cli, EXIT_FAILED,
			"%s is not the archive that the journal follows: its head is another",
			path);
	else
		code = archive_verify(cli, *out, path, hash);
	if (code) {
		journal_close(*out);
		*out = NULL;
	}
	return code;
}

static int archived(bool *out, const struct cli *cli, struct journal *j, instant_t at)
{
	bool covers = true;
	int rc = journal_covers(&covers, j, at);

	*out = !covers;
	return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
}

static int journal_find(
	struct journal **out, const struct cli *cli, const struct past *p, instant_t at)
{
	struct past older = {.newer = p};
	bool earlier = false;
	int code = archived(&earlier, cli, p->j, at);

	*out = p->j;
	if (!code && earlier)
		code = archive_open(&older.j, cli, p);
	if (code || !older.j)
		return code;
	code = journal_find(out, cli, &older, at);
	if (code)
		*out = p->j;
	if (*out != older.j)
		journal_close(older.j);
	return code;
}

int past_journal(struct journal **out, const struct cli *cli, struct journal *j, instant_t at)
{
	return journal_find(out, cli, &(struct past){.j = j}, at);
}

static int files_read(struct journal_entries *out, const struct cli *cli, const struct past *p,
	const struct journal_filter *f, instant_t from)
{
	struct past older = {.newer = p};
	bool earlier = false;
	int code = archived(&earlier, cli, p->j, from);

	if (!code && earlier)
		code = archive_open(&older.j, cli, p);
	if (!code && older.j)
		code = files_read(out, cli, &older, f, from);
	journal_close(older.j);
	if (code)
		return code;
	int rc = journal_read(p->j, f, journal_entries_keep, out);
	return rc ? cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
}

int past_read(struct journal_entries *out, const struct cli *cli, struct journal *j,
	const struct journal_filter *f, instant_t from)
{
	int code = past_verify(cli, j);

	return code ? code : files_read(out, cli, &(struct past){.j = j}, f, from);
}

/* A journal that was put back has no record of that before somebody writes into it. What it lacks reaches until now, or
 * until the time that was asked for, which a practice may have in the future. */
static int unrecorded_add(struct lost_records *l, struct journal *j, instant_t from, instant_t to)
{
	const instant_t now = (instant_t)time(NULL);
	struct lost_span s = {.to = to > now && to != INT64_MAX ? to : now, .until = INT64_MAX};
	const char *why;
	int rc = head_copy_compare(&why, &s.from, j);

	s.has_from = s.from != LOSS_SINCE_UNKNOWN;
	return rc || !why ? rc : lost_records_add(l, &s, from, to);
}

/* `alone`: by the events of that file, which has those of its archives too. */
static int lost_find(struct lost_records *out, const struct cli *cli, struct journal *j,
	instant_t from, instant_t to, bool alone)
{
	const struct journal_filter events = {.kind = JOURNAL_EVENT};
	int rc = 0, code = 0;

	*out = (struct lost_records){0};
	if (alone)
		rc = journal_read(j, &events, journal_entries_keep, &out->events);
	else
		code = past_read(&out->events, cli, j, &events, from);
	if (!rc && !code)
		rc = lost_records_find(out, from, to);
	if (!rc && !code && !cli->journal)
		rc = unrecorded_add(out, j, from, to);
	if (rc)
		code = cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	for (size_t i = 0; !code && i < out->n; i++) {
		_cleanup_free_ char *text = lost_span_text(&out->items[i]);
		cli_fail(cli, 0, "warning: %s; access that only they name is not listed",
			text ? text : "records are missing");
	}
	return code;
}

int past_lost(struct lost_records *out, const struct cli *cli, struct journal *j, instant_t from,
	instant_t to)
{
	return lost_find(out, cli, j, from, to, cli->journal != NULL);
}

int past_lost_here(struct lost_records *out, const struct cli *cli, struct journal *j,
	instant_t from, instant_t to)
{
	return lost_find(out, cli, j, from, to, true);
}

int past_tell(const struct cli *cli, struct journal *j, const struct journal_filter *f)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	_cleanup_free_ char *path = NULL;
	int64_t before = 0;
	bool covers = false;
	int rc = journal_covers(&covers, j, f->has_from ? f->from : INT64_MIN);

	if (!rc && !covers)
		rc = journal_anchor(hash, &before, j);
	if (!rc && before)
		rc = past_path(&path, j);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	if (before)
		cli_fail(cli, 0,
			"note: the records 1 to %lld are not read; the last of them are in %s; use --journal FILE",
			(long long)before,
			path ? path : "an archive that the journal does not name");
	return 0;
}
