/* The kernel closes at its own deadline, whoever runs: that stands on record, once, and is not taken for more. */
#include "pass_scene.h"

#include "curfew/visit.h"

static bool there; /* an entry of Jane's on the server of her database */
static size_t n_looks;
static const struct source *shown; /* its source; NULL: the first of her file */

static int observe(struct firewall_state *out, void *context, instant_t now)
{
	const struct scene *s = context;
	const struct server *server = program_server(s->program, "sqltest02");

	(void)now;
	n_looks++;
	*out = (struct firewall_state){.read_ms = monotonic_ms(), .present = true, .intact = true};
	if (!there)
		return 0;
	out->allows = calloc(1, sizeof(*out->allows));
	assert_non_null(out->allows);
	out->allows[0] = (struct observed_allow){
		.source = shown ? *shown : s->program->clients[0].users[0].sources[0],
		.endpoint = server->endpoints[0],
		.has_timeout = true,
		.remaining_ms = 1000,
		.comment = ""};
	out->n_allows = 1;
	return 0;
}

static size_t actions_count(const struct scene *s, const char *action)
{
	struct collected c = scene_journal(s, JOURNAL_EVENT);
	size_t n = 0;

	for (size_t i = 0; i < c.n; i++)
		n += c.items[i].action && streq(c.items[i].action, action);
	collected_free(&c);
	return n;
}

static const char *recorded = ACCESS_ALLOWED; /* what the record says of the network */

static void access_record(struct scene *s, instant_t at, const char *sources)
{
	const struct journal_entry access = {.kind = JOURNAL_ACCESS,
		.at = at,
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.level = "full",
		.outcome = "verified",
		.after = recorded,
		.sources = sources,
		.until = GOLIVE};

	assert_int_equal(journal_write(NULL, s->journal, &access), 0);
}

static void jane_was_let_in(struct scene *s)
{
	static const char *const servers[] = {"sqltest02", NULL};

	access_record(s, TESTING, "203.0.113.7");
	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	s->options.servers = servers;
	s->options.now = GOLIVE;
	s->port.observe = observe;
	s->options.network = &s->port;
}

/* At go-live the server is down: that the kernel has shut the network by itself is on record once, with its deadline; of
 * SQL nothing new is claimed. */
static void test_the_kernels_own_expiry_is_on_record(void **state)
{
	struct scene *s = *state;
	struct collected held;

	jane_was_let_in(s);
	/* Still there: not gone. The second time it is. */
	for (int i = 0; i < 4; i++) {
		struct pass_result result;
		struct pass *p;
		struct record r = scene_record(RECORD_END, "sqltest02");

		there = i == 0;
		s->n_told = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		assert_int_equal(pass_close_network(p), 0);
		r.code = -ETIMEDOUT;
		assert_int_equal(pass_record(p, &r), 0);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(actions_count(s, "allow-expire"), i ? 1 : 0);
	}
	held = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(held.n, 2);
	assert_string_equal(held.items[1].level, "full");
	assert_string_equal(held.items[1].outcome, "unverified");
	assert_string_equal(held.items[1].after, ACCESS_CLOSED);
	assert_int_equal(held.items[1].until, GOLIVE);
	collected_free(&held);
}

/* What was never confirmed to be let in has no end by the kernel; that it is not let in is on record all the same. */
static void test_the_end_of_what_was_not_confirmed_is_on_record(void **state)
{
	struct scene *s = *state;
	struct collected held;

	recorded = ACCESS_UNCONFIRMED;
	jane_was_let_in(s);
	recorded = ACCESS_ALLOWED;
	there = false;
	for (int i = 0; i < 2; i++) {
		struct pass_result result;
		struct pass *p;
		struct record r = scene_record(RECORD_END, "sqltest02");

		assert_int_equal(pass_new(&p, &s->options), 0);
		r.code = -ETIMEDOUT;
		assert_int_equal(pass_record(p, &r), 0);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
	}
	assert_int_equal(actions_count(s, "allow-expire"), 0);
	held = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(held.n, 2);
	assert_string_equal(held.items[1].after, ACCESS_CLOSED);
	assert_string_equal(held.items[1].reason, s->options.reason);
	collected_free(&held);
}

static int remove_jane(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	const struct scene *s = context;

	(void)wanted, (void)now, (void)closings_only;
	*done = (struct firewall_changes){0};
	if (!there)
		return 0;
	there = false;
	done->items = calloc(1, sizeof(*done->items));
	assert_non_null(done->items);
	done->items[0] = (struct firewall_change){.kind = FIREWALL_ALLOW_REMOVE,
		.source = s->program->clients[0].users[0].sources[0],
		.endpoint = program_server(s->program, "sqltest02")->endpoints[0],
		.comment = ""};
	done->n = 1;
	return 0;
}

/* The system clock went forward, so the kernel still let her in, and the pass removed the entry: its end is on record, and
 * not as the kernel's doing. Before SQL is asked nothing is read or recorded for that. */
static void test_what_the_pass_removed_is_not_said_to_be_the_kernels_doing(void **state)
{
	struct scene *s = *state;
	struct record r = scene_record(RECORD_END, "sqltest02");
	struct pass_result result;
	struct collected held;
	struct pass *p;

	jane_was_let_in(s);
	s->port.apply = remove_jane;
	there = true;
	n_looks = 0;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_close_network(p), 0);
	assert_int_equal(n_looks, 1);
	held = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(held.n, 1);
	collected_free(&held);
	r.code = -ETIMEDOUT;
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	assert_int_equal(actions_count(s, "allow-expire"), 0);
	held = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(held.n, 2);
	assert_string_equal(held.items[1].after, ACCESS_CLOSED);
	assert_string_equal(held.items[1].reason, "a test");
	collected_free(&held);
}

/* What was let in from an address that the file no longer names is not gone while the kernel has it. */
static void test_an_entry_of_a_source_that_left_is_not_gone(void **state)
{
	struct scene *s = *state;
	struct user *jane = &s->program->clients[0].users[0];
	struct record r = scene_record(RECORD_END, "sqltest02");
	struct source kept = jane->sources[0], moved = kept;
	struct pass_result result;
	struct pass *p;

	jane_was_let_in(s);
	moved.addr[3]++;
	there = true;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_close_network(p), 0);
	r.code = -ETIMEDOUT;
	assert_int_equal(pass_record(p, &r), 0);
	shown = &kept;
	jane->sources[0] = moved;
	assert_int_equal(pass_finish(&result, p), 0);
	shown = NULL;
	pass_free(p);
	assert_int_equal(actions_count(s, "allow-expire"), 0);
}

static const char *source_closing(const struct scene *s)
{
	const char *reason = NULL;
	struct pass *p;
	size_t n;

	assert_int_equal(pass_new(&p, &s->options), 0);
	const struct worker_job *jobs = pass_jobs(p, &n);
	for (size_t i = 0; i < n; i++) {
		const struct sql_visit *v = jobs[i].context;
		for (size_t k = 0; k < v->n_closings; k++)
			reason = v->closings[k].source ? v->closings[k].reason : reason;
	}
	pass_free(p);
	return reason;
}

/* Sessions from an address that is let in no more are ended, for the reason that is true. */
static void test_a_source_that_ended_was_not_removed(void **state)
{
	struct scene *s = *state;
	struct user *jane = &s->program->clients[0].users[0];

	jane_was_let_in(s);
	s->options.now = TESTING;
	assert_null(source_closing(s));
	assert_non_null(jane->source_ends);
	for (size_t i = 0; i < jane->n_sources; i++)
		jane->source_ends[i] = TESTING;
	assert_string_equal(source_closing(s), "this temporary source has ended");
	jane->sources[0].addr[3]++;
	assert_string_equal(source_closing(s), "this source was removed from the user's file");
}

/* One address ends while the server is down and the access goes on: it is on record once, and the other address stays. */
static void test_a_temporary_source_ends_without_its_server(void **state)
{
	struct scene *s = *state;
	struct user *jane = &s->program->clients[0].users[0];
	struct source both[2] = {jane->sources[0], jane->sources[0]}, *before = jane->sources;
	instant_t ends[2] = {SOURCE_NO_END, TESTING + 100}, *ends_before = jane->source_ends;
	size_t n_before = jane->n_sources;
	struct collected held;

	jane_was_let_in(s);
	assert_int_equal(source_parse(&both[1], "198.51.100.9"), 0);
	jane->sources = both;
	jane->source_ends = ends;
	jane->n_sources = 2;
	access_record(s, TESTING + 1, "203.0.113.7, 198.51.100.9");
	s->options.now = TESTING + 200;
	for (int i = 0; i < 4; i++) {
		struct pass_result result;
		struct pass *p;
		struct record r = scene_record(RECORD_END, "sqltest02");

		/* Still there: not gone. Then only the other one is. */
		there = true;
		shown = i == 0 ? &both[1] : &both[0];
		s->n_told = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		assert_int_equal(pass_close_network(p), 0);
		r.code = -ETIMEDOUT;
		assert_int_equal(pass_record(p, &r), 0);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(actions_count(s, "allow-expire"), i ? 1 : 0);
	}
	shown = NULL;
	held = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(held.n, 3);
	assert_string_equal(held.items[2].sources, "203.0.113.7");
	assert_string_equal(held.items[2].after, ACCESS_ALLOWED);
	assert_string_equal(held.items[2].outcome, "verified");
	assert_int_equal(held.items[2].until, GOLIVE);
	collected_free(&held);
	/* Its sessions were not read: when the server is back they are ended all the same. */
	assert_string_equal(source_closing(s), "this temporary source has ended");
	jane->sources = before;
	jane->source_ends = ends_before;
	jane->n_sources = n_before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_the_kernels_own_expiry_is_on_record, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_the_end_of_what_was_not_confirmed_is_on_record,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_the_pass_removed_is_not_said_to_be_the_kernels_doing, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(test_an_entry_of_a_source_that_left_is_not_gone,
			scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_source_that_ended_was_not_removed, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_a_temporary_source_ends_without_its_server,
			scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("pass expiry", tests, NULL, NULL);
}
