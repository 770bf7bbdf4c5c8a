/* Which record confirms that access past its end is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "commands/history_select.h"

#define ACCESS(number, when, what, due, came)                                                      \
	{                                                                                          \
		.id = (number), .kind = JOURNAL_ACCESS, .at = (when), .client = "acme",            \
		.login = "acme.jane.doe", .server = "sql01", .database = "AcmeTest",               \
		.level = (what), .until = (due), .outcome = (came), .after = ACCESS_ALLOWED        \
	}

/* Less than before, and more than was scheduled, closes nothing: in the words of journals of 1.0 too. */
static void test_excess(void **state)
{
	static const struct {
		const char *outcome;
		bool closed;
	} cases[] = {{"excess", false}, {"refuted", false}, {"unverified", true},
		{"unproved", true}, {"verified", true}, {"proved", true}, {"what", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct journal_entry items[] = {ACCESS(1, 100, "full", 200, "verified"),
			ACCESS(2, 300, "read-only", 900, cases[i].outcome)};
		const struct journal_entries all = {items, ARRAY_SIZE(items)}, none = {0};
		const struct history_records records = {&all, &none};
		struct history_past past = {0};
		size_t next = 0;

		assert_true(history_past_next(&past, &next, &records, 250));
		if ((past.closed != NULL) != cases[i].closed)
			fail_msg("%s", cases[i].outcome);
	}
}

#define JANE "{\"user\":\"Jane\",\"email\":\"jane@acme.example\"}"
#define JUNE "{\"user\":\"June\",\"email\":\"june@apex.example\"}"

/* The login goes on as another person's, in the same file or in another client's: the password is known until another
 * one is handed over, or until the login has nothing there. */
static void test_passed_on(void **state)
{
	static const struct {
		const char *person, *client;
		bool handed, gone, less;
		int64_t closed; /* the number of the record that confirms it; 0: none */
	} cases[] = {
		{JANE, "acme", false, false, false, 3},
		{JANE, "apex", false, false, false, 2},
		{JUNE, "acme", false, false, false, 0},
		{JUNE, "apex", false, false, false, 0},
		{JUNE, "acme", false, true, false, 4},
		{JUNE, "apex", false, true, false, 4},
		{JUNE, "acme", true, true, false, 9},
		{JUNE, "apex", true, true, false, 9},
		/* What was too much has ended, whose the rest is. */
		{JUNE, "acme", false, false, true, 3},
		{JUNE, "apex", false, false, true, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct journal_entry items[] = {ACCESS(1, 100, "full", 200, "verified"),
			ACCESS(2, 300, "none", 0, "verified"),
			ACCESS(3, 300, "full", 900, "verified"),
			ACCESS(4, 500, "none", 0, "verified")};
		struct journal_entry handover = {
			.id = 9, .at = 400, .login = "acme.jane.doe", .action = "handover"};
		const bool moved = streq(cases[i].client, "apex");
		struct journal_entries all = {items, cases[i].gone ? 4 : 3};
		const struct journal_entries handovers = {&handover, cases[i].handed};
		const struct history_records records = {&all, &handovers};
		struct history_past past = {0};
		size_t next = 0;

		items[0].before = items[1].before = JANE;
		items[2].client = items[3].client = cases[i].client;
		items[2].before = cases[i].person;
		if (cases[i].less)
			items[2].level = "read-only";
		/* Within one client there is no record of an end. */
		if (!moved)
			items[1] = items[0];
		assert_true(history_past_next(&past, &next, &records, 250));
		if ((past.closed ? past.closed->id : 0) != cases[i].closed)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excess),
		cmocka_unit_test(test_passed_on),
	};
	return cmocka_run_group_tests_name("history past", tests, NULL, NULL);
}
