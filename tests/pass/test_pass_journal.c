/* What a pass puts on record: every change with its outcome, and whose it was; nothing where it only looks. */
#include "pass_scene.h"

static size_t outcomes_of(
	const struct collected *outcomes, size_t from, int64_t intent, const char *outcome)
{
	size_t n = 0;

	for (size_t i = from; i < outcomes->n; i++) {
		if (outcomes->items[i].intent != intent)
			continue;
		assert_string_equal(outcomes->items[i].outcome, outcome);
		n++;
	}
	return n;
}

/* Done, done in part by others, failed, or overtaken: no change of the network stays open in the journal. */
static void test_every_intent_has_its_outcome(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	static const struct {
		int applies;
		bool in_part;
		const char *outcome;
	} cases[] = {{0, true, "done"}, {0, false, "done"}, {FIREWALL_UNPROVED, true, "failed"},
		{-EIO, false, "failed"}, {-ECANCELED, false, "failed"}};
	size_t seen = 0, told = 0;

	s->options.servers = servers;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pass_result result;
		struct pass *p;

		s->applies = cases[i].applies;
		s->in_part = cases[i].in_part;
		s->n_told = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		scene_work(p, nothing_happens, s);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(result.network_failed, s->applies && s->applies != -ECANCELED);

		struct collected intents = scene_journal(s, JOURNAL_INTENT);
		struct collected outcomes = scene_journal(s, JOURNAL_OUTCOME);
		assert_true(intents.n > seen + 2);
		for (size_t k = seen; k < intents.n; k++)
			if (!strcmp(intents.items[k].server, PASS_NETWORK))
				assert_int_equal(outcomes_of(&outcomes, told, intents.items[k].id,
							 cases[i].outcome),
					1);
		assert_int_equal(outcomes_of(&outcomes, told, 0, cases[i].outcome),
			cases[i].in_part ? 1 : 0);
		seen = intents.n;
		told = outcomes.n;
		collected_free(&intents);
		collected_free(&outcomes);
	}
}

/* Of two announced changes the worker tells what came of one, and dies. */
static void test_a_dead_worker_leaves_nothing_unfinished(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;
	struct record plan = scene_plan("sqltest02", 1, CHANGE_USER_CREATE, "acme.jane.doe");
	struct record r = scene_record(RECORD_INTENT, "sqltest02");
	struct collected open = {0};

	assert_int_equal(pass_new(&p, &s->options), 0);
	for (plan.change.number = 1; plan.change.number <= 2; plan.change.number++)
		assert_int_equal(pass_record(p, &plan), 0);
	r.intent.number = 2;
	assert_int_equal(pass_record(p, &r), 0);
	plan.kind = RECORD_OUTCOME;
	plan.change.number = 1;
	assert_int_equal(pass_record(p, &plan), 0);
	r = scene_record(RECORD_END, "sqltest02");
	r.code = -ETIMEDOUT;
	RECORD_SET(&r, detail, "did not end");
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);

	assert_int_equal(journal_unfinished(s->journal, collect, &open), 0);
	assert_int_equal(open.n, 0);
	struct collected intents = scene_journal(s, JOURNAL_INTENT);
	struct collected outcomes = scene_journal(s, JOURNAL_OUTCOME);
	assert_int_equal(outcomes_of(&outcomes, 0, intents.items[0].id, "done"), 1);
	assert_int_equal(outcomes_of(&outcomes, 0, intents.items[1].id, "unknown"), 1);
	collected_free(&intents);
	collected_free(&outcomes);
}

/* Who dies right behind an enabling has on record what was verified before it: by that a later instant closes the login
 * before anything is read. */
static void test_what_lets_in_is_on_record_first(void **state)
{
	struct scene *s = *state;
	struct pass *p;
	struct record plan = scene_plan("sqltest02", 1, CHANGE_LOGIN_ENABLE, "acme.jane.doe");
	struct record r = scene_verification("sqltest02", "AcmeTest", LEVEL_FULL);
	struct verified_list list = {0};

	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_record(p, &plan), 0);
	r = scene_record(RECORD_INTENT, "sqltest02");
	r.intent.number = 1;
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(verified_load(&list, s->journal), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].level, LEVEL_FULL);
	assert_int_equal(list.items[0].result, VERIFICATION_VERIFIED);
	verified_list_free(&list);
	pass_free(p);
}

/* Whoever has left the configuration has no grant that could tell of the end. */
static void test_who_left_has_nothing_on_record(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;
	const struct identity known = {.server = "sqltest02", .login = "acme.john.roe"};
	const struct journal_entry access = {.kind = JOURNAL_ACCESS,
		.at = TESTING - 1,
		.client = "acme",
		.login = "acme.john.roe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.level = "full",
		.until = GOLIVE};
	struct collected held = {0};

	assert_int_equal(ledger_put(s->journal, &known), 0);
	assert_int_equal(journal_write(NULL, s->journal, &access), 0);
	assert_int_equal(journal_access_at(s->journal, TESTING, NULL, collect, &held), 0);
	assert_int_equal(held.n, 1);
	collected_free(&held);
	assert_int_equal(pass_new(&p, &s->options), 0);
	struct record r = scene_record(RECORD_LOGIN, "sqltest02");
	RECORD_SET(&r, login, "ACME.john.roe");
	r.identity.status = LOGIN_GONE;
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	assert_false(result.journal_failed);
	assert_int_equal(journal_access_at(s->journal, TESTING, NULL, collect, &held), 0);
	assert_int_equal(held.n, 0);
	assert_int_equal(journal_access_at(s->journal, TESTING - 1, NULL, collect, &held), 0);
	assert_int_equal(held.n, 1);
	collected_free(&held);
	/* Whoever left, that the login is gone was verified, and stands there with the reason. */
	held = scene_journal(s, JOURNAL_PROOF);
	assert_int_equal(held.n, 1);
	assert_string_equal(held.items[0].login, "acme.john.roe");
	assert_string_equal(held.items[0].client, "acme");
	assert_string_equal(held.items[0].outcome, "verified");
	assert_string_equal(held.items[0].level, "none");
	assert_non_null(held.items[0].reason);
	collected_free(&held);
}

/* Who holds more than is scheduled is shut out of the network, and is not on record as having nothing: other ways than
 * ours may lead there. */
static void test_excess_is_on_record_beside_a_closed_network(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	struct pass_result result;
	struct collected held = {0};
	struct pass *p;

	s->options.servers = servers;
	for (int i = 0; i < 2; i++) {
		s->n_told = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		struct record r = scene_record(RECORD_SERVER, "sqltest02");
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_verification("sqltest02", "AcmeTest", LEVEL_FULL);
		r.verification.result = VERIFICATION_EXCESS;
		RECORD_SET(&r, detail, "member of sysadmin");
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_grant("sqltest02", "AcmeTest", LEVEL_FULL);
		r.state = STATE_EXCESS;
		r.grant.admission = ADMIT_NOBODY;
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_record(RECORD_LOGIN, "sqltest02");
		RECORD_SET(&r, login, "acme.jane.doe");
		r.identity.status = LOGIN_DISABLED;
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_record(RECORD_END, "sqltest02");
		assert_int_equal(pass_record(p, &r), 0);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(s->n_allows, 0);
	}
	assert_int_equal(journal_access_at(s->journal, TESTING, NULL, collect, &held), 0);
	assert_int_equal(held.n, 1);
	assert_string_equal(held.items[0].level, "full");
	assert_string_equal(held.items[0].outcome, "excess");
	assert_string_equal(held.items[0].after, ACCESS_CLOSED);
	assert_string_equal(held.items[0].sources, "");
	assert_string_equal(held.items[0].detail, "member of sysadmin");
	/* Past its end too, for nobody has seen it end. */
	collected_free(&held);
	assert_int_equal(journal_access_at(s->journal, GOLIVE + 1, NULL, collect, &held), 0);
	assert_int_equal(held.n, 1);
	collected_free(&held);
	/* Once: the second pass found what was on record. */
	held = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(held.n, 1);
	collected_free(&held);
}

/* The server's own spelling; the worker does not know whose he was. */
static void test_what_closes_for_who_left_is_his_clients(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;
	static const char *const logins[] = {"ACME.john.roe", "acme.ann.lee", "who.is.this"};
	static const char *const clients[] = {"acme", "beta", "-"};
	struct journal_entry before = {.kind = JOURNAL_ACCESS,
		.at = TESTING - 1,
		.client = "acme",
		.login = "acme.john.roe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.level = "full",
		.until = GOLIVE};

	assert_int_equal(journal_write(NULL, s->journal, &before), 0);
	/* Another server's is another's. */
	before.client = "gamma";
	before.server = "sql07";
	assert_int_equal(journal_write(NULL, s->journal, &before), 0);
	/* Never had access: made, and left before. */
	before = (struct journal_entry){.kind = JOURNAL_EVENT,
		.client = "beta",
		.login = "acme.ann.lee",
		.server = "sqltest02"};
	assert_int_equal(journal_write(NULL, s->journal, &before), 0);
	assert_int_equal(pass_new(&p, &s->options), 0);
	for (uint64_t i = 0; i < ARRAY_SIZE(logins); i++) {
		struct record r = scene_plan("sqltest02", i + 1, CHANGE_LOGIN_DROP, logins[i]);

		assert_int_equal(pass_record(p, &r), 0);
		r.kind = RECORD_OUTCOME;
		assert_int_equal(pass_record(p, &r), 0);
	}
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	for (int kind = JOURNAL_INTENT; kind <= JOURNAL_OUTCOME; kind++) {
		struct collected c = scene_journal(s, (enum journal_kind)kind);
		size_t n = 0;

		for (size_t i = 0; i < c.n; i++)
			if (!strcmp(c.items[i].server, "sqltest02")) {
				assert_true(n < ARRAY_SIZE(clients));
				assert_string_equal(
					c.items[i].client ? c.items[i].client : "-", clients[n++]);
			}
		assert_int_equal(n, ARRAY_SIZE(clients));
		collected_free(&c);
	}
}

/* A worker gone wrong says in a pass that only looks what belongs to one that writes: the journal stays free for the
 * pass beside it, and nothing of it is on record. */
static void test_who_only_looks_writes_nothing(void **state)
{
	struct scene *s = *state;
	static const enum pass_mode modes[] = {PASS_PLAN, PASS_STATUS, PASS_AUDIT};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct pass_result result;
		struct pass *p;
		struct record r = scene_plan("sqltest02", 1, CHANGE_LOGIN_DISABLE, "");

		s->n_told = 0;
		s->options.mode = modes[i];
		assert_int_equal(pass_new(&p, &s->options), 0);
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_record(RECORD_INTENT, "sqltest02");
		assert_int_not_equal(pass_record(p, &r), 0);
		static const enum record_kind kinds[] = {
			RECORD_OUTCOME, RECORD_VERIFICATION, RECORD_BASELINE, RECORD_LOGIN};
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			r = scene_record(kinds[k], "sqltest02");
			RECORD_SET(&r, database, "AcmeTest");
			pass_record(p, &r);
			assert_int_equal(journal_begin(s->journal), 0);
			assert_int_equal(journal_commit(s->journal), 0);
		}
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		for (int kind = JOURNAL_INTENT; kind <= JOURNAL_ACCESS; kind++) {
			struct collected c = scene_journal(s, (enum journal_kind)kind);
			assert_int_equal(c.n, 0);
			collected_free(&c);
		}
	}
}

/* Its people have left, and their access with them: the record of the closing is still found by their names. */
static void test_an_element_bears_the_names_behind_it(void **state)
{
	struct scene *s = *state;
	static const struct {
		const char *comment, *client, *login, *detail;
	} cases[] = {{"acme/acme.jane.doe", "acme", "acme.jane.doe", "acme/acme.jane.doe"},
		{"acme/acme.jane.doe, acme/acme.john.roe", "acme", NULL,
			"acme/acme.jane.doe, acme/acme.john.roe"},
		{"beta/beta.al.li, gamma/gamma.bo.li", NULL, NULL,
			"beta/beta.al.li, gamma/gamma.bo.li"},
		/* A comment's room is the kernel's, not the journal's. */
		{"beta/beta.al.li, gamma/gam...", NULL, NULL,
			"beta/beta.al.li, acme/acme.jane.doe"},
		{"acme/acme.john.roe, acme/acme.j...", "acme", NULL,
			"acme/acme.john.roe, acme/acme.jane.doe"}};

	s->options.now = GOLIVE + 100 * 86400;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct collected before = scene_journal(s, JOURNAL_INTENT);
		struct pass *p;

		s->element = cases[i].comment;
		assert_int_equal(pass_new(&p, &s->options), 0);
		assert_int_equal(pass_close_network(p), 0);
		pass_record_network(p);
		pass_free(p);
		struct collected after = scene_journal(s, JOURNAL_INTENT);
		const struct journal_entry *e = &after.items[before.n];
		while (e < after.items + after.n && strcmp(e->action, "remove") != 0)
			e++;
		assert_true(e < after.items + after.n);
		assert_string_equal(e->detail, cases[i].detail);
		assert_string_equal(
			e->client ? e->client : "-", cases[i].client ? cases[i].client : "-");
		assert_string_equal(
			e->login ? e->login : "-", cases[i].login ? cases[i].login : "-");
		collected_free(&before);
		collected_free(&after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_lets_in_is_on_record_first, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_excess_is_on_record_beside_a_closed_network,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_every_intent_has_its_outcome, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_dead_worker_leaves_nothing_unfinished, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_who_left_has_nothing_on_record, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_closes_for_who_left_is_his_clients, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_who_only_looks_writes_nothing, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_an_element_bears_the_names_behind_it, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("pass on record", tests, NULL, NULL);
}
