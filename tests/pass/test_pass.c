/* A pass without its workers: what becomes of what they say, of what they leave unsaid, and of a time that was wrong. */
#include "pass_scene.h"

static void test_a_dead_worker_leaves_nothing_unsaid(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;

	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	s->options.mode = PASS_STATUS;
	s->options.now = GOLIVE;
	assert_int_equal(pass_new(&p, &s->options), 0);
	struct record end = scene_record(RECORD_END, "sqltest02");
	end.code = -ETIMEDOUT;
	RECORD_SET(&end, detail, "did not end");
	assert_int_equal(pass_record(p, &end), 0);
	/* This one had spoken before it died: that is not said again, and otherwise. */
	struct record said = scene_record(RECORD_SERVER, "sql07");
	assert_int_equal(pass_record(p, &said), 0);
	said = scene_grant("sql07", "AcmeProd", LEVEL_READ_ONLY);
	assert_int_equal(pass_record(p, &said), 0);
	RECORD_SET(&end, server, "sql07");
	assert_int_equal(pass_record(p, &end), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);

	assert_int_equal(scene_told(s, RECORD_SERVER, "sqltest02")->state, STATE_UNREACHABLE);
	assert_string_equal(scene_told(s, RECORD_SERVER, "sqltest02")->detail, "did not end");
	assert_int_equal(scene_told(s, RECORD_GRANT, "sqltest02")->state, STATE_OVERDUE);
	assert_string_equal(scene_told(s, RECORD_GRANT, "sqltest02")->database, "AcmeTest");
	assert_int_equal(scene_told(s, RECORD_SERVER, "sql07")->state, STATE_OK);
	assert_int_equal(scene_told(s, RECORD_GRANT, "sql07")->state, STATE_OK);
	assert_int_equal(result.overdue, 1);
	assert_int_equal(result.unreachable, 2);
}

/* Its worker says so once, and knows no more of thousands of grants than the pass does. */
static void test_a_server_that_does_not_answer_is_said_of_each_of_its_grants(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	struct pass_result result;
	struct pass *p;

	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	s->options.mode = PASS_STATUS;
	s->options.now = GOLIVE;
	s->options.servers = servers;
	assert_int_equal(pass_new(&p, &s->options), 0);
	struct record r = scene_record(RECORD_SERVER, "sqltest02");
	r.state = STATE_UNREACHABLE;
	RECORD_SET(&r, detail, "login failed");
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_record(RECORD_END, "sqltest02");
	r.code = 18456;
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);

	assert_string_equal(scene_told(s, RECORD_SERVER, "sqltest02")->detail, "login failed");
	assert_int_equal(scene_told(s, RECORD_GRANT, "sqltest02")->state, STATE_OVERDUE);
	assert_string_equal(scene_told(s, RECORD_GRANT, "sqltest02")->detail,
		"was full when last verified, should be read-only; cannot reach the server");
	assert_int_equal(result.overdue, 1);
}

static void a_colleague_comes(const char *folder)
{
	_cleanup_free_ char *client = text_make("%s/clients.d/acme.conf", folder);
	size_t size;
	_cleanup_free_ char *text = file_content(client, &size);
	_cleanup_free_ char *both = text_replace(text, "\t\t{ first = \"Jane\"",
		"\t\t{ first = \"Zoe\"; last = \"Roe\"; email = \"zoe.roe@acme.example\"; sources = ( \"203.0.113.8\" ); },\n"
		"\t\t{ first = \"Jane\"");

	fixture_write(folder, "clients.d/acme.conf", both, strlen(both));
}

static int setup_of_two(void **state)
{
	return scene_setup_with(state, a_colleague_comes);
}

/* What was known of the one before says nothing of the next. */
static void test_each_grant_of_a_silent_server_is_told_by_itself(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	struct pass *p;

	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	s->options.mode = PASS_STATUS;
	s->options.now = GOLIVE;
	s->options.servers = servers;
	assert_int_equal(pass_new(&p, &s->options), 0);
	struct record r = scene_record(RECORD_SERVER, "sqltest02");
	r.state = STATE_UNREACHABLE;
	RECORD_SET(&r, detail, "login failed");
	assert_int_equal(pass_record(p, &r), 0);
	pass_free(p);
	assert_string_equal(s->told[1].login, "acme.jane.doe");
	assert_int_equal(s->told[1].state, STATE_OVERDUE);
	assert_string_equal(s->told[2].login, "acme.zoe.roe");
	assert_int_equal(s->told[2].state, STATE_UNREACHABLE);
	assert_string_equal(s->told[2].detail, "login failed");
}

static void schedule_changes(struct pass *p, struct scene *s)
{
	(void)p;
	s->stale = true;
}

static void clock_is_corrected(struct pass *p, struct scene *s)
{
	(void)s;
	pass_now_correct(p, TESTING);
}

static void test_a_stale_pass_leaves_the_network_alone(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	struct pass_result result;
	struct pass *p;

	s->options.servers = servers;
	for (int changes = 0; changes <= 1; changes++) {
		struct collected before = scene_journal(s, JOURNAL_INTENT);
		size_t applied = s->n_applied;
		assert_int_equal(pass_new(&p, &s->options), 0);
		scene_work(p, changes ? schedule_changes : nothing_happens, s);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		struct collected after = scene_journal(s, JOURNAL_INTENT);
		assert_int_equal(s->n_applied > applied, !changes);
		/* The worker's own intent at least; without the network's it is the only one. */
		if (changes)
			assert_int_equal(after.n, before.n + 1);
		else
			assert_true(after.n > before.n + 1);
		collected_free(&before);
		collected_free(&after);
	}
}

static void test_what_follows_a_correction_bears_the_right_time(void **state)
{
	struct scene *s = *state;
	const instant_t wrong = TESTING + 86400;
	struct pass_result result;
	struct pass *p;

	s->options.now = wrong;
	assert_int_equal(pass_new(&p, &s->options), 0);
	scene_work(p, clock_is_corrected, s);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	struct collected c = scene_journal(s, JOURNAL_INTENT);
	assert_int_equal(c.items[0].at, wrong);
	for (size_t i = 1; i < c.n; i++)
		assert_int_equal(c.items[i].at, TESTING);
	collected_free(&c);
	for (int kind = JOURNAL_OUTCOME; kind <= JOURNAL_ACCESS; kind++) {
		c = scene_journal(s, (enum journal_kind)kind);
		assert_true(c.n >= 1);
		for (size_t i = 0; i < c.n; i++)
			assert_int_equal(c.items[i].at, TESTING);
		collected_free(&c);
	}
}

/* A database was taken out of a client's file; the login has another on that server. Until it is verified gone from
 * there the login may have what it had, and is shut out; a server that answers of all else does not tell. */
static void test_what_a_file_names_no_more_shuts_its_login_out(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	static const char *const databases[] = {"AcmeTest", "OldDatabase"};
	static const struct {
		bool answers, of_former;
		enum state former;
		bool let_in;
	} cases[] = {{false, false, STATE_OK, false}, {true, false, STATE_OK, false},
		{true, true, STATE_UNREAD, false}, {true, true, STATE_OVERDUE, false},
		{true, true, STATE_OK, true}, {false, false, STATE_OK, true}};

	s->options.servers = servers;
	for (size_t i = 0; i < ARRAY_SIZE(databases); i++)
		scene_remember(s, "sqltest02", databases[i], LEVEL_FULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pass_result result;
		struct pass *p;

		s->n_told = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		struct record r = scene_record(RECORD_SERVER, "sqltest02");
		r.state = cases[i].answers ? STATE_OK : STATE_UNREACHABLE;
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_grant("sqltest02", "AcmeTest", LEVEL_FULL);
		r.grant.admission = ADMIT;
		r.state = cases[i].answers ? STATE_OK : STATE_UNREACHABLE;
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_grant("sqltest02", "OldDatabase", LEVEL_NONE);
		r.state = cases[i].former;
		if (cases[i].of_former)
			assert_int_equal(pass_record(p, &r), 0);
		r = scene_record(RECORD_END, "sqltest02");
		r.code = cases[i].answers ? 0 : -ETIMEDOUT;
		assert_int_equal(pass_record(p, &r), 0);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(result.overdue, !cases[i].let_in);
		assert_int_equal(s->n_allows > 0, cases[i].let_in);
	}
}

/* What the kernel has just been seen to hold as scheduled is not committed once more; what it was not seen to hold is. */
static void test_a_proved_table_is_left_alone(void **state)
{
	struct scene *s = *state;
	static const int answers[] = {FIREWALL_PROVED, 0};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct pass_result result;
		struct pass *p;

		s->planned = answers[i];
		s->n_applied = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		assert_int_equal(pass_close_network(p), 0);
		scene_work(p, nothing_happens, s);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(s->n_applied, answers[i] ? 0 : 2);
		assert_false(result.network_failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_proved_table_is_left_alone, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_dead_worker_leaves_nothing_unsaid, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_server_that_does_not_answer_is_said_of_each_of_its_grants,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_each_grant_of_a_silent_server_is_told_by_itself, setup_of_two,
			scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_stale_pass_leaves_the_network_alone, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_what_follows_a_correction_bears_the_right_time,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_what_a_file_names_no_more_shuts_its_login_out,
			scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
