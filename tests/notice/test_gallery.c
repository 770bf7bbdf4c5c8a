/* docs/notices.md shows each mail as text, and is as the program sends it. */
#include "../report/report_fixture.h"

#include "curfew/calendar.h"
#include "curfew/notice.h"

static struct report_fixture *sample_ours(void)
{
	struct report_fixture *s = sample_new();

	for (size_t i = 0; i < 3; i++)
		s->clients[i].language = (char *)"";
	s->program.settings.notices.team = (char *)"cloud@host.example";
	return s;
}

static void gallery_add(FILE *to, const char *kind, const struct notice_mail *m)
{
	fprintf(to, "\n### %s\n\n```\nSubject: %s\n\n%s```\n", kind, m->subject, m->text);
}

static void personal_add(FILE *to, const struct report_fixture *s, enum notice_kind k, instant_t at)
{
	const int days =
		k == NOTICE_READ_ONLY_7 || k == NOTICE_STAGING_ENDS_7 || k == NOTICE_ENDS_7   ? 7
		: k == NOTICE_READ_ONLY_1 || k == NOTICE_STAGING_ENDS_1 || k == NOTICE_ENDS_1 ? 1
											      : 0;
	const struct notice n = {
		k, &s->clients[0], &s->users[0][0], at - days * DAY, at, INT64_MAX};
	const struct notice_texts t = notice_texts(&s->program.settings, "", k);
	struct notice_values v;
	struct notice_dates d;
	struct notice_mail m;

	assert_int_equal(notice_dates_find(&d, &s->program, n.client, NULL, n.when), 0);
	assert_int_equal(notice_values(&v, &s->program, &n, &d, NULL, NULL, n.when), 0);
	assert_int_equal(notice_render(&m, &t, &v, ""), 0);
	gallery_add(to, notice_kind_name(k), &m);
	notice_mail_free(&m);
	notice_values_free(&v);
}

static void team_add(FILE *to, const struct report_fixture *s, enum notice_kind k, const char *kind,
	const char *reason, const char *list)
{
	const struct notice_texts t = notice_texts(&s->program.settings, "", k);
	struct notice_values v = {{0}};
	struct notice_mail m;

	v.items[VALUE_CLIENT] = strdup("acme");
	v.items[VALUE_TICKET] = strdup("CS-4711");
	v.items[VALUE_REASON] = strdup(reason);
	v.items[VALUE_LIST] = strdup(list);
	v.items[VALUE_HOST] = strdup("gateway1");
	v.items[VALUE_DATE] =
		strdup(k == NOTICE_DIGEST ? "2026-11-20" : "Mon 2026-11-23 09:00 CST");
	v.items[VALUE_IN] = strdup("3 days");
	assert_int_equal(notice_render(&m, &t, &v, ""), 0);
	gallery_add(to, kind, &m);
	notice_mail_free(&m);
	notice_values_free(&v);
}

/* docs/notices.md: each mail as text. */
static void test_gallery(void **state)
{
	static const char *const details[NOTICE_ALARMS] = {
		[ALARM_DRIFT_SQL] = "1 change; run `curfew history`",
		[ALARM_DRIFT_NETWORK] = "nft (pid 4711)",
		[ALARM_HELD] =
			"access still ends on time; `curfew status` says what is missing and what to do",
		[ALARM_FILTER] = "cannot use the firewall process: the firewall process has ended",
		[ALARM_JOURNAL] =
			"nothing was granted meanwhile, and removals did not wait for it; `curfew status` says what is not confirmed",
		[ALARM_CLOCK] = "ended access stays ended; run `curfew clock`",
		[ALARM_DENIED] =
			"  203.0.113.9 to 192.0.2.10:1433, 12 packets: near 203.0.113.7 of acme.jane.doe; check whether "
			"the address has changed\n\nRun `curfew denied` for all, and `curfew allow acme acme.jane.doe "
			"ADDRESS --reason TEXT --ticket ID` if the address is right."};
	const instant_t at[] = {[NOTICE_OPENED] = GO_LIVE - 60 * DAY,
		[NOTICE_READ_ONLY_7] = GO_LIVE,
		[NOTICE_READ_ONLY_1] = GO_LIVE,
		[NOTICE_READ_ONLY] = GO_LIVE,
		[NOTICE_STAGING_ENDS_7] = GO_LIVE + 14 * DAY,
		[NOTICE_STAGING_ENDS_1] = GO_LIVE + 14 * DAY,
		[NOTICE_ENDS_7] = GO_LIVE + 30 * DAY,
		[NOTICE_ENDS_1] = GO_LIVE + 30 * DAY,
		[NOTICE_ENDED] = GO_LIVE + 30 * DAY,
		[NOTICE_ADDRESS_CHANGED] = GO_LIVE - 20 * DAY,
		[NOTICE_DATES_MOVED] = GO_LIVE - 20 * DAY,
		[NOTICE_REVOKED] = GO_LIVE - 20 * DAY,
		[NOTICE_SHEET] = GO_LIVE - 20 * DAY};
	struct report_fixture *s = sample_ours();
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	fputs("# Every mail that Curfew sends\n\n"
	      "As it is sent where no `templates` say otherwise; see `notices` in curfew.conf(5). Each has an HTML part of the "
	      "same\nwords beside it; the ones about access that starts, dates that change, and access that is withdrawn also "
	      "have a calendar, `sheet` has the encrypted file.\nThis file is written by a test: `CURFEW_GOLDEN=write build/cc/tests/notice/test_gallery`.\n\n"
	      "## To a user\n",
		to);
	for (enum notice_kind k = 0; k <= NOTICE_SHEET; k++)
		personal_add(to, s, k, at[k]);
	fputs("\n## To the team and the account lead\n", to);
	team_add(to, s, NOTICE_DIGEST, "digest, one a day and client", "-",
		"  Fri 2026-11-20 09:00 CST  address-changed to jane.doe@acme.example: sent");
	team_add(to, s, NOTICE_CUSTOM, "customizations", "-",
		"14 customizations remain: 3 undecided, 11 unused");
	team_add(to, s, NOTICE_PREFLIGHT, "preflight", "access becomes read-only",
		"  server-trigger [sql01]: trap: enabled (it may undo or refuse the removal of a login); DROP TRIGGER [trap] ON "
		"ALL SERVER\n");
	fputs("\n## Alarms, to the team\n\nAt once, each at most once an hour; `denied` once a day for each user, and also to "
	      "the account lead.\n",
		to);
	for (enum notice_alarm a = 0; a < NOTICE_ALARMS; a++) {
		_cleanup_free_ char *reason = NULL;

		assert_true(asprintf(&reason, "%s%s", notice_alarm_reason(a),
				    a == ALARM_DENIED ? " acme.jane.doe" : "") > 0);
		team_add(to, s, NOTICE_ALARM, notice_alarm_key(a), reason,
			details[a]
				? details[a]
				: "1 grant overdue (first: acme.jane.doe on sqltest02), 1 with more access than scheduled, 1 unverified, 1 unread, 1 server "
				  "unreachable; run `curfew status`");
	}
	fputs("\n## A test\n", to);
	team_add(to, s, NOTICE_TEST, "test", "-", "-");
	fclose(to);
	assert_golden("../../../docs/notices.md", text);
	free(text);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gallery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
