/* What the inventory keeps from reading to reading: bounded, covered by the chain, in archives and upgrades too. */
#include "journal_fixture.h"

#include <errno.h>

#include "curfew/state_tables.h"
#include "curfew/outbox.h"
#include "curfew/samples.h"
#include "journal/schema.h"

static const struct sample_watch watches[] = {{"index-usage", 100, 900, 7}};
static const struct sample_use uses[] = {{"procedure", "dbo.=a'b", "procedure-stats", 800},
	{"table", "dbo.\xc3\x84rger", "index-usage", 850}};
static const struct sample_tally tallies[] = {{900, 1, 2, 3, 4, 1, 1, 0, 5}};
static const struct sample_decision decisions[] = {
	{"table", "dbo.T", "drop", NULL, "Jane", "2027-01-11", "asked, \"twice\""}};
static const struct sample whole = {.server = "s",
	.database = "d",
	.at = 900,
	.watches = (struct sample_watch *)watches,
	.n_watches = 1,
	.uses = (struct sample_use *)uses,
	.n_uses = 2,
	.tallies = (struct sample_tally *)tallies,
	.n_tallies = 1,
	.decisions = (struct sample_decision *)decisions,
	.n_decisions = 1};

static void test_round(void **state)
{
	struct fixture *f = *state;
	struct sample later = whole;
	struct samples all = {0};

	assert_int_equal(sample_put(f->j, &whole), 0);
	assert_int_equal(sample_decide(f->j, &whole), 0);
	assert_int_equal(
		sample_put(f->j, &(struct sample){.server = "s", .database = "e", .at = 5}), 0);
	assert_verifies(f->j);
	assert_int_equal(sample_read(&all, f->j, "s", "d"), 0);
	assert_int_equal(sample_read(&all, f->j, "s", "nothing"), 0);
	const struct sample *s = sample_of(&all, "s", "d");
	assert_int_equal(s->at, 900);
	assert_int_equal(s->watches[0].gap, 7);
	assert_int_equal(s->n_uses, 2);
	assert_string_equal(s->uses[0].name, "dbo.=a'b");
	assert_int_equal(s->uses[1].last, 850);
	assert_int_equal(s->tallies[0].left, 5);
	assert_string_equal(s->decisions[0].note, "asked, \"twice\"");
	assert_null(s->decisions[0].replacement);
	assert_int_equal(sample_of(&all, "s", "nothing")->at, 0);
	samples_free(&all);
	/* Another reading takes the place of what was watched and used; tallies are added, decisions stay. */
	later.at = 1000;
	later.n_uses = 1;
	struct sample_tally t = {1000, 0, 0, 1, 1, 0, 0, 0, 1};
	later.tallies = &t;
	assert_int_equal(sample_put(f->j, &later), 0);
	assert_int_equal(sample_read(&all, f->j, "s", "d"), 0);
	assert_int_equal(all.items[0].n_uses, 1);
	assert_int_equal(all.items[0].n_tallies, 2);
	assert_int_equal(all.items[0].n_decisions, 1);
	samples_free(&all);
	assert_int_equal(memory_forget(f->j, "s", "d", 1001, "root", "dropped"), 0);
	assert_int_equal(sample_read(&all, f->j, "s", "d"), 0);
	assert_int_equal(
		all.items[0].n_uses + all.items[0].n_decisions + (size_t)all.items[0].at, 0);
	samples_free(&all);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM sampled"), 1);
	assert_verifies(f->j);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	struct sample_use *many = calloc(SAMPLE_USES_MAX + 1, sizeof(*many));
	struct sample s = whole;
	struct sample_tally t = {0};
	struct samples all = {0};

	for (size_t i = 0; i <= SAMPLE_USES_MAX; i++)
		many[i] = uses[0];
	s.uses = many;
	s.n_uses = SAMPLE_USES_MAX + 1;
	assert_int_equal(sample_put(f->j, &s), -EINVAL);
	free(many);
	s = (struct sample){.server = "s", .database = "d", .tallies = &t, .n_tallies = 1};
	assert_int_equal(journal_begin(f->j), 0);
	for (instant_t at = 1; at <= SAMPLE_TALLIES_MAX + 10; at++) {
		s.at = t.at = at;
		assert_int_equal(sample_put(f->j, &s), 0);
	}
	assert_int_equal(journal_commit(f->j), 0);
	assert_int_equal(sample_read(&all, f->j, "s", "d"), 0);
	assert_int_equal(all.items[0].n_tallies, SAMPLE_TALLIES_MAX);
	assert_int_equal(all.items[0].tallies[0].at, 11);
	samples_free(&all);
	assert_int_equal(
		sql_number(f->path, "SELECT count(*) FROM record WHERE kind = 'state'"), 1);
	assert_verifies(f->j);
}

static void test_tampering(void **state)
{
	struct fixture *f = *state;
	static const char *const changes[] = {"UPDATE used SET last = 1", "DELETE FROM used",
		"INSERT INTO used VALUES ('s', 'd', 'table', 'dbo.New', 'x', 1)",
		"UPDATE watched SET since = 1", "UPDATE tally SET red = 0",
		"UPDATE decided SET decision = 'keep'", "DELETE FROM decided",
		"INSERT INTO watched VALUES ('s', 'elsewhere', 'index-usage', 1, 2, 0)",
		"UPDATE sampled SET digest = zeroblob(32)", "DELETE FROM sampled"};

	assert_int_equal(sample_put(f->j, &whole), 0);
	assert_int_equal(sample_decide(f->j, &whole), 0);
	assert_notices(f, changes, ARRAY_SIZE(changes));
}

/* A file as version 3 made it: with a state and a digest of it, and an outbox. */
static void third_version_make(const char *path)
{
	struct journal j = {.path = (char *)path, .version = 3, .at_commit = state_record};

	assert_int_equal(sqlite3_open(path, &j.db), SQLITE_OK);
	assert_int_equal(functions_define(j.db), SQLITE_OK);
	for (int v = 0; v < 3; v++)
		assert_int_equal(database_execute(&j, schema_steps[v]), 0);
	assert_int_equal(
		database_execute(&j, "PRAGMA application_id = 0x43524657; PRAGMA user_version = 3"),
		0);
	assert_int_equal(chain_create(&j), 0);
	assert_int_equal(verified_level_save(&j, &(struct verified_level){"sql07", "acme.jane",
							 "AcmeProd", LEVEL_FULL, 5}),
		0);
	assert_int_equal(outbox_add(&j, &(struct outbox_item){.event = "e",
						.recipient = "r",
						.notice = "n",
						.message = "m",
						.created = 4}),
		1);
	database_keep_nothing(&j);
	assert_int_equal(sqlite3_close(j.db), SQLITE_OK);
}

static void test_upgrade(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct journal_options o = {.path = path, .read_only = true};
	struct samples all = {0};
	struct journal *j;

	snprintf(path, sizeof(path), "%s/old.db", f->folder);
	third_version_make(path);
	/* Read as it is: intact, and without samples. */
	assert_int_equal(journal_open(&j, &o), 0);
	assert_verifies(j);
	assert_int_equal(sample_read(&all, j, "s", "d"), 0);
	assert_int_equal(all.items[0].at, 0);
	samples_free(&all);
	journal_close(j);
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 3);
	o.read_only = false;
	assert_int_equal(journal_open(&j, &o), 0);
	assert_verifies(j);
	assert_int_equal(sample_put(j, &whole), 0);
	assert_verifies(j);
	journal_close(j);
	assert_int_equal(sql_number(path, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM proved"), 1);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM outbox"), 1);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM used"), 2);
}

/* Samples are state, not history: they stay in the journal whose records move. */
static void test_archive(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct samples all = {0};
	struct journal *archive;

	snprintf(path, sizeof(path), "%s/archive.db", f->folder);
	write_access(f->j, "acme", "l", "d", LEVEL_FULL, 10, 1000);
	assert_int_equal(sample_put(f->j, &whole), 0);
	assert_int_equal(sample_decide(f->j, &whole), 0);
	write_access(f->j, "acme", "l", "d", LEVEL_FULL, 100, 1000);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	assert_verifies(f->j);
	assert_int_equal(sample_read(&all, f->j, "s", "d"), 0);
	assert_int_equal(all.items[0].n_uses, 2);
	assert_int_equal(all.items[0].n_decisions, 1);
	samples_free(&all);
	assert_int_equal(
		journal_open(&archive, &(struct journal_options){.path = path, .read_only = true}),
		0);
	assert_verifies(archive);
	assert_int_equal(sample_read(&all, archive, "s", "d"), 0);
	assert_int_equal(all.items[0].n_uses, 0);
	samples_free(&all);
	journal_close(archive);
	/* Tampering is noticed there as before. */
	journal_close(f->j);
	f->j = NULL;
	sql(f->path, "UPDATE used SET last = 1");
	assert_int_equal(journal_open(&f->j, &(struct journal_options){.path = f->path}), 0);
	char why[256];
	int64_t first;
	assert_int_equal(journal_verify(&first, why, f->j), JOURNAL_BROKEN);
	assert_non_null(strstr(why, "s / d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_round),
		WITH_JOURNAL(test_bounds),
		WITH_JOURNAL(test_tampering),
		WITH_JOURNAL(test_upgrade),
		WITH_JOURNAL(test_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
