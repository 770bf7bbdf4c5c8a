/* Times of which records are missing, by the journal's events. */
#include "report_fixture.h"

#include "curfew/lost_records.h"

static const struct journal_entry
	noticed = {.at = 500, .action = LOSS_NOTICED, .before = "1970-01-01T00:03:20Z"},
	unknown = {.at = 300, .action = LOSS_NOTICED},
	accepted = {.at = 600, .action = LOSS_ACCEPTED, .actor = "root", .reason = "no backup"},
	again = {.at = 650, .action = LOSS_ACCEPTED, .actor = "root", .reason = "no notice"},
	other = {.at = 550, .action = "start"};

static struct lost_records find(
	const struct journal_entry *const *events, size_t n, instant_t from, instant_t to)
{
	struct lost_records l = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(journal_entries_keep(&l.events, events[i]), 0);
	assert_int_equal(lost_records_find(&l, from, to), 0);
	return l;
}

static void assert_times(instant_t from, instant_t to, size_t n)
{
	const struct journal_entry *const events[] = {&noticed, &other, &accepted};
	struct lost_records l = find(events, ARRAY_SIZE(events), from, to);

	assert_int_equal(l.n, n);
	if (n) {
		_cleanup_free_ char *text = lost_span_text(l.items);
		assert_string_equal(text,
			"records between 1970-01-01T00:03:20Z and 1970-01-01T00:08:20Z are missing; "
			"accepted by root: no backup");
	}
	lost_records_free(&l);
}

static void test_between_the_last_record_and_the_notice(void **state)
{
	(void)state;
	assert_times(0, 1000, 1);
	assert_times(499, 500, 1);
	assert_times(200, 201, 1);
	/* Times are whole seconds: what is lost in the second of the question belongs to the answer. */
	assert_times(0, 200, 1);
	assert_times(0, 199, 0);
	/* Nobody knows more before a person has decided. */
	assert_times(500, 1000, 1);
	assert_times(600, 1000, 1);
	assert_times(601, 1000, 0);
}

/* Who does not know since when says so: also an older version, which has only the decision. */
static void test_since_when_is_not_known(void **state)
{
	const struct journal_entry *const events[] = {
		&unknown, &accepted, &unknown, &accepted, &again};
	struct lost_records l = find(events, ARRAY_SIZE(events), 0, 1);
	char *text;

	(void)state;
	assert_int_equal(l.n, 2);
	assert_int_equal(l.items[0].to, 300);
	assert_int_equal(l.items[1].to, 650);
	CAPTURED(text, lost_records_print(&l, to));
	assert_non_null(strstr(text, "records from before 1970-01-01T00:05:00Z may be missing"));
	free(text);
	lost_records_free(&l);
	l = find(events, 1, 0, 1);
	CAPTURED(text, lost_records_print(&l, to));
	assert_non_null(strstr(text, "not accepted so far"));
	free(text);
	lost_records_free(&l);
	/* While nobody has accepted it, nobody knows who has access. */
	l = find(events, 1, 5000, 6000);
	assert_int_equal(l.n, 1);
	lost_records_free(&l);
}

/* The clock was a day behind when the loss was noticed: no moment of it is called known. */
static void test_noticed_before_it_began(void **state)
{
	const struct journal_entry behind = {
		.at = 500, .action = LOSS_NOTICED, .before = "1970-01-01T00:10:00Z"};
	const struct journal_entry *const events[] = {&behind, &again};

	(void)state;
	for (instant_t at = 400; at <= 650; at += 50) {
		struct lost_records l = find(events, ARRAY_SIZE(events), at, at);
		assert_int_equal(l.n, 1);
		assert_false(l.items[0].has_from);
		lost_records_free(&l);
	}
}

/* Nothing was written since the journal was put back, so no event tells of it. */
static void test_no_event_tells_of_it(void **state)
{
	const struct journal_entry *const events[] = {&noticed, &accepted};
	const struct lost_span s = {.has_from = true, .from = 700, .to = 900, .until = 900};
	struct lost_records l = find(events, ARRAY_SIZE(events), 0, 1000);

	(void)state;
	assert_int_equal(lost_records_add(&l, &s, 0, 699), 0);
	assert_int_equal(lost_records_add(&l, &s, 901, 1000), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(lost_records_add(&l, &s, 0, 1000), 0);
	assert_int_equal(lost_records_add(&l, &s, 0, 1000), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.items[1].from, 700);
	lost_records_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_between_the_last_record_and_the_notice),
		cmocka_unit_test(test_since_when_is_not_known),
		cmocka_unit_test(test_noticed_before_it_began),
		cmocka_unit_test(test_no_event_tells_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
