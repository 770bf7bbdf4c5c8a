/* Templates, mails and calendars as bytes: what is refused, and what hostile names cannot do. */
#include "../report/report_fixture.h"

#include "curfew/notice.h"

static void fault(const char *text, bool html, const char *expected)
{
	char why[512], said[600];
	int line;
	const char *got = template_fault(why, &line, text, html);

	if (!expected)
		assert_null(got);
	else
		assert_string_equal(
			(snprintf(said, sizeof(said), "line %d: %s", line, got), said), expected);
}

static void test_template_faults(void **state)
{
	(void)state;
	fault("Subject: x\n\nHello {name}, {{ and }\n", false, NULL);
	fault("<p>{name}</p>", true, NULL);
	fault("Hello\n", false,
		"line 1: the subject is missing; begin with \"Subject: ...\" and a blank line");
	fault("Subject: x\nHello\n", false,
		"line 1: the second line must be blank, with the text below it");
	fault("Subject: x", false, "line 1: the second line must be blank, with the text below it");
	fault("Subject: x\n\nHello {naem}\n", false,
		"line 3: unknown placeholder {naem}; did you mean {name}?");
	fault("Subject: {\n\nHello\n", false, "line 1: a { without its }; write {{ for a brace");
	fault("Subject: x\n\n{", false, "line 3: a { without its }; write {{ for a brace");
	fault("Subject: x\n\n{password}\n", false,
		"line 3: unknown placeholder {password}; use one of {client} {ticket} {name} {first} {last} {login} "
		"{databases} {sources} {date} {in} {dates} {connection} {reason} {list} {host} {contact}, or {{ for a brace");
	fault("Subject: x\r\n\r\nHello\r\n", false,
		"line 1: the file has carriage returns; save it with plain line ends");
	fault("Subject: \xff\n\nHello\n", false, "line 1: the file is not UTF-8; save it as UTF-8");
}

/* Ours have none. */
static void test_own_templates(void **state)
{
	char why[512];
	int line;

	(void)state;
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++) {
		enum notice_kind again;

		assert_null(template_fault(why, &line, notice_template_text(k), false));
		assert_true(notice_kind_parse(&again, notice_kind_name(k)));
		assert_int_equal(again, k);
	}
}

static char *written(const char *subject, const char *text, const char *to)
{
	const struct notice_mail m = {
		(char *)subject, (char *)text, (char *)"<p>x</p>", (char *)"BEGIN:VCALENDAR\r\n"};
	char id[NOTICE_ID_MAX], *out;
	size_t size;

	notice_id(id, "acme/acme.jane.doe/opened/1", to);
	assert_int_equal(
		notice_message(&out, &size, &m, "access@host.example", to, id, GO_LIVE), 0);
	assert_int_equal(strlen(out), size);
	return out;
}

/* No value becomes a header, ends a part, or makes a line longer than mail may have. */
static void test_injection(void **state)
{
	struct notice_values v = {{0}};
	const struct notice_texts t = {"Subject: For {client}\n\n{name}\n", NULL};
	struct notice_mail m;
	char *out;

	(void)state;
	v.items[VALUE_CLIENT] = (char *)"x\r\nBcc: all@evil.example\n\nbody";
	v.items[VALUE_NAME] = (char *)"\r\n.\r\nMAIL FROM:<x>\r\n--=_boundary--";
	assert_int_equal(notice_render(&m, &t, &v, ""), 0);
	assert_null(strpbrk(m.subject, "\r\n"));
	out = written(m.subject, m.text, "jane.doe@acme.example");
	assert_null(strstr(out, "Bcc"));
	assert_null(strstr(out, "MAIL FROM"));
	assert_null(strstr(out, "\r\n.\r\n"));
	for (const char *line = out; *line; line = strchr(line, '\n') + 1) {
		assert_true(strcspn(line, "\n") <= 78);
		assert_int_equal(line[strcspn(line, "\n") - 1], '\r');
	}
	free(out);
	notice_mail_free(&m);
	/* A long subject of characters of four bytes is cut between words, never within a character. */
	char longest[801] = "";
	for (int i = 0; i < 200; i++)
		strcat(longest, "\xf0\x9f\x94\x92");
	out = written(longest, "x", "jane.doe@acme.example");
	for (const char *line = out; *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") <= 78);
	free(out);
}

/* A file is beside the alternatives, in a part of its own. */
static void test_attachment(void **state)
{
	const struct notice_mail m = {.subject = (char *)"s",
		.text = (char *)"t",
		.html = (char *)"h",
		.attached = (char *)"-----BEGIN AGE ENCRYPTED FILE-----\n",
		.attached_name = "access.txt.age"};
	char *out;
	size_t size;

	(void)state;
	assert_int_equal(notice_message(&out, &size, &m, "access@host.example",
				 "jane.doe@acme.example", "12ab", GO_LIVE),
		0);
	const char *body = strstr(out, "Content-Type: multipart/mixed;\r\n boundary=");
	assert_non_null(body);
	assert_string_equal(body,
		"Content-Type: multipart/mixed;\r\n boundary=\"=mixed_12ab\"\r\n\r\n"
		"--=mixed_12ab\r\n"
		"Content-Type: multipart/alternative;\r\n boundary=\"=_12ab\"\r\n\r\n"
		"--=_12ab\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\ndA==\r\n"
		"--=_12ab\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\naA==\r\n"
		"--=_12ab--\r\n"
		"--=mixed_12ab\r\nContent-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename=\"access.txt.age\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n"
		"LS0tLS1CRUdJTiBBR0UgRU5DUllQVEVEIEZJTEUtLS0tLQo=\r\n"
		"--=mixed_12ab--\r\n");
	free(out);
}

/* An address that is none would be a header too. */
static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"x", "a@b", "a@b.example>\r\nBcc: <c@d.example", "", "a b@c.example"};
	const struct notice_mail m = {(char *)"s", (char *)"t", (char *)"h", NULL};
	char *out;
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			notice_message(&out, &size, &m, "a@b.example", bad[i], "0", 0), -EINVAL);
		assert_int_equal(
			notice_message(&out, &size, &m, bad[i], "a@b.example", "0", 0), -EINVAL);
	}
}

/* One event and one recipient have one id, whenever it is sent. */
static void test_id(void **state)
{
	char a[NOTICE_ID_MAX], b[NOTICE_ID_MAX];

	(void)state;
	assert_string_equal(notice_id(a, "e", "x@y.example"), notice_id(b, "e", "x@y.example"));
	assert_string_not_equal(notice_id(a, "e", "x@y.example"), notice_id(b, "f", "x@y.example"));
	assert_string_not_equal(notice_id(a, "ex", "@y.example"), notice_id(b, "e", "x@y.example"));
}

static char *calendar(const struct report_fixture *s, size_t client, const struct notice_dates *d,
	unsigned sequence, bool cancel)
{
	char *text = notice_calendar(&s->clients[client], &s->users[client][0], d,
		"access@host.example", sequence, cancel, NULL, GOLDEN_NOW);

	assert_non_null(text);
	return text;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void uid_of(char out[64], const char *text)
{
	assert_int_equal(sscanf(strstr(text, "UID:"), "UID:%63s", out), 1);
}

/* What stands in a calendar under the client's former name is the same event, and canceled. */
static void test_calendar_of_a_renamed_client(void **state)
{
	struct report_fixture *s = sample_new();
	struct client *c = &s->clients[0];
	const struct notice_dates d = {
		GO_LIVE - 90 * DAY, GO_LIVE, GO_LIVE + 14 * DAY, GO_LIVE + 30 * DAY};
	const struct notice_former former = {c->name, d, 4};
	char before[64];
	char *first = calendar(s, 0, &d, 3, false);

	(void)state;
	uid_of(before, first);
	c->name = (char *)"apex";
	char *renamed = notice_calendar(
		c, &s->users[0][0], &d, "access@host.example", 0, false, &former, GOLDEN_NOW);
	assert_int_equal(times(renamed, "SEQUENCE:0\r\n"), 3);
	assert_int_equal(times(renamed, "STATUS:CONFIRMED"), 3);
	assert_int_equal(times(renamed, "SEQUENCE:4\r\n"), 3);
	assert_int_equal(times(renamed, "STATUS:CANCELLED"), 3);
	assert_int_equal(times(renamed, before), 1);
	assert_true(strstr(renamed, before) > strstr(renamed, "SUMMARY:apex"));
	free(renamed);
	free(first);
	free(s);
}

/* A date that moves keeps its UID and has a greater SEQUENCE; one that is gone is canceled, but not if it never was. */
static void test_calendar(void **state)
{
	struct report_fixture *s = sample_new();
	struct notice_dates d = {
		GO_LIVE - 90 * DAY, GO_LIVE, GO_LIVE + 14 * DAY, GO_LIVE + 30 * DAY};
	char before[64], after[64];
	char *first = calendar(s, 0, &d, 0, false), *moved, *gone, *canceled, *other;

	(void)state;
	assert_int_equal(times(first, "BEGIN:VEVENT"), 3);
	assert_int_equal(times(first, "SEQUENCE:0\r\n"), 3);
	assert_int_equal(times(first, "STATUS:CONFIRMED"), 3);
	assert_non_null(strstr(first, "DTSTART:20261123T150000Z\r\n"));
	d.read_only += DAY;
	moved = calendar(s, 0, &d, 1, false);
	assert_non_null(strstr(moved, "DTSTART:20261124T150000Z\r\n"));
	assert_int_equal(times(moved, "SEQUENCE:1\r\n"), 3);
	uid_of(before, first);
	uid_of(after, moved);
	assert_string_equal(before, after);
	d.staging_ends = 0;
	gone = calendar(s, 0, &d, 2, false);
	assert_int_equal(times(gone, "STATUS:CANCELLED"), 1);
	canceled = calendar(s, 0, &d, 3, true);
	assert_int_equal(times(canceled, "STATUS:CANCELLED"), 3);
	free(first);
	first = calendar(s, 0, &d, 0, false);
	assert_int_equal(times(first, "BEGIN:VEVENT"), 2);
	/* Another person's dates are other events. */
	other = calendar(s, 2, &d, 0, false);
	uid_of(after, other);
	assert_string_not_equal(before, after);
	assert_null(strchr(other, '\x1b'));
	assert_null(strstr(other, "\xe2\x80\xae"));
	for (const char *line = other; *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") <= 76);
	free(first);
	free(moved);
	free(gone);
	free(canceled);
	free(other);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template_faults),
		cmocka_unit_test(test_own_templates),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_attachment),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_calendar_of_a_renamed_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
