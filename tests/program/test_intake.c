/* The intake form in its shapes, and texts that somebody pasted. */
#include "program/intake.h"
#include "curfew/text.h"

#include "random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* "Jane|Doe|jane@acme.example|203.0.113.7,198.51.100.0/29;..." */
static char *people_text(const struct intake *i)
{
	struct text text;

	assert_non_null(text_begin(&text));
	for (size_t k = 0; k < i->n_people; k++) {
		const struct intake_person *p = &i->people[k];

		fprintf(text.to, "%s%s|%s|%s|", k ? ";" : "", p->first ? p->first : "?",
			p->last ? p->last : "?", p->email ? p->email : "?");
		for (size_t m = 0; m < p->addresses.n; m++)
			fprintf(text.to, "%s%s", m ? "," : "", p->addresses.items[m]);
	}
	return text_end(&text);
}

#define HEAD "client,first,last,email,addresses\n"

static void test_forms_by_table(void **state)
{
	static const struct {
		int (*read)(struct intake *i, const char *text, char why[256]);
		const char *text;
		int result;
		const char *expected; /* people, or why not */
	} rows[] = {
		{intake_read_csv, HEAD "acme,Jane,Doe,j@a.example,203.0.113.7\n", 0,
			"Jane|Doe|j@a.example|203.0.113.7"},
		{intake_read_csv, HEAD "acme,Jane,Doe,j@a.example,\"203.0.113.7, 198.51.100.0/29\"",
			0, "Jane|Doe|j@a.example|203.0.113.7,198.51.100.0/29"},
		/* As a spreadsheet saves it elsewhere, in another order, with others' rows and empty ones. */
		{intake_read_csv,
			"\xef\xbb\xbf"
			"Email;First;Addresses;Phone;Last;Client\r\n"
			"j@a.example;Jane;203.0.113.7, 203.0.113.8;1;Doe;ACME\r\n;;;;;\r\n"
			"x@b.example;X;203.0.113.9;2;Y;beta\r\n",
			0, "Jane|Doe|j@a.example|203.0.113.7,203.0.113.8"},
		{intake_read_csv, "first,last,email,addresses\nA,B,c,d\nE,,f,\n", 0,
			"A|B|c|d;E||f|"},
		{intake_read_csv, HEAD "acme,\"Jane \"\"J\"\" =1+1\",\"Doe\nTwo\",j,k\n", 0,
			"Jane \"J\" =1+1|Doe\nTwo|j|k"},
		{intake_read_csv, HEAD "beta,A,B,c,d\n", -ENOENT, ""},
		{intake_read_csv, HEAD, -ENOENT, ""},
		{intake_read_csv, "", -ENOENT, ""},
		{intake_read_csv, "client,first,last,email\nacme,A,B,c\n", -EINVAL,
			"line 1: no column \"addresses\""},
		{intake_read_csv, HEAD "acme,A,B,c,d\nacme,\"A,B,c,d\n", -EINVAL, "line 3: "},
		{intake_read_csv, HEAD "acme,\"A\"B,C,c,d\n", -EINVAL, "line 2: text behind"},
		{intake_read_csv, HEAD ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n", -EINVAL,
			"line 2: more fields than"},
		{intake_read_json,
			"[{\"client\": \"acme\", \"first\": \"Jane\", \"last\": \"Doe\", \"email\": \"j\", \"addresses\": [\"a\", \"b\"]},"
			"{\"first\": \"X\", \"email\": \"x\", \"addresses\": \"c, d\"}, {\"client\": \"beta\"}]",
			0, "Jane|Doe|j|a,b;X||x|c,d"},
		{intake_read_json, "[]", -ENOENT, ""},
		{intake_read_json, "3", -EINVAL, "line 1: "},
		{intake_read_json, "{}", -EINVAL, "no list \"users\""},
		{intake_read_json,
			"{\"client\": \"acme\", \"users\": [{\"first\": \"Jane\", \"email\": \"j\", \"addresses\": \"a\"}]}",
			0, "Jane||j|a"},
		{intake_read_json, "{\"client\": \"beta\", \"users\": [{}]}", -ENOENT, ""},
		{intake_read_json, "{\"users\": [{}], \"golive\": \"x\"}", -EINVAL,
			"the client: unknown member \"golive\"; known: client, ticket, approved_by, approved_on, timezone, "
			"starts, go_live, milestones, databases, users"},
		{intake_read_json, "{\"users\": [{}], \"ticket\": 7}", -EINVAL,
			"the client: \"ticket\" must be a text"},
		{intake_read_json, "{\"users\": [{}], \"databases\": [{\"role\": \"staging\"}]}",
			-EINVAL, "database 1: role, server, and name"},
		{intake_read_json, "{\"users\": [{}], \"databases\": {}}", -EINVAL,
			"\"databases\" is not a list"},
		{intake_read_json,
			"{\"users\": [{}], \"milestones\": {\"go_live_done\": \"2026-01-01\"}}",
			-EINVAL, "milestones: unknown member \"go_live_done\""},
		{intake_read_json, "{\"users\": [{}], \"milestones\": []}", -EINVAL,
			"\"milestones\" is not an object"},
		{intake_read_json, "[\n{\"first\": }]", -EINVAL, "line 2: "},
		/* A member that is not read would be a user without it. */
		{intake_read_json, "[{}, {\"adresses\": \"203.0.113.7\"}]", -EINVAL,
			"user 2: unknown member \"adresses\"; known: client, first, last, email, addresses"},
		{intake_read_json, "[{\"email\": 7}]", -EINVAL, "user 1: \"email\" must be a text"},
		{intake_read_json, "[{\"addresses\": [7]}]", -EINVAL,
			"user 1: \"addresses\" must be a text or a list of texts"},
		/* Nor would an address that stands in a field of its own be read. */
		{intake_read_csv, HEAD "acme,A,B,c,203.0.113.7, 203.0.113.8\n", -EINVAL,
			"line 2: more fields than the first line has columns; put several addresses in quotes"},
		{intake_read_csv, HEAD "acme,A,B,c,203.0.113.7,,\n", 0, "A|B|c|203.0.113.7"},
		{intake_read_csv, "First\tLast\tEmail\tAddresses\r\nA\tB\tc\t\"d, e\"\r\n", 0,
			"A|B|c|d,e"},
		{intake_read_csv, HEAD "acme,\"A\nB\",C,c,d\nacme,\"A\"B,C,c,d\n", -EINVAL,
			"line 4: text behind"},
		{intake_read_json, "[1]", -EINVAL, "user 1 is not an object"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct intake i = {.name = strdup("acme")};
		char why[256] = "";
		int r = rows[n].read(&i, rows[n].text, why);
		_cleanup_free_ char *people = people_text(&i);

		if (r != rows[n].result)
			fail_msg("%s: %d (%s), not %d", rows[n].text, r, why, rows[n].result);
		if (r == 0 && !streq(people, rows[n].expected))
			fail_msg("%s: %s", rows[n].text, people);
		if (r == -EINVAL && strncmp(why, rows[n].expected, strlen(rows[n].expected)) != 0)
			fail_msg("%s: %s", rows[n].text, why);
		intake_free(&i);
	}
}

/* The whole client as JSON; an option that was given before stays. */
static void test_whole_client(void **state)
{
	struct intake i = {.name = strdup("acme"), .ticket = strdup("CS-9")};
	char why[256] = "";

	(void)state;
	assert_int_equal(
		intake_read_json(&i,
			"{\"ticket\": \"CS-1\", \"approved_by\": \"l@h.example\", \"starts\": \"2026-08-10\","
			" \"milestones\": {\"test_plan_done\": \"2026-09-01\", \"files_received\": \"2026-08-01\"},"
			" \"databases\": [{\"role\": \"staging\", \"server\": \"sql01\", \"name\": \"T\"},"
			"  {\"role\": \"production\", \"server\": \"sql01\", \"name\": \"P\\\"q\", \"before_go_live\": \"write\"}],"
			" \"users\": [{\"first\": \"J\", \"last\": \"D\", \"email\": \"j@a.example\", \"addresses\": [\"203.0.113.7\"]}]}",
			why),
		0);
	_cleanup_free_ char *text = intake_write(&i, NULL, NULL);
	assert_string_equal(strstr(text, "\tname = "),
		"\tname = \"acme\";\n\tticket = \"CS-9\";\n\tapproved_by = \"l@h.example\";\n\n"
		"\tstarts = \"2026-08-10\";\n\n"
		"\tmilestones = {\n\t\tfiles_received = \"2026-08-01\";\n\t\ttest_plan_done = \"2026-09-01\";\n\t};\n\n"
		"\tdatabases = (\n\t\t{ role = \"staging\"; server = \"sql01\"; name = \"T\"; },\n"
		"\t\t{ role = \"production\"; server = \"sql01\"; name = \"P\\\"q\"; before_go_live = \"write\"; }\n\t);\n\n"
		"\tusers = (\n\t\t{\n\t\t\tfirst = \"J\";\n\t\t\tlast = \"D\";\n\t\t\temail = \"j@a.example\";\n"
		"\t\t\tsources = ( \"203.0.113.7\" );\n\t\t}\n\t);\n};\n");
	intake_free(&i);
}

static void test_pasted_texts(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"", ""},
		{"Nobody is here, 3 of 4, v1.2, at 10:30.", ""},
		{"Jane.Doe@acme.example: 203.0.113.7 and 198.51.100.0/29.",
			"Jane|Doe|Jane.Doe@acme.example|203.0.113.7,198.51.100.0/29"},
		{"<mailto:jane.doe@acme.example>, (IP:203.0.113.7)",
			"Jane|Doe|jane.doe@acme.example|203.0.113.7"},
		/* Before the first mail address they are the first's. */
		{"203.0.113.7 is jd@acme.example; 2001:db8:7::5 is mary-ann.o.lee@acme.example",
			"?|?|jd@acme.example|203.0.113.7,2001:db8:7::5;Mary-Ann|?|mary-ann.o.lee@acme.example|"},
		{"a@acme.example 203.0.113.7\nA@ACME.example 203.0.113.8",
			"?|?|a@acme.example|203.0.113.7,203.0.113.8"},
		/* What an interface has: the address, not the network. */
		{"a@acme.example 203.0.113.7/29", "?|?|a@acme.example|203.0.113.7"},
		{"a@acme.example 203.0.113.300 1.2.3 ::ffff:1.2.3.4 @ a@b x@",
			"?|?|a@acme.example|1.2.3.4"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct intake i = {0};

		assert_int_equal(intake_read_text(&i, rows[n].text), 0);
		_cleanup_free_ char *people = people_text(&i);
		if (!streq(people, rows[n].expected))
			fail_msg("%s: %s", rows[n].text, people);
		intake_free(&i);
	}
}

#define BYTES(literal) literal, sizeof(literal) - 1

static void test_bytes_become_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text, *why; /* NULL: none */
	} rows[] = {
		{BYTES(""), "", NULL},
		{BYTES("Zo\xc3\xab"), "Zo\xc3\xab", NULL},
		{BYTES("\xef\xbb\xbf"
		       "a,b"),
			"a,b", NULL},
		/* Excel's "Unicode text". */
		{BYTES("\xff\xfeZ\0o\0\xeb\0\t\0\x3d\xd8\x00\xde\r\0\n\0"),
			"Zo\xc3\xab\t\xf0\x9f\x98\x80\r\n", NULL},
		{BYTES("\xfe\xff\0Z\0o\0\xeb"), "Zo\xc3\xab", NULL},
		{BYTES("\xff\xfeZ\0o"), NULL, "cannot be read as UTF-16"},
		{BYTES("\xff\xfe\x3d\xd8Z\0"), NULL, "cannot be read as UTF-16"},
		{BYTES("\xff\xfeZ\0\0\0"), NULL, "cannot be read as UTF-16"},
		/* As Excel saves "CSV" in Western Europe; no byte order mark says that it is UTF-16. */
		{BYTES("a\nZo\xeb\n"), NULL, "line 2: not text in UTF-8; save the file as UTF-8"},
		{BYTES("a\0b\0"), NULL, "line 1: not text in UTF-8"},
		{BYTES("PK\3\4\x14\0"), NULL, "is a workbook, not text; save the sheet as CSV"},
		{BYTES("\xd0\xcf\x11\xe0"), NULL, "is a workbook, not text; save the sheet as CSV"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		char *text = NULL, why[256] = "";
		int rc = intake_decode(&text, rows[n].bytes, rows[n].n, why);

		if (rc != (rows[n].why ? -EINVAL : 0))
			fail_msg("row %zu: %d %s", n, rc, why);
		if (rows[n].text)
			assert_string_equal(text, rows[n].text);
		else if (strncmp(why, rows[n].why, strlen(rows[n].why)) != 0)
			fail_msg("row %zu: %s", n, why);
		free(text);
	}
}

static void test_a_table_has_the_columns_of_the_form(void **state)
{
	(void)state;
	assert_true(intake_is_table(HEAD));
	assert_true(intake_is_table("Email\tAddresses\tLast\tFirst\r\n"));
	assert_false(intake_is_table("email: jane@acme.example, addresses: 203.0.113.7\n"));
	assert_false(intake_is_table(""));
}

/* An error of the written text is one of the line that it was made of. */
static void test_a_line_of_the_text_is_of_a_user(void **state)
{
	struct intake i = {.name = strdup("acme")};
	char why[256] = "", setting[32];

	(void)state;
	assert_int_equal(
		intake_read_csv(&i,
			HEAD "beta,X,Y,x,z\n\nacme,Jane,\"Doe\nTwo\",j@a.example,203.0.113.7\n"
			     "acme,John,Roe,k@a.example,203.0.113.8\n",
			why),
		0);
	_cleanup_free_ char *text = intake_write(&i, "sql01", "2026-11-28");
	int line = 1, seen = 0;
	for (const char *at = text; at;
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL, line++) {
		const struct intake_person *p = intake_person_at(&i, text, line);
		size_t n = strcspn(at, "\n");

		intake_setting_at(setting, text, line);
		if (memmem(at, n, "j@a.example", 11)) {
			assert_int_equal(p->place, 4);
			assert_string_equal(setting, "email");
			seen++;
		} else if (memmem(at, n, "203.0.113.8", 11)) {
			assert_int_equal(p->place, 6);
			seen++;
		} else if (memmem(at, n, "role = ", 7) || memmem(at, n, "ticket = ", 9)) {
			assert_null(p);
			assert_string_equal(setting, memmem(at, n, "role", 4) ? "role" : "ticket");
			seen++;
		}
	}
	assert_int_equal(seen, 4);
	assert_null(intake_person_at(&i, text, line));
	intake_free(&i);
}

/* Nothing in a form ends the string that it is written into. */
static void test_hostile_forms(void **state)
{
	static const char alphabet[] = "a,;\"\n\r\\{}()[]=#/*@.:1 \t";
	struct prng random = prng_start();

	(void)state;
	for (int n = 0; n < 5000; n++) {
		struct intake i = {.name = strdup("acme")};
		char text[200] = HEAD, why[256];
		size_t at = prng_below(&random, 2) ? strlen(HEAD) : 0;

		for (; at + 1 < sizeof(text) && prng_below(&random, 100); at++)
			text[at] = alphabet[prng_below(&random, sizeof(alphabet) - 1)];
		text[at] = '\0';
		intake_read_csv(&i, text, why);
		intake_read_json(&i, text, why);
		assert_int_equal(intake_read_text(&i, text), 0);
		free(intake_write(&i, "sql01", "2026-11-28"));
		intake_free(&i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms_by_table),
		cmocka_unit_test(test_whole_client),
		cmocka_unit_test(test_pasted_texts),
		cmocka_unit_test(test_bytes_become_text),
		cmocka_unit_test(test_a_table_has_the_columns_of_the_form),
		cmocka_unit_test(test_a_line_of_the_text_is_of_a_user),
		cmocka_unit_test(test_hostile_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
