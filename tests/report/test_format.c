/* Words, tables, style, JSON. */
#include "report_fixture.h"

#include <jansson.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void test_durations(void **state)
{
	static const struct {
		int64_t seconds;
		const char *words;
	} cases[] = {
		{0, "0 seconds"},
		{1, "1 second"},
		{59, "59 seconds"},
		{60, "1 minute"},
		{61, "1 minute 1 second"},
		{3599, "59 minutes 59 seconds"},
		{3600, "1 hour"},
		{86399, "23 hours 59 minutes"},
		{86400, "1 day"},
		{86400 + 59, "1 day"},
		{3 * 86400 + 4 * 3600 + 5, "3 days 4 hours"},
		{-90, "1 minute 30 seconds"},
		{INT64_MIN, "106751991167300 days 15 hours"},
	};
	char buf[WORDS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(duration_words(buf, cases[i].seconds), cases[i].words);
}

static void assert_words(const struct report_fixture *s, const struct overrides *o, instant_t now,
	const char *production, const char *staging)
{
	struct grants g;
	char buf[WORDS_MAX];

	assert_int_equal(schedule_at(&g, &s->program, o, now), 0);
	for (size_t i = 0; i < g.n; i++) {
		if (strcmp(g.items[i].client->name, "acme") != 0)
			continue;
		assert_string_equal(grant_words(buf, &g.items[i], now),
			g.items[i].database->role == ROLE_PRODUCTION ? production : staging);
	}
	grants_free(&g);
}

static void test_grant_words(void **state)
{
	struct report_fixture *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GO_LIVE + 3600};

	(void)state;
	assert_words(s, NULL, GO_LIVE - 4 * 3600 - 3 * DAY,
		"read-only in 3 days 4 hours, Mon 2026-11-23 09:00 CST",
		"read-only in 3 days 4 hours, Mon 2026-11-23 09:00 CST");
	assert_words(s, NULL, GO_LIVE, "ends in 30 days, Wed 2026-12-23 09:00 CST",
		"ends in 14 days, Mon 2026-12-07 09:00 CST");
	assert_words(s, NULL, GO_LIVE + 20 * DAY, "ends in 10 days, Wed 2026-12-23 09:00 CST",
		"ended Mon 2026-12-07 09:00 CST");
	assert_words(s, &(struct overrides){&item, 1}, GO_LIVE + DAY,
		"revoked since Mon 2026-11-23 10:00 CST", "revoked since Mon 2026-11-23 10:00 CST");
	free(s);
}

/* Without a go-live testing has ended, and nothing went live: "ended" is another phase. */
static void test_words_of_a_lapsed_client(void **state)
{
	struct report_fixture *s = sample_new();
	struct grants g;
	char buf[WORDS_MAX];

	(void)state;
	s->clients[0].has_go_live = false;
	assert_int_equal(schedule_at(&g, &s->program, NULL, GO_LIVE + 400 * DAY), 0);
	assert_true(g.n > 0);
	for (size_t i = 0; i < g.n; i++) {
		if (g.items[i].client != &s->clients[0])
			continue;
		assert_int_equal(g.items[i].phase, PHASE_LAPSED);
		grant_words(buf, &g.items[i], GO_LIVE + 400 * DAY);
		assert_true(strncmp(buf, "lapsed ", 7) == 0);
		assert_non_null(strstr(buf, ": testing ended without a go-live"));
	}
	grants_free(&g);
	free(s);
}

static void test_grants_json(void **state)
{
	struct report_fixture *s = sample_new();
	struct grants g;
	char *text;

	(void)state;
	assert_int_equal(schedule_at(&g, &s->program, NULL, GO_LIVE - 20 * DAY), 0);
	CAPTURED(text, json_print(grants_json(&g), to));
	assert_golden("grants.json", text);
	free(text);
	grants_free(&g);
	free(s);
}

static void test_text_json_repairs(void **state)
{
	json_t *j = text_json("a\xff\xfe\"z");

	(void)state;
	assert_string_equal(json_string_value(j), "a\xef\xbf\xbd\xef\xbf\xbd\"z");
	json_decref(j);
	j = text_json(NULL);
	assert_true(json_is_null(j));
	j = text_json("");
	assert_string_equal(json_string_value(j), "");
	json_decref(j);
}

static void test_record_json(void **state)
{
	struct record r = {.kind = RECORD_FINDING, .finding.severity = FINDING_HIGH};
	char *text;

	(void)state;
	RECORD_SET(&r, server, "sql07");
	RECORD_SET(&r, finding.name, "guest-connect");
	RECORD_SET(&r, finding.remedy, "REVOKE CONNECT FROM guest;");
	RECORD_SET(&r, detail, HOSTILE);
	CAPTURED(text, json_print(record_json(&r), to));
	assert_golden("finding.json", text);
	free(text);
	for (uint32_t kind = 0; kind < 20; kind++) {
		json_t *j;

		r = (struct record){.kind = kind, .state = 99, .code = -5};
		j = record_json(&r);
		assert_non_null(j);
		json_decref(j);
	}
	r = (struct record){
		.kind = RECORD_LOGIN, .identity = {.sid = {{0x01, 0xab}, 2}, .created = GO_LIVE}};
	json_t *j = record_json(&r);
	assert_string_equal(json_string_value(json_object_get(j, "sid")), "0x01AB");
	assert_string_equal(
		json_string_value(json_object_get(j, "created")), "2026-11-23T15:00:00Z");
	json_decref(j);
}

static void test_entry_json(void **state)
{
	struct journal_entry e = {.id = 7,
		.kind = JOURNAL_ACCESS,
		.at = GO_LIVE,
		.client = "acme",
		.level = "full",
		.until = GO_LIVE + 1};
	json_t *j = entry_json(&e);

	(void)state;
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "until")), "2026-11-23T15:00:01Z");
	assert_true(json_is_null(json_object_get(j, "intent")));
	assert_true(json_is_null(json_object_get(j, "login")));
	json_decref(j);
}

static const struct table_column columns[] = {
	{"client", 0}, {"grants", TABLE_RIGHT}, {"why", TABLE_CUT}, {"what", TABLE_WRAP}};

static int print_table(FILE *to, size_t width)
{
	struct table *t;
	int r = table_new(&t, columns, ARRAY_SIZE(columns), to, width);

	assert_int_equal(r, 0);
	assert_int_equal(table_row(t, TONE_BAD), 0);
	assert_int_equal(table_cell(t, "acme"), 0);
	assert_int_equal(table_cellf(t, "%d", 12), 0);
	assert_int_equal(
		table_cell(t, "a reason that is rather longer than the terminal is wide"), 0);
	assert_int_equal(
		table_cell(t, "ALTER ROLE [curfew_read_only] ADD MEMBER [acme.jane.doe];"), 0);
	assert_int_equal(table_row(t, TONE_PLAIN), 0);
	assert_int_equal(table_cell(t, "\xc3\x85ngstr\xc3\xb6m"), 0);
	assert_int_equal(table_cellf(t, "%d", 3), 0);
	assert_int_equal(table_cell(t, NULL), 0);
	assert_int_equal(table_cell(t, "x\x1b[2J\n\xe2\x80\xae\xff"), 0);
	r = table_print(t);
	table_free(t);
	return r;
}

static void test_table(void **state)
{
	char *text;

	(void)state;
	report_locale();
	CAPTURED(text, print_table(to, TABLE_NO_LIMIT));
	assert_golden("table-wide", text);
	free(text);
	CAPTURED(text, print_table(to, 70));
	assert_golden("table-narrow", text);
	free(text);
}

static void test_table_refuses_ragged_rows(void **state)
{
	struct table *t;
	char *text;

	(void)state;
	CAPTURED(text, table_new(&t, columns, 2, to, TABLE_NO_LIMIT) || table_print(t));
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(table_cell(t, "x"), -EINVAL);
	assert_int_equal(table_row(t, TONE_PLAIN), 0);
	assert_int_equal(table_cell(t, "x"), 0);
	assert_int_equal(table_row(t, TONE_PLAIN), -EINVAL);
	assert_int_equal(table_print(t), -EINVAL);
	assert_int_equal(table_cell(t, "y"), 0);
	assert_int_equal(table_cell(t, "z"), -EINVAL);
	table_free(t);
	table_free(NULL);
}

static void test_style(void **state)
{
	FILE *pipe = popen("cat > /dev/null", "w");

	(void)state;
	assert_non_null(pipe);
	setenv("TERM", "xterm", 1);
	assert_false(style_wanted(pipe));
	pclose(pipe);
	/* A real terminal: the other half of a pseudo-terminal. */
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	FILE *terminal = fopen(ptsname(master), "w");
	assert_non_null(terminal);
	unsetenv("NO_COLOR");
	assert_true(style_wanted(terminal));
	setenv("TERM", "dumb", 1);
	assert_false(style_wanted(terminal));
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	assert_false(style_wanted(terminal));
	setenv("NO_COLOR", "", 1);
	assert_true(style_wanted(terminal));
	fclose(terminal);
	close(master);
	assert_string_equal(style_begin(false, TONE_BAD), "");
	assert_string_equal(style_end(false, TONE_BAD), "");
	assert_string_equal(style_end(true, TONE_PLAIN), "");
	assert_int_equal(state_tone(STATE_OVERDUE), TONE_BAD);
	assert_int_equal(state_tone(STATE_OK), TONE_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_grant_words),
		cmocka_unit_test(test_words_of_a_lapsed_client),
		cmocka_unit_test(test_grants_json),
		cmocka_unit_test(test_text_json_repairs),
		cmocka_unit_test(test_record_json),
		cmocka_unit_test(test_entry_json),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_refuses_ragged_rows),
		cmocka_unit_test(test_style),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
