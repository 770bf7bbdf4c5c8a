/* Saving last known good versions: all of them, of test_few files and of test_many, and nothing beside the two generations. */
#include "fixture.h"

#include <dirent.h>

#include "curfew/last_good.h"

static const char CLIENT[] =
	"client = { name = \"c%02d\"; ticket = \"CS-%d\"; approved_by = \"a\"; approved_on = \"2026-08-03\";\n"
	" starts = \"2026-08-10\"; testing_until = \"2027-01-01\";\n"
	" databases = ( { role = \"staging\"; server = \"sqltest02\"; name = \"Db%02d\"; } );\n"
	" users = ( { first = \"Jane\"; last = \"Doe\"; email = \"jane@c%02d.example\"; sources = ( \"198.51.100.%d\" ); } );\n"
	"};\n";

static void clients_write(const char *folder, int n, int ticket)
{
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *name = text_make("clients.d/c%02d.conf", i);
		_cleanup_free_ char *text = text_make(CLIENT, i, ticket, i, i, i + 1);

		fixture_text(folder, name, text);
	}
}

static void save(const char *folder, const struct last_good *g)
{
	_cleanup_free_ char *file = text_make("%s/curfew.conf", folder);
	struct program *p = fixture_program(folder, FIXTURE_NOW);
	struct strings none = {0};

	assert_int_equal(last_good_save(g, p, &none, file), 0);
	program_free(p);
}

static int entries(const char *folder)
{
	int n = 0;
	DIR *d = opendir(folder);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
	closedir(d);
	return n;
}

/* What is saved is what is in force, ticket and all. */
static void saved_is(const struct last_good *g, size_t clients, const char *ticket, int generations)
{
	struct problems problems;
	struct program *p = NULL;

	assert_int_equal(last_good_load(&p, &problems, g, FIXTURE_NOW), 0);
	assert_non_null(p);
	problems_free(&problems);
	assert_int_equal(p->n_clients, clients);
	for (size_t i = 0; i < p->n_clients; i++)
		if (p->clients[i].name[0] == 'c')
			assert_string_equal(p->clients[i].ticket, ticket);
	program_free(p);
	/* No new archive that waits to be put in its place. */
	assert_int_equal(entries(g->folder), generations);
}

static void round_of(int n)
{
	char *folder = fixture_make();
	_cleanup_free_ char *state = text_make("%s/state", folder);
	_cleanup_free_ char *first = text_make("%s/clients.d/c00.conf", folder);
	struct last_good g;

	fixture_mkdir(folder, "state", 0700);
	assert_int_equal(last_good_locate(&g, state), 0);
	clients_write(folder, n, 1);
	save(folder, &g);
	saved_is(&g, (size_t)n + 1, "CS-1", 1);
	/* Changed, and one removed: its access ends. */
	clients_write(folder, n, 2);
	assert_int_equal(unlink(first), 0);
	save(folder, &g);
	saved_is(&g, (size_t)n, "CS-2", 2);
	last_good_free(&g);
	fixture_remove(folder);
}

static void test_few(void **state)
{
	(void)state;
	round_of(2);
}

static void test_many(void **state)
{
	(void)state;
	round_of(40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_few), cmocka_unit_test(test_many)};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
