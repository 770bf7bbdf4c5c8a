/* Days on which nobody should go live, from curfew.conf or a calendar file. They only lead to advice, so an error in
 * them must not reject the configuration. */
#include "program/file.h"
#include "program/levels.h"
#include "program/loading.h"

#include "curfew/calendar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_TEXT_MAX 16
/* Days of one event; a longer one is not a holiday. */
#define EVENT_DAYS_MAX 31

static void day_add(struct settings *out, struct reading *r, const struct local_time *t)
{
	char text[DAY_TEXT_MAX * 4];

	snprintf(text, sizeof(text), "%04d-%02d-%02d", t->year, t->month, t->day);
	char *copy = reading_copy(r, text);
	if (!copy || ARRAY_ADD(out->holidays.items, out->holidays.n, copy)) {
		free(copy);
		r->failure = -ENOMEM;
	}
}

static void list_read(struct settings *out, struct reading *r, const config_setting_t *group)
{
	const config_setting_t *list = reading_list(r, group, "holidays", NULL);
	int n = list ? config_setting_length(list) : 0;

	for (int i = 0; i < n; i++) {
		const char *text = reading_item(r, list, i);
		struct local_time t;

		if (!text)
			continue;
		if (local_parse(&t, text) < 0 || t.hour >= 0)
			reading_warning(r, config_setting_get_elem(list, (unsigned)i),
				"invalid day in \"holidays\": \"%s\"; use a date, for example \"2026-12-25\"",
				text);
		else
			day_add(out, r, &t);
	}
}

/* Reads "20261225" in "DTSTART;VALUE=DATE:20261225"; false for anything else. */
static bool day_parse(struct local_time *out, const char *line, const char *name)
{
	size_t n = strlen(name);
	const char *value = strncmp(line, name, n) == 0 && strchr(":;", line[n])
				    ? strpbrk(line, ":\r\n")
				    : NULL;
	char text[DAY_TEXT_MAX];

	if (!value || *value != ':' || strspn(value + 1, "0123456789") != 8)
		return false;
	/* An event with a time of day is an appointment, not a holiday. */
	if (value[9] && !strchr("\r\n", value[9]))
		return false;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2s", value + 1, value + 5, value + 7);
	return local_parse(out, text) == 0;
}

static bool is_before(const struct local_time *a, const struct local_time *b)
{
	if (a->year != b->year)
		return a->year < b->year;
	return a->month != b->month ? a->month < b->month : a->day < b->day;
}

/* DTEND is the day after the last one. */
static void event_add(struct settings *out, struct reading *r, const struct local_time *from,
	const struct local_time *until)
{
	struct local_time t = *from;

	day_add(out, r, &t);
	for (int i = 1; i < EVENT_DAYS_MAX; i++) {
		t = local_add_days(*from, i);
		if (!is_before(&t, until))
			break;
		day_add(out, r, &t);
	}
}

/* ---- events that come again each year: RFC 5545, 3.3.10 ---- */

struct rule {
	bool yearly,
		other; /* other: a rule that is not understood, so that only its first day counts */
	int interval, count; /* count 0: without an end */
	int until;	     /* last year; 0: without an end */
	int month, nth,
		weekday; /* "the fourth Thursday of November"; nth 0: the date of the event */
};

static int rule_number(const char *rule, const char *name, int usual)
{
	const char *at = strstr(rule, name);

	return at && (at[-1] == ':' || at[-1] == ';') ? atoi(at + strlen(name)) : usual;
}

static bool rule_weekday(struct rule *r, const char *rule)
{
	static const char days[] = "SUMOTUWETHFRSA";
	const char *at = strstr(rule, ";BYDAY=");
	char *end;

	if (!at)
		return true;
	r->nth = (int)strtol(at + strlen(";BYDAY="), &end, 10);
	for (r->weekday = 0; r->weekday < 7; r->weekday++)
		if (strncmp(end, days + 2 * (ptrdiff_t)r->weekday, 2) == 0)
			break;
	return r->nth && r->nth >= -5 && r->nth <= 5 && r->weekday < 7 &&
	       (!end[2] || end[2] == ';');
}

static struct rule rule_parse(const char *line)
{
	_cleanup_free_ char *rule = strndup(line, strcspn(line, "\r\n"));
	struct rule r = {0};
	char year[5] = "";

	if (!rule)
		return r;
	r.yearly = strstr(rule, ":FREQ=YEARLY") || strstr(rule, ";FREQ=YEARLY");
	r.interval = rule_number(rule, "INTERVAL=", 1);
	r.count = rule_number(rule, "COUNT=", 0);
	r.month = rule_number(rule, "BYMONTH=", 0);
	const char *until = strstr(rule, ";UNTIL=");
	if (until)
		snprintf(year, sizeof(year), "%.4s", until + strlen(";UNTIL="));
	r.until = atoi(year);
	if (!r.yearly || r.interval < 1 || r.month < 0 || r.month > 12 || !rule_weekday(&r, rule) ||
		strstr(rule, ";BYYEARDAY=") || strstr(rule, ";BYWEEKNO=") ||
		strstr(rule, ";BYSETPOS="))
		r = (struct rule){.other = true};
	return r;
}

/* 0 is Sunday. */
static int weekday_of(const struct local_time *t)
{
	struct local_time noon = {.year = t->year, .month = t->month, .day = t->day, .hour = 12};
	instant_t at = 0;

	local_to_instant(&at, &noon, "UTC");
	return (int)((at / DAY + 4) % 7);
}

/* The day in that year; false where there is none: February 29, a fifth Monday. */
static bool day_in_year(
	struct local_time *out, const struct local_time *from, const struct rule *r, int year)
{
	struct local_time t = *from;

	t.year = year;
	t.month = r->month ? r->month : from->month;
	if (r->nth > 0) {
		t.day = 1;
		t.day += (r->weekday - weekday_of(&t) + 7) % 7 + 7 * (r->nth - 1);
	} else if (r->nth < 0) {
		struct local_time next = {
			.year = t.year + t.month / 12, .month = t.month % 12 + 1, .day = 1};

		t = local_add_days(next, -1);
		t = local_add_days(t, -((weekday_of(&t) - r->weekday + 7) % 7) + 7 * (r->nth + 1));
	}
	struct local_time same = local_add_days(t, 0);
	char text[DAY_TEXT_MAX * 4];
	snprintf(text, sizeof(text), "%04d-%02d-%02d", t.year, t.month, t.day);
	*out = t;
	return t.day >= 1 && same.month == t.month && local_parse(&same, text) == 0;
}

/* Calendars begin with the year in which a holiday was made; what matters is the time of this program. */
#define FIRST_YEAR 2020
#define LAST_YEAR  2069

static void event_repeat(struct settings *out, struct reading *r, const struct local_time *from,
	const struct local_time *until, const struct rule *rule)
{
	int days = 1, last = rule->until ? rule->until : LAST_YEAR, n = 1;
	struct local_time t, end;

	while (days < EVENT_DAYS_MAX && (t = local_add_days(*from, days), is_before(&t, until)))
		days++;
	event_add(out, r, from, until);
	for (int year = from->year + rule->interval; year <= last && year <= LAST_YEAR;
		year += rule->interval) {
		if (!day_in_year(&t, from, rule, year))
			continue;
		if (rule->count && ++n > rule->count)
			break;
		end = local_add_days(t, days);
		if (year >= FIRST_YEAR)
			event_add(out, r, &t, &end);
	}
}

static void calendar_read(struct settings *out, struct reading *r, const char *text)
{
	struct local_time from = {0}, until = {0}, t;
	struct rule rule = {0};
	int number = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		number++;
		if (strncmp(line, "BEGIN:VEVENT", 12) == 0)
			rule = (struct rule){0};
		else if (day_parse(&t, line, "DTSTART"))
			from = until = t;
		else if (from.year && day_parse(&t, line, "DTEND"))
			until = t;
		else if (strncmp(line, "RRULE", 5) == 0)
			rule = rule_parse(line);
		else if (from.year && strncmp(line, "END:VEVENT", 10) == 0) {
			if (rule.other)
				reading_say_line(r, SEVERITY_WARNING, number,
					"this event comes again by a rule that Curfew does not know; only its first day "
					"counts: list the others in \"holidays\"");
			if (rule.yearly)
				event_repeat(out, r, &from, &until, &rule);
			else
				event_add(out, r, &from, &until);
			from = (struct local_time){0};
			rule = (struct rule){0};
		}
	}
}

void holidays_read(struct settings *out, struct reading *r, const config_setting_t *group)
{
	const char *path = reading_path(r, group, "holidays_file", NULL, 1024);
	struct reading of = *r;
	size_t before, size;

	list_read(out, r, group);
	if (!path)
		return;
	of.file = path;
	of.harmless = true;
	_cleanup_free_ char *name = path_folder(&of, path);
	int folder = name ? folder_open(&of, name) : -1;
	_cleanup_free_ char *text =
		folder >= 0 ? file_read(&of, folder, base_name(path), &size) : NULL;
	if (folder >= 0)
		close(folder);
	before = out->holidays.n;
	if (text)
		calendar_read(out, &of, text);
	if (text && out->holidays.n == before)
		reading_warning(&of, NULL,
			"no event of whole days in this calendar; export it as iCalendar (.ics)");
	r->failure = of.failure;
}
