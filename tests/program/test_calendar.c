/* Local times and instants: by table at the changes that go wrong most easily, and in every zone. */
#include "curfew/calendar.h"

#include "random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static void test_texts_by_table(void **state)
{
	static const struct {
		const char *text;
		int result;
		struct local_time t;
	} rows[] = {
		{"2026-11-23", 0, {2026, 11, 23, -1, 0, 0}},
		{"2026-11-23T09:00", 0, {2026, 11, 23, 9, 0, 0}},
		{"2026-11-23 09:00", 0, {2026, 11, 23, 9, 0, 0}},
		{"2026-11-23T23:59:59", 0, {2026, 11, 23, 23, 59, 59}},
		{"2024-02-29", 0, {2024, 2, 29, -1, 0, 0}},
		{"2000-02-29", 0, {2000, 2, 29, -1, 0, 0}},
		{"2026-02-29", -ERANGE, {0}},
		{"2026-02-30", -ERANGE, {0}},
		{"2100-02-29", -ERANGE, {0}},
		{"2026-04-31", -ERANGE, {0}},
		{"2026-13-01", -ERANGE, {0}},
		{"2026-00-10", -ERANGE, {0}},
		{"2026-10-00", -ERANGE, {0}},
		{"1969-12-31", -ERANGE, {0}},
		{"2026-11-23T24:00", -ERANGE, {0}},
		{"2026-11-23T09:60", -ERANGE, {0}},
		{"2026-11-23T09:00:60", -ERANGE, {0}},
		{"", -EINVAL, {0}},
		{"2026", -EINVAL, {0}},
		{"2026-11", -EINVAL, {0}},
		{"2026-1-2", -EINVAL, {0}},
		{"26-11-23", -EINVAL, {0}},
		{"20261123", -EINVAL, {0}},
		{"23.11.2026", -EINVAL, {0}},
		{"2026-11-23T", -EINVAL, {0}},
		{"2026-11-23T9:00", -EINVAL, {0}},
		{"2026-11-23T09", -EINVAL, {0}},
		{"2026-11-23T09:00:", -EINVAL, {0}},
		{"2026-11-23T09:00Z", -EINVAL, {0}},
		{"2026-11-23 ", -EINVAL, {0}},
		{"-026-11-23", -EINVAL, {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct local_time t = {.year = -1};
		int r = local_parse(&t, rows[i].text);

		if (r != rows[i].result)
			fail_msg("%s: %d, not %d", rows[i].text, r, rows[i].result);
		if (r == 0)
			assert_memory_equal(&t, &rows[i].t, sizeof(t));
		else
			assert_int_equal(t.year, -1);
	}
}

static void test_changes_by_table(void **state)
{
	static const struct {
		const char *zone, *local;
		enum local_fit fit;
		const char *utc;
	} rows[] = {
		{"UTC", "2026-11-23T09:00", LOCAL_ONCE, "2026-11-23T09:00:00Z"},
		{"UTC", "2026-11-23", LOCAL_ONCE, "2026-11-23T00:00:00Z"},
		/* An hour forward at 02:00, an hour back at 02:00. */
		{"America/Chicago", "2025-03-09T01:59:59", LOCAL_ONCE, "2025-03-09T07:59:59Z"},
		{"America/Chicago", "2025-03-09T02:00", LOCAL_SKIPPED, "2025-03-09T08:00:00Z"},
		{"America/Chicago", "2025-03-09T02:30", LOCAL_SKIPPED, "2025-03-09T08:30:00Z"},
		{"America/Chicago", "2025-03-09T02:59:59", LOCAL_SKIPPED, "2025-03-09T08:59:59Z"},
		{"America/Chicago", "2025-03-09T03:00", LOCAL_ONCE, "2025-03-09T08:00:00Z"},
		{"America/Chicago", "2025-11-02T00:59:59", LOCAL_ONCE, "2025-11-02T05:59:59Z"},
		{"America/Chicago", "2025-11-02T01:00", LOCAL_TWICE, "2025-11-02T06:00:00Z"},
		{"America/Chicago", "2025-11-02T01:59:59", LOCAL_TWICE, "2025-11-02T06:59:59Z"},
		{"America/Chicago", "2025-11-02T02:00", LOCAL_ONCE, "2025-11-02T08:00:00Z"},
		{"Europe/Berlin", "2025-03-30T02:30", LOCAL_SKIPPED, "2025-03-30T01:30:00Z"},
		{"Europe/Berlin", "2025-10-26T02:30", LOCAL_TWICE, "2025-10-26T00:30:00Z"},
		{"Europe/Berlin", "2025-10-26T03:00", LOCAL_ONCE, "2025-10-26T02:00:00Z"},
		/* Half an hour. */
		{"Australia/Lord_Howe", "2024-10-06T02:15", LOCAL_SKIPPED, "2024-10-05T15:45:00Z"},
		{"Australia/Lord_Howe", "2024-10-06T02:30", LOCAL_ONCE, "2024-10-05T15:30:00Z"},
		{"Australia/Lord_Howe", "2024-04-07T01:45", LOCAL_TWICE, "2024-04-06T14:45:00Z"},
		{"Australia/Lord_Howe", "2024-04-07T01:29:59", LOCAL_ONCE, "2024-04-06T14:29:59Z"},
		/* Offsets that are no whole hours. */
		{"Asia/Kathmandu", "2025-07-01T12:00", LOCAL_ONCE, "2025-07-01T06:15:00Z"},
		{"Asia/Kathmandu", "1986-01-01T00:10", LOCAL_SKIPPED, "1985-12-31T18:40:00Z"},
		{"America/St_Johns", "2025-03-09T02:30", LOCAL_SKIPPED, "2025-03-09T06:00:00Z"},
		{"America/St_Johns", "2025-11-02T01:30", LOCAL_TWICE, "2025-11-02T04:00:00Z"},
		/* Back and forth around Ramadan, weeks apart. */
		{"Africa/Casablanca", "2024-03-10T02:30", LOCAL_TWICE, "2024-03-10T01:30:00Z"},
		{"Africa/Casablanca", "2024-04-14T02:30", LOCAL_SKIPPED, "2024-04-14T02:30:00Z"},
		/* A day that never was. */
		{"Pacific/Apia", "2011-12-29T23:59:59", LOCAL_ONCE, "2011-12-30T09:59:59Z"},
		{"Pacific/Apia", "2011-12-30", LOCAL_SKIPPED, "2011-12-30T10:00:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00", LOCAL_SKIPPED, "2011-12-30T22:00:00Z"},
		{"Pacific/Apia", "2011-12-31", LOCAL_ONCE, "2011-12-30T10:00:00Z"},
		/* Midnight itself is skipped, and repeated. */
		{"America/Santiago", "2019-09-08", LOCAL_SKIPPED, "2019-09-08T04:00:00Z"},
		{"America/Havana", "2019-11-03T00:30", LOCAL_TWICE, "2019-11-03T04:30:00Z"},
		/* Twice the winter time, and the summer time as the negative one. */
		{"Europe/Dublin", "2025-03-30T01:30", LOCAL_SKIPPED, "2025-03-30T01:30:00Z"},
		{"Europe/Dublin", "2025-10-26T01:30", LOCAL_TWICE, "2025-10-26T00:30:00Z"},
		{"Antarctica/Troll", "2025-03-30T02:30", LOCAL_SKIPPED, "2025-03-30T02:30:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[INSTANT_TEXT_MAX];
		struct local_time t;
		instant_t at = -1;
		int fit;

		assert_int_equal(local_parse(&t, rows[i].local), 0);
		fit = local_to_instant(&at, &t, rows[i].zone);
		if (fit != (int)rows[i].fit || strcmp(instant_format(text, at), rows[i].utc) != 0)
			fail_msg("%s %s: %d %s, not %d %s", rows[i].zone, rows[i].local, fit,
				instant_format(text, at), rows[i].fit, rows[i].utc);
	}
}

static void test_days_by_table(void **state)
{
	static const struct {
		struct local_time from;
		int days;
		struct local_time to;
	} rows[] = {
		{{2026, 11, 23, 9, 0, 0}, 14, {2026, 12, 7, 9, 0, 0}},
		{{2026, 11, 23, 9, 0, 0}, 30, {2026, 12, 23, 9, 0, 0}},
		{{2026, 12, 20, -1, 0, 0}, 30, {2027, 1, 19, -1, 0, 0}},
		{{2024, 2, 28, 1, 2, 3}, 1, {2024, 2, 29, 1, 2, 3}},
		{{2024, 2, 29, 0, 0, 0}, 366, {2025, 3, 1, 0, 0, 0}},
		{{2026, 1, 1, 0, 0, 0}, -1, {2025, 12, 31, 0, 0, 0}},
		{{2000, 3, 1, 0, 0, 0}, 146097, {2400, 3, 1, 0, 0, 0}},
		{{2026, 8, 10, 0, 0, 0}, 180, {2027, 2, 6, 0, 0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct local_time t = local_add_days(rows[i].from, rows[i].days);

		assert_memory_equal(&t, &rows[i].to, sizeof(t));
	}
}

/* The C library's own calendar says the same for every day of two centuries, or of some years where each step is slow. */
static void test_dates_as_timegm(void **state)
{
	struct local_time t = {1970, 1, 1, 0, 0, 0};

	(void)state;
	for (int64_t day = 0, n = cases_wanted(200) * 366; day < n;
		day++, t = local_add_days(t, 1)) {
		struct tm tm = {.tm_year = t.year - 1900, .tm_mon = t.month - 1, .tm_mday = t.day};

		assert_int_equal(timegm(&tm), day * DAY);
		assert_int_equal(tm.tm_mday, t.day);
	}
}

/* What an instant is read as leads back to it; when the reading is repeated, to the first of the two. */
static void zone_round_trips(struct prng *p, const char *zone)
{
	for (int i = 0; i < 40; i++) {
		instant_t at = prng_between(p, 946684800, 2524607999), back;
		struct local_time t;
		int fit;

		assert_int_equal(instant_to_local(&t, at, zone), 0);
		fit = local_to_instant(&back, &t, zone);
		if (fit == LOCAL_SKIPPED || fit < 0)
			fail_msg("%s @%lld: a time that was shown is not found: %d", zone,
				(long long)at, fit);
		if (fit == LOCAL_ONCE ? back != at : back > at || at - back > 3 * 3600)
			fail_msg("%s @%lld: comes back as @%lld", zone, (long long)at,
				(long long)back);
	}
}

/* Around a change of the offset every quarter of an hour is read, and later readings of one kind never
 * name earlier instants. */
static void zone_changes(const char *zone, int year)
{
	struct local_time t = {year, 1, 1, 12, 0, 0}, next;
	instant_t noon, later;

	assert_true(local_to_instant(&noon, &t, zone) >= 0);
	for (int day = 0; day < 365; day++, t = next, noon = later) {
		next = local_add_days(t, 1);
		assert_true(local_to_instant(&later, &next, zone) >= 0);
		/* Equal where a whole day is skipped. */
		assert_true(later >= noon);
		if (later - noon == DAY)
			continue;
		for (int quarter = 0; quarter < 96; quarter++) {
			struct local_time q = next, shown;
			instant_t at;
			int fit;

			q.hour = quarter / 4;
			q.minute = quarter % 4 * 15;
			fit = local_to_instant(&at, &q, zone);
			assert_int_equal(instant_to_local(&shown, at, zone), 0);
			/* Shown as it was written, unless it was skipped: then later. */
			if ((memcmp(&shown, &q, sizeof(q)) == 0) != (fit != LOCAL_SKIPPED))
				fail_msg("%s %04d-%02d-%02d %02d:%02d: fit %d", zone, q.year,
					q.month, q.day, q.hour, q.minute, fit);
		}
	}
}

static void test_every_zone(void **state)
{
	FILE *f = fopen("/usr/share/zoneinfo/zone1970.tab", "re");
	struct prng p = prng_start();
	char line[1024], zone[128];
	int n = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || sscanf(line, "%*s %*s %127s", zone) != 1)
			continue;
		if (!zone_exists(zone))
			fail_msg("%s", zone);
		zone_round_trips(&p, zone);
		zone_changes(zone, (int)prng_between(&p, 1990, 2036));
		n++;
	}
	fclose(f);
	assert_true(n > 250);
}

static void test_zones_by_table(void **state)
{
	static const struct {
		const char *zone;
		bool exists;
	} rows[] = {
		{"UTC", true},
		{"Etc/UTC", true},
		{"Europe/Berlin", true},
		{"America/Argentina/Buenos_Aires", true},
		{"Etc/GMT+5", true},
		{"", false},
		{"/etc/localtime", false},
		{"/usr/share/zoneinfo/UTC", false},
		{"../zoneinfo/UTC", false},
		{"Europe/../UTC", false},
		{"Europe", false},
		{"Europe/", false},
		{"europe/berlin", false},
		{"zone1970.tab", false},
		{"tzdata.zi", false},
		{"posixrules", false},
		{"localtime", false},
		{"Factory", false},
		{"right/UTC", false},
		{"posix/UTC", false},
		{"CET-1CEST", false},
		{":UTC", false},
		{"UTC\n", false},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (zone_exists(rows[i].zone) != rows[i].exists)
			fail_msg("%s", rows[i].zone);
}

static void test_unknown_zone_is_refused(void **state)
{
	struct local_time t = {2026, 11, 23, 9, 0, 0};
	instant_t at = 7;

	(void)state;
	assert_int_equal(local_to_instant(&at, &t, "Europe/Berln"), -EINVAL);
	assert_int_equal(instant_to_local(&t, 0, "Europe/Berln"), -EINVAL);
	assert_int_equal(at, 7);
	assert_int_equal(t.year, 2026);
}

static void test_zone_of_the_process_stays(void **state)
{
	struct local_time t = {2026, 7, 1, 12, 0, 0};
	instant_t at;
	time_t now = 1782900000;
	struct tm tm;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_int_equal(local_to_instant(&at, &t, "America/Chicago"), 0);
	assert_int_equal(at, 1782925200);
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	assert_non_null(localtime_r(&now, &tm));
	assert_int_equal(tm.tm_gmtoff, 9 * 3600);
	unsetenv("TZ");
	/* Nor do others' rules get in. */
	setenv("TZDIR", "/nonexistent", 1);
	assert_int_equal(local_to_instant(&at, &t, "America/Chicago"), 0);
	assert_int_equal(at, 1782925200);
	unsetenv("TZDIR");
	assert_null(getenv("TZ"));
}

static void test_instants_by_table(void **state)
{
	static const struct {
		const char *text;
		int result;
		instant_t at;
	} rows[] = {
		{"now", 0, 1000},
		{"@0", 0, 0},
		{"@1795446000", 0, 1795446000},
		{"2026-11-23T15:00:00Z", 0, 1795446000},
		{"2026-11-23T15:00Z", 0, 1795446000},
		{"2026-11-23t15:00:00z", 0, 1795446000},
		{"2026-11-23T15:00:00.250Z", 0, 1795446000},
		{"2026-11-23T09:00:00-06:00", 0, 1795446000},
		{"2026-11-23T20:45:00+05:45", 0, 1795446000},
		{"2026-11-23T09:00", 0, 1795446000},
		{"2026-11-23", 0, 1795413600},
		{"", -EINVAL, 0},
		{"tomorrow", -EINVAL, 0},
		{"@", -EINVAL, 0},
		{"@12x", -EINVAL, 0},
		{"@-5", -EINVAL, 0},
		{"@99999999999999999999", -ERANGE, 0},
		{"2026-11-23Z", -EINVAL, 0},
		{"2026-11-23T09:00-0600", -EINVAL, 0},
		{"2026-11-23T09:00+24:00", -EINVAL, 0},
		{"2026-11-23T09:00 CST", -EINVAL, 0},
		{"2026-02-30T09:00Z", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		instant_t at = -7;
		int r = instant_parse(&at, rows[i].text, "America/Chicago", 1000);

		if (r != rows[i].result || at != (r == 0 ? rows[i].at : -7))
			fail_msg("%s: %d %lld", rows[i].text, r, (long long)at);
	}
}

static void test_shown_for_people(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(instant_format_local(buf, sizeof(buf), 1795446000, "America/Chicago"),
		"Mon 2026-11-23 09:00 CST");
	assert_string_equal(instant_format_local(buf, sizeof(buf), 1795446030, "Asia/Kathmandu"),
		"Mon 2026-11-23 20:45:30 +0545");
	assert_string_equal(
		instant_format_local(buf, sizeof(buf), 0, "UTC"), "Thu 1970-01-01 00:00 UTC");
	assert_string_equal(
		instant_format_local(buf, sizeof(buf), 0, "No/Zone"), "Thu 1970-01-01 00:00 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_by_table),
		cmocka_unit_test(test_changes_by_table),
		cmocka_unit_test(test_days_by_table),
		cmocka_unit_test(test_dates_as_timegm),
		cmocka_unit_test(test_every_zone),
		cmocka_unit_test(test_zones_by_table),
		cmocka_unit_test(test_unknown_zone_is_refused),
		cmocka_unit_test(test_zone_of_the_process_stays),
		cmocka_unit_test(test_instants_by_table),
		cmocka_unit_test(test_shown_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
