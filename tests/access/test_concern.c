/* Whom it concerns that something of a database is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

/* Jane is Acme's, and BoltTest is a database of another client. */
struct place {
	struct stage *s;
	struct observed_login *jane;
	struct observed_database *theirs;
};

static struct place place_new(void)
{
	struct place p = {.s = stage_new(false)};

	p.jane = stage_claim(p.s, stage_jane(p.s, READ_ONLY));
	p.theirs = model_database(&p.s->model, "BoltTest");
	p.theirs->managed = true;
	p.theirs->id = 9;
	return p;
}

static bool concerns_jane(const struct place *p)
{
	const struct login_of_client jane = {&p->s->scene.clients[0], JANE};
	const struct claims claims = {.items = p->s->claims, .n = p->s->n_claims};

	return database_concerns(&p->s->model.o, &p->s->scene.wanted, &claims, p->theirs, &jane);
}

static void remembers(const struct place *p, const struct remembered *rows, size_t n)
{
	p->s->scene.wanted.remembered = rows;
	p->s->scene.wanted.n_remembered = n;
}

static void test_another_clients_database_is_no_matter_of_hers(void **state)
{
	struct place p = place_new();

	(void)state;
	assert_false(concerns_jane(&p));
	/* No file names it: it may be a copy of Acme's. */
	p.theirs->managed = false;
	assert_true(concerns_jane(&p));
	stage_free(p.s);
}

static void test_a_database_of_her_clients_file_is(void **state)
{
	struct place p = place_new();

	(void)state;
	free(p.theirs->name);
	p.theirs->name = strdup("ACMETEST");
	assert_true(concerns_jane(&p));
	stage_free(p.s);
}

static void test_access_that_the_journal_knows_counts_until_it_is_verified_gone(void **state)
{
	const struct {
		struct remembered row;
		bool concerns;
	} cases[] = {
		{{JANE, "BoltTest", LEVEL_READ_ONLY, .verified = true}, true},
		{{JANE, "BOLTTEST", LEVEL_NONE, .verified = false}, true},
		{{JANE, "BoltTest", LEVEL_NONE, .excess = true, .verified = true}, true},
		{{JANE, "BoltTest", LEVEL_NONE, .verified = true}, false},
		{{"bolt.jane.doe", "BoltTest", LEVEL_FULL, .verified = true}, false},
		/* Under another name. */
		{{JANE, "Before", LEVEL_FULL, .database_id = 9}, true},
		{{JANE, "Before", LEVEL_FULL, .database_id = 8}, false},
		{{JANE, "Before", LEVEL_NONE, .verified = true, .database_id = 9}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct place p = place_new();
		remembers(&p, &cases[i].row, 1);
		if (concerns_jane(&p) != cases[i].concerns)
			fail_msg("case %zu", i);
		stage_free(p.s);
	}
}

static void test_what_is_seen_of_her_there_counts(void **state)
{
	struct place p = place_new();
	struct observed_entry entry = {p.jane->sid, 9};
	const struct sid former = model_sid(77);

	(void)state;
	p.s->model.o.entries = &entry;
	p.s->model.o.n_entries = 1;
	assert_true(concerns_jane(&p));
	entry.database = 8;
	assert_false(concerns_jane(&p));
	/* By a SID of before, also under another name. */
	entry = (struct observed_entry){former, 9};
	assert_false(concerns_jane(&p));
	p.s->claims[p.s->n_claims++] =
		(struct claim){.server = "sql1", .login = JANE, .sid = former};
	assert_true(concerns_jane(&p));
	p.s->model.o.n_entries = 0;
	assert_false(concerns_jane(&p));
	model_user(p.theirs, "x", former);
	assert_true(concerns_jane(&p));
	stage_free(p.s);
}

static void test_where_records_were_lost_everything_counts(void **state)
{
	struct place p = place_new();

	(void)state;
	p.s->scene.wanted.records_lost = true;
	assert_true(concerns_jane(&p));
	stage_free(p.s);
}

static bool is_namesake(const struct place *p)
{
	const struct login_of_client jane = {&p->s->scene.clients[0], JANE};
	const struct claims claims = {.items = p->s->claims, .n = p->s->n_claims};

	return user_is_namesake(&p->s->model.o, &p->s->scene.wanted, &claims, p->theirs,
		&p->theirs->users[p->theirs->n_users - 1], &jane);
}

/* Only where nothing says that it may have been hers. */
static void test_a_user_that_has_only_her_name(void **state)
{
	const struct remembered row = {JANE, "BoltTest", LEVEL_FULL, .verified = true};
	struct place p = place_new();

	(void)state;
	model_user(p.theirs, JANE, model_sid(4711));
	assert_true(is_namesake(&p));
	p.theirs->managed = false;
	assert_true(is_namesake(&p));
	p.s->scene.wanted.records_lost = true;
	assert_false(is_namesake(&p));
	p.s->scene.wanted.records_lost = false;
	remembers(&p, &row, 1);
	assert_false(is_namesake(&p));
	remembers(&p, NULL, 0);
	/* Nobody knows her SID. */
	size_t known = p.s->n_claims;
	p.s->n_claims = 0;
	assert_false(is_namesake(&p));
	p.s->n_claims = known;
	p.s->claims[p.s->n_claims++] =
		(struct claim){.server = "sql1", .login = JANE, .sid = model_sid(4711)};
	assert_false(is_namesake(&p));
	p.s->n_claims = known;
	assert_true(is_namesake(&p));
	free(p.theirs->name);
	p.theirs->name = strdup("acmetest");
	assert_false(is_namesake(&p));
	model_user(p.theirs, "x", model_sid(4712));
	assert_false(is_namesake(&p));
	stage_free(p.s);
}

static void unreadable_add(struct place *p, const char *database)
{
	struct observed_server *o = &p->s->model.o;

	o->unreadable = reallocarray(o->unreadable, o->n_unreadable + 1, sizeof(*o->unreadable));
	assert_non_null(o->unreadable);
	o->unreadable[o->n_unreadable++] = (struct observed_unreadable){
		strdup("runner: 208"), database ? strdup(database) : NULL};
}

static void test_a_question_without_an_answer(void **state)
{
	struct place p = place_new();
	struct observed_server *o = &p.s->model.o;
	const struct claims claims = {.items = p.s->claims, .n = p.s->n_claims};
	const struct login_of_client jane = {&p.s->scene.clients[0], JANE}, nobody = {NULL, JANE};

	(void)state;
	unreadable_add(&p, "BoltTest");
	assert_int_equal(unreadable_for(o, &p.s->scene.wanted, &claims, &jane), 0);
	assert_int_equal(unreadable_for(o, &p.s->scene.wanted, &claims, &nobody), 1);
	assert_false(unreadable_is_of_all(o));
	unreadable_add(&p, "AcmeTest");
	assert_int_equal(unreadable_for(o, &p.s->scene.wanted, &claims, &jane), 1);
	assert_false(unreadable_is_of_all(o));
	unreadable_add(&p, NULL);
	assert_int_equal(unreadable_for(o, &p.s->scene.wanted, &claims, &jane), 2);
	assert_true(unreadable_is_of_all(o));
	assert_true(database_is_partial(o, p.theirs));
	assert_false(database_is_partial(o, &o->databases[1]));
	stage_free(p.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_clients_database_is_no_matter_of_hers),
		cmocka_unit_test(test_a_database_of_her_clients_file_is),
		cmocka_unit_test(
			test_access_that_the_journal_knows_counts_until_it_is_verified_gone),
		cmocka_unit_test(test_what_is_seen_of_her_there_counts),
		cmocka_unit_test(test_where_records_were_lost_everything_counts),
		cmocka_unit_test(test_a_user_that_has_only_her_name),
		cmocka_unit_test(test_a_question_without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
