/* Who had access at a time: the journal and its archives together know it as if nothing had been archived, also where a
 * clock was ahead, an intent stayed open, and access was carried over behind what the next archive takes. */
#include "journal_fixture.h"

#include <errno.h>
#include <strings.h>

#include "../program/random.h"

enum { RECORDS = 240, ARCHIVES = 3, LIVES = 12 };

/* A simple model: who has what, by walking all that was written. */
struct truth {
	char client[8], login[8], database[8];
	enum level level;
	instant_t at, until;
};

struct life {
	struct truth all[RECORDS];
	size_t n, n_archives;
	instant_t now, ahead;			      /* the clock is so many seconds ahead */
	struct journal *journal, *archives[ARCHIVES]; /* the oldest first */
	char path[300];
};

static bool is_same_place(const struct truth *a, const struct truth *b)
{
	return strcasecmp(a->client, b->client) == 0 && strcasecmp(a->login, b->login) == 0 &&
	       strcasecmp(a->database, b->database) == 0;
}

/* With `past`, also what is past its end and not recorded as ended. */
static size_t truths_at(const struct truth **has, const struct life *l, instant_t at, bool past)
{
	size_t count = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct truth *t = &l->all[i];
		bool last = t->at <= at;

		for (size_t k = 0; k < l->n && last; k++) {
			const struct truth *o = &l->all[k];
			const bool later = o->at > t->at || (o->at == t->at && k > i);

			last = !(later && o->at <= at && is_same_place(o, t));
		}
		if (last && t->level != LEVEL_NONE && (past || t->until > at))
			has[count++] = t;
	}
	return count;
}

/* As `curfew history --at` reads: archives as far back as the time requires. */
static void access_read(struct journal_entries *all, const struct life *l, instant_t at)
{
	const struct journal_filter f = {.kind = JOURNAL_ACCESS};
	struct journal *j = l->journal;

	for (size_t left = l->n_archives;; j = l->archives[left]) {
		bool covers = false;

		assert_int_equal(journal_read(j, &f, journal_entries_keep, all), 0);
		assert_int_equal(journal_covers(&covers, j, at), 0);
		if (covers)
			break;
		assert_true(left > 0);
		left--;
	}
	access_entries_sort(all);
}

static bool is_found(const struct journal_entries *got, const struct truth *t)
{
	for (size_t i = 0; i < got->n; i++) {
		const struct journal_entry *e = &got->items[i];

		if (!strcmp(e->client, t->client) && !strcmp(e->login, t->login) &&
			!strcmp(e->database, t->database) &&
			!strcmp(e->level, level_name(t->level)) && e->until == t->until)
			return true;
	}
	return false;
}

static void assert_access(const struct life *l, instant_t at)
{
	const struct truth *has[RECORDS];
	size_t expected = truths_at(has, l, at, false);
	struct journal_entries got = {0}, all = {0};

	access_read(&all, l, at);
	assert_int_equal(access_entries_at(&got, &all, at), 0);
	assert_int_equal(got.n, expected);
	for (size_t i = 0; i < expected; i++)
		assert_true(is_found(&got, has[i]));
	free(got.items);
	journal_entries_free(&all);
}

static void assert_last(const struct life *l)
{
	const struct truth *has[RECORDS];
	struct journal_entries got = {0};
	const instant_t at = l->now + 120;

	assert_int_equal(journal_access_last(l->journal, at, journal_entries_keep, &got), 0);
	assert_int_equal(got.n, truths_at(has, l, at, true));
	for (size_t i = 0; i < got.n; i++)
		assert_true(is_found(&got, has[i]));
	journal_entries_free(&got);
}

static void truth_write(struct life *l)
{
	struct truth *t = &l->all[l->n++];

	l->now += rand() % 3;
	/* Now and then the clock is ahead for a while, and is reset. */
	if (rand() % 40 == 0)
		l->ahead = l->ahead ? 0 : 1 + rand() % 60;
	/* A name's letter case may change in the files. */
	snprintf(t->client, sizeof(t->client), "%c%d", rand() % 5 ? 'c' : 'C', rand() % 3);
	snprintf(t->login, sizeof(t->login), "%c%d", rand() % 5 ? 'l' : 'L', rand() % 3);
	snprintf(t->database, sizeof(t->database), "%c%d", rand() % 5 ? 'd' : 'D', rand() % 2);
	t->level = (enum level)(rand() % 3);
	t->at = l->now + l->ahead;
	t->until = t->at + rand() % 80;
	write_access(l->journal, t->client, t->login, t->database, t->level, t->at, t->until);
	if (rand() % 60 == 0)
		write_intent(l->journal, "c0", t->at);
}

/* Archives a time long past, as one does: what is carried over stands behind records that stay. */
static void life_archive(struct life *l)
{
	char path[340];

	snprintf(path, sizeof(path), "%s.old%zu", l->path, l->n_archives);
	const int rc = journal_archive(l->journal, l->now * 2 / 3, path);
	if (rc == JOURNAL_NOTHING)
		return;
	assert_int_equal(rc, 0);
	assert_verifies(l->journal);
	assert_int_equal(journal_open(&l->archives[l->n_archives],
				 &(struct journal_options){.path = path, .read_only = true}),
		0);
	assert_verifies(l->archives[l->n_archives]);
	l->n_archives++;
	unlink(path);
}

static void life_live(struct life *l)
{
	for (size_t turn = 0; turn <= ARCHIVES; turn++) {
		assert_int_equal(journal_begin(l->journal), 0);
		for (size_t i = 0; i < RECORDS / (ARCHIVES + 1); i++)
			truth_write(l);
		assert_int_equal(journal_commit(l->journal), 0);
		if (turn < ARCHIVES)
			life_archive(l);
		for (instant_t at = -1; at < l->now + 120; at++)
			assert_access(l, at);
		assert_last(l);
	}
}

static void test_access_at_equals_model(void **state)
{
	const struct fixture *f = *state;
	/* One is as long as twenty cases of others. */
	const unsigned lives = cases_wanted(LIVES * 20) / 20;
	size_t archives = 0;

	srand(20261123);
	for (unsigned i = 0; i < lives; i++) {
		struct life l = {0};

		snprintf(l.path, sizeof(l.path), "%s.%u", f->path, i);
		assert_int_equal(
			journal_open(&l.journal, &(struct journal_options){.path = l.path}), 0);
		life_live(&l);
		archives += l.n_archives;
		journal_close(l.journal);
		for (size_t k = 0; k < l.n_archives; k++)
			journal_close(l.archives[k]);
		unlink(l.path);
	}
	assert_true(archives > lives);
}

/* The filter's names too. */
static void test_a_filter_ignores_letter_case(void **state)
{
	const struct fixture *f = *state;
	struct collected got = {0};

	write_access(f->j, "acme", "acme.jane.doe", "AcmeProd", LEVEL_FULL, 10, 900);
	write_access(f->j, "Acme", "Acme.jane.doe", "AcmeProd", LEVEL_NONE, 100, 900);
	for (int i = 0; i < 2; i++) {
		const struct journal_filter of = {.client = i ? "ACME" : NULL,
			.login = i ? NULL : "ACME.Jane.Doe",
			.kind = -1};

		assert_int_equal(journal_read(f->j, &of, collect, &got), 0);
		assert_int_equal(got.n, 2);
		collected_free(&got);
	}
}

static void test_one_file_says_which_times_it_covers(void **state)
{
	const struct fixture *f = *state;
	struct collected got = {0};
	char path[300];

	write_access(f->j, "acme", "acme.jane.doe", "AcmeProd", LEVEL_FULL, 10, 900);
	write_access(f->j, "acme", "acme.john.roe", "AcmeProd", LEVEL_FULL, 100, 900);
	snprintf(path, sizeof(path), "%s.old", f->path);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	assert_int_equal(journal_access_at(f->j, 49, NULL, collect, &got), -ENODATA);
	assert_int_equal(journal_access_at(f->j, 50, NULL, collect, &got), 0);
	assert_int_equal(got.n, 1);
	collected_free(&got);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_access_at_equals_model),
		WITH_JOURNAL(test_a_filter_ignores_letter_case),
		WITH_JOURNAL(test_one_file_says_which_times_it_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
