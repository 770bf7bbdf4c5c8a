/* Damaged last known good versions: whatever byte changes and wherever the file ends, what is read is a version that was
 * saved, whole, or none. */
#include "saved_fixture.h"

#include "program/saved_index.h"

#include <fcntl.h>
#include <sodium.h>

static char *folder;
static struct last_good g;
static struct held current, previous;

static int setup(void **state)
{
	(void)state;
	folder = saved_make(&g);
	saved_clients_write(folder, 2, 1);
	assert_int_equal(saved_save(folder, &g), 0);
	previous = held_open(&g);
	saved_clients_write(folder, 2, 2);
	assert_int_equal(saved_save(folder, &g), 0);
	current = held_open(&g);
	assert_false(held_equal(&current, &previous));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	held_free(&current);
	held_free(&previous);
	saved_remove(folder, &g);
	return 0;
}

static void version_check(const struct saved *s, size_t i, bool has_previous)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int rc = saved_read(&text, &size, s, current.names[i]);
	const char *expected =
		s->damage || rc == SAVED_OLDER ? previous.texts[i] : current.texts[i];

	if (rc < 0) {
		assert_int_equal(rc, -EBADMSG);
		assert_false(has_previous);
		return;
	}
	assert_int_equal(size, strlen(expected));
	assert_string_equal(text, expected);
}

/* Returns whether everything was read, and from the current generation. */
static bool versions_check(bool has_previous)
{
	struct saved *s;
	int rc = saved_open(&s, g.folder);

	if (rc < 0) {
		assert_int_equal(rc, -EBADMSG);
		assert_false(has_previous);
		return false;
	}
	bool sound = saved_is_sound(s);
	for (size_t i = 0; i < current.n; i++)
		version_check(s, i, has_previous);
	saved_close(s);
	return sound;
}

static void every_byte(bool has_previous)
{
	_cleanup_free_ char *path = saved_path(&g, SAVED_CURRENT);
	size_t size, damaged = 0;
	_cleanup_free_ char *text = file_content(path, &size);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++) {
		char flipped = (char)(text[i] ^ (1 << i % 8));

		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
		damaged += !versions_check(has_previous);
		assert_int_equal(pwrite(fd, text + i, 1, (off_t)i), 1);
	}
	close(fd);
	/* Every byte of every text counts. */
	for (size_t i = 0; i < current.n; i++)
		assert_true(damaged > strlen(current.texts[i]));
	assert_true(versions_check(has_previous));
}

static void every_length(bool has_previous)
{
	_cleanup_free_ char *path = saved_path(&g, SAVED_CURRENT);
	size_t size;
	_cleanup_free_ char *text = file_content(path, &size);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t n = size; n > 0; n--) {
		assert_int_equal(ftruncate(fd, (off_t)(n - 1)), 0);
		versions_check(has_previous);
	}
	assert_int_equal(pwrite(fd, text, size, 0), (ssize_t)size);
	close(fd);
	assert_true(versions_check(has_previous));
}

static void test_a_flipped_byte(void **state)
{
	(void)state;
	every_byte(true);
}

static void test_a_shorter_file(void **state)
{
	(void)state;
	every_length(true);
}

static void previous_hide(void)
{
	_cleanup_free_ char *path = saved_path(&g, SAVED_PREVIOUS);

	assert_int_equal(unlink(path), 0);
}

static void test_a_flipped_byte_of_the_only_one(void **state)
{
	(void)state;
	previous_hide();
	every_byte(false);
}

static void test_a_shorter_file_of_the_only_one(void **state)
{
	(void)state;
	previous_hide();
	every_length(false);
}

/* ---- what is said, and who is concerned ---- */

/* Changes the first such bytes in an archive. */
static void spoil(const char *archive, const char *bytes)
{
	_cleanup_free_ char *path = saved_path(&g, archive);
	size_t size;
	_cleanup_free_ char *text = file_content(path, &size);
	char *hit = memmem(text, size, bytes, strlen(bytes));
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_non_null(hit);
	assert_int_equal(pwrite(fd, "#", 1, hit - text), 1);
	close(fd);
}

/* Loads with two broken client files. Returns name and ticket of each client, and what was said. */
static char *completed(char **said)
{
	_cleanup_free_ char *file = text_make("%s/curfew.conf", folder);
	struct problems problems;
	struct strings kept = {0};
	struct program *p;
	size_t size;
	char *out = NULL;

	fixture_text(folder, "clients.d/c00.conf", "client = ;");
	fixture_text(folder, "clients.d/c01.conf", "client = ;");
	assert_int_equal(program_load(&p, &problems, file, FIXTURE_NOW), 0);
	assert_int_equal(last_good_complete(&p, &problems, &kept, file, &g, FIXTURE_NOW), 0);
	FILE *to = open_memstream(&out, &size);
	for (size_t i = 0; i < p->n_clients; i++)
		if (p->clients[i].name[0] == 'c')
			fprintf(to, "%s %s ", p->clients[i].name, p->clients[i].ticket);
	fclose(to);
	to = open_memstream(said, &size);
	problems_print(&problems, to);
	fclose(to);
	strings_clear(&kept);
	program_free(p);
	problems_free(&problems);
	return out;
}

static void test_a_damaged_entry_concerns_its_client(void **state)
{
	_cleanup_free_ char *said = NULL, *again = NULL;

	(void)state;
	spoil(SAVED_CURRENT, "jane@c00.example");
	_cleanup_free_ char *clients = completed(&said);
	assert_string_equal(clients, "c00 CS-1 c01 CS-2 ");
	assert_non_null(strstr(said, "current.tar/clients.d/c00.conf"));
	assert_non_null(strstr(said, "damaged, so Curfew uses the one before, in previous.tar"));
	/* With the one before damaged too, the client has no good version; the other goes on. */
	spoil(SAVED_PREVIOUS, "jane@c00.example");
	_cleanup_free_ char *fewer = completed(&again);
	assert_string_equal(fewer, "c01 CS-2 ");
	assert_non_null(strstr(again, "damaged, and so is the one before"));
}

static void test_a_damaged_index_leaves_the_generation_before(void **state)
{
	_cleanup_free_ char *said = NULL, *again = NULL;

	(void)state;
	spoil(SAVED_CURRENT, "clients.d/c00.conf\n");
	_cleanup_free_ char *clients = completed(&said);
	assert_string_equal(clients, "c00 CS-1 c01 CS-1 ");
	assert_non_null(strstr(said,
		"in current.tar (damaged), so Curfew uses those before them, in previous.tar"));
	spoil(SAVED_PREVIOUS, "clients.d/c00.conf\n");
	_cleanup_free_ char *none = completed(&again);
	assert_string_equal(none, "");
	assert_non_null(strstr(again, "cannot read the last known good versions: damaged"));
}

/* A removed client is in no current version, so its older one counts for nothing. */
static void test_a_removed_file_stays_removed(void **state)
{
	_cleanup_free_ char *path = text_make("%s/clients.d/c00.conf", folder), *said = NULL;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(saved_save(folder, &g), 0);
	_cleanup_free_ char *clients = completed(&said);
	assert_string_equal(clients, "c01 CS-2 ");
}

/* Saving again, with sound files, mends what was damaged, and keeps the sound generation as the one before. */
static void test_damage_is_mended(void **state)
{
	(void)state;
	spoil(SAVED_CURRENT, "jane@c00.example");
	assert_int_equal(saved_save(folder, &g), 0);
	assert_true(versions_check(true));
	spoil(SAVED_CURRENT, "clients.d/c00.conf\n");
	struct held h = held_open(&g);
	assert_true(held_equal(&h, &previous));
	held_free(&h);
}

/* ---- who may have written it ---- */

static void test_others_cannot_have_written_it(void **state)
{
	_cleanup_free_ char *path = saved_path(&g, SAVED_CURRENT);
	struct saved *s;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat(g.folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(saved_open(&s, g.folder), 0);
	assert_int_equal(s->damage, -EPERM);
	saved_close(s);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0640), 0);
	assert_int_equal(saved_open(&s, g.folder), 0);
	assert_int_equal(s->damage, -EBADMSG);
	saved_close(s);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(SAVED_PREVIOUS, path), 0);
	assert_int_equal(saved_open(&s, g.folder), 0);
	assert_int_equal(s->damage, -ELOOP);
	saved_close(s);
	assert_int_equal(chmod(g.folder, 0770), 0);
	assert_int_equal(saved_open(&s, g.folder), -EPERM);
}

/* ---- hostile indexes, whose digest fits ---- */

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int lines_parse(const char *lines)
{
	const struct file_digest d = content_digest(lines, strlen(lines));
	struct saved_index x;
	char hex[65], *head, *text;
	size_t size;

	assert_int_equal(saved_index_print(&head, &size, NULL, 0), 0);
	/* The last line of an empty index is that of the digest, which ends in 64 digits. */
	sodium_bin2hex(hex, sizeof(hex), d.hash, sizeof(d.hash));
	memcpy(head + size - 65, hex, 64);
	text = text_make("%s%s", head, lines);
	free(head);
	int rc = saved_index_parse(&x, text, strlen(text));
	if (rc == 0)
		saved_index_free(&x);
	return rc;
}

static void test_hostile_indexes(void **state)
{
	static const struct {
		const char *lines;
		int rc;
	} rows[] = {
		{"", 0},
		{"# 1 bytes\n" HASH "  clients.d/a.conf\n# 2 bytes\n" HASH "  curfew.conf\n", 0},
		{"# 1 bytes\n" HASH "  curfew.conf\n# 2 bytes\n" HASH "  clients.d/a.conf\n",
			-EBADMSG},
		{"# 1 bytes\n" HASH "  clients.d/a.conf\n# 2 bytes\n" HASH "  clients.d/a.conf\n",
			-EBADMSG},
		{"# 1 bytes\n" HASH "  curfew.conf", -EBADMSG},
		{"# 1048576 bytes\n" HASH "  curfew.conf\n", 0},
		{"# 1048577 bytes\n" HASH "  curfew.conf\n", -EBADMSG},
		{"# 99999999999999999999999 bytes\n" HASH "  curfew.conf\n", -EBADMSG},
		{"# -1 bytes\n" HASH "  curfew.conf\n", -EBADMSG},
		{"#  1 bytes\n" HASH "  curfew.conf\n", -EBADMSG},
		{"# 1 bytes\n" HASH "00  curfew.conf\n", -EBADMSG},
		{"# 1 bytes\n0123  curfew.conf\n", -EBADMSG},
		{"# 1 bytes\n" HASH "  clients.d/../../etc/x.conf\n", -EBADMSG},
		{"# 1 bytes\n" HASH "  clients.d/.a.conf\n", -EBADMSG},
		{"# 1 bytes\n" HASH "  clients.d/a\x1b[2J.conf\n", -EBADMSG},
		{"# 1 bytes\n" HASH "  journal.db\n", -EBADMSG},
		{"oops", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(lines_parse(rows[i].lines), rows[i].rc);
}

/* A stranger's tools read it, long names and all. */
static void test_tar_and_b2sum_agree(void **state)
{
	_cleanup_free_ char *name = text_make("clients.d/%0120d.conf", 7);
	_cleanup_free_ char *from = text_make("%s/clients.d/c00.conf", folder);
	_cleanup_free_ char *to = text_make("%s/%s", folder, name);
	_cleanup_free_ char *unpacked = text_make("%s/unpacked", folder);
	_cleanup_free_ char *command = text_make(
		"cd %s && tar -xf %s/current.tar && b2sum --length=256 --check --strict --quiet INDEX && "
		"cmp %s %s && cmp curfew.conf %s/curfew.conf && test $(tar -tf %s/current.tar | wc -l) = %zu",
		unpacked, g.folder, name, to, folder, g.folder, current.n + 1);

	(void)state;
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(saved_save(folder, &g), 0);
	assert_int_equal(mkdir(unpacked, 0700), 0);
	saved_shell(command);
	assert_true(saved_save(folder, &g) == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_flipped_byte),
		TEST(test_a_shorter_file),
		TEST(test_a_flipped_byte_of_the_only_one),
		TEST(test_a_shorter_file_of_the_only_one),
		TEST(test_a_damaged_entry_concerns_its_client),
		TEST(test_a_damaged_index_leaves_the_generation_before),
		TEST(test_a_removed_file_stays_removed),
		TEST(test_damage_is_mended),
		TEST(test_others_cannot_have_written_it),
		cmocka_unit_test(test_hostile_indexes),
		TEST(test_tar_and_b2sum_agree),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
