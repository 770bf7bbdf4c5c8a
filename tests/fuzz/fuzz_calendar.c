/* Dates, times and zones: a line each with a text and a zone, then an instant. What is taken exists on the
 * calendar and comes back as it was; a bad zone leaves the process's own as it was. */
#include "fuzz.h"

#include <errno.h>
#include <time.h>
#include "curfew/calendar.h"

/* The last second that a date of four digits can name. */
#define LAST INT64_C(253402300799)

static bool local_equal(const struct local_time *a, const struct local_time *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day &&
	       (a->hour < 0 ? 0 : a->hour) == (b->hour < 0 ? 0 : b->hour) &&
	       a->minute == b->minute && a->second == b->second;
}

/* Days by the C library, which counts them in another way than the agent. */
static int64_t days_of(const struct local_time *t)
{
	struct tm tm = {.tm_year = t->year - 1900, .tm_mon = t->month - 1, .tm_mday = t->day};

	return timegm(&tm) / 86400;
}

static void date_check(const struct local_time *t, int days)
{
	struct tm tm = {.tm_year = t->year - 1900, .tm_mon = t->month - 1, .tm_mday = t->day};
	struct local_time moved = local_add_days(*t, days), back = local_add_days(moved, -days);

	REQUIRE(t->year >= 1970 && t->year <= 9999);
	REQUIRE(t->hour >= -1 && t->hour <= 23);
	REQUIRE(t->minute >= 0 && t->minute <= 59 && t->second >= 0 && t->second <= 59);
	/* A date that does not exist would come back as another. */
	REQUIRE(timegm(&tm) >= 0);
	REQUIRE(tm.tm_mday == t->day && tm.tm_mon == t->month - 1);
	REQUIRE(days_of(&moved) - days_of(t) == days);
	REQUIRE(moved.hour == t->hour && moved.minute == t->minute && moved.second == t->second);
	REQUIRE(local_equal(&back, t));
}

static void instant_check(instant_t at, const char *zone)
{
	char text[INSTANT_TEXT_MAX], local[64];
	struct local_time l;
	instant_t again;

	instant_format(text, at);
	if (at >= 0 && at <= LAST) {
		REQUIRE(instant_parse(&again, text, zone, 0) == 0);
		REQUIRE(again == at);
	}
	REQUIRE(*instant_format_local(local, sizeof(local), at, zone));
	REQUIRE(instant_to_local(&l, at, zone) == (zone_exists(zone) ? 0 : -EINVAL));
}

/* Seconds of a reading, as if the clock showed UTC. */
static int64_t wall_of(const struct local_time *t)
{
	return days_of(t) * 86400 + (t->hour < 0 ? 0 : t->hour) * 3600 + t->minute * 60 + t->second;
}

/* A reading that was skipped is read with the offset before the change: as far behind the change as it lies behind
 * the last reading before. */
static void skipped_check(const struct local_time *t, instant_t at, const char *zone)
{
	struct local_time there, before;

	REQUIRE(instant_to_local(&there, at, zone) == 0);
	int64_t gap = wall_of(&there) - wall_of(t);
	REQUIRE(gap > 0);
	REQUIRE(instant_to_local(&before, at - gap, zone) == 0);
	REQUIRE(wall_of(&before) == wall_of(t) - gap);
}

/* The reading of the wall and the instant that stands for it, in a zone that exists. */
static void fit_check(const struct local_time *t, const char *zone)
{
	struct local_time there;
	instant_t at = 0;
	int fit = local_to_instant(&at, t, zone);

	REQUIRE(fit == LOCAL_ONCE || fit == LOCAL_SKIPPED || fit == LOCAL_TWICE);
	REQUIRE(instant_to_local(&there, at, zone) == 0);
	/* One that was skipped is told by what the clock shows after the change. */
	REQUIRE(local_equal(&there, t) == (fit != LOCAL_SKIPPED));
	if (fit == LOCAL_SKIPPED)
		skipped_check(t, at, zone);
	instant_check(at, zone);
}

/* A date that the C library knows is not refused. */
static void existing_check(const char *text)
{
	static const char shape[] = "dddd-dd-dd";
	int year, month, day;
	struct local_time t;

	for (size_t i = 0; i < sizeof(shape); i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return;
	year = (int)strtol(text, NULL, 10);
	month = (int)strtol(text + 5, NULL, 10);
	day = (int)strtol(text + 8, NULL, 10);
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	bool exists = timegm(&tm) >= 0 && tm.tm_mday == day && tm.tm_mon == month - 1;
	REQUIRE(local_parse(&t, text) == (exists ? 0 : -ERANGE));
}

static void text_check(const char *text, const char *zone, int days, instant_t now)
{
	struct local_time t;
	instant_t at;
	bool known = zone_exists(zone);
	int r = local_parse(&t, text);

	REQUIRE(r == 0 || r == -EINVAL || r == -ERANGE);
	existing_check(text);
	if (r == 0) {
		date_check(&t, days);
		if (known)
			fit_check(&t, zone);
		else
			REQUIRE(local_to_instant(&at, &t, zone) == -EINVAL);
	}
	if (instant_parse(&at, text, zone, now) == 0)
		instant_check(at, zone);
}

static void zone_check(const char *zone)
{
	/* No name leads out of the folder of zones. */
	if (zone_exists(zone))
		REQUIRE(zone[0] != '/' && !strchr(zone, '.') && !text_has_controls(zone));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	_cleanup_free_ char *text = input_text(&in, '\n'), *zone = input_text(&in, '\n');
	/* Where it is a month or a year, not a geological age, the C library counts along. */
	int days = (int)(input_number(&in, 2) % 40000);
	instant_t now = (instant_t)(input_number(&in, 5) % ((uint64_t)LAST + 1));

	setenv("TZ", "Asia/Kathmandu", 1);
	zone_check(zone);
	text_check(text, zone, days, now);
	instant_check(now, zone);
	REQUIRE(strcmp(getenv("TZ"), "Asia/Kathmandu") == 0);
	return 0;
}
