/* Which notices a schedule yields and when, by property and by hand; the mails as golden text. */
#include "../report/report_fixture.h"

#include "curfew/calendar.h"
#include "curfew/notice.h"

#define GOLDEN "../../notice/golden/"

static struct report_fixture *sample_ours(void)
{
	struct report_fixture *s = sample_new();

	for (size_t i = 0; i < 3; i++)
		s->clients[i].language = (char *)"";
	s->program.settings.notices.team = (char *)"cloud@host.example";
	return s;
}

static struct notices scheduled(
	const struct report_fixture *s, size_t client, const struct overrides *o, instant_t now)
{
	struct notices n;

	assert_int_equal(notices_scheduled(&n, &s->program, &s->clients[client], o, now), 0);
	return n;
}

static size_t count(const struct notices *n, enum notice_kind kind, instant_t *when)
{
	size_t found = 0;

	for (size_t i = 0; i < n->n; i++)
		if (n->items[i].kind == kind) {
			found++;
			*when = n->items[i].when;
		}
	return found;
}

static void expect(const struct notices *n, enum notice_kind kind, instant_t when)
{
	instant_t at = 0;

	assert_int_equal(count(n, kind, &at), 1);
	assert_int_equal(at, when);
}

/* The course of a usual client, each notice once and at its second. Nine in the morning stays nine across the change of
 * the clocks on 2026-11-01, which lies between testing_end's client and its seven days. */
static void test_usual_course(void **state)
{
	struct report_fixture *s = sample_ours();
	struct client *c = &s->clients[0];
	struct notices n = scheduled(s, 0, NULL, GOLDEN_NOW);

	(void)state;
	assert_int_equal(n.n, 9);
	expect(&n, NOTICE_OPENED, c->starts);
	expect(&n, NOTICE_READ_ONLY_7, GO_LIVE - 7 * DAY);
	expect(&n, NOTICE_READ_ONLY_1, GO_LIVE - DAY);
	expect(&n, NOTICE_READ_ONLY, GO_LIVE);
	expect(&n, NOTICE_STAGING_ENDS_7, GO_LIVE + 7 * DAY);
	expect(&n, NOTICE_STAGING_ENDS_1, GO_LIVE + 13 * DAY);
	expect(&n, NOTICE_ENDS_7, GO_LIVE + 23 * DAY);
	expect(&n, NOTICE_ENDS_1, GO_LIVE + 29 * DAY);
	expect(&n, NOTICE_ENDED, GO_LIVE + 30 * DAY);
	for (size_t i = 1; i < n.n; i++)
		assert_true(n.items[i - 1].when <= n.items[i].when);
	notices_free(&n);
	/* 2026-11-05T15:00Z is nine in Chicago after the change; a week before it nine is 14:00Z. */
	c->go_live = 1793890800;
	n = scheduled(s, 0, NULL, GOLDEN_NOW);
	expect(&n, NOTICE_READ_ONLY_7, 1793890800 - 7 * DAY - 3600);
	notices_free(&n);
	free(s);
}

/* Without a go-live nothing becomes read-only; without databases nobody is told; access of days has no week ahead. */
static void test_other_courses(void **state)
{
	struct report_fixture *s = sample_ours();
	struct client *c = &s->clients[1];
	struct notices n = scheduled(s, 1, NULL, GOLDEN_NOW);
	instant_t at;

	(void)state;
	assert_int_equal(n.n, 4);
	expect(&n, NOTICE_ENDED, c->end);
	assert_int_equal(count(&n, NOTICE_READ_ONLY, &at), 0);
	notices_free(&n);
	c->starts = c->end - 3 * DAY;
	n = scheduled(s, 1, NULL, GOLDEN_NOW);
	assert_int_equal(n.n, 3);
	assert_int_equal(count(&n, NOTICE_ENDS_7, &at), 0);
	notices_free(&n);
	c->n_databases = 0;
	n = scheduled(s, 1, NULL, GOLDEN_NOW);
	assert_int_equal(n.n, 0);
	notices_free(&n);
	free(s);
}

/* Whoever is revoked hears of that and of nothing else; the others hear of theirs. */
static void test_revoked(void **state)
{
	struct report_fixture *s = sample_ours();
	struct override item = {
		.client = (char *)"ACME", .login = (char *)"acme.JANE.doe", .at = GOLDEN_NOW - DAY};
	struct overrides o = {&item, 1, NULL, 0};
	struct notices n;

	(void)state;
	s->users[0][1] = s->users[0][0];
	s->users[0][1].login = (char *)"acme.john.roe";
	s->clients[0].n_users = 2;
	n = scheduled(s, 0, &o, GOLDEN_NOW);
	assert_int_equal(n.n, 9);
	for (size_t i = 0; i < n.n; i++)
		assert_string_equal(n.items[i].user->login, "acme.john.roe");
	notices_free(&n);
	assert_int_equal(notices_revoked(&n, &s->program, NULL, &o, GOLDEN_NOW), 0);
	assert_int_equal(n.n, 1);
	assert_string_equal(n.items[0].user->login, "acme.jane.doe");
	assert_int_equal(n.items[0].when, item.at);
	notices_free(&n);
	/* Before access, and after its end, a revocation takes nothing. */
	item.at = s->clients[0].starts - DAY;
	assert_int_equal(notices_revoked(&n, &s->program, NULL, &o, GOLDEN_NOW), 0);
	assert_int_equal(n.n, 0);
	notices_free(&n);
	free(s);
}

/* An end that passed holds against a new date of the file: no notice promises what does not come. */
static void test_passed_end_holds(void **state)
{
	struct report_fixture *s = sample_ours();
	struct client *c = &s->clients[0];
	struct passed p = {
		(char *)"acme", PASSED_END, GO_LIVE + 30 * DAY, (char *)"CS-48211", c->approved};
	struct overrides o = {NULL, 0, &p, 1};
	struct notices n;

	(void)state;
	c->go_live += 60 * DAY;
	c->staging_end += 60 * DAY;
	c->end += 60 * DAY;
	n = scheduled(s, 0, &o, GO_LIVE + 40 * DAY);
	expect(&n, NOTICE_ENDED, p.instant);
	notices_free(&n);
	free(s);
}

static uint64_t chance_state = 20261128;
static uint64_t chance(uint64_t below)
{
	chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
	return (chance_state >> 33) % below;
}

static bool has_access(
	const struct report_fixture *s, const struct client *c, instant_t at, enum level least)
{
	struct grants g;
	bool has = false;

	assert_int_equal(schedule_at(&g, &s->program, NULL, at), 0);
	for (size_t i = 0; i < g.n; i++)
		has |= g.items[i].client == c && g.items[i].level >= least;
	grants_free(&g);
	return has;
}

/* Whatever the dates: what a notice says is so at its second, and was not before. */
static void test_notices_are_true(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct report_fixture *s = sample_ours();
		struct client *c = &s->clients[0];
		struct notices n;
		instant_t starts = GO_LIVE - (instant_t)chance(200 * DAY);

		c->starts = starts;
		c->approved = starts - (instant_t)chance(10 * DAY) + (instant_t)chance(10 * DAY);
		c->has_go_live = chance(4) != 0;
		c->go_live = starts + (instant_t)chance(100 * DAY);
		c->end = (c->has_go_live ? c->go_live : starts) + (instant_t)chance(60 * DAY);
		c->staging_end = c->has_go_live ? c->go_live + (instant_t)chance(30 * DAY) : c->end;
		s->databases[0][0].before_go_live = (enum level)chance(LEVELS);
		s->databases[0][1].before_go_live = (enum level)(1 + chance(LEVELS - 1));
		c->n_databases = 1 + chance(2);
		n = scheduled(s, 0, NULL, starts - DAY + (instant_t)chance(200 * DAY));
		for (size_t i = 0; i < n.n; i++) {
			const struct notice *k = &n.items[i];

			assert_true(k->until > k->when);
			assert_true(k->when <= k->at);
			switch (k->kind) {
			case NOTICE_OPENED:
				assert_true(has_access(s, c, k->at, LEVEL_READ_ONLY));
				assert_false(has_access(s, c, k->at - 1, LEVEL_READ_ONLY));
				break;
			case NOTICE_READ_ONLY:
				assert_true(has_access(s, c, k->at, LEVEL_READ_ONLY));
				assert_true(has_access(s, c, k->at - 1, LEVEL_WRITE));
				break;
			case NOTICE_ENDED:
				assert_false(has_access(s, c, k->at, LEVEL_READ_ONLY));
				assert_true(has_access(s, c, k->at - 1, LEVEL_READ_ONLY));
				break;
			default:
				/* Ahead: whoever is told has access then. */
				assert_true(has_access(s, c, k->when, LEVEL_READ_ONLY));
				break;
			}
		}
		/* And nobody who has access is told nothing. */
		for (int i = 0; i < 20 && !n.n; i++)
			assert_false(has_access(
				s, c, starts + (instant_t)chance(200 * DAY), LEVEL_READ_ONLY));
		notices_free(&n);
		free(s);
	}
}

/* Switching on mails no backlog; a notice that came too late is not sent when the next one says it better. */
static void test_due(void **state)
{
	const struct notice n = {.when = 100, .until = 200};

	(void)state;
	assert_false(notice_is_due(&n, 100, 150)); /* switched on at that second */
	assert_true(notice_is_due(&n, 99, 100));
	assert_false(notice_is_due(&n, 0, 99));
	assert_false(notice_is_due(&n, 0, 200));
}

/* A mail that is due one day before says so, also where that day has 25 hours or 23. */
static void test_days_of_the_calendar(void **state)
{
	static const struct {
		const char *zone;
		instant_t at; /* 2027-11-07 09:00 CST, 2027-03-14 09:00 CDT, 2027-11-07 09:00 UTC */
		instant_t before;
		const char *text;
	} cases[] = {
		{"America/Chicago", 1825599600, 25 * 3600, "1 day"},
		{"America/Chicago", 1825599600, 25 * 3600 - 60, "1 day"},
		{"America/Chicago", 1825599600, 7 * DAY + 3600, "7 days"},
		{"America/Chicago", 1825599600, 3600, "less than a day"},
		{"America/Chicago", 1805032800, 23 * 3600, "1 day"},
		{"America/Chicago", 1805032800, 14 * DAY - 3600, "14 days"},
		{"UTC", 1825578000, DAY, "1 day"},
		{"UTC", 1825578000, 10 * 3600, "1 day"},
		{"UTC", 1825578000, 0, "0 days"},
		{"UTC", 1825578000, -5, "0 days"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text =
			notice_days_text(cases[i].at, cases[i].at - cases[i].before, cases[i].zone);

		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

static void mail_add(FILE *to, const struct report_fixture *s, const struct notice *n)
{
	const struct notice_texts t =
		notice_texts(&s->program.settings, n->client->language, n->kind);
	struct notice_values v;
	struct notice_dates d;
	struct notice_mail m;

	assert_int_equal(notice_dates_find(&d, &s->program, n->client, NULL, n->when), 0);
	assert_int_equal(notice_values(&v, &s->program, n, &d, NULL, NULL, n->when), 0);
	assert_int_equal(notice_render(&m, &t, &v, n->client->language), 0);
	fprintf(to, "=== %s\nSubject: %s\n\n%s\n%s\n", notice_kind_name(n->kind), m.subject, m.text,
		m.html);
	notice_mail_free(&m);
	notice_values_free(&v);
}

/* Every text of ours, for the usual client and one with names that try to break out. */
static void test_mails(void **state)
{
	struct report_fixture *s = sample_ours();
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	for (enum notice_kind k = 0; k <= NOTICE_SHEET; k++) {
		const struct notice n = {
			k, &s->clients[0], &s->users[0][0], GO_LIVE - 7 * DAY, GO_LIVE, INT64_MAX};
		mail_add(to, s, &n);
	}
	fclose(to);
	assert_golden(GOLDEN "mails", text);
	free(text);
	to = open_memstream(&text, &size);
	for (enum notice_kind k = 0; k <= NOTICE_SHEET; k++) {
		const struct notice n = {k, &s->clients[2], &s->users[2][0], GO_LIVE - 27 * DAY,
			GO_LIVE - 20 * DAY, INT64_MAX};
		mail_add(to, s, &n);
	}
	fclose(to);
	/* In the plain text markup is text; in the page it is none. */
	for (const char *page = strstr(text, "<!doctype"), *next; page; page = next) {
		char *end = strstr(page, "</html>");

		assert_non_null(end);
		*end = '\0';
		assert_harmless(page);
		next = strstr(end + 1, "<!doctype");
	}
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	free(text);
	free(s);
}

/* The preflight that is due for each date, and no date that has passed. */
static void test_turns(void **state)
{
	const instant_t live = 1795446000, day = 86400; /* 2026-11-23T15:00:00Z */
	const struct notice_dates d = {.opens = live - 90 * day,
		.read_only = live,
		.staging_ends = live + 14 * day,
		.ends = live + 30 * day};
	static const struct {
		int64_t before;
		size_t n;
		int days;
	} cases[] = {
		{15 * 86400, 3, 0},
		{14 * 86400, 3, 14},
		{3 * 86400 + 1, 3, 14},
		{3 * 86400, 3, 3},
		{86400, 3, 1},
		{1, 3, 1},
		{0, 2, 14},
		{-14 * 86400, 1, 0},
		{-30 * 86400, 0, 0},
	};
	struct notice_reduction reductions[NOTICE_REDUCTIONS];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = notice_reductions(reductions, &d, "UTC", live - cases[i].before);

		assert_int_equal(n, cases[i].n);
		if (n)
			assert_int_equal(reductions[0].days, cases[i].days);
		for (size_t k = 1; k < n; k++)
			assert_true(reductions[k].at >= reductions[k - 1].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_course),
		cmocka_unit_test(test_other_courses),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_passed_end_holds),
		cmocka_unit_test(test_notices_are_true),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_days_of_the_calendar),
		cmocka_unit_test(test_mails),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
