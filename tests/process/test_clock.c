/* The ratchet: forward, backward, missing, broken, and where it cannot be written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "curfew/clock.h"

static char folder[64], file[128];

static int folder_make(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/curfew-clock-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/clock", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

static void file_put(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static instant_t machine(void)
{
	return (instant_t)time(NULL);
}

static void test_a_missing_file_is_a_first_start(void **state)
{
	struct clock c;
	instant_t now, before = machine();

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(c.highest, 0);
	assert_int_equal(clock_now(&now, NULL, &c), 0);
	assert_true(now >= before);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(clock_advance(&c, now), 0);
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(c.highest, now);
}

static void test_a_clock_set_back_does_not_run_back(void **state)
{
	struct clock c;
	instant_t now, behind = 0, ahead = machine() + 86400;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(clock_advance(&c, ahead), 0);
	/* The agent, started anew, finds a machine that says yesterday. */
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(clock_now(&now, &behind, &c), CLOCK_RAN_BACK);
	assert_true(now >= ahead &&
		    now < ahead + 60); /* it goes on, at the pace of the clock nobody sets */
	assert_true(behind > 86400 - 60 && behind <= 86400 + 60);
	assert_int_equal(clock_now(&now, NULL, &c), CLOCK_RAN_BACK);
	/* A lower instant never replaces a higher one. */
	assert_int_equal(clock_advance(&c, ahead - 10), 0);
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(c.highest, ahead);
}

static void test_a_small_step_back_is_waited_for(void **state)
{
	struct clock c;
	instant_t now, behind = 0;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(clock_advance(&c, machine() + 30), 0);
	assert_int_equal(clock_now(&now, &behind, &c), CLOCK_RAN_BACK);
	assert_int_equal(now, c.highest);
	assert_true(behind > 1 && behind <= 31);
}

static void test_time_goes_on_while_the_machine_is_behind(void **state)
{
	struct clock c;
	instant_t first, later;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(clock_advance(&c, machine() + 5000), 0);
	assert_int_equal(clock_now(&first, NULL, &c), CLOCK_RAN_BACK);
	c.anchor -= 100; /* as a hundred seconds later */
	assert_int_equal(clock_now(&later, NULL, &c), CLOCK_RAN_BACK);
	assert_true(later - first >= 100 && later - first < 160);
}

/* Nothing was put down for five minutes, then the clock is set back by four: still later than what is on disk. */
static void test_a_step_back_within_the_ratchet_is_seen(void **state)
{
	struct clock c;
	instant_t now, behind = 0;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(clock_advance(&c, machine() - 60), 0);
	c.anchor -= 300;
	assert_int_equal(clock_now(&now, &behind, &c), CLOCK_RAN_BACK);
	assert_true(behind >= 239 && behind < 300);
	assert_true(now - c.highest >= 300);
}

static void test_an_operator_can_set_it_right(void **state)
{
	struct clock c;
	instant_t now, behind, ahead = machine() + 10 * 365 * 86400;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	assert_int_equal(clock_advance(&c, ahead), 0);
	assert_int_equal(clock_now(&now, &behind, &c), CLOCK_RAN_BACK);
	assert_int_equal(clock_reset(&c, machine()), 0);
	assert_int_equal(clock_now(&now, &behind, &c), 0);
	assert_int_equal(clock_open(&c, folder), 0);
	assert_true(c.highest <= now);
	assert_int_equal(clock_reset(&c, -1), -EINVAL);
	assert_int_equal(clock_reset(&c, INT64_MAX), -EINVAL);
	instant_t highest = c.highest;
	assert_int_equal(clock_reset(&c, machine() + 3600), -ERANGE);
	assert_int_equal(clock_reset(&c, machine() - 3600), -ERANGE);
	assert_int_equal(c.highest, highest);
	/* Not all the way back, where the clock was ahead for a part of the time only. */
	assert_int_equal(clock_advance(&c, ahead), 0);
	assert_int_equal(clock_reset(&c, machine() + 3600), 0);
}

static void test_a_second_is_not_an_alarm(void **state)
{
	struct clock c;
	instant_t now, start;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	do {
		start = machine();
		assert_int_equal(clock_reset(&c, start + 1), 0);
		assert_int_equal(clock_now(&now, NULL, &c), 0);
		assert_int_equal(now, start + 1);
	} while (machine() != start);
}

static void test_a_broken_file_is_an_error(void **state)
{
	static const char *const texts[] = {"", "\n", "highest", "highest ", "highest 12",
		"highest 12x\n", "highest 12\n\n", "highest 12\nhighest 13\n", "highest +12\n",
		"highest 012\n", "highest -5\n", " highest 12\n", "12\n", "highest 253402300800\n",
		"highest 99999999999999999999\n",
		"highest 000000000000000000000000000000000000000000000000000000000000000001\n"};
	struct clock c = {.highest = 42};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		file_put(texts[i]);
		assert_int_equal(clock_open(&c, folder), -EBADMSG);
		assert_int_equal(c.highest, 42); /* written on success only */
	}
	file_put("highest 253402300799\n");
	assert_int_equal(clock_open(&c, folder), 0);
}

static void test_an_unreadable_file_is_an_error(void **state)
{
	struct clock c;

	(void)state;
	assert_int_equal(symlink("/dev/null", file), 0);
	assert_int_equal(clock_open(&c, folder), -ELOOP);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0755), 0);
	assert_int_equal(clock_open(&c, folder), -EISDIR);
	assert_int_equal(rmdir(file), 0);
}

static void test_what_cannot_be_written_is_told_and_held_in_memory(void **state)
{
	struct clock c;
	instant_t now, ahead = machine() + 1000;

	(void)state;
	assert_int_equal(clock_open(&c, "/proc"), 0);
	assert_true(clock_advance(&c, ahead) < 0);
	/* It is tried again until it is saved, also without a later time. */
	assert_true(clock_save(&c) < 0);
	assert_int_equal(clock_now(&now, NULL, &c), CLOCK_RAN_BACK);
	assert_true(now >= ahead);
	/* A correction that is not on disk would be undone by the next start: not done at all. */
	assert_true(clock_reset(&c, machine()) < 0);
	assert_int_equal(c.highest, ahead);
}

static void test_a_fixed_time_leaves_no_trace(void **state)
{
	struct clock c;
	instant_t now;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	c.fixed = true;
	c.at = 1000;
	assert_int_equal(clock_now(&now, NULL, &c), 0);
	assert_int_equal(now, 1000);
	assert_int_equal(clock_advance(&c, machine() + 100000), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(c.highest, 0);
}

static void test_a_name_that_is_too_long_is_refused(void **state)
{
	char name[5000];
	struct clock c;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(clock_open(&c, name), -ENAMETOOLONG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)
/* Removing access must not wait for a disk. */
static void test_what_is_seen_is_saved_later(void **state)
{
	struct clock c, again;

	(void)state;
	assert_int_equal(clock_open(&c, folder), 0);
	instant_t before = c.highest, ahead = machine() + 500;
	clock_see(&c, ahead);
	assert_int_equal(c.highest, ahead);
	assert_int_equal(clock_open(&again, folder), 0);
	assert_int_equal(again.highest, before);
	assert_int_equal(clock_save(&c), 0);
	assert_int_equal(clock_open(&again, folder), 0);
	assert_int_equal(again.highest, ahead);
	clock_see(&c, ahead - 10);
	assert_int_equal(c.saved, c.highest);
	c.fixed = true;
	c.at = ahead + 1000;
	clock_see(&c, ahead + 1000);
	assert_int_equal(c.saved, c.highest); /* fixed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_missing_file_is_a_first_start),
		TEST(test_a_clock_set_back_does_not_run_back),
		TEST(test_a_small_step_back_is_waited_for),
		TEST(test_time_goes_on_while_the_machine_is_behind),
		TEST(test_a_step_back_within_the_ratchet_is_seen),
		TEST(test_an_operator_can_set_it_right),
		TEST(test_a_second_is_not_an_alarm),
		TEST(test_a_broken_file_is_an_error),
		TEST(test_an_unreadable_file_is_an_error),
		TEST(test_what_cannot_be_written_is_told_and_held_in_memory),
		TEST(test_a_fixed_time_leaves_no_trace),
		TEST(test_a_name_that_is_too_long_is_refused),
		TEST(test_what_is_seen_is_saved_later),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
