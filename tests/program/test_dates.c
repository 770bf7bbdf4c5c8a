/* The dates of a client: as instants in its own zone, and what is advised as they come near. */
#include "fixture.h"

/* The instants of the client in the design's example, a change of the clocks between start and go-live. */
static void test_wall_clock_days(void **state)
{
	char *folder = fixture_make(), *messages;
	struct problems problems;
	struct program *p;

	(void)state;
	messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	assert_int_equal(p->n_clients, 1);
	assert_int_equal(p->clients[0].starts, instant_at("2026-08-10T05:00Z"));
	assert_int_equal(p->clients[0].testing_end, instant_at("2027-02-06T06:00Z"));
	assert_int_equal(p->clients[0].go_live, instant_at("2026-11-23T15:00Z"));
	assert_int_equal(p->clients[0].staging_end, instant_at("2026-12-07T15:00Z"));
	assert_int_equal(p->clients[0].end, instant_at("2026-12-23T15:00Z"));
	program_free(p);
	problems_free(&problems);
	free(messages);
	fixture_remove(folder);
}

static size_t advices(const char *folder, instant_t now)
{
	struct problems problems;
	struct program *p;
	size_t n = 0;

	free(fixture_load(&p, &problems, folder, now));
	for (size_t i = 0; i < problems.n; i++)
		n += problems.items[i].severity == SEVERITY_ADVICE;
	/* The clock never decides what is valid. */
	assert_int_equal(problems.n_errors, 0);
	assert_int_equal(p->n_clients, 1);
	program_free(p);
	problems_free(&problems);
	return n;
}

static void test_advice_by_the_clock(void **state)
{
	char *folder = fixture_make();
	size_t size;
	_cleanup_free_ char *good = file_content(FIXTURES "good/clients.d/acme.conf", &size);
	_cleanup_free_ char *bare = text_replace(good, "production_ticket", "files_received");
	_cleanup_free_ char *dated = text_replace(bare, "CS-50977", "2026-08-04");
	_cleanup_free_ char *thursday = text_replace(good, "2026-11-23T09:00", "2026-11-26T09:00");
	_cleanup_free_ char *unsigned_list =
		text_replace(good, "checklist_signed", "database_upgraded");
	instant_t go_live = instant_at("2026-11-23T15:00Z");

	(void)state;
	assert_int_equal(advices(folder, go_live - 1), 0);
	fixture_text(folder, "clients.d/acme.conf", dated);
	assert_int_equal(advices(folder, go_live - 28 * 86400), 0);
	assert_int_equal(advices(folder, go_live - 28 * 86400 + 1), 1);
	assert_int_equal(advices(folder, go_live - 1), 1);
	assert_int_equal(advices(folder, go_live), 0);
	fixture_text(folder, "clients.d/acme.conf", thursday);
	assert_int_equal(advices(folder, FIXTURE_NOW), 1);
	assert_int_equal(advices(folder, go_live + 7 * 86400), 0);
	fixture_text(folder, "clients.d/acme.conf", unsigned_list);
	assert_int_equal(advices(folder, FIXTURE_NOW), 1);
	assert_int_equal(advices(folder, go_live), 0);
	fixture_remove(folder);
}

static void test_testing_until_moves_the_end(void **state)
{
	char *folder = fixture_make();
	size_t size;
	_cleanup_free_ char *good = file_content(FIXTURES "good/clients.d/acme.conf", &size);
	_cleanup_free_ char *until = text_replace(
		good, "go_live = \"2026-11-23T09:00\"", "testing_until = \"2026-09-30\"");
	struct program *p;

	(void)state;
	fixture_text(folder, "clients.d/acme.conf", until);
	p = fixture_program(folder, FIXTURE_NOW);
	assert_false(p->clients[0].has_go_live);
	assert_int_equal(p->clients[0].end, instant_at("2026-10-01T05:00Z"));
	assert_int_equal(p->clients[0].testing_end, p->clients[0].end);
	program_free(p);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wall_clock_days),
		cmocka_unit_test(test_advice_by_the_clock),
		cmocka_unit_test(test_testing_until_moves_the_end),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
