/* What a pass makes of its memory: formers stay until they are verified gone, missing records open nothing, trouble with
 * the journal is no reason not to begin. */
#include "pass_scene.h"

static struct pass *begin(struct scene *s)
{
	struct pass *p;

	s->n_told = s->n_applied = 0;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_close_network(p), 0);
	return p;
}

static struct pass_result finish(struct pass *p)
{
	struct pass_result result;

	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	return result;
}

static bool former_is_told(const struct scene *s)
{
	for (size_t i = 0; i < s->n_told; i++)
		if (s->told[i].kind == RECORD_GRANT &&
			!strcmp(s->told[i].database, "OldDatabase") &&
			s->told[i].state == STATE_OVERDUE)
			return true;
	return false;
}

/* Whatever servers say in whatever order, what was given and left the files is told until the database itself was read
 * without it, or an operator lets it be forgotten. */
static void formers_stay(void **state)
{
	struct scene *s = *state;
	static const enum state says[] = {STATE_OK, STATE_UNREAD, STATE_OVERDUE, STATE_WAITING,
		STATE_UNVERIFIED, STATE_UNREACHABLE};
	uint32_t seed = 5;
	bool there = false;

	for (int round = 0; round < 60; round++) {
		if (!there)
			scene_remember(s, "sqltest02", "OldDatabase", LEVEL_READ_ONLY);
		there = true;
		struct pass *p = begin(s);
		size_t n;
		const struct worker_job *jobs = pass_jobs(p, &n);
		(void)jobs;
		seed = seed * 1664525u + 1013904223u;
		struct record r = scene_record(RECORD_SERVER, "sqltest02");
		assert_int_equal(pass_record(p, &r), 0);
		for (unsigned i = 0; i < (seed >> 20) % 3; i++) {
			seed = seed * 1664525u + 1013904223u;
			r = scene_grant("sqltest02", "OldDatabase",
				(seed >> 24) % 2 ? LEVEL_NONE : LEVEL_READ_ONLY);
			r.state = says[(seed >> 16) % ARRAY_SIZE(says)];
			assert_int_equal(pass_record(p, &r), 0);
			there = !(r.state == STATE_OK && r.grant.level == LEVEL_NONE);
		}
		/* Its login is gone, and all else agrees: that says nothing of the database. */
		r = scene_record(RECORD_LOGIN, "sqltest02");
		RECORD_SET(&r, login, "acme.jane.doe");
		r.identity.status = LOGIN_GONE;
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_record(RECORD_END, "sqltest02");
		assert_int_equal(pass_record(p, &r), 0);
		struct pass_result result = finish(p);
		assert_int_equal(former_is_told(s), there);
		assert_int_equal(result.overdue > 0, there);
	}
	if (!there)
		scene_remember(s, "sqltest02", "OldDatabase", LEVEL_READ_ONLY);
	assert_int_equal(
		memory_forget(s->journal, "sqltest02", "OldDatabase", TESTING, "root", "scrapped"),
		0);
	finish(begin(s));
	assert_false(former_is_told(s));
}

/* Whoever goes by a copy of what takes precedence over the files must learn of each go-live and end that is written: the
 * files may have other dates by the next one. */
static void ends_that_are_written_are_told(void **state)
{
	struct scene *s = *state;
	const struct identity jane = {.server = "sqltest02", .login = "acme.jane.doe"};
	struct overrides kept = {0};

	assert_int_equal(ledger_put(s->journal, &jane), 0);
	assert_int_equal(finish(begin(s)).overrides_saved, 0);
	s->options.now = GOLIVE + 60;
	assert_true(finish(begin(s)).overrides_saved > 0);
	assert_int_equal(override_read(&kept, s->journal), 0);
	assert_true(kept.n_passed > 0);
	overrides_free(&kept);
	assert_int_equal(finish(begin(s)).overrides_saved, 0);
}

static void a_loss_opens_nothing(void **state)
{
	struct scene *s = *state;
	struct pass *p;

	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	assert_int_equal(loss_put(s->journal, TESTING, "records are missing"), 0);
	p = begin(s);
	scene_work(p, nothing_happens, s);
	assert_true(finish(p).held);
	assert_true(s->closings_only);
	assert_int_equal(loss_accept(s->journal, TESTING, "root", "so be it"), 0);
	p = begin(s);
	scene_work(p, nothing_happens, s);
	assert_false(finish(p).held);
	assert_false(s->closings_only);
}

/* Somebody bears the mark on what was taken for a first start. */
static void a_marked_login_on_a_first_start_is_a_loss(void **state)
{
	struct scene *s = *state;
	struct pass *p = begin(s);
	struct record r = scene_record(RECORD_NOTE, "sqltest02");
	instant_t at;
	char *why;

	r.code = RECORD_CODE_LOSS;
	RECORD_SET(&r, detail, "somebody bears the mark");
	assert_int_equal(pass_record(p, &r), 0);
	assert_true(finish(p).held);
	assert_true(s->closings_only);
	assert_int_equal(loss_read(&at, &why, s->journal), 0);
	assert_string_equal(why, "somebody bears the mark");
	free(why);
}

static void a_pass_begins_without_its_journal(void **state)
{
	struct scene *s = *state;

	s->options.journal = NULL;
	struct pass_result result = finish(begin(s));
	assert_true(result.held && result.journal_failed);
	assert_true(s->closings_only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(formers_stay, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			ends_that_are_written_are_told, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(a_loss_opens_nothing, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			a_marked_login_on_a_first_start_is_a_loss, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			a_pass_begins_without_its_journal, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
