/* Timelines as text, as pictures and as calendars: golden outputs, and names that try to break out. */
#include "report_fixture.h"

static char *picture(const struct report_fixture *s, size_t client, const struct overrides *o,
	instant_t now, size_t width)
{
	struct timeline t;
	char *text;

	assert_int_equal(timeline_make(&t, &s->program, &s->clients[client], o, now), 0);
	CAPTURED(text, timeline_print(&t, to, width));
	timeline_free(&t);
	return text;
}

static void test_timeline_text(void **state)
{
	struct report_fixture *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GO_LIVE - 20 * DAY};
	char *all[] = {
		picture(s, 0, NULL, GO_LIVE - 140 * DAY, 100),
		picture(s, 0, NULL, GOLDEN_NOW, 100),
		picture(s, 0, NULL, GO_LIVE + 3 * DAY, 80),
		picture(s, 0, NULL, GO_LIVE + 40 * DAY, 80),
		picture(s, 0, &(struct overrides){&item, 1}, GOLDEN_NOW, 80),
		picture(s, 1, NULL, GOLDEN_NOW, 80),
		picture(s, 2, NULL, GOLDEN_NOW, 1),
	};
	char *joined = NULL;

	(void)state;
	CAPTURED(joined, (fprintf(to, "%s\n%s\n%s\n%s\n%s\n%s\n%s", all[0], all[1], all[2], all[3],
				  all[4], all[5], all[6]) < 0));
	assert_golden("timelines", joined);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i]);
	free(joined);
	free(s);
}

/* Its go-live was 20 days ago; the file's later date, with the same ticket, does not bring full access back. */
static void test_timeline_after_a_date_was_moved(void **state)
{
	struct report_fixture *s = sample_new();
	struct passed went = {.client = (char *)"acme",
		.what = PASSED_GO_LIVE,
		.instant = GOLDEN_NOW - 20 * DAY,
		.ticket = (char *)"CS-48211",
		.approved = GO_LIVE - 112 * DAY};
	const struct overrides o = {.passed = &went, .n_passed = 1, .n_sorted = 1};
	struct timeline t;
	size_t live = 0;

	(void)state;
	assert_int_equal(timeline_make(&t, &s->program, &s->clients[0], &o, GOLDEN_NOW), 0);
	for (size_t i = 0; i < t.n_marks; i++)
		if (t.marks[i].kind == MARK_GO_LIVE) {
			assert_int_equal(t.marks[i].at, went.instant);
			live++;
		}
	assert_int_equal(live, 1);
	for (size_t i = 0; i < t.n_bars; i++)
		assert_true(t.bars[i].level != LEVEL_FULL || t.bars[i].until <= went.instant);
	timeline_free(&t);
	/* The words say what the picture shows. */
	char *text = picture(s, 0, &o, GOLDEN_NOW, 80);
	assert_non_null(strstr(text, ": live; next: "));
	free(text);
	/* The same of an end; and before one that was revoked later. */
	struct override item = {.client = (char *)"acme", .at = went.instant - DAY};
	const struct overrides revoked = {&item, 1, &went, 1, 1};
	went.what = PASSED_END;
	for (int i = 0; i < 2; i++) {
		text = picture(s, 0, i ? &revoked : &o, GOLDEN_NOW, 80);
		assert_non_null(strstr(text, ": ended "));
		assert_null(strstr(text, "revoked since"));
		free(text);
	}
	free(s);
}

/* Bars never overlap, follow one another, end with access, and say what the schedule says. */
static void test_timeline_equals_schedule(void **state)
{
	struct report_fixture *s = sample_new();

	(void)state;
	s->databases[0][0].before_go_live = LEVEL_READ_ONLY;
	for (size_t c = 0; c < 3; c++) {
		struct timeline t;

		assert_int_equal(
			timeline_make(&t, &s->program, &s->clients[c], NULL, GOLDEN_NOW), 0);
		for (instant_t at = s->clients[c].starts - DAY; at < s->clients[c].end + DAY;
			at += 3 * 3600) {
			struct grants g;

			assert_int_equal(schedule_at(&g, &s->program, NULL, at), 0);
			for (size_t i = 0; i < g.n; i++) {
				enum level level = LEVEL_NONE;

				if (g.items[i].client != &s->clients[c])
					continue;
				for (size_t b = 0; b < t.n_bars; b++) {
					const struct timeline_bar *bar = &t.bars[b];

					if (&s->clients[c].databases[bar->database] ==
							g.items[i].database &&
						bar->from <= at && at < bar->until) {
						assert_int_equal(level, LEVEL_NONE);
						level = bar->level;
					}
				}
				assert_int_equal(level, g.items[i].level);
			}
			grants_free(&g);
		}
		timeline_free(&t);
	}
	free(s);
}

static instant_t mark_at(const struct timeline *t, enum timeline_mark_kind kind)
{
	for (size_t i = 0; i < t->n_marks; i++)
		if (t->marks[i].kind == kind)
			return t->marks[i].at;
	return 0;
}

/* Access starts and ends with what the client has, not with what another would have had. */
static void test_marks_of_real_grants(void **state)
{
	struct report_fixture *s = sample_new();
	struct client *c = &s->clients[0];
	struct timeline t;
	char *text;

	(void)state;
	c->n_databases = 1; /* production, none before go-live */
	assert_int_equal(timeline_make(&t, &s->program, c, NULL, GOLDEN_NOW), 0);
	assert_int_equal(mark_at(&t, MARK_START), c->go_live);
	assert_int_equal(mark_at(&t, MARK_END), c->end);
	CAPTURED(text, timelines_ics(&t, 1, to, GOLDEN_NOW));
	assert_null(strstr(text, "becomes read-only"));
	free(text);
	timeline_free(&t);
	c->databases++; /* staging alone */
	assert_int_equal(timeline_make(&t, &s->program, c, NULL, GOLDEN_NOW), 0);
	assert_int_equal(mark_at(&t, MARK_START), c->starts);
	assert_int_equal(mark_at(&t, MARK_END), c->staging_end);
	assert_int_equal(mark_at(&t, MARK_STAGING_END), 0);
	CAPTURED(text, timelines_ics(&t, 1, to, GOLDEN_NOW));
	assert_non_null(strstr(text, "becomes read-only"));
	free(text);
	timeline_free(&t);
	c->databases[0].role = ROLE_PRODUCTION; /* never anything: nothing is announced */
	c->databases[0].before_go_live = LEVEL_NONE;
	c->has_go_live = false;
	c->end = c->testing_end;
	assert_int_equal(timeline_make(&t, &s->program, c, NULL, GOLDEN_NOW), 0);
	CAPTURED(text, timelines_ics(&t, 1, to, GOLDEN_NOW));
	assert_null(strstr(text, "VEVENT"));
	free(text);
	timeline_free(&t);
	free(s);
}

/* A level that few have is explained only where it is shown. */
static void test_write_is_shown(void **state)
{
	struct report_fixture *s = sample_new();
	struct timeline t;
	char *text;

	(void)state;
	s->databases[0][0].before_go_live = LEVEL_WRITE;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			timeline_make(&t, &s->program, &s->clients[i], NULL, GOLDEN_NOW), 0);
		CAPTURED(text, timeline_print(&t, to, 100));
		assert_int_equal(strstr(text, "write") != NULL, i == 0);
		free(text);
		CAPTURED(text, timelines_svg(&t, 1, to));
		assert_int_equal(strstr(text, ">write<") != NULL, i == 0);
		free(text);
		timeline_free(&t);
	}
	free(s);
}

static void test_svg(void **state)
{
	struct report_fixture *s = sample_new();
	struct timeline t[3];
	char *text;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			timeline_make(&t[i], &s->program, &s->clients[i], NULL, GOLDEN_NOW), 0);
	CAPTURED(text, timelines_svg(t, 3, to));
	assert_harmless(text);
	assert_golden("timelines.svg", text);
	free(text);
	for (size_t i = 0; i < 3; i++)
		timeline_free(&t[i]);
	free(s);
}

/* Long names and durations, and marks that lie at nearly one instant: the browser's test looks whether words meet. */
static void test_svg_crowded(void **state)
{
	struct report_fixture *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GO_LIVE + DAY / 2};
	struct timeline t[2];
	char *text;

	(void)state;
	s->databases[0][0].name = (char *)"Acme_Corporation_Production_Customer_Relations_2026";
	s->clients[0].timezone = s->clients[1].timezone = (char *)"Pacific/Chatham";
	s->clients[0].approved = s->clients[0].starts = GO_LIVE - DAY / 4;
	s->clients[0].staging_end = GO_LIVE + DAY / 4;
	s->clients[1].name =
		(char *)"an-organization-whose-name-is-as-long-as-names-of-organizations-may-be";
	assert_int_equal(timeline_make(&t[0], &s->program, &s->clients[0],
				 &(struct overrides){&item, 1}, GO_LIVE - 340 * DAY - 82800),
		0);
	assert_int_equal(timeline_make(&t[1], &s->program, &s->clients[1], NULL,
				 GO_LIVE - 104 * DAY + 82800),
		0);
	CAPTURED(text, timelines_svg(t, 2, to));
	assert_golden("timelines-crowded.svg", text);
	free(text);
	timeline_free(&t[0]);
	timeline_free(&t[1]);
	free(s);
}

static void assert_calendar_lines(const char *text)
{
	const char *line = text;

	while (*line) {
		const char *end = strstr(line, "\r\n");

		assert_non_null(end);
		assert_true(end - line <= 75);
		/* Folded between characters: a continuation never begins within one. */
		assert_true((line[line[0] == ' '] & 0xc0) != 0x80);
		for (const char *p = line; p < end; p++)
			assert_true((unsigned char)*p >= 0x20);
		line = end + 2;
	}
}

static char *calendar(struct report_fixture *s, const struct overrides *o, instant_t now)
{
	struct timeline t[3];
	char *text;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(timeline_make(&t[i], &s->program, &s->clients[i], o, now), 0);
	CAPTURED(text, timelines_ics(t, 3, to, now));
	for (size_t i = 0; i < 3; i++)
		timeline_free(&t[i]);
	return text;
}

static size_t occurrences(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
		n++;
	return n;
}

static void test_calendar(void **state)
{
	struct report_fixture *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GOLDEN_NOW - 1};
	char *text = calendar(s, NULL, GOLDEN_NOW), *again, *a, *b;
	char uid[64];

	(void)state;
	assert_calendar_lines(text);
	assert_golden("changes.ics", text);
	/* acme: go-live, staging end, end; lumen: end of testing; the third: staging end, end. */
	assert_int_equal(occurrences(text, "BEGIN:VEVENT"), 6);
	/* A go-live that moves keeps its UID. */
	a = strstr(text, "UID:");
	assert_non_null(a);
	snprintf(uid, sizeof(uid), "%.43s", a);
	s->clients[0].go_live += 7 * DAY;
	s->clients[0].staging_end += 7 * DAY;
	s->clients[0].end += 7 * DAY;
	again = calendar(s, NULL, GOLDEN_NOW + 60);
	b = strstr(again, "UID:");
	assert_non_null(b);
	assert_memory_equal(uid, b, strlen(uid));
	assert_non_null(strstr(again, "DTSTART:20261130T150000Z"));
	free(again);
	/* What is revoked has nothing to come. */
	again = calendar(s, &(struct overrides){&item, 1}, GOLDEN_NOW);
	assert_int_equal(occurrences(again, "BEGIN:VEVENT"), 3);
	free(again);
	again = calendar(s, NULL, GO_LIVE + 400 * DAY);
	assert_int_equal(occurrences(again, "BEGIN:VEVENT"), 0);
	free(again);
	free(text);
	free(s);
}

/* Nothing changes for who is out, so the event does not name them. */
static void test_a_revoked_user_is_in_no_event(void **state)
{
	struct report_fixture *s = sample_new();
	struct client *c = &s->clients[0];
	struct override item = {.client = c->name, .login = s->users[0][0].login};
	struct overrides revoked = {.items = &item, .n = 1};
	struct timeline t;
	char *text;

	(void)state;
	/* Then under the name that the client has now, and under one that it had: the login is the same. */
	for (int out = 0; out < 3; out++) {
		if (out == 2)
			item.client = (char *)"former";
		assert_int_equal(
			timeline_make(&t, &s->program, c, out ? &revoked : NULL, GOLDEN_NOW), 0);
		CAPTURED(text, timelines_ics(&t, 1, to, GOLDEN_NOW));
		assert_non_null(strstr(text, "VEVENT"));
		assert_int_equal(strstr(text, "Users: ") == NULL, out > 0);
		free(text);
		timeline_free(&t);
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_revoked_user_is_in_no_event),
		cmocka_unit_test(test_timeline_after_a_date_was_moved),
		cmocka_unit_test(test_timeline_text),
		cmocka_unit_test(test_timeline_equals_schedule),
		cmocka_unit_test(test_marks_of_real_grants),
		cmocka_unit_test(test_write_is_shown),
		cmocka_unit_test(test_svg),
		cmocka_unit_test(test_svg_crowded),
		cmocka_unit_test(test_calendar),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
