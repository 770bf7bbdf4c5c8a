/* Before a go-live the team and the account lead hear of what is undecided or unused: once for each of three dates, and not
 * when all is decided. */
#include "../report/report_fixture.h"
#include "../journal/journal_fixture.h"

#include "curfew/samples.h"
#include "service/sending_make.h"

static void sampled(struct fixture *f, instant_t at, uint64_t undecided)
{
	struct sample_tally t = {at, 0, 3, 0, undecided, 3 - undecided, 0, 0, undecided};
	const struct sample s = {
		.server = "sql07", .database = "AcmeProd", .at = at, .tallies = &t, .n_tallies = 1};

	assert_int_equal(sample_put(f->j, &s), 0);
}

static int64_t mails(const struct fixture *f)
{
	return sql_number(f->path, "SELECT count(*) FROM outbox WHERE notice = 'customizations'");
}

static void test_before_a_golive(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct sending_turn turn = {.until = INT64_MAX};
	const struct overrides none = {0};
	struct sending_view v = {.turn = &turn,
		.journal = f->j,
		.program = &s->program,
		.overrides = &none,
		.since = GO_LIVE - 60 * DAY};
	const struct {
		instant_t ahead;
		int64_t mails;
	} steps[] = {{20 * DAY, 0}, {14 * DAY, 2}, {14 * DAY - 60, 2}, {7 * DAY, 4}, {3600, 6},
		{0, 6}, {-DAY, 6}};

	s->program.settings.notices.team = (char *)"team@host.example";
	s->program.settings.notices.from = (char *)"curfew@host.example";
	s->program.n_clients = 1;
	/* Nothing was sampled: nothing is known, and nothing told. */
	v.now = GO_LIVE - 10 * DAY;
	assert_int_equal(customizations_add(&v), 0);
	assert_int_equal(mails(f), 0);
	sampled(f, GO_LIVE - 30 * DAY, 2);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		v.now = GO_LIVE - steps[i].ahead;
		assert_true(customizations_add(&v) >= 0);
		assert_int_equal(mails(f), steps[i].mails);
	}
	assert_int_equal(
		sql_number(f->path,
			"SELECT count(DISTINCT recipient || event) FROM outbox WHERE length(message) > 200"),
		6);
	free(s);
}

static void test_all_decided_or_too_late(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct sending_turn turn = {.until = INT64_MAX};
	struct sending_view v = {
		.turn = &turn, .journal = f->j, .program = &s->program, .now = GO_LIVE - 5 * DAY};

	s->program.settings.notices.team = (char *)"team@host.example";
	s->program.settings.notices.from = (char *)"curfew@host.example";
	s->program.n_clients = 1;
	sampled(f, GO_LIVE - 30 * DAY, 0);
	assert_int_equal(customizations_add(&v), 0);
	/* Notices were switched on after it was due: no backlog. */
	sampled(f, GO_LIVE - 29 * DAY, 1);
	v.since = GO_LIVE - 6 * DAY;
	assert_int_equal(customizations_add(&v), 0);
	assert_int_equal(mails(f), 0);
	v.since = 0;
	assert_int_equal(customizations_add(&v), 1);
	assert_int_equal(mails(f), 2);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_before_a_golive),
		WITH_JOURNAL(test_all_decided_or_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
