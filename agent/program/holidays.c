/* Days on which nobody should go live, from curfew.conf or a calendar file. They only lead to advice, so an error in
 * them must not reject the configuration. */
#include "program/file.h"
#include "program/levels.h"
#include "program/loading.h"

#include "curfew/calendar.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DAY_TEXT_MAX 16
/* Days of one event; a longer one is not a holiday. */
#define EVENT_DAYS_MAX 31

static void day_add(struct settings *out, struct reading *r, const struct local_time *t)
{
	char **items = array_grown(out->holidays.items, out->holidays.n, sizeof(*items));
	char text[DAY_TEXT_MAX * 4];

	if (!items) {
		r->failure = -ENOMEM;
		return;
	}
	out->holidays.items = items;
	snprintf(text, sizeof(text), "%04d-%02d-%02d", t->year, t->month, t->day);
	items[out->holidays.n] = reading_copy(r, text);
	out->holidays.n += items[out->holidays.n] != NULL;
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

static void calendar_read(struct settings *out, struct reading *r, const char *text)
{
	struct local_time from = {0}, until = {0}, t;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (day_parse(&t, line, "DTSTART"))
			from = until = t;
		else if (from.year && day_parse(&t, line, "DTEND"))
			until = t;
		else if (from.year && strncmp(line, "END:VEVENT", 10) == 0) {
			event_add(out, r, &from, &until);
			from = (struct local_time){0};
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
