/* Days on which `check` advises against a go-live, from a list and from a calendar file. */
#include "fixture.h"

static const char CALENDAR[] =
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
	"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\n"
	"SUMMARY:DTSTART:20260101 is no line of its own\r\nEND:VEVENT\r\n"
	"BEGIN:VEVENT\nDTSTART:20270101\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20270601T090000Z\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20270230\nEND:VEVENT\n"
	"END:VCALENDAR\n";

static char *folder;

static int folder_make(void **state)
{
	(void)state;
	folder = fixture_make();
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	fixture_remove(folder);
	return 0;
}

static void program_write(const char *settings)
{
	size_t size;
	_cleanup_free_ char *good = file_content(FIXTURES "good/curfew.conf", &size);
	_cleanup_free_ char *text = text_make("program = { %s };\n%s", settings, good);

	fixture_text(folder, "curfew.conf", text);
}

/* What is said of a go-live on that day; loads whatever it is. */
static char *messages(const char *day)
{
	_cleanup_free_ char *good_path = text_make(FIXTURES "good/clients.d/acme.conf");
	size_t size;
	_cleanup_free_ char *good = file_content(good_path, &size);
	_cleanup_free_ char *moved = text_replace(good, "2026-11-23T09:00", day);
	struct problems problems;
	struct program *p;

	fixture_text(folder, "clients.d/acme.conf", moved);
	char *text = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	problems_free(&problems);
	assert_non_null(p);
	program_free(p);
	return text;
}

static void assert_said(const char *day, const char *expected)
{
	_cleanup_free_ char *text = messages(day);

	if (expected ? !strstr(text, expected) : strstr(text, "holiday") != NULL)
		fail_msg("%s: %s", day, text);
}

static void test_a_list(void **state)
{
	(void)state;
	program_write("holidays = ( \"2026-12-08\", \"soon\", \"2026-12-08T09:00\" );");
	assert_said("2026-12-08T09:00", "advice: go-live is on a holiday (2026-12-08); choose");
	/* The day is the client's, whatever it is in UTC. */
	assert_said("2026-12-08T23:00", "go-live is on a holiday (2026-12-08)");
	assert_said("2026-12-07T09:00", "go-live is on the day before a holiday (2026-12-08)");
	assert_said("2026-12-09T00:00", "invalid day in \"holidays\": \"soon\"");
	_cleanup_free_ char *text = messages("2026-12-09T00:00");
	assert_null(strstr(text, "go-live is on"));
}

static void test_a_calendar(void **state)
{
	_cleanup_free_ char *setting = text_make("holidays_file = \"%s/holidays.ics\";", folder);

	(void)state;
	program_write(setting);
	fixture_text(folder, "holidays.ics", CALENDAR);
	assert_said("2026-12-22T09:00", NULL);
	assert_said("2026-12-23T09:00", "on the day before a holiday (2026-12-24)");
	assert_said("2026-12-24T09:00", "on a holiday (2026-12-24)");
	assert_said("2026-12-26T09:00", "on a holiday (2026-12-26)");
	assert_said("2026-12-27T09:00", NULL);
	assert_said("2027-01-01T09:00", "on a holiday (2027-01-01)");
	assert_said("2027-06-01T09:00", NULL);
	assert_said("2027-03-01T09:00", NULL);
}

static const char EACH_YEAR[] =
	"BEGIN:VEVENT\r\nRRULE:FREQ=YEARLY\r\nDTSTART;VALUE=DATE:19701225\r\nDTEND;VALUE=DATE:19701227\r\nEND:VEVENT\r\n"
	"BEGIN:VEVENT\nDTSTART:20001123\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20000529\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20250301\nRRULE:FREQ=YEARLY;UNTIL=20261231T000000Z\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20250401\nRRULE:FREQ=YEARLY;COUNT=2\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20240229\nRRULE:FREQ=YEARLY\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART:20270801\nRRULE:FREQ=MONTHLY\nEND:VEVENT\n";

static void test_a_calendar_of_every_year(void **state)
{
	static const char *const holidays[] = {"2026-12-25", "2026-12-26", "2030-12-26",
		"2026-11-26", "2027-11-25", "2027-05-31", "2028-05-29", "2028-02-29", "2027-08-01"};
	static const char *const others[] = {"2026-12-28", "2026-11-19", "2027-05-23", "2027-03-01",
		"2027-04-01", "2029-03-01", "2027-09-01"};
	_cleanup_free_ char *setting = text_make("holidays_file = \"%s/holidays.ics\";", folder);

	(void)state;
	program_write(setting);
	fixture_text(folder, "holidays.ics", EACH_YEAR);
	for (size_t i = 0; i < ARRAY_SIZE(holidays); i++) {
		_cleanup_free_ char *day = text_make("%sT09:00", holidays[i]),
				    *said = text_make("on a holiday (%s)", holidays[i]);
		assert_said(day, said);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_free_ char *day = text_make("%sT09:00", others[i]),
				    *said = text_make("on a holiday (%s)", others[i]);
		_cleanup_free_ char *text = messages(day);
		assert_null(strstr(text, said));
	}
	assert_said(
		"2026-12-07T09:00", "holidays.ics:29: warning: this event comes again by a rule");
}

/* It is advice: what is wrong with the file keeps nobody's access from ending. */
static void test_a_calendar_that_is_none(void **state)
{
	_cleanup_free_ char *setting = text_make("holidays_file = \"%s/holidays.ics\";", folder);
	static const char *const bad[] = {"", "nonsense\n", "BEGIN:VEVENT\nEND:VEVENT\n",
		"DTSTART:\nDTSTART;\nDTSTART\nEND:VEVENT", "DTSTART:99999999\nEND:VEVENT\n"};

	(void)state;
	program_write(setting);
	assert_said("2026-12-07T09:00", "holidays.ics:1: warning: cannot open file");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fixture_text(folder, "holidays.ics", bad[i]);
		assert_said("2026-12-07T09:00", "no event of whole days in this calendar");
	}
	fixture_chmod(folder, "holidays.ics", 0666);
	assert_said("2026-12-07T09:00", "must be writable by its owner only");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_a_list), TEST(test_a_calendar),
		TEST(test_a_calendar_of_every_year), TEST(test_a_calendar_that_is_none)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
