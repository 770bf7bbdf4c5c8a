/* What a pass makes of its memory: formers stay until they are verified gone, missing records open nothing, trouble with
 * the journal is no reason not to begin. */
#include "pass_scene.h"

#include "pass/pass_internal.h"

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
static void test_formers_stay(void **state)
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
static void test_ends_that_are_written_are_told(void **state)
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

/* No record is missing: what ends is closed as ever, also that of which nothing is on record. */
static void test_without_a_packet_filter_all_ends_and_nothing_begins(void **state)
{
	struct scene *s = *state;
	size_t closings[2] = {0};

	const struct verified another = {.server = "sqltest02",
		.login = "somebody.else",
		.database = "AcmeTest",
		.result = VERIFICATION_VERIFIED};

	assert_int_equal(verified_save(s->journal, &another), 0);
	s->options.now = GOLIVE + 86400;
	for (int i = 0; i < 2; i++) {
		s->options.unfiltered = i;
		s->options.network = i ? NULL : &s->port;
		struct pass *p = begin(s);
		assert_int_equal(pass_is_held(p), i);
		for (size_t k = 0; k < p->n_servers; k++) {
			closings[i] += p->servers[k].sql.n_closings;
			assert_int_equal(p->servers[k].sql.wanted.hold != NULL, i);
		}
		struct pass_result result = finish(p);
		assert_int_equal(result.held, i);
		assert_int_equal(result.unfiltered, i);
		assert_int_equal(result.network_failed, i);
	}
	assert_true(closings[0] > 0);
	assert_int_equal(closings[1], closings[0]);
	/* Where records are missing, that is what is told. */
	assert_int_equal(loss_put(s->journal, TESTING, TESTING, "a test"), 0);
	struct pass_result result = finish(begin(s));
	assert_true(result.held && !result.unfiltered && result.network_failed);
}

/* Jane's grant is seen so; how many records of access there are then, and what the last one says of the network. */
static size_t seen_with(struct scene *s, bool filtered, enum level level, char network[32])
{
	s->options.unfiltered = !filtered;
	s->options.network = filtered ? &s->port : NULL;
	struct pass *p = begin(s);
	struct record r = scene_record(RECORD_SERVER, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_verification("sqltest02", "AcmeTest", level);
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_grant("sqltest02", "AcmeTest", level);
	r.grant.admission = ADMIT;
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_record(RECORD_END, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	finish(p);
	struct collected c = scene_journal(s, JOURNAL_ACCESS);
	size_t n = c.n;
	assert_true(n);
	snprintf(network, 32, "%s", c.items[n - 1].after);
	collected_free(&c);
	return n;
}

/* The kernel still filters: nothing new is known of the network, and nothing is written for it. */
static void test_without_a_packet_filter_the_records_say_what_was_last_known(void **state)
{
	struct scene *s = *state;
	char network[32];

	assert_int_equal(seen_with(s, true, LEVEL_FULL, network), 1);
	assert_string_equal(network, ACCESS_ALLOWED);
	assert_int_equal(seen_with(s, false, LEVEL_FULL, network), 1);
	assert_int_equal(seen_with(s, true, LEVEL_FULL, network), 1);
	assert_int_equal(seen_with(s, false, LEVEL_NONE, network), 2);
	assert_string_equal(network, ACCESS_ALLOWED);
}

/* A service's passes share what they read, until somebody writes: whoever it is, the next pass goes by it. */
static void test_a_copy_is_read_again_when_the_journal_has_changed(void **state)
{
	struct scene *s = *state;
	struct state_copy *kept = NULL, *first;

	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	s->options.last = &kept;
	finish(begin(s));
	assert_int_equal(s->n_allows, 1);
	s->planned = FIREWALL_PROVED;
	finish(begin(s));
	first = kept;
	finish(begin(s));
	assert_ptr_equal(kept, first);
	s->planned = 0;
	/* Another process, of which the service is told nothing. */
	char path[256];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/journal", s->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "UPDATE verification SET result = 'excess'", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	finish(begin(s));
	assert_ptr_not_equal(kept, first);
	assert_int_equal(s->n_allows, 0);
	state_copy_free(kept);
}

static uint64_t number_now(const struct scene *s)
{
	struct pass *p;

	assert_int_equal(pass_new(&p, &s->options), 0);
	uint64_t number = pass_list_number(p, pass_admission);
	pass_free(p);
	return number;
}

static void everybody_is_verified(struct scene *s)
{
	struct grants g;

	assert_int_equal(schedule_at(&g, s->program, NULL, s->options.now), 0);
	for (size_t i = 0; i < g.n; i++)
		assert_int_equal(verified_save(s->journal,
					 &(struct verified){.server = g.items[i].server->name,
						 .login = g.items[i].user->login,
						 .database = g.items[i].database->name,
						 .level = g.items[i].level,
						 .result = VERIFICATION_VERIFIED}),
			0);
	grants_free(&g);
}

/* A list is planned by its number as long as all is the same that it is made of, and no longer. */
static void test_a_list_is_built_when_something_has_changed(void **state)
{
	struct scene *s = *state;
	struct overrides revoked = {0};

	s->planned = FIREWALL_PROVED;
	everybody_is_verified(s);
	finish(begin(s));
	assert_int_equal(s->n_planned, 1);
	finish(begin(s));
	s->options.now++;
	finish(begin(s));
	assert_int_equal(s->n_planned, 1);
	/* A verification, */
	uint64_t number = number_now(s);
	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_NONE);
	assert_int_not_equal(number_now(s), number);
	finish(begin(s));
	assert_true(s->n_planned > 1);
	everybody_is_verified(s);
	assert_int_equal(number_now(s), number);
	/* a revocation, */
	assert_int_equal(overrides_add(&revoked, "acme", NULL, s->options.now, ""), 0);
	s->options.overrides = &revoked;
	assert_int_not_equal(number_now(s), number);
	s->options.overrides = NULL;
	/* the schedule, and the configuration. */
	s->options.now = GOLIVE;
	assert_int_not_equal(number_now(s), number);
	s->options.now = TESTING;
	assert_int_equal(number_now(s), number);
	s->program->digest[0] ^= 1;
	assert_int_not_equal(number_now(s), number);
	overrides_free(&revoked);
}

/* After the end: her own database shows no user, but the proof has found one elsewhere, or could not read it. */
static void test_a_proof_is_not_overruled_by_one_database(void **state)
{
	static const enum verification results[] = {
		VERIFICATION_EXCESS, VERIFICATION_UNVERIFIED, VERIFICATION_VERIFIED};
	struct scene *s = *state;

	s->options.now = GOLIVE + 100 * 86400;
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		struct verified_list list;
		struct pass *p = begin(s);
		struct record r = scene_verification("sqltest02", "AcmeTest", LEVEL_NONE);

		r.verification.result = results[i];
		RECORD_SET(&r, verification.fingerprint, "");
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_grant("sqltest02", "AcmeTest", LEVEL_NONE);
		r.state = STATE_OK;
		assert_int_equal(pass_record(p, &r), 0);
		r = scene_record(RECORD_END, "sqltest02");
		assert_int_equal(pass_record(p, &r), 0);
		finish(p);
		assert_int_equal(verified_load(&list, s->journal), 0);
		assert_int_equal(list.n, 1);
		assert_int_equal(list.items[0].result, results[i]);
		verified_list_free(&list);
	}
}

static void test_a_loss_opens_nothing(void **state)
{
	struct scene *s = *state;
	struct pass *p;

	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	assert_int_equal(
		loss_put(s->journal, TESTING, LOSS_SINCE_UNKNOWN, "records are missing"), 0);
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
static void test_a_marked_login_on_a_first_start_is_a_loss(void **state)
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
	/* Once, for all servers. */
	assert_string_equal(scene_told(s, RECORD_NOTE, "")->detail, "somebody bears the mark");
	for (size_t i = 0; i < s->n_told; i++)
		assert_true(s->told[i].kind != RECORD_NOTE || !*s->told[i].server);
}

static void test_a_pass_begins_without_its_journal(void **state)
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
		cmocka_unit_test_setup_teardown(test_formers_stay, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_ends_that_are_written_are_told, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_copy_is_read_again_when_the_journal_has_changed, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(test_a_list_is_built_when_something_has_changed,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_proof_is_not_overruled_by_one_database, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_loss_opens_nothing, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_without_a_packet_filter_the_records_say_what_was_last_known,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_without_a_packet_filter_all_ends_and_nothing_begins, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(test_a_marked_login_on_a_first_start_is_a_loss,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_pass_begins_without_its_journal, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
