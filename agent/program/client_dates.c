/* Converts the dates of a client to UTC once, so that the schedule needs no calendar. */
#include "program/loading.h"

#include "curfew/calendar.h"

#include <errno.h>
#include <string.h>

/* A year outside of this range is a typing error. */
#define YEAR_FIRST 2000
#define YEAR_LAST  2199

/* Longer than any customization project, and well below the longest nft timeout (3,660 days). */
#define DISTANCE_DAYS 1096

#define LOCAL_TEXT_MAX 64

/* A configured date: the local time as written, and its UTC time. */
struct moment {
	const config_setting_t *at; /* NULL: missing or invalid */
	const char *text;
	struct local_time local;
	instant_t instant;
};

static void moment_tell_fit(struct reading *r, const struct moment *m, const char *zone, int fit)
{
	char utc[INSTANT_TEXT_MAX], local[LOCAL_TEXT_MAX], reading[LOCAL_TEXT_MAX];
	const struct local_time *l = &m->local;

	/* Print the full time, because the text may be only a date, or the day before the midnight at which it ends. */
	snprintf(reading, sizeof(reading), "%04d-%02d-%02d %02d:%02d", l->year, l->month, l->day,
		l->hour < 0 ? 0 : l->hour, l->minute);
	instant_format(utc, m->instant);
	instant_format_local(local, sizeof(local), m->instant, zone);
	if (fit == LOCAL_SKIPPED)
		reading_warning(r, m->at,
			"%s does not exist in %s (clocks go forward); using %s (%s); to avoid the warning, write a time that "
			"exists",
			reading, zone, utc, local);
	else if (fit == LOCAL_TWICE)
		reading_warning(r, m->at,
			"%s occurs twice in %s (clocks go back); using the first, %s (%s); to avoid the warning, write a "
			"time that occurs once",
			reading, zone, utc, local);
}

/* `ends`: a date without a time means the end of that day. */
static struct moment moment_read(struct reading *r, const config_setting_t *group, const char *name,
	const char *example, const char *zone, bool ends)
{
	struct moment m = {.text = reading_text(r, group, name, example)}, none = {.at = NULL};
	int result;

	if (!m.text)
		return none;
	m.at = config_setting_get_member(group, name);
	result = local_parse(&m.local, m.text);
	if (result == -ERANGE)
		reading_error(r, m.at,
			"invalid date for \"%s\": \"%s\" does not exist; use a day of the calendar and a time from "
			"00:00 to 23:59",
			name, m.text);
	else if (result < 0 && strchr(m.text, 'T') && strpbrk(strchr(m.text, 'T'), "Zz+-"))
		reading_error(r, m.at,
			"invalid date for \"%s\": \"%s\" names its own time zone; leave that out, and write the time in %s",
			name, m.text, zone);
	else if (result < 0)
		reading_error(r, m.at,
			"invalid date for \"%s\": \"%s\"; use \"2026-11-23\" or \"2026-11-23T09:00\"",
			name, m.text);
	else if (m.local.year < YEAR_FIRST || m.local.year > YEAR_LAST)
		reading_error(r, m.at,
			"invalid date for \"%s\": the year of \"%s\" must be from %d to %d", name,
			m.text, YEAR_FIRST, YEAR_LAST);
	else {
		if (ends && m.local.hour < 0)
			m.local = local_add_days(m.local, 1);
		result = local_to_instant(&m.instant, &m.local, zone);
		if (result == -ENOMEM)
			r->failure = result;
		else if (result > 0)
			moment_tell_fit(r, &m, zone, result);
		return m;
	}
	return none;
}

bool instant_read(instant_t *out, struct reading *r, const config_setting_t *group,
	const char *name, const char *example, const char *zone, bool ends)
{
	struct moment m = moment_read(r, group, name, example, zone, ends);

	*out = m.instant;
	return m.at;
}

/* The same local time, that many calendar days later. */
static instant_t moment_add_days(const struct moment *m, unsigned days, const char *zone)
{
	struct local_time local = local_add_days(m->local, (int)days);
	instant_t instant = m->instant;

	local_to_instant(&instant, &local, zone);
	return instant;
}

/* A typing error in a year must not grant access for decades. */
static void distance_check(struct reading *r, const struct moment *m, const char *name,
	const struct moment *from, const char *from_name)
{
	if (m->at && m->instant - from->instant > DISTANCE_DAYS * DAY)
		reading_limit(r, m->at,
			"\"%s\" (%s) is more than %d days after \"%s\" (%s); correct the year",
			name, m->text, DISTANCE_DAYS, from_name, from->text);
}

static void testing_resolve(struct client *c, struct reading *r, const struct moment *starts,
	const struct moment *until, const struct settings *s)
{
	c->testing_end = moment_add_days(starts, s->testing_days, c->timezone);
	if (!until->at)
		return;
	if (until->instant <= starts->instant)
		reading_error(r, until->at, "\"testing_until\" must be after \"starts\" (%s)",
			starts->text);
	else
		c->testing_end = until->instant;
}

static void go_live_resolve(
	struct client *c, struct reading *r, const struct moment *go_live, const struct settings *s)
{
	char text[LOCAL_TEXT_MAX];
	instant_t e14 = moment_add_days(go_live, s->staging_days, c->timezone);

	c->has_go_live = true;
	c->go_live = go_live->instant;
	c->end = moment_add_days(go_live, s->read_only_days, c->timezone);
	c->staging_end = e14 < c->end ? e14 : c->end;
	if (c->go_live < c->starts)
		reading_error(r, go_live->at, "\"go_live\" must not be before \"starts\" (%s)",
			instant_format_local(text, sizeof(text), c->starts, c->timezone));
	else if (c->go_live > c->testing_end)
		reading_warning(r, go_live->at,
			"\"go_live\" is later than the end of testing (%s); access before go-live lasts "
			"until \"go_live\"",
			instant_format_local(text, sizeof(text), c->testing_end, c->timezone));
	if (c->approved > c->go_live)
		reading_warning(r, go_live->at,
			c->approved >= c->end
				? "\"approved_on\" is later than the end of all access, so there is no access at all; correct one of "
				  "them if that is not intended"
				: "\"approved_on\" is later than \"go_live\", so there is no access before go-live; correct one of "
				  "them if that is not intended");
}

static void staging_resolve(struct client *c, struct reading *r, const struct moment *until)
{
	char text[LOCAL_TEXT_MAX];

	if (!until->at)
		return;
	if (!c->has_go_live) {
		reading_warning(r, until->at,
			"\"staging_until\" has no effect without \"go_live\"; access ends when testing ends, "
			"%s",
			instant_format_local(text, sizeof(text), c->end, c->timezone));
		return;
	}
	if (until->instant < c->go_live) {
		reading_error(r, until->at, "\"staging_until\" must not be before \"go_live\" (%s)",
			instant_format_local(text, sizeof(text), c->go_live, c->timezone));
		return;
	}
	if (until->instant > c->end)
		reading_warning(r, until->at,
			"\"staging_until\" is after the end of SQL access, %s; access ends then",
			instant_format_local(text, sizeof(text), c->end, c->timezone));
	c->staging_end = until->instant < c->end ? until->instant : c->end;
}

void course_read(struct client *c, struct reading *r, const config_setting_t *group,
	const struct settings *s, bool zone_known)
{
	char text[LOCAL_TEXT_MAX];
	/* With an unknown time zone every date would be reported again as skipped or repeated. */
	const char *zone = zone_known ? c->timezone : "UTC";
	struct moment approved =
		moment_read(r, group, "approved_on", "\"2026-08-03\"", zone, false);
	struct moment starts = moment_read(r, group, "starts", "\"2026-08-10\"", zone, false);
	struct moment go_live = moment_read(r, group, "go_live", NULL, zone, false);
	struct moment testing_until = moment_read(r, group, "testing_until", NULL, zone, true);
	struct moment staging_until = moment_read(r, group, "staging_until", NULL, zone, true);

	if (!approved.at || !starts.at || !zone_known)
		return;
	distance_check(r, &starts, "starts", &approved, "approved_on");
	distance_check(r, &approved, "approved_on", &starts, "starts");
	distance_check(r, &go_live, "go_live", &starts, "starts");
	distance_check(r, &testing_until, "testing_until", &starts, "starts");
	distance_check(r, &staging_until, "staging_until", &starts, "starts");
	c->approved = approved.instant;
	c->starts = starts.instant;
	testing_resolve(c, r, &starts, &testing_until, s);
	c->end = c->testing_end;
	if (go_live.at)
		go_live_resolve(c, r, &go_live, s);
	staging_resolve(c, r, &staging_until);
	if (go_live.at)
		advice_check(c, r, go_live.at, s);
	if (c->end <= r->now)
		reading_warning(r, NULL,
			"all access of this client ended at %s; once `curfew certificate` succeeds, remove "
			"the file, or correct the dates",
			instant_format_local(text, sizeof(text), c->end, c->timezone));
}
