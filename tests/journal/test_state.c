/* State kept beside the chain: ledger, verified levels, baselines, overrides. */
#include "journal_fixture.h"

#include <errno.h>

#include "curfew/state.h"
#include "curfew/state_tables.h"

static void test_ledger(void **state)
{
	struct fixture *f = *state;
	const uint8_t sid[] = {1, 0, 3}, other[] = {9};
	struct identities list = {0};

	assert_int_equal(ledger_intend(f->j, "sql07", "acme.jane", 50), 0);
	assert_int_equal(ledger_read(&list, f->j), 0);
	assert_int_equal(list.n, 1);
	assert_null(list.items[0].sid);
	assert_int_equal(list.items[0].intended, 50);
	identities_free(&list);
	/* Made: the intention is closed. */
	assert_int_equal(ledger_put(f->j, &(struct identity){.server = "sql07",
						  .login = "acme.jane",
						  .sid = sid,
						  .sid_size = 3,
						  .created = 51}),
		0);
	assert_int_equal(ledger_put(f->j, &(struct identity){.server = "sql06",
						  .login = "acme.jane",
						  .sid = sid,
						  .sid_size = 3,
						  .created = 51}),
		0);
	assert_int_equal(ledger_remove(f->j, "sql07", "acme.jane", 90), 0);
	/* Made again: the old identifier stays as a tombstone, for a restore may bring it back. */
	assert_int_equal(ledger_intend(f->j, "sql07", "acme.jane", 100), 0);
	assert_int_equal(ledger_put(f->j, &(struct identity){.server = "sql07",
						  .login = "acme.jane",
						  .sid = other,
						  .sid_size = 1,
						  .created = 101}),
		0);
	assert_int_equal(ledger_read(&list, f->j), 0);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.items[0].server, "sql06");
	assert_int_equal(list.items[1].removed, 0);
	assert_int_equal(list.items[1].intended, 0);
	assert_int_equal(list.items[1].sid_size, 1);
	assert_int_equal(list.items[2].removed, 90);
	assert_int_equal(list.items[2].sid_size, 3);
	assert_memory_equal(list.items[2].sid, sid, 3);
	identities_free(&list);
	/* Replaced without a removal in between: still no identifier is forgotten. */
	assert_int_equal(ledger_put(f->j, &(struct identity){.server = "sql06",
						  .login = "acme.jane",
						  .sid = other,
						  .sid_size = 1,
						  .created = 60}),
		0);
	/* Only intended, then found absent: nothing to remember; a second removal of one identifier is one stone. */
	assert_int_equal(ledger_intend(f->j, "sql09", "x", 1), 0);
	assert_int_equal(ledger_remove(f->j, "sql09", "x", 2), 0);
	assert_int_equal(ledger_remove(f->j, "sql09", "x", 2), 0);
	assert_int_equal(ledger_put(f->j, &(struct identity){.server = "sql06",
						  .login = "acme.jane",
						  .sid = sid,
						  .sid_size = 3,
						  .created = 70}),
		0);
	assert_int_equal(ledger_remove(f->j, "sql06", "acme.jane", 95), 0);
	assert_int_equal(ledger_read(&list, f->j), 0);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.items[0].removed, 70);
	assert_int_equal(list.items[0].sid[0], 9);
	assert_int_equal(list.items[1].removed, 95);
	assert_int_equal(list.items[1].sid[0], 1);
	identities_free(&list);
	/* A tombstone put as such. */
	assert_int_equal(ledger_put(f->j, &(struct identity){.server = "a",
						  .login = "b",
						  .sid = sid,
						  .sid_size = 3,
						  .removed = 7}),
		0);
	assert_int_equal(ledger_read(&list, f->j), 0);
	assert_string_equal(list.items[0].server, "a");
	assert_int_equal(list.items[0].removed, 7);
	identities_free(&list);
}

static void test_proved(void **state)
{
	struct fixture *f = *state;
	struct verified_level_list list = {0};

	assert_int_equal(verified_level_read(&list, f->j), 0);
	assert_int_equal(list.n, 0);
	verified_level_list_free(&list);
	assert_int_equal(
		verified_level_save(f->j, &(struct verified_level){"s2", "a", "D", LEVEL_FULL, 1}),
		0);
	assert_int_equal(
		verified_level_save(f->j, &(struct verified_level){"s1", "b", "D", LEVEL_FULL, 1}),
		0);
	assert_int_equal(
		verified_level_save(f->j, &(struct verified_level){"s1", "a", "D", LEVEL_FULL, 1}),
		0);
	assert_int_equal(verified_level_save(f->j,
				 &(struct verified_level){"s1", "a", "D", LEVEL_READ_ONLY, 2}),
		0);
	assert_int_equal(verified_level_read(&list, f->j), 0);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.items[0].login, "a");
	assert_int_equal(list.items[0].level, LEVEL_READ_ONLY);
	assert_int_equal(list.items[0].at, 2);
	assert_string_equal(list.items[2].server, "s2");
	verified_level_list_free(&list);
}

struct seen {
	char text[200];
	instant_t at;
};

static int baseline_seen(void *context, instant_t at, const struct baseline_item *i)
{
	struct seen *s = context;
	size_t n = strlen(s->text);

	s->at = at;
	snprintf(s->text + n, sizeof(s->text) - n, "%s:%s:%s ", i->kind, i->name, i->hash);
	return 0;
}

static void test_baseline(void **state)
{
	struct fixture *f = *state;
	const struct baseline_item items[] = {{"object", "[dbo].[p]", "ab"},
		{"object", "[dbo].[a]", ""}},
				   later[] = {{"principal", "[x]", "cd"}};
	struct seen s = {0};

	assert_int_equal(baseline_read(f->j, "s", "d", baseline_seen, &s), -ENOENT);
	assert_int_equal(baseline_put(f->j, "s", "d", 5, NULL, 0), 0);
	assert_int_equal(baseline_read(f->j, "s", "d", baseline_seen, &s), 0);
	assert_string_equal(s.text, "");
	assert_int_equal(baseline_put(f->j, "s", "d", 6, items, 2), 0);
	assert_int_equal(baseline_put(f->j, "s", "other", 6, later, 1), 0);
	struct baseline_places places;
	assert_int_equal(baseline_places_read(&places, f->j), 0);
	assert_int_equal(places.n, 2);
	assert_true(baseline_places_have(&places, "s", "d"));
	assert_true(baseline_places_have(&places, "s", "other"));
	/* As the table compares them: byte by byte. */
	assert_false(baseline_places_have(&places, "s", "D"));
	assert_false(baseline_places_have(&places, "other", "s"));
	baseline_places_free(&places);
	assert_false(baseline_places_have(&places, "s", "d"));
	assert_int_equal(baseline_read(f->j, "s", "d", baseline_seen, &s), 0);
	assert_string_equal(s.text, "object:[dbo].[a]: object:[dbo].[p]:ab ");
	assert_int_equal(s.at, 6);
	/* Taken anew: nothing of the old one is left. */
	assert_int_equal(baseline_put(f->j, "s", "d", 7, later, 1), 0);
	s = (struct seen){0};
	assert_int_equal(baseline_read(f->j, "s", "d", baseline_seen, &s), 0);
	assert_string_equal(s.text, "principal:[x]:cd ");
	/* Half of one is none: the old one stays. */
	const struct baseline_item wrong[] = {{"object", "[a]", "x"}, {"object", NULL, "x"}};
	assert_int_equal(baseline_put(f->j, "s", "d", 8, wrong, 2), -EINVAL);
	s = (struct seen){0};
	assert_int_equal(baseline_read(f->j, "s", "d", baseline_seen, &s), 0);
	assert_string_equal(s.text, "principal:[x]:cd ");
}

static void test_overrides(void **state)
{
	struct fixture *f = *state;
	struct overrides list = {0};
	struct collected got = {0};

	assert_int_equal(override_remove(f->j, "acme", NULL, 1, "root", "why"), -ENOENT);
	assert_int_equal(override_add(f->j, "zenith", "z.z", 2, "root", "left"), 0);
	assert_int_equal(override_add(f->j, "acme", NULL, 3, "root", "contract"), 0);
	assert_int_equal(override_add(f->j, "acme", "acme.jane", 4, "root", "lost laptop"), 0);
	assert_int_equal(override_add(f->j, "acme", NULL, 5, "root", "again"), 0);
	assert_int_equal(override_read(&list, f->j), 0);
	assert_int_equal(list.n, 3);
	assert_null(list.items[0].login);
	assert_int_equal(list.items[0].at, 3);
	assert_string_equal(list.items[0].reason, "contract");
	assert_string_equal(list.items[1].login, "acme.jane");
	overrides_free(&list);
	/* The client's override goes, its user's stays. */
	assert_int_equal(override_remove(f->j, "acme", NULL, 6, "root", "signed"), 0);
	assert_int_equal(override_read(&list, f->j), 0);
	assert_int_equal(list.n, 2);
	overrides_free(&list);
	/* In a batch, a removal of nothing spoils nothing. */
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(override_remove(f->j, "acme", NULL, 7, "root", "x"), -ENOENT);
	assert_int_equal(override_remove(f->j, "acme", "acme.jane", 8, "root", "found"), 0);
	assert_int_equal(journal_commit(f->j), 0);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = JOURNAL_EVENT}, collect, &got),
		0);
	assert_int_equal(got.n, 6);
	assert_string_equal(got.items[5].action, "reinstate");
	assert_string_equal(got.items[5].login, "acme.jane");
	assert_string_equal(got.items[3].action, "revoke");
	assert_string_equal(got.items[3].reason, "again");
	collected_free(&got);
	/* A user's is the login's, under whatever name the client is reinstated. */
	assert_int_equal(override_add(f->j, "acme", "acme.jane.doe", 5, "root", "lost"), 0);
	assert_int_equal(override_remove(f->j, "acme", "acme.john.roe", 6, "root", "x"), -ENOENT);
	assert_int_equal(override_remove(f->j, "renamed", "ACME.jane.doe", 6, "root", "found"), 0);
	assert_int_equal(override_remove(f->j, "acme", "acme.jane.doe", 6, "root", "x"), -ENOENT);
	assert_verifies(f->j);
}

static bool is_changed(struct journal_revision *revision, struct journal *j)
{
	struct journal_revision now;

	assert_int_equal(journal_revision_read(&now, j), 0);
	bool same = journal_revision_equal(revision, &now);
	*revision = now;
	return !same;
}

/* What was read need not be read again while the marks are equal: whoever writes, and however, they are not. */
static void test_marks_tell_of_each_change(void **state)
{
	struct fixture *f = *state;
	const struct verified_level full = {.server = "sql07",
		.login = "acme.jane",
		.database = "AcmeProd",
		.level = LEVEL_FULL,
		.at = 5};
	struct verified_level_list list = {0};
	struct journal_revision revision = {0};

	assert_true(is_changed(&revision, f->j));
	assert_false(is_changed(&revision, f->j));
	assert_int_equal(verified_level_save(f->j, &full), 0);
	assert_true(is_changed(&revision, f->j));
	assert_int_equal(verified_level_read(&list, f->j), 0);
	verified_level_list_free(&list);
	assert_false(is_changed(&revision, f->j));
	/* Another process. */
	sql(f->path, "UPDATE proved SET level = 'none'");
	assert_true(is_changed(&revision, f->j));
	assert_false(is_changed(&revision, f->j));
	/* What is not committed yet may be rolled back. */
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(verified_level_save(f->j, &full), 0);
	assert_int_equal(journal_revision_read(&revision, f->j), -EBUSY);
	journal_rollback(f->j);
	assert_true(is_changed(&revision, f->j));
	/* Opened again, where SQLite's counts begin anew. */
	journal_close(f->j);
	assert_int_equal(journal_open(&f->j, &(struct journal_options){.path = f->path}), 0);
	assert_true(is_changed(&revision, f->j));
}

/* A journal whose last head is another's, and that cannot even take a note of that: there is nothing to close. */
static void test_what_was_not_opened_is_not_given(void **state)
{
	struct fixture *f = *state;
	struct settings s = {.state_directory = f->folder};
	struct journal *j = NULL;
	FILE *head;

	assert_int_equal(
		journal_write(NULL, f->j, &(struct journal_entry){.kind = JOURNAL_EVENT}), 0);
	assert_int_equal(head_copy_save(f->j), 0);
	char path[128];
	snprintf(path, sizeof(path), "%s.head", f->path);
	head = fopen(path, "we");
	assert_non_null(head);
	fprintf(head, "7 %064d\n", 0);
	fclose(head);
	sql(f->path, "INSERT INTO record (id, kind, at, previous, hash)"
		     " VALUES (2, 'event', 1, zeroblob(32), zeroblob(32))");
	assert_int_equal(state_journal_open(&j, &s, true), -EBADMSG);
	assert_null(j);
}

static void head_put(const struct fixture *f, int id)
{
	char path[128];

	snprintf(path, sizeof(path), "%s.head", f->path);
	FILE *head = fopen(path, "we");
	assert_non_null(head);
	fprintf(head, "%d %064d\n", id, 0);
	fclose(head);
}

static void loss_is(const struct fixture *f, const char *words)
{
	struct settings s = {.state_directory = (char *)f->folder};
	struct journal *j = NULL;
	char *why = NULL;
	instant_t at;

	assert_int_equal(state_journal_open(&j, &s, true), 0);
	assert_int_equal(loss_read(&at, &why, j), words ? 0 : -ENOENT);
	if (words)
		assert_non_null(strstr(why, words));
	free(why);
	journal_close(j);
}

/* From a backup of another host, which nobody here has seen grow: also one whose beginning was archived there. */
static void test_a_journal_from_elsewhere_is_not_this_hosts(void **state)
{
	struct fixture *f = *state;
	char archive[128];

	loss_is(f, NULL);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(journal_write(NULL, f->j,
					 &(struct journal_entry){.kind = JOURNAL_EVENT, .at = i}),
			0);
	snprintf(archive, sizeof(archive), "%s/older.db", f->folder);
	assert_int_equal(journal_archive(f->j, 4, archive), 0);
	head_put(f, 1);
	loss_is(f, "is not the one that was last seen");
	unlink(archive);
}

static void test_a_journal_that_was_copied_here_is_not_this_hosts(void **state)
{
	struct fixture *f = *state;
	char path[128];

	assert_int_equal(
		journal_write(NULL, f->j, &(struct journal_entry){.kind = JOURNAL_EVENT}), 0);
	snprintf(path, sizeof(path), "%s.head", f->path);
	unlink(path);
	loss_is(f, "was never used on this host");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_what_was_not_opened_is_not_given),
		WITH_JOURNAL(test_a_journal_from_elsewhere_is_not_this_hosts),
		WITH_JOURNAL(test_a_journal_that_was_copied_here_is_not_this_hosts),
		WITH_JOURNAL(test_marks_tell_of_each_change),
		WITH_JOURNAL(test_ledger),
		WITH_JOURNAL(test_proved),
		WITH_JOURNAL(test_baseline),
		WITH_JOURNAL(test_overrides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
