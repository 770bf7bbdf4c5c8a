/* The kernel closes at its own deadline, whoever runs: that stands on record, once, and is not taken for more. */
#include "pass_scene.h"

static bool there; /* an entry of Jane's on the server of her database */

static int observe(struct firewall_state *out, void *context, instant_t now)
{
	const struct scene *s = context;
	const struct server *server = program_server(s->program, "sqltest02");

	(void)now;
	*out = (struct firewall_state){.read_ms = monotonic_ms(), .present = true, .intact = true};
	if (!there)
		return 0;
	out->allows = calloc(1, sizeof(*out->allows));
	assert_non_null(out->allows);
	out->allows[0] =
		(struct observed_allow){.source = s->program->clients[0].users[0].sources[0],
			.endpoint = server->endpoints[0],
			.has_timeout = true,
			.remaining_ms = 1000};
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

/* At go-live the server is down: that the kernel has shut the network by itself is on record once, with its deadline; of
 * SQL nothing new is claimed. */
static void the_kernels_own_expiry_is_on_record(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	const struct journal_entry access = {.kind = JOURNAL_ACCESS,
		.at = TESTING,
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.level = "full",
		.outcome = "verified",
		.after = ACCESS_ALLOWED,
		.sources = "203.0.113.7",
		.until = GOLIVE};
	struct collected held;

	assert_int_equal(journal_write(NULL, s->journal, &access), 0);
	scene_remember(s, "sqltest02", "AcmeTest", LEVEL_FULL);
	s->options.servers = servers;
	s->options.now = GOLIVE;
	s->port.observe = observe;
	s->options.network = &s->port;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_kernels_own_expiry_is_on_record, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("pass expiry", tests, NULL, NULL);
}
