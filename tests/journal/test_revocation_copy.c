/* The second copy of revocations: kept without the journal, brought together with it again, whole or not at all. */
#include "journal_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sched.h>

#include "curfew/revocation_copy.h"

#define AT 1793500000

static const struct revocation jane = {
	"acme", "acme.jane.doe", AT, "root (uid 0)", "laptop stolen"};
static const struct revocation all = {"beta", NULL, AT + 5, "root (uid 0)", "contract ended"};

static int copy_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/curfew-copy-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/journal.db", f->folder);
	const struct journal_options o = {.path = f->path};
	assert_int_equal(journal_open(&f->j, &o), 0);
	*state = f;
	return 0;
}

static int copy_teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	journal_close(f->j);
	snprintf(command, sizeof(command), "rm -r %s", f->folder);
	assert_int_equal(
		system(command), 0); /* NOLINT(cert-env33-c): a folder that this test made */
	free(f);
	return 0;
}

static struct revocation_copy *copy_open(const struct fixture *f)
{
	struct revocation_copy *c = NULL;

	assert_int_equal(revocation_copy_open(&c, f->folder, true), 0);
	return c;
}

struct held {
	size_t n;
	char text[512];
};

static int held_one(void *context, const struct revocation *r)
{
	struct held *h = context;
	size_t n = strlen(h->text);

	h->n++;
	snprintf(h->text + n, sizeof(h->text) - n, "%s/%s@%lld %s: %s; ", r->client,
		r->login ? r->login : "*", (long long)r->at, r->actor, r->reason);
	return 0;
}

static struct held held(const struct fixture *f)
{
	struct held h = {0};
	struct revocation_copy *c = copy_open(f);

	assert_int_equal(revocation_copy_each(c, held_one, &h), 0);
	revocation_copy_close(c);
	return h;
}

static void test_it_keeps_what_was_revoked(void **state)
{
	struct fixture *f = *state;
	struct revocation_copy *c;

	assert_int_equal(revocation_copy_open(&c, f->folder, false), -ENOENT);
	c = copy_open(f);
	assert_int_equal(revocation_copy_add(c, &jane), 0);
	assert_int_equal(revocation_copy_add(c, &all), 0);
	/* Again: the first instant stays. */
	const struct revocation later = {"acme", "acme.jane.doe", AT + 99, "x", "y"};
	assert_int_equal(revocation_copy_add(c, &later), 0);
	revocation_copy_close(c);
	assert_string_equal(held(f).text,
		"acme/acme.jane.doe@1793500000 root (uid 0): laptop stolen; "
		"beta/*@1793500005 root (uid 0): contract ended; ");
	c = copy_open(f);
	assert_int_equal(revocation_copy_remove(c, "beta", "beta.bob.ray"), 0);
	assert_int_equal(revocation_copy_remove(c, "beta", NULL), 0);
	revocation_copy_close(c);
	assert_int_equal(held(f).n, 1);
}

static void test_long_texts_are_cut_and_names_never(void **state)
{
	struct fixture *f = *state;
	char name[MAX_NAME_BYTES + 2], text[4096];
	struct revocation r = {name, name, AT, text, text};
	struct revocation_copy *c = copy_open(f);

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(revocation_copy_add(c, &r), -ENAMETOOLONG);
	name[MAX_NAME_BYTES] = '\0';
	assert_int_equal(revocation_copy_add(c, &r), 0);
	revocation_copy_close(c);
	struct overrides o = {0};
	c = copy_open(f);
	assert_int_equal(revocation_copy_damaged(c), 0);
	assert_int_equal(revocation_copy_merge(&o, c), 0);
	assert_int_equal(o.n, 1);
	assert_string_equal(o.items[0].login, name);
	assert_true(strlen(o.items[0].reason) > 16);
	overrides_free(&o);
	revocation_copy_close(c);
}

static void test_it_is_full_at_last(void **state)
{
	struct fixture *f = *state;
	struct revocation_copy *c = copy_open(f);
	char name[32];
	struct revocation r = {name, NULL, AT, "a", "r"};
	int rc = 0;

	for (int i = 0; rc == 0; i++) {
		assert_true(i <= 512);
		snprintf(name, sizeof(name), "client%d", i);
		rc = revocation_copy_add(c, &r);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(revocation_copy_remove(c, "client7", NULL), 0);
	assert_int_equal(revocation_copy_add(c, &r), 0);
	revocation_copy_close(c);
}

/* A place that was half written says nothing; the others go on. */
static void test_a_damaged_place_harms_no_other(void **state)
{
	struct fixture *f = *state;
	struct revocation_copy *c = copy_open(f);
	char path[128];

	assert_int_equal(revocation_copy_add(c, &jane), 0);
	assert_int_equal(revocation_copy_add(c, &all), 0);
	revocation_copy_close(c);
	snprintf(path, sizeof(path), "%s/revocations", f->folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, 100), 1);
	c = copy_open(f);
	assert_int_equal(revocation_copy_damaged(c), 1);
	revocation_copy_close(c);
	struct held h = held(f);
	assert_int_equal(h.n, 1);
	assert_non_null(strstr(h.text, "beta/*"));
	/* One that is cut short is none of ours. */
	assert_int_equal(ftruncate(fd, 1000), 0);
	close(fd);
	assert_int_equal(revocation_copy_open(&c, f->folder, true), -EBADMSG);
}

static size_t revoked(const struct fixture *f, instant_t *at)
{
	struct overrides o = {0};

	assert_int_equal(override_read(&o, f->j), 0);
	size_t n = o.n;
	if (n)
		*at = o.items[0].at;
	overrides_free(&o);
	return n;
}

/* Revoked while the journal could not be written, or before it was put back from an older copy. */
static void test_what_the_journal_lacks_it_gets_with_its_own_instant(void **state)
{
	struct fixture *f = *state;
	struct revocation_copy *c = copy_open(f);
	instant_t at = 0;

	assert_int_equal(revocation_copy_add(c, &jane), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	assert_int_equal(revoked(f, &at), 1);
	assert_int_equal(at, AT);
	/* Once. */
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	assert_int_equal(
		sql_number(f->path, "SELECT count(*) FROM record WHERE action = 'revoke'"), 1);
	revocation_copy_close(c);
}

static void test_what_was_reinstated_stays_so(void **state)
{
	struct fixture *f = *state;
	struct revocation_copy *c = copy_open(f);
	instant_t at;

	assert_int_equal(revocation_copy_add(c, &jane), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	/* And the power went before the copy knew. */
	assert_int_equal(override_remove(f->j, "acme", "acme.jane.doe", AT + 60, "a", "r"), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	assert_int_equal(revoked(f, &at), 0);
	revocation_copy_close(c);
	assert_int_equal(held(f).n, 0);
}

static void event_put(const struct fixture *f, const char *action, instant_t at)
{
	const struct journal_entry e = {.kind = JOURNAL_EVENT, .at = at, .action = action};

	assert_int_equal(journal_write(NULL, f->j, &e), 0);
}

/* The system clock was a year ahead when an earlier revocation was undone, and was then corrected. */
static void test_a_reinstatement_of_a_wrong_future_undoes_nothing_later(void **state)
{
	struct fixture *f = *state;
	const instant_t ahead = AT + 365 * 86400;
	struct revocation_copy *c = copy_open(f);
	instant_t at = 0;

	assert_int_equal(override_add(f->j, "acme", "acme.jane.doe", ahead, "a", "r"), 0);
	assert_int_equal(override_remove(f->j, "acme", "acme.jane.doe", ahead + 60, "a", "r"), 0);
	event_put(f, "clock-reset", AT - 60);
	assert_int_equal(revocation_copy_add(c, &jane), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	assert_int_equal(revoked(f, &at), 1);
	assert_int_equal(at, AT);
	revocation_copy_close(c);
	assert_int_equal(held(f).n, 1);
}

/* Revoked in the wrong future, reinstated after the correction: by order, although the time is earlier. */
static void test_what_was_revoked_in_a_wrong_future_can_be_reinstated(void **state)
{
	struct fixture *f = *state;
	const struct revocation ahead = {
		"acme", "acme.jane.doe", AT + 365 * 86400, "root (uid 0)", "laptop stolen"};
	struct revocation_copy *c = copy_open(f);
	char why[256];
	int64_t broken;
	instant_t at;

	assert_int_equal(revocation_copy_add(c, &ahead), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	event_put(f, "clock-reset", AT - 60);
	/* Once more, to be sure: the first time stays, and the journal is intact. */
	assert_int_equal(override_add(f->j, "acme", "acme.jane.doe", AT, "a", "r"), 0);
	assert_int_equal(journal_verify(&broken, why, f->j), 0);
	assert_int_equal(override_remove(f->j, "acme", "acme.jane.doe", AT + 60, "a", "r"), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	assert_int_equal(revoked(f, &at), 0);
	revocation_copy_close(c);
	assert_int_equal(held(f).n, 0);
}

static void test_what_the_copy_lacks_it_gets(void **state)
{
	struct fixture *f = *state;
	struct revocation_copy *c = copy_open(f);

	assert_int_equal(override_add(f->j, "beta", NULL, AT, "a", "contract ended"), 0);
	assert_int_equal(revocation_copy_settle(c, f->j), 0);
	revocation_copy_close(c);
	assert_string_equal(held(f).text, "beta/*@1793500000 : contract ended; ");
}

/* On a disk without a free block. In a child, for the mount is in a namespace of its own. */
static int full_disk(const struct fixture *f)
{
	struct revocation_copy *c;
	char path[128], block[4096] = {1};
	ssize_t n;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", f->folder, "tmpfs", 0, "size=1m") < 0)
		return 77;
	if (revocation_copy_open(&c, f->folder, true) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/filler", f->folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while ((n = write(fd, block, sizeof(block))) > 0)
		;
	if (errno != ENOSPC || revocation_copy_add(c, &jane) < 0)
		return 2;
	revocation_copy_close(c);
	if (revocation_copy_open(&c, f->folder, true) < 0)
		return 3;
	struct held h = {0};
	revocation_copy_each(c, held_one, &h);
	revocation_copy_close(c);
	close(fd);
	return h.n == 1 ? 0 : 4;
}

static void test_it_is_kept_on_a_full_disk(void **state)
{
	const struct fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(full_disk(f));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("# SKIPPED: only root may mount a disk to fill\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, copy_setup, copy_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_keeps_what_was_revoked),
		TEST(test_long_texts_are_cut_and_names_never),
		TEST(test_it_is_full_at_last),
		TEST(test_a_damaged_place_harms_no_other),
		TEST(test_what_the_journal_lacks_it_gets_with_its_own_instant),
		TEST(test_what_was_reinstated_stays_so),
		TEST(test_a_reinstatement_of_a_wrong_future_undoes_nothing_later),
		TEST(test_what_was_revoked_in_a_wrong_future_can_be_reinstated),
		TEST(test_what_the_copy_lacks_it_gets),
		TEST(test_it_is_kept_on_a_full_disk),
	};
	return cmocka_run_group_tests_name("revocation copy", tests, NULL, NULL);
}
