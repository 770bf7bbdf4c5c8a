/* An archive changes nothing of what a report says of the access that goes on: since when, until when, how late. */
#include "../journal/journal_fixture.h"

#include "curfew/person.h"
#include "curfew/population.h"

struct read {
	struct journal_entries access, events;
	struct population p;
};

static void read_make(struct read *r, struct journal *j, instant_t from)
{
	const struct journal_filter access = {.kind = JOURNAL_ACCESS},
				    events = {.kind = JOURNAL_EVENT};
	const struct journal_entries none = {0};
	const struct population_records records = {&r->access, &none, &r->events, NULL};

	*r = (struct read){.p = {.from = from, .to = 1000, .at = 1000}};
	assert_int_equal(journal_read(j, &access, journal_entries_keep, &r->access), 0);
	assert_int_equal(journal_read(j, &events, journal_entries_keep, &r->events), 0);
	assert_int_equal(population_make(&r->p, &records), 0);
}

static void read_free(struct read *r)
{
	population_free(&r->p);
	journal_entries_free(&r->access);
	journal_entries_free(&r->events);
}

static void assert_same(const struct population *a, const struct population *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct population_row *x = &a->items[i], *y = &b->items[i];

		assert_string_equal(x->first->login, y->first->login);
		assert_string_equal(x->last->level, y->last->level);
		assert_int_equal(x->opened, y->opened);
		assert_int_equal(x->due, y->due);
		assert_int_equal(x->ended, y->ended);
		assert_int_equal(x->late, y->late);
	}
}

static void event(struct journal *j, const char *action, const char *client, instant_t at)
{
	assert_int_equal(journal_write(NULL, j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT,
					 .client = client,
					 .at = at,
					 .action = action}),
		0);
}

static void access_of(
	struct journal *j, const char *login, enum level level, instant_t at, instant_t until)
{
	char client[16];

	snprintf(client, sizeof(client), "%.4s", login);
	write_access(j, client, login, "AcmeProd", level, at, until);
}

#define CUT 200

static void life(struct journal *j)
{
	/* Its end was moved twice; it began again before that. */
	access_of(j, "acme.jane", LEVEL_FULL, 10, 90);
	access_of(j, "acme.jane", LEVEL_NONE, 60, 0);
	access_of(j, "acme.jane", LEVEL_FULL, 70, 110);
	access_of(j, "acme.jane", LEVEL_FULL, 100, 400);
	access_of(j, "acme.jane", LEVEL_FULL, 150, 900);
	/* Its client's file was removed while the server was down; of the other it was put back after the cut. */
	access_of(j, "beta.john", LEVEL_FULL, 20, 5000);
	access_of(j, "dora.ann", LEVEL_FULL, 20, 0);
	event(j, "client-removed", "beta", 110);
	event(j, "client-removed", "dora", 115);
	/* Revoked meanwhile, and reinstated; of the other after the cut. */
	access_of(j, "corp.jim", LEVEL_FULL, 30, 5000);
	access_of(j, "edda.eve", LEVEL_FULL, 30, 5000);
	assert_int_equal(override_add(j, "corp", NULL, 40, "root", "asked"), 0);
	assert_int_equal(override_remove(j, "corp", NULL, 140, "root", "asked"), 0);
	assert_int_equal(override_add(j, "edda", NULL, 120, "root", "asked"), 0);
	/* Another level since before the cut, and gone since. */
	access_of(j, "acme.zoe", LEVEL_FULL, 30, 800);
	access_of(j, "acme.zoe", LEVEL_READ_ONLY, 130, 800);
	access_of(j, "acme.ole", LEVEL_FULL, 30, 800);
	access_of(j, "acme.ole", LEVEL_NONE, 135, 0);

	event(j, "client-added", "dora", 230);
	access_of(j, "beta.john", LEVEL_NONE, 300, 0);
	access_of(j, "edda.eve", LEVEL_NONE, 310, 0);
	assert_int_equal(override_remove(j, "edda", NULL, 320, "root", "asked"), 0);
}

static void assert_archive_changes_nothing(struct fixture *f, instant_t cut, int number)
{
	struct read before, after;
	char path[300];

	read_make(&before, f->j, cut);
	snprintf(path, sizeof(path), "%s.old%d", f->path, number);
	assert_int_equal(journal_archive(f->j, cut, path), 0);
	assert_verifies(f->j);
	read_make(&after, f->j, cut);
	assert_same(&before.p, &after.p);
	read_free(&before);
	read_free(&after);
}

static void test_archive_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct read r;

	life(f->j);
	read_make(&r, f->j, CUT);
	/* By client. */
	assert_int_equal(r.p.n, 6);
	assert_int_equal(r.p.items[0].opened, 70);
	assert_int_equal(r.p.items[1].opened, 130);
	assert_int_equal(r.p.items[2].late, 190);
	assert_int_equal(r.p.items[3].late, 100);
	assert_int_equal(r.p.items[4].late, 115);
	assert_int_equal(r.p.items[5].late, 190);
	read_free(&r);
	assert_archive_changes_nothing(f, CUT, 0);
	/* What was carried over stands behind what this one takes, and what the last one takes is carried over again. */
	assert_archive_changes_nothing(f, 231, 1);
	event(f->j, "start", NULL, 900);
	assert_archive_changes_nothing(f, 900, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_archive_changes_nothing),
	};

	return cmocka_run_group_tests_name("population_archive", tests, NULL, NULL);
}
