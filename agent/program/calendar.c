/* Local times and UTC. Zone files give only offsets; days, gaps, and repeats are computed here, so that the result
 * does not depend on how a C library normalizes times. */
#include "curfew/calendar.h"

#include "program/zone.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Days since 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day
 * comes last. */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void date_from_days(struct local_time *out, int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;

	out->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	out->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	out->year = (int)(year_of_era + era * 400 + (out->month <= 2));
}

/* Seconds of the local time, as if it were UTC. */
static int64_t wall_seconds(const struct local_time *t)
{
	int64_t days = days_from_date(t->year, t->month, t->day);

	if (t->hour < 0)
		return days * DAY;
	return days * DAY + t->hour * 3600 + t->minute * 60 + t->second;
}

static void wall_reading(struct local_time *out, int64_t wall)
{
	int64_t days = wall / DAY - (wall % DAY < 0);
	int64_t rest = wall - days * DAY;

	date_from_days(out, days);
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
}

/* Reads exactly `digits` digits. */
static bool take_number(int *out, const char **text, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		char c = (*text)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*text += digits;
	*out = value;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Reads a date and an optional time of day; moves *text behind them. */
static int take_local(struct local_time *out, const char **text)
{
	struct local_time t = {.hour = -1};

	if (!take_number(&t.year, text, 4) || !take_char(text, '-') ||
		!take_number(&t.month, text, 2) || !take_char(text, '-') ||
		!take_number(&t.day, text, 2))
		return -EINVAL;
	if (**text == 'T' || **text == 't' || **text == ' ') {
		(*text)++;
		if (!take_number(&t.hour, text, 2) || !take_char(text, ':') ||
			!take_number(&t.minute, text, 2))
			return -EINVAL;
		if (take_char(text, ':') && !take_number(&t.second, text, 2))
			return -EINVAL;
	}
	if (t.year < 1970 || t.month < 1 || t.month > 12 || t.day < 1 ||
		t.day > days_in_month(t.year, t.month))
		return -ERANGE;
	if (t.hour > 23 || t.minute > 59 || t.second > 59)
		return -ERANGE;
	*out = t;
	return 0;
}

int local_parse(struct local_time *out, const char *text)
{
	struct local_time t;
	int rc = take_local(&t, &text);

	if (rc < 0)
		return rc;
	if (*text)
		return -EINVAL;
	*out = t;
	return 0;
}

struct local_time local_add_days(struct local_time t, int days)
{
	date_from_days(&t, days_from_date(t.year, t.month, t.day) + days);
	return t;
}

int local_to_instant(instant_t *out, const struct local_time *t, const char *zone)
{
	struct zone_reading readings[ZONE_READINGS];
	instant_t first = INT64_MAX, last = INT64_MIN, skipped;
	int n = zone_readings(readings, wall_seconds(t), zone);

	if (n < 0)
		return n;
	skipped = readings[0].at;
	for (int i = 0; i < n; i++) {
		const struct zone_reading *r = &readings[i];

		if (r->there == r->offset) {
			first = r->at < first ? r->at : first;
			last = r->at > last ? r->at : last;
		} else if (r->there > r->offset) {
			/* In a gap this reading has the offset before it. */
			skipped = r->at;
		}
	}
	*out = first == INT64_MAX ? skipped : first;
	if (first == INT64_MAX)
		return LOCAL_SKIPPED;
	return first == last ? LOCAL_ONCE : LOCAL_TWICE;
}

int instant_to_local(struct local_time *out, instant_t t, const char *zone)
{
	struct zone_offset offset;
	int rc = zone_offset(&offset, t, zone);

	if (rc == 0)
		wall_reading(out, t + offset.seconds);
	return rc;
}

const char *instant_format(char buf[INSTANT_TEXT_MAX], instant_t t)
{
	struct local_time l;

	wall_reading(&l, t);
	snprintf(buf, INSTANT_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", l.year, l.month, l.day,
		l.hour, l.minute, l.second);
	return buf;
}

const char *instant_format_local(char *buf, size_t size, instant_t t, const char *zone)
{
	static const char *const names[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	char seconds[8] = "";
	struct zone_offset o;
	struct local_time l;
	int64_t weekday;

	if (zone_offset(&o, t, zone) < 0) {
		/* If an update removed the zone, show UTC. */
		o.seconds = 0;
		snprintf(o.abbreviation, sizeof(o.abbreviation), "UTC");
	}
	wall_reading(&l, t + o.seconds);
	weekday = days_from_date(l.year, l.month, l.day) % 7;
	if (l.second)
		snprintf(seconds, sizeof(seconds), ":%02d", l.second);
	snprintf(buf, size, "%s %04d-%02d-%02d %02d:%02d%s %s", names[(weekday + 7) % 7], l.year,
		l.month, l.day, l.hour, l.minute, seconds, o.abbreviation);
	return buf;
}

static int seconds_parse(instant_t *out, const char *digits)
{
	instant_t value = 0;

	if (!*digits)
		return -EINVAL;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return -EINVAL;
		value = value * 10 + (*digits - '0');
		/* Dates after the year 9999 cannot be written. */
		if (value > 253402300799)
			return -ERANGE;
	}
	*out = value;
	return 0;
}

/* "Z", "+05:45": the offset in RFC 3339. */
static bool offset_parse(int64_t *out, const char *text)
{
	int sign = *text == '-' ? -1 : 1, hours, minutes;

	if ((*text == 'Z' || *text == 'z') && !text[1]) {
		*out = 0;
		return true;
	}
	if (*text != '+' && *text != '-')
		return false;
	text++;
	if (!take_number(&hours, &text, 2) || !take_char(&text, ':') ||
		!take_number(&minutes, &text, 2) || *text || hours > 23 || minutes > 59)
		return false;
	*out = sign * (hours * 3600 + minutes * 60);
	return true;
}

int instant_parse(instant_t *out, const char *text, const char *zone, instant_t now)
{
	struct local_time t;
	int64_t offset;
	int rc;

	if (streq(text, "now")) {
		*out = now;
		return 0;
	}
	if (*text == '@')
		return seconds_parse(out, text + 1);
	rc = take_local(&t, &text);
	if (rc < 0)
		return rc;
	if (!*text) {
		rc = local_to_instant(out, &t, zone);
		return rc < 0 ? rc : 0;
	}
	if (t.hour < 0)
		return -EINVAL;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (!offset_parse(&offset, text))
		return -EINVAL;
	*out = wall_seconds(&t) - offset;
	return 0;
}
