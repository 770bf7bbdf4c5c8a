/* Which records a correction of the clock refutes, and that an archive makes no fact of them. */
#include "journal_fixture.h"

#include "curfew/clock_resets.h"

static void test_table(void **state)
{
	static const struct journal_entry events[] = {
		{.id = 5, .at = 100, .action = "start"},
		/* Without the service, of the new time; with it, of the wrong one. */
		{.id = 10, .at = 200, .action = CLOCK_RESET},
		{.id = 20,
			.at = 900,
			.action = CLOCK_RESET,
			.detail = "latest time seen 400, was 900"},
		/* Recorded, and not made. */
		{.id = 30,
			.at = 450,
			.action = CLOCK_RESET,
			.detail = "latest time seen 450, was 800"},
		{.id = 31,
			.at = 450,
			.action = CLOCK_RESET,
			.detail = "no space",
			.outcome = "failed"},
		{.id = 40, .at = 700, .action = CLOCK_RESET, .detail = "latest time seen x"},
	};
	static const struct {
		int64_t id;
		instant_t at;
		bool refuted;
	} cases[] = {
		{1, 100, false},
		{9, 200, false},
		{9, 201, true},
		{11, 201, false},
		{11, 401, true},
		{20, 600, false},
		{20, 701, true},
		{30, 700, false},
		{39, 701, true},
		{41, 5000, false},
	};
	const struct journal_entries all = {(struct journal_entry *)events, ARRAY_SIZE(events)};
	const struct journal_entries none = {0};
	struct clock_resets resets;

	(void)state;
	assert_int_equal(clock_resets_find(&resets, &all), 0);
	assert_int_equal(resets.n, 3);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct journal_entry e = {.id = cases[i].id, .at = cases[i].at};

		if (clock_resets_refute(&resets, &e) != cases[i].refuted)
			fail_msg("record %lld at %lld", (long long)e.id, (long long)e.at);
	}
	free(resets.items);
	assert_int_equal(clock_resets_find(&resets, &none), 0);
	assert_false(clock_resets_refute(&resets, &(struct journal_entry){.id = 1, .at = 900}));
	free(resets.items);
}

static void reset_write(struct fixture *f, instant_t at, const char *detail, const char *outcome)
{
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = at,
		.action = CLOCK_RESET,
		.detail = detail,
		.outcome = outcome};

	assert_int_equal(journal_write(NULL, f->j, &e), 0);
}

/* The last access of each place, and of how many. */
static void assert_last(struct fixture *f, instant_t at, size_t n, const char *level)
{
	struct collected got = {0};

	assert_int_equal(journal_access_last(f->j, at, collect, &got), 0);
	assert_int_equal(got.n, n);
	if (n)
		assert_string_equal(got.items[0].level, level);
	collected_free(&got);
}

/* What a clock recorded that was ahead is no fact when that time has come: neither an end, nor access. */
static void test_last(void **state)
{
	struct fixture *f = *state;

	write_access(f->j, "acme", "acme.jane", "AcmeProd", LEVEL_FULL, 10, 5000);
	write_access(f->j, "acme", "acme.jane", "AcmeProd", LEVEL_NONE, 300, 0);
	assert_last(f, 20, 1, "full");
	assert_last(f, 1000, 0, NULL);
	/* In a batch that is undone, it never was. */
	assert_int_equal(journal_begin(f->j), 0);
	reset_write(f, 330, CLOCK_RESET_DETAIL "50, was 330", NULL);
	assert_last(f, 1000, 1, "full");
	journal_rollback(f->j);
	assert_last(f, 1000, 0, NULL);
	/* Nor one that could not be made. */
	reset_write(f, 330, CLOCK_RESET_DETAIL "50, was 330", NULL);
	reset_write(f, 330, "no space", "failed");
	assert_last(f, 1000, 0, NULL);
	reset_write(f, 330, CLOCK_RESET_DETAIL "50, was 330", NULL);
	assert_last(f, 1000, 1, "full");
	write_access(f->j, "acme", "acme.jane", "AcmeProd", LEVEL_NONE, 60, 0);
	assert_last(f, 1000, 0, NULL);
	/* Ahead once more: it ends nothing, and in another letter case neither. */
	write_access(f->j, "acme", "acme.john", "AcmeProd", LEVEL_READ_ONLY, 70, 5000);
	write_access(f->j, "acme", "acme.john", "AcmeProd", LEVEL_FULL, 400, 5000);
	write_access(f->j, "ACME", "acme.john", "AcmeProd", LEVEL_NONE, 410, 0);
	assert_last(f, 1000, 0, NULL);
	reset_write(f, 80, NULL, NULL);
	assert_last(f, 1000, 1, "read-only");
}

static void test_archive(void **state)
{
	struct fixture *f = *state;
	struct collected got = {0};
	char path[300];

	write_access(f->j, "acme", "acme.jane", "AcmeProd", LEVEL_FULL, 10, 5000);
	/* The clock was ahead: Jane's access ended, John's began, and Zoe's, who left the files meanwhile. */
	write_access(f->j, "acme", "acme.jane", "AcmeProd", LEVEL_NONE, 300, 0);
	write_access(f->j, "acme", "acme.john", "AcmeProd", LEVEL_FULL, 310, 5000);
	write_access(f->j, "acme", "acme.zoe", "AcmeProd", LEVEL_FULL, 320, 5000);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT,
					 .at = 330,
					 .action = CLOCK_RESET,
					 .detail = CLOCK_RESET_DETAIL "50, was 330"}),
		0);
	write_access(f->j, "acme", "acme.john", "AcmeProd", LEVEL_READ_ONLY, 60, 5000);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){
					 .kind = JOURNAL_EVENT, .at = 900, .action = "start"}),
		0);
	snprintf(path, sizeof(path), "%s.old", f->path);
	assert_int_equal(journal_archive(f->j, 800, path), 0);
	assert_verifies(f->j);
	assert_int_equal(journal_access_at(f->j, 850, NULL, collect, &got), 0);
	assert_int_equal(got.n, 3);
	assert_string_equal(got.items[0].login, "acme.jane");
	assert_int_equal(got.items[0].at, 10);
	assert_string_equal(got.items[1].level, "read-only");
	/* Nobody has seen hers end. */
	assert_string_equal(got.items[2].login, "acme.zoe");
	collected_free(&got);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		WITH_JOURNAL(test_last),
		WITH_JOURNAL(test_archive),
	};

	return cmocka_run_group_tests_name("clock_resets", tests, NULL, NULL);
}
