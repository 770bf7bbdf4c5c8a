/* What another configuration would change: who loses, who gains, and nothing of what stays. */
#include "curfew/preview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* Start, go-live, end of staging, end of all; now is between start and go-live. */
#define S   (100 * DAY)
#define NOW (150 * DAY)
#define G   (200 * DAY)
#define E14 (214 * DAY)
#define E30 (230 * DAY)

struct side {
	struct program program;
	struct server server;
	struct client client;
	struct user users[2];
	struct source sources[2];
	struct database database;
};

static void side_make(struct side *w)
{
	*w = (struct side){0};
	w->server.name = (char *)"sql01";
	w->database = (struct database){
		.role = ROLE_STAGING, .name = (char *)"Acme", .before_go_live = LEVEL_FULL};
	assert_int_equal(source_parse(&w->sources[0], "203.0.113.7"), 0);
	assert_int_equal(source_parse(&w->sources[1], "203.0.113.8"), 0);
	w->users[0] = (struct user){
		.login = (char *)"acme.jane.doe", .sources = w->sources, .n_sources = 1};
	w->users[1] = (struct user){
		.login = (char *)"acme.john.roe", .sources = w->sources, .n_sources = 1};
	w->client = (struct client){.name = (char *)"acme",
		.approved = S - DAY,
		.starts = S,
		.has_go_live = true,
		.go_live = G,
		.testing_end = 280 * DAY,
		.staging_end = E14,
		.end = E30,
		.users = w->users,
		.n_users = 1,
		.databases = &w->database,
		.n_databases = 1};
	w->program = (struct program){
		.servers = &w->server, .n_servers = 1, .clients = &w->client, .n_clients = 1};
}

static void nothing(struct side *w)
{
	(void)w;
}

static void later_end(struct side *w)
{
	w->client.staging_end = E14 + DAY;
}

static void earlier_end(struct side *w)
{
	w->client.staging_end = E14 - DAY;
}

static void later_go_live(struct side *w)
{
	w->client.go_live = G + DAY;
}

static void later_go_live_and_earlier_end(struct side *w)
{
	later_go_live(w);
	earlier_end(w);
}

static void not_yet(struct side *w)
{
	w->client.starts = NOW + DAY;
}

static void gone(struct side *w)
{
	w->program.n_clients = 0;
}

static void one_more_user(struct side *w)
{
	w->client.n_users = 2;
}

static void one_more_source(struct side *w)
{
	w->users[0].n_sources = 2;
}

static void another_source(struct side *w)
{
	w->users[0].sources = &w->sources[1];
}

static void another_ticket(struct side *w)
{
	w->client.ticket = (char *)"CS-2";
}

static void test_what_is_taken_and_what_is_given(void **state)
{
	static const struct {
		void (*edit)(struct side *w);
		size_t takes, gives, takes_back, gives_back;
	} cases[] = {{nothing, 0, 0, 0, 0}, {later_end, 0, 1, 1, 0}, {earlier_end, 1, 0, 0, 1},
		{later_go_live, 0, 1, 1, 0}, {later_go_live_and_earlier_end, 1, 1, 1, 1},
		{not_yet, 1, 0, 0, 1}, {gone, 1, 0, 0, 1}, {one_more_user, 0, 1, 1, 0},
		{one_more_source, 0, 1, 1, 0}, {another_source, 1, 1, 1, 1},
		{another_ticket, 0, 0, 0, 0}};
	struct side before, after;
	struct preview p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		side_make(&before);
		side_make(&after);
		cases[i].edit(&after);
		assert_int_equal(preview_make(&p, &before.program, &after.program, NULL, NOW), 0);
		assert_int_equal(p.takes, cases[i].takes);
		assert_int_equal(p.gives, cases[i].gives);
		preview_free(&p);
		/* Undone, it is the other way round. */
		assert_int_equal(preview_make(&p, &after.program, &before.program, NULL, NOW), 0);
		assert_int_equal(p.takes, cases[i].takes_back);
		assert_int_equal(p.gives, cases[i].gives_back);
		preview_free(&p);
	}
}

/* Without anything in force all is new; after the end nobody has anything to lose. */
static void test_the_first_day_and_the_last(void **state)
{
	struct side before, after;
	struct preview p;

	(void)state;
	side_make(&before);
	side_make(&after);
	assert_int_equal(preview_make(&p, NULL, &after.program, NULL, NOW), 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.gives, 1);
	preview_free(&p);
	gone(&after);
	assert_int_equal(preview_make(&p, &before.program, &after.program, NULL, E30), 0);
	assert_int_equal(p.n, 0);
	preview_free(&p);
}

static void test_who_is_named_no_more(void **state)
{
	struct side before, after;
	const struct client *removed[1];

	(void)state;
	side_make(&before);
	side_make(&after);
	assert_int_equal(clients_removed(removed, &before.program, &after.program), 0);
	gone(&after);
	assert_int_equal(clients_removed(removed, &before.program, &after.program), 1);
	assert_ptr_equal(removed[0], &before.client);
	assert_int_equal(clients_removed(removed, NULL, &after.program), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_taken_and_what_is_given),
		cmocka_unit_test(test_the_first_day_and_the_last),
		cmocka_unit_test(test_who_is_named_no_more),
	};
	return cmocka_run_group_tests_name("preview", tests, NULL, NULL);
}
