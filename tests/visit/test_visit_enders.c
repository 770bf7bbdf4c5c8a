/* Databases that end the session: the others are asked from behind the last one on, and where there is no time for all of
 * them, another pass leaves out others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "visit/visit.h"

enum { DATABASES = 7 };

static const struct sql_ender enders[] = {
	{(char *)"db2", (char *)"error 824"}, {(char *)"db5", (char *)"error 824"}};

static void run_make(struct visit_run *run, struct sql_visit *v)
{
	static struct observed_database databases[DATABASES];

	for (size_t i = 0; i < DATABASES; i++) {
		char name[] = {'d', 'b', (char)('0' + i), '\0'};
		observed_database_free(&databases[i]);
		databases[i] = (struct observed_database){.name = strdup(name)};
	}
	*run = (struct visit_run){
		.visit = v, .observed = {.databases = databases, .n_databases = DATABASES}};
}

/* "a" asked, "e" it ends the session, "-" not asked. */
static void marked(char out[DATABASES + 1], struct visit_run *run)
{
	assert_int_equal(enders_mark(run), 0);
	for (size_t i = 0; i < DATABASES; i++) {
		const char *why = run->observed.databases[i].unread;
		out[i] = !why ? 'a' : strstr(why, "824") ? 'e' : '-';
	}
	out[DATABASES] = '\0';
}

static void test_it_begins_behind_the_last_one(void **state)
{
	struct sql_visit v = {.now = 1, .apart = true, .enders = enders, .n_enders = 2};
	struct visit_run run;
	char how[DATABASES + 1];

	(void)state;
	run_make(&run, &v);
	size_t first = enders_first(&run);
	v.reached = "db2";
	assert_int_equal(enders_first(&run), 3);
	v.reached = "db5";
	assert_int_equal(enders_first(&run), 6);
	marked(how, &run);
	assert_string_equal(how, "aaeaaea");
	/* It is gone, or all were read. */
	v.reached = "db9";
	assert_int_equal(enders_first(&run), first);
}

/* From the one where the pass has begun to the last that ended a session, and no other. */
static void test_no_further(void **state)
{
	struct sql_visit v = {.apart = true,
		.enders = enders,
		.n_enders = 2,
		.reached = "db5",
		.no_further = true};
	bool left_out[DATABASES] = {0}, asked[DATABASES] = {0};
	char how[DATABASES + 1];
	struct visit_run run;

	(void)state;
	for (v.now = 1800000000; v.now < 1800000000 + 300 * 300; v.now += 300) {
		run_make(&run, &v);
		v.reached = NULL;
		size_t first = enders_first(&run);
		v.reached = "db5";
		marked(how, &run);
		for (size_t i = 0, at = first; i < DATABASES; i++, at = (at + 1) % DATABASES) {
			bool before = (5 - first + DATABASES) % DATABASES > i;
			if (at == 2 || at == 5)
				assert_int_equal(how[at], 'e');
			else
				assert_int_equal(how[at], before ? 'a' : '-');
			asked[at] = asked[at] || how[at] == 'a';
			left_out[at] = left_out[at] || how[at] == '-';
		}
	}
	for (size_t i = 0; i < DATABASES; i++)
		if (i != 2 && i != 5)
			assert_true(asked[i] && left_out[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_begins_behind_the_last_one),
		cmocka_unit_test(test_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
