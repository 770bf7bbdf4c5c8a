/* What a record of access says of the network: what the packet filter confirmed. */
#include "pass_scene.h"

#include <errno.h>

#include "curfew/firewall.h"
#include "pass/pass_internal.h"

static const char *const servers[] = {"sqltest02", NULL};

static uint64_t left_ms; /* how long the kernel lets Jane in yet; 0: not */

static int observe(struct firewall_state *out, void *context, instant_t now)
{
	const struct scene *s = context;
	const struct user *jane = &s->program->clients[0].users[0];
	const struct server *server = program_server(s->program, "sqltest02");

	(void)now;
	*out = (struct firewall_state){.read_ms = monotonic_ms(), .present = true, .intact = true};
	if (!left_ms)
		return 0;
	assert_int_equal(jane->n_sources, 1);
	out->allows = calloc(1, sizeof(*out->allows));
	assert_non_null(out->allows);
	out->allows[0] = (struct observed_allow){.source = jane->sources[0],
		.endpoint = server->endpoints[0],
		.has_timeout = true,
		.remaining_ms = left_ms,
		.comment = ""};
	out->n_allows = 1;
	return 0;
}

/* One pass; `answers`: of the packet filter to its changes, one for each time that it is asked. */
static void visit_asking(struct scene *s, enum admission admission, const int *answers, size_t n)
{
	struct pass_result result;
	struct pass *p;

	s->port.observe = observe;
	s->options.servers = servers;
	s->n_told = 0;
	assert_int_equal(pass_new(&p, &s->options), 0);
	struct record r = scene_record(RECORD_SERVER, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_verification("sqltest02", "AcmeTest", LEVEL_FULL);
	if (admission == ADMIT_NOBODY) {
		r.verification.result = VERIFICATION_EXCESS;
		RECORD_SET(&r, detail, "member of sysadmin");
	}
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_grant("sqltest02", "AcmeTest", LEVEL_FULL);
	r.state = admission == ADMIT ? STATE_OK : STATE_EXCESS;
	r.grant.admission = admission;
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_record(RECORD_END, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	for (size_t i = 0; i < n; i++) {
		s->applies = answers[i];
		if (i + 1 < n)
			pass_network_step(p);
	}
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	assert_false(result.journal_failed);
}

static void visit(struct scene *s, enum admission admission, int answer)
{
	visit_asking(s, admission, &answer, 1);
}

static void last_is(const struct scene *s, size_t n, const char *outcome, const char *network)
{
	struct collected held = scene_journal(s, JOURNAL_ACCESS);

	assert_int_equal(held.n, n);
	const struct journal_entry *last = &held.items[n - 1];
	assert_string_equal(last->level, "full");
	assert_string_equal(last->outcome, outcome);
	assert_string_equal(last->after, network);
	assert_int_equal(!*last->sources, !strcmp(network, ACCESS_CLOSED));
	collected_free(&held);
}

/* The kernel keeps the entry while the packet filter cannot be changed, and the next passes add nothing. */
static void test_what_was_not_closed_is_not_said_to_be(void **state)
{
	struct scene *s = *state;

	visit(s, ADMIT, 0);
	last_is(s, 1, "verified", ACCESS_ALLOWED);
	for (int i = 0; i < 2; i++) {
		visit(s, ADMIT_NOBODY, -EIO);
		last_is(s, 2, "excess", ACCESS_ALLOWED);
	}
	for (int i = 0; i < 2; i++) {
		visit(s, ADMIT_NOBODY, 0);
		last_is(s, 3, "excess", ACCESS_CLOSED);
	}
}

/* It is on record before it opens, and that it did is not while nobody has confirmed it. */
static void test_what_was_not_opened_is_not_said_to_be(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 2; i++) {
		visit(s, ADMIT, FIREWALL_UNCONFIRMED);
		last_is(s, 2, "verified", ACCESS_UNCONFIRMED);
	}
	for (int i = 0; i < 2; i++) {
		visit(s, ADMIT, 0);
		last_is(s, 3, "verified", ACCESS_ALLOWED);
	}
}

/* While the pass holds, the packet filter is only asked to close. */
static void test_what_was_not_asked_for_is_not_said_to_be_allowed(void **state)
{
	struct scene *s = *state;
	struct clock nowhere;

	s->options.hold = "records are missing";
	for (int i = 0; i < 2; i++) {
		visit(s, ADMIT, 0);
		last_is(s, 2, "verified", ACCESS_UNCONFIRMED);
	}
	s->options.hold = NULL;
	visit(s, ADMIT, 0);
	last_is(s, 3, "verified", ACCESS_ALLOWED);
	visit(s, ADMIT_NOBODY, 0);
	assert_int_equal(clock_open(&nowhere, "/proc"), 0);
	s->options.clock = &nowhere;
	visit(s, ADMIT, 0);
	last_is(s, 6, "verified", ACCESS_UNCONFIRMED);
}

/* One answer is for the whole list: whom the kernel lets in until his end is not who was left out of it. */
static void test_who_is_let_in_is_said_to_be(void **state)
{
	struct scene *s = *state;

	left_ms = (GOLIVE - TESTING) * 1000ull;
	for (int i = 0; i < 2; i++) {
		visit(s, ADMIT, FIREWALL_UNCONFIRMED);
		last_is(s, 1, "verified", ACCESS_ALLOWED);
	}
	visit(s, ADMIT_NOBODY, 0);
	left_ms /= 2;
	visit(s, ADMIT, FIREWALL_UNCONFIRMED);
	last_is(s, 4, "verified", ACCESS_UNCONFIRMED);
}

/* A pass asks the packet filter once for each server. */
static void test_each_answer_counts(void **state)
{
	static const int opened_then_failed[] = {0, -EIO}, failed_then_opened[] = {-EIO, 0};
	struct scene *s = *state;

	left_ms = (GOLIVE - TESTING) * 1000ull;
	visit_asking(s, ADMIT, opened_then_failed, 2);
	last_is(s, 1, "verified", ACCESS_ALLOWED);
	visit(s, ADMIT_NOBODY, 0);
	left_ms = 0;
	visit_asking(s, ADMIT, failed_then_opened, 2);
	last_is(s, 5, "verified", ACCESS_ALLOWED);
}

static void access_put(struct scene *s, const char *client, const char *level, instant_t at)
{
	const struct journal_entry e = {.kind = JOURNAL_ACCESS,
		.at = at,
		.client = client,
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.level = level,
		.sources = "203.0.113.7",
		.until = GOLIVE,
		.outcome = "verified",
		.after = ACCESS_ALLOWED};

	assert_int_equal(journal_write(NULL, s->journal, &e), 0);
}

/* The client's file was renamed: its users' logins, which are written in it, stayed. Both names are open if the new one was
 * recorded without an end of the old one. */
static void test_what_a_former_name_had_goes_on_under_the_new_one(void **state)
{
	static const char *const names[] = {"former", "acme"};
	struct scene *s = *state;

	for (size_t n = 1; n <= 2; n++) {
		struct collected before = scene_journal(s, JOURNAL_ACCESS);

		for (size_t i = 0; i < n; i++)
			access_put(s, names[i], i ? "read-only" : "full", TESTING);
		for (int i = 0; i < 2; i++)
			visit(s, ADMIT, 0);
		struct collected after = scene_journal(s, JOURNAL_ACCESS);
		assert_int_equal(after.n, before.n + n + 2);
		const struct journal_entry *e = &after.items[after.n - 2];
		assert_string_equal(e[0].client, "former");
		assert_string_equal(e[0].level, "none");
		assert_string_equal(e[1].client, "acme");
		assert_string_equal(e[1].level, "full");
		collected_free(&before);
		collected_free(&after);
	}
}

/* The record of the end says whose the login is by then, and has the time of the one that goes on. */
static void test_who_has_the_login_under_the_other_client(void **state)
{
	static const struct {
		const char *email;
		bool other;
	} cases[] = {{"jane.doe@acme.example", false}, {"june.roe@apex.example", true}};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char person[128];
		struct journal_entry e = {.kind = JOURNAL_ACCESS,
			.at = TESTING,
			.client = "former",
			.login = "acme.jane.doe",
			.server = "sqltest02",
			.database = "AcmeTest",
			.level = "full",
			.until = GOLIVE,
			.outcome = "verified",
			.before = person};

		snprintf(person, sizeof(person), "{\"user\":\"J\",\"email\":\"%s\"}",
			cases[i].email);
		assert_int_equal(journal_write(NULL, s->journal, &e), 0);
		visit(s, ADMIT, 0);
		struct collected c = scene_journal(s, JOURNAL_ACCESS);
		const struct journal_entry *end = &c.items[c.n - 2];
		assert_string_equal(end->client, "former");
		assert_true(end->at == end[1].at);
		assert_int_equal(strstr(end->detail, "its password stay") != NULL, cases[i].other);
		collected_free(&c);
	}
}

/* Not observed yet under the new name: the end of its time alone is no word of what SQL has, and closes one record. */
static void test_what_expires_is_the_former_names(void **state)
{
	struct scene *s = *state;
	struct pass *p;

	access_put(s, "former", "full", TESTING);
	s->port.observe = observe;
	s->options.now = GOLIVE + 1;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_record_expired(p), 0);
	pass_free(p);
	struct collected c = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(c.n, 2);
	for (size_t i = 0; i < c.n; i++)
		assert_string_equal(c.items[i].client, "former");
	assert_string_equal(c.items[1].after, ACCESS_CLOSED);
	collected_free(&c);
}

static int nothing_left(void **state)
{
	left_ms = 0;
	return scene_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_was_not_closed_is_not_said_to_be, nothing_left, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_was_not_opened_is_not_said_to_be, nothing_left, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_was_not_asked_for_is_not_said_to_be_allowed, nothing_left,
			scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_who_is_let_in_is_said_to_be, nothing_left, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_each_answer_counts, nothing_left, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_a_former_name_had_goes_on_under_the_new_one, nothing_left,
			scene_teardown),
		cmocka_unit_test_setup_teardown(test_who_has_the_login_under_the_other_client,
			nothing_left, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_expires_is_the_former_names, nothing_left, scene_teardown),
	};
	return cmocka_run_group_tests_name("access on record", tests, NULL, NULL);
}
