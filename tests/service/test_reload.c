/* Last good versions: what a broken, a mended and a vanished client file do to what is in force. */
#include "../program/fixture.h"

#include "program/saved.h"
#include "service/configuration.h"

struct installation {
	char *folder, *config;
	struct last_good saved;
};

static int setup(void **state)
{
	struct installation *i = calloc(1, sizeof(*i));

	i->folder = fixture_make();
	i->config = text_make("%s/curfew.conf", i->folder);
	assert_int_equal(last_good_locate(&i->saved, i->folder), 0);
	*state = i;
	return 0;
}

static int teardown(void **state)
{
	struct installation *i = *state;

	fixture_remove(i->folder);
	free(i->config);
	last_good_free(&i->saved);
	free(i);
	return 0;
}

/* What a start or a reload does; how many clients are in force, and how many by their last good version. */
static void load(const struct installation *i, size_t n_clients, size_t n_kept, char digest[65])
{
	struct configuration c;

	assert_int_equal(configuration_load(&c, i->config, &i->saved), 0);
	assert_int_equal(c.program->n_clients, n_clients);
	assert_int_equal(c.kept.n, n_kept);
	assert_int_equal(last_good_save(&c.saved, c.program, &c.kept, i->config), 0);
	if (digest)
		snprintf(digest, 65, "%s", c.program->digest);
	configuration_free(&c);
}

static bool is_left_out(const struct installation *i, size_t n_clients)
{
	struct configuration c;

	assert_int_equal(configuration_load(&c, i->config, &i->saved), 0);
	assert_int_equal(c.program->n_clients, n_clients);
	bool left_out = c.left_out;
	configuration_free(&c);
	return left_out;
}

static bool is_kept(const struct installation *i, const char *name)
{
	_cleanup_free_ char *entry = text_make("clients.d/%s", name);
	struct saved *s;

	assert_int_equal(saved_open(&s, i->saved.folder), 0);
	bool has = saved_has(s, entry);
	saved_close(s);
	return has;
}

static void put(const struct installation *i, const char *text)
{
	fixture_write(i->folder, "clients.d/acme.conf", text, strlen(text));
}

static void test_a_broken_file_leaves_what_it_said(void **state)
{
	const struct installation *i = *state;
	char before[65], broken[65], again[65];

	load(i, 1, 0, before);
	assert_true(is_kept(i, "acme.conf"));
	put(i, "client = { name = \"acme\"; oops");
	load(i, 1, 1, broken);
	/* What it is in force by counts in the digest: it is not the file that lies there. */
	load(i, 1, 1, again);
	assert_string_equal(broken, again);
	put(i, "");
	load(i, 1, 1, NULL);
	fixture_copy(i->folder, "clients.d/acme.conf");
	load(i, 1, 0, again);
	assert_string_equal(before, again);
}

static void test_a_file_that_was_never_good_gives_nothing(void **state)
{
	const struct installation *i = *state;

	put(i, "client = ;");
	load(i, 0, 0, NULL);
	assert_false(is_kept(i, "acme.conf"));
}

static void test_a_vanished_file_is_not_kept(void **state)
{
	const struct installation *i = *state;
	_cleanup_free_ char *path = text_make("%s/clients.d/acme.conf", i->folder);

	load(i, 1, 0, NULL);
	assert_int_equal(unlink(path), 0);
	load(i, 0, 0, NULL);
	assert_false(is_kept(i, "acme.conf"));
	/* And does not come back by being broken. */
	put(i, "nonsense");
	load(i, 0, 0, NULL);
}

static void test_a_new_file_that_clashes_takes_nothing_away(void **state)
{
	const struct installation *i = *state;
	_cleanup_free_ char *path = text_make("%s/clients.d/acme.conf", i->folder);
	size_t size;
	_cleanup_free_ char *text = file_content(path, &size);

	load(i, 1, 0, NULL);
	/* The same client twice: both files are wrong, the old one goes on as it was. */
	fixture_write(i->folder, "clients.d/zeta.conf", text, size);
	load(i, 1, 1, NULL);
	assert_false(is_kept(i, "zeta.conf"));
}

/* Whoever reloads hears of it: a new client whose file is wrong is not in force at all. */
static void test_a_new_broken_file_is_told_as_left_out(void **state)
{
	const struct installation *i = *state;

	load(i, 1, 0, NULL);
	assert_false(is_left_out(i, 1));
	/* By its last good version: in force, so not left out. */
	put(i, "client = { name = \"acme\"; oops");
	assert_false(is_left_out(i, 1));
	fixture_write(i->folder, "clients.d/zeta.conf", "client = 7;", 11);
	assert_true(is_left_out(i, 1));
}

static void test_a_broken_main_file_leaves_the_last_good_whole(void **state)
{
	const struct installation *i = *state;
	struct configuration c;

	load(i, 1, 0, NULL);
	fixture_write(i->folder, "curfew.conf", "servers = 7;", 12);
	assert_int_equal(configuration_load(&c, i->config, &i->saved), -EINVAL);
	/* Where the state lies cannot be read from it: the service manager says so. */
	setenv("STATE_DIRECTORY", i->folder, 1);
	assert_int_equal(configuration_open(&c, i->config, false), 0);
	assert_int_equal(c.program->n_clients, 1);
	assert_string_equal(c.saved.folder, i->saved.folder);
	assert_int_equal(last_good_save(&c.saved, c.program, &c.kept, i->config), 0);
	configuration_free(&c);
	/* It is still there for the next start. */
	assert_int_equal(configuration_open(&c, i->config, false), 0);
	configuration_free(&c);
	unsetenv("STATE_DIRECTORY");
}

static ino_t saved_inode(const struct installation *i)
{
	_cleanup_free_ char *path = text_make("%s/current.tar", i->saved.folder);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* On a full disk nothing could be written: what is saved already need not be. */
static void test_what_is_saved_is_not_written_again(void **state)
{
	const struct installation *i = *state;

	load(i, 1, 0, NULL);
	ino_t before = saved_inode(i);
	load(i, 1, 0, NULL);
	assert_int_equal(saved_inode(i), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_broken_file_leaves_what_it_said),
		TEST(test_a_new_broken_file_is_told_as_left_out),
		TEST(test_a_file_that_was_never_good_gives_nothing),
		TEST(test_a_vanished_file_is_not_kept),
		TEST(test_a_new_file_that_clashes_takes_nothing_away),
		TEST(test_what_is_saved_is_not_written_again),
		TEST(test_a_broken_main_file_leaves_the_last_good_whole),
	};
	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
