/* Where there is no memory to compare what was read, the database that takes most of it is left out, and not its server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "visit/visit.h"

#include "../sql/played_session.h"
#include "idle_worker.h"

static size_t room; /* databases that fit into memory */
static unsigned comparisons;

int difference_build(struct difference *out, const struct wanted_server *w,
	const struct observed_server *o, const struct claims *c, instant_t now)
{
	size_t n = 0;

	(void)w, (void)c, (void)now;
	comparisons++;
	for (size_t i = 0; i < o->n_databases; i++)
		n += o->databases[i].read;
	*out = (struct difference){0};
	return n > room ? -ENOMEM : 0;
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	(void)s, (void)error, (void)batch, (void)each, (void)context;
	return 0;
}

void worker_tell(struct worker *w, const struct record *r)
{
	(void)w, (void)r;
}

static void database_make(struct observed_database *d, const char *name, size_t n)
{
	*d = (struct observed_database){.name = strdup(name), .read = true};
	d->members = calloc(n, sizeof(*d->members));
	assert_non_null(d->members);
	for (; d->n_members < n; d->n_members++)
		d->members[d->n_members] = (struct observed_member){
			.role = strdup("a role"), .member = strdup("a member")};
}

static void compared(size_t fits, int rc, unsigned n_read)
{
	static struct server server = {.name = (char *)"sql01"};
	static const struct program program;
	static const struct sql_visit visit = {
		.program = &program, .server = &server, .wanted = {.server = &server}};
	struct observed_database *databases = calloc(3, sizeof(*databases));
	struct visit_run run = {
		.visit = &visit, .observed = {.databases = databases, .n_databases = 3}};
	const char *const order[] = {"BigTest", "LessTest", "ZetaTest"};

	assert_non_null(databases);
	database_make(&databases[0], "ZetaTest", 3);
	database_make(&databases[1], "BigTest", 3000);
	database_make(&databases[2], "LessTest", 300);
	room = fits;
	comparisons = 0;
	assert_int_equal(visit_compare(&run), rc);
	assert_int_equal(comparisons, 4 - n_read);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct observed_database *d = observed_find_database(&run.observed, order[i]);
		bool left_out = i < 3 - n_read;
		assert_int_equal(d->read, !left_out);
		assert_int_equal(d->barred, left_out);
		assert_int_equal(d->unread != NULL, left_out);
	}
	observed_free(&run.observed);
}

static void test_the_largest_is_left_out(void **state)
{
	(void)state;
	compared(3, 0, 3);
	compared(2, 0, 2);
	compared(1, 0, 1);
	compared(0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_largest_is_left_out)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
