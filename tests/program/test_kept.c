/* What this version calls an error and an older one admitted goes on by its last known good version; what is new does not
 * begin. */
#include "fixture.h"

#include "curfew/last_good.h"

static const char CLIENT[] =
	"client = { name = \"%s\"; ticket = \"CS-1\"; approved_by = \"a\"; approved_on = \"2026-08-03\";\n"
	" starts = \"2026-08-10\"; testing_until = \"%s\";\n"
	" databases = ( { role = \"staging\"; server = \"sqltest02\"; name = \"AcmeTest\"; } );\n"
	" users = ( { first = \"Jane\"; last = \"Doe\"; email = \"jane@%s.example\"; sources = ( \"198.51.100.7\" ); } );\n"
	"};\n";

static void client_write(const char *folder, const char *where, const char *name, const char *until)
{
	_cleanup_free_ char *file = text_make("%s/%s.conf", where, name);
	_cleanup_free_ char *text = text_make(CLIENT, name, until, name);

	fixture_write(folder, file, text, strlen(text));
}

/* Both clients name one database; `known`: how many of them have a last known good version. Returns who is taken. */
static char *taken(size_t known, const char *until)
{
	static const char *const names[] = {"acme", "beta"};
	char *folder = fixture_make(), *out = NULL;
	_cleanup_free_ char *file = text_make("%s/curfew.conf", folder);
	/* As an older version of Curfew saved them. */
	struct last_good saved;
	struct problems problems;
	struct strings kept = {0};
	struct program *p = NULL;
	size_t size;

	assert_int_equal(last_good_locate(&saved, folder), 0);
	fixture_mkdir(folder, "last-good", 0700);
	fixture_mkdir(folder, "last-good/clients.d", 0700);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		client_write(folder, "clients.d", names[i], until);
		if (i < known)
			client_write(folder, "last-good/clients.d", names[i], until);
	}
	assert_int_equal(program_load(&p, &problems, file, FIXTURE_NOW), 0);
	assert_int_equal(last_good_complete(&p, &problems, &kept, file, &saved, FIXTURE_NOW), 0);
	last_good_free(&saved);
	assert_non_null(p);
	assert_true(problems.n_errors > 0);
	FILE *f = open_memstream(&out, &size);
	assert_non_null(f);
	for (size_t i = 0; i < p->n_clients; i++)
		fprintf(f, "%s ", p->clients[i].name);
	fclose(f);
	for (size_t i = 0; i < kept.n; i++)
		free(kept.items[i]);
	free(kept.items);
	program_free(p);
	problems_free(&problems);
	fixture_remove(folder);
	return out;
}

static void test_shared_before_goes_on(void **state)
{
	_cleanup_free_ char *both = taken(2, "2027-01-01"), *one = taken(1, "2027-01-01");
	_cleanup_free_ char *none = taken(0, "2027-01-01");

	(void)state;
	assert_string_equal(both, "acme beta ");
	/* Who names another's database now takes nothing away from whoever had it. */
	assert_string_equal(one, "acme ");
	assert_string_equal(none, "");
}

static void test_far_end_before_goes_on(void **state)
{
	_cleanup_free_ char *both = taken(2, "2030-01-01");

	(void)state;
	assert_string_equal(both, "acme beta ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_before_goes_on),
		cmocka_unit_test(test_far_end_before_goes_on),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
