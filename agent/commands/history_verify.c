/* curfew history verify: whether the chain of the journal, or with --journal of another file, is intact. */
#include "commands/history_verify.h"

#include <jansson.h>
#include <sodium.h>

#include "commands/past_records.h"
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
	else {
		printf("intact: records %lld to %lld, head %s\n", (long long)v->before + 1,
			(long long)v->head, v->hash);
		text_printf(stdout,
			"Not checked: the archived records 1 to %lld, the last of them in %s; use --journal FILE\n",
			(long long)v->before,
			v->archive ? v->archive : "an archive that the journal does not name");
	}
	puts("To detect a replaced journal, compare this head with the heads in the system log.");
}

int history_verify(const struct cli *cli, struct journal *j)
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
