/* "I cannot connect": each seeded cause is named in the last line, and what is not known is never a cause. */
#include "explain_scene.h"

#include <jansson.h>

static void from(struct scene *s, const char *address)
{
	sample_source(&s->address, address, 32);
	s->facts.address = &s->address;
}

static void was_denied(struct scene *s, const char *address, bool own, bool known)
{
	sample_source(&s->refused.source, address, 32);
	assert_int_equal(endpoint_parse(&s->refused.endpoint, "192.0.2.99:1433"), 0);
	s->denied[0] = (struct explain_denied){.refused = &s->refused,
		.near = &s->sample->sources[0],
		.own = own,
		.server = known ? s->servers[0].server : NULL};
	s->facts.n_denied = 1;
}

static void wrong_address(struct scene *s)
{
	from(s, "192.0.2.200");
}
static void near_address(struct scene *s)
{
	from(s, "203.0.113.9");
}
static void ended_address(struct scene *s)
{
	static instant_t ends[] = {GO_LIVE - 25 * DAY, SOURCE_NO_END, SOURCE_NO_END};

	from(s, "203.0.113.7");
	s->sample->users[0][0].source_ends = ends;
}
static void near_denied(struct scene *s)
{
	was_denied(s, "203.0.113.9", false, true);
}
static void trusted_only(struct scene *s)
{
	from(s, "192.0.2.200");
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].allowed = false;
		s->servers[i].trusted = true;
	}
}
static void revoked_user(struct scene *s)
{
	s->revoked = (struct override){(char *)"acme", (char *)"acme.jane.doe", s->facts.now - 60,
		(char *)"laptop stolen"};
	s->facts.revoked_user = &s->revoked;
	s->facts.revoked_by = "root (uid 0)";
}
static void revoked_client(struct scene *s)
{
	revoked_user(s);
	s->revoked.login = NULL;
	s->facts.revoked_client = &s->revoked;
}
static void nothing(struct scene *s)
{
	(void)s;
}
static void is_locked(struct scene *s)
{
	s->servers[1].locked = ANSWER_YES;
}
static void must_change(struct scene *s)
{
	s->servers[1].must_change = s->servers[1].expired = ANSWER_YES;
}
static void is_expired(struct scene *s)
{
	s->servers[1].expired = ANSWER_YES;
}
static void never_handed_over(struct scene *s)
{
	s->servers[1].handed_over = ANSWER_NO;
	s->servers[1].must_change = ANSWER_YES;
}
static void holds_excess(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].login = EXPLAIN_LOGIN_DISABLED;
		s->servers[i].allowed = false;
		s->databases[i].state = STATE_EXCESS;
		s->databases[i].detail = "member of db_owner";
	}
}
/* The agent may not disable a member of a fixed server role, and nothing here filters her way. */
static void excess_unblocked(struct scene *s)
{
	holds_excess(s);
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].login = EXPLAIN_LOGIN_ENABLED;
		s->servers[i].network_known = false;
	}
}
static void excess_of_a_trusted_source(struct scene *s)
{
	holds_excess(s);
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].login = EXPLAIN_LOGIN_ENABLED;
		s->servers[i].trusted = true;
	}
}
static void excess_on_record(struct scene *s)
{
	s->verified = (struct verified){.result = VERIFICATION_EXCESS};
	s->databases[0].last = &s->verified;
	s->servers[0].login = EXPLAIN_LOGIN_DISABLED;
}
static void database_state(struct scene *s, enum state state)
{
	for (size_t i = 0; i < 2; i++)
		s->databases[i].state = state;
}
static void database_offline(struct scene *s)
{
	database_state(s, STATE_UNREAD);
}
static void database_denied(struct scene *s)
{
	database_offline(s);
	for (size_t i = 0; i < s->facts.n_databases; i++)
		s->databases[i].detail =
			"the agent login has no user there (916)" UNREAD_BOOTSTRAP "SERVER` again";
}
static void database_missing(struct scene *s)
{
	database_state(s, STATE_WAITING);
}
static void unreachable(struct scene *s, enum explain_reach reach, const char *why)
{
	for (size_t i = 0; i < 2; i++) {
		s->servers[i] = (struct explain_server){
			.server = s->servers[i].server, .reach = reach, .problem = why};
		s->databases[i].seen = false;
	}
}
static void server_down(struct scene *s)
{
	unreachable(s, REACH_DOWN, "Connection refused");
}
static void certificate_wrong(struct scene *s)
{
	unreachable(s, REACH_CERTIFICATE, "no TLS session with sqltest02 port 1433");
}
static void agent_refused(struct scene *s)
{
	unreachable(s, REACH_REFUSED, "Login failed for user 'curfew_agent'");
}
static void agent_without_rights(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].lacks =
			"the agent login lacks ALTER ANY LOGIN, so results may be incomplete; a DBA "
			"must run the output of `curfew bootstrap sqltest02` again";
		s->servers[i].allowed = false;
		s->servers[i].login = EXPLAIN_LOGIN_MISSING;
		s->databases[i].state = STATE_UNVERIFIED;
	}
}
static void change_failed(struct scene *s)
{
	agent_without_rights(s);
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].lacks = NULL;
		s->servers[i].failed =
			"15247: User does not have permission to perform this action.";
		s->servers[i].remedy = "CREATE LOGIN [acme.jane.doe]";
	}
}
static void not_verified(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		s->servers[i].allowed = false;
		s->databases[i].state = STATE_UNVERIFIED;
		s->databases[i].unverified = "the permission query failed (15517)";
	}
}
static void rights_not_needed(struct scene *s)
{
	for (size_t i = 0; i < 2; i++)
		s->servers[i].lacks = "the server does not show everything";
}
static void guard_kept(struct scene *s)
{
	was_denied(s, "203.0.113.7", true, false);
}
static void clock_behind(struct scene *s)
{
	s->facts.clock_behind = 40 * DAY;
}
static void login_missing(struct scene *s)
{
	s->servers[1].login = s->servers[0].login = EXPLAIN_LOGIN_MISSING;
}
static void held(struct scene *s)
{
	s->facts.held = "records are missing; no access is granted until you run `curfew "
			"accept-loss --reason TEXT`";
}
static void held_out(struct scene *s)
{
	held(s);
	login_missing(s);
}
static void held_without_rights(struct scene *s)
{
	held(s);
	agent_without_rights(s);
}
static void held_and_down(struct scene *s)
{
	held(s);
	server_down(s);
}
static void login_disabled(struct scene *s)
{
	s->servers[1].login = s->servers[0].login = EXPLAIN_LOGIN_DISABLED;
}
static void network_closed(struct scene *s)
{
	s->servers[1].allowed = s->servers[0].allowed = false;
}
static void in_drift(struct scene *s)
{
	database_state(s, STATE_DRIFT);
}
static void nothing_known(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		s->servers[i] = (struct explain_server){.server = s->servers[i].server};
		s->databases[i].seen = false;
	}
}
static void no_filter(struct scene *s)
{
	wrong_address(s);
	s->facts.filters = false;
	for (size_t i = 0; i < 2; i++)
		s->servers[i].network_known = s->servers[i].allowed = false;
}
/* Without root. */
static void filter_unread(struct scene *s)
{
	for (size_t i = 0; i < 2; i++)
		s->servers[i].network_known = s->servers[i].allowed = false;
}

#define TESTING (GO_LIVE - 20 * DAY)
#define LIVE	(GO_LIVE + DAY)

static const struct {
	instant_t now;
	void (*make)(struct scene *s);
	enum explain_cause cause;
	const char *says, *remedy;
} scenes[] = {
	{TESTING, wrong_address, CAUSE_ADDRESS_WRONG, "192.0.2.200 is not among the sources",
		"run `curfew allow acme acme.jane.doe 192.0.2.200 --reason TEXT --ticket ID`"},
	{TESTING, near_address, CAUSE_ADDRESS_NEAR, "near 203.0.113.7", "run `curfew allow acme"},
	{TESTING, ended_address, CAUSE_ADDRESS_ENDED, "ended Thu 2026-10-29", "curfew allow"},
	{TESTING, near_denied, CAUSE_DENIED_NEAR, "203.0.113.9", "run `curfew allow acme"},
	{TESTING, trusted_only, CAUSE_TRUSTED_ONLY, "only as a trusted source", "error message"},
	{TESTING, revoked_user, CAUSE_USER_REVOKED, "acme.jane.doe is revoked since",
		"curfew reinstate acme acme.jane.doe"},
	{TESTING, revoked_client, CAUSE_CLIENT_REVOKED, "client acme is revoked since",
		"curfew reinstate acme --reason"},
	{GO_LIVE - 110 * DAY, nothing, CAUSE_NOT_STARTED, "starts Mon 2026-08-10", "change"},
	{GO_LIVE + 31 * DAY, nothing, CAUSE_ENDED, "ended Wed 2026-12-23", "approval"},
	{LIVE, nothing, CAUSE_READ_ONLY, "read-only since Mon 2026-11-23", "writing fails"},
	{TESTING, is_locked, CAUSE_LOCKED, "is locked on sqltest02",
		"curfew handover acme acme.jane.doe"},
	{TESTING, must_change, CAUSE_MUST_CHANGE, "must change the one-time password", "SSMS"},
	{TESTING, is_expired, CAUSE_EXPIRED, "has expired on sqltest02", "curfew handover"},
	{TESTING, never_handed_over, CAUSE_NEVER_HANDED_OVER, "no password of acme.jane.doe",
		"curfew handover"},
	{TESTING, holds_excess, CAUSE_EXCESS, "member of db_owner", "curfew audit acme"},
	{TESTING, holds_excess, CAUSE_EXCESS, "is blocked until", "curfew audit acme"},
	{TESTING, excess_unblocked, CAUSE_EXCESS, "was not seen to be, blocked",
		"curfew audit acme"},
	{TESTING, excess_of_a_trusted_source, CAUSE_EXCESS, "was not seen to be, blocked",
		"curfew audit acme"},
	{TESTING, excess_on_record, CAUSE_EXCESS, "more than scheduled", "curfew audit acme"},
	{TESTING, database_offline, CAUSE_DATABASE_UNREAD,
		"database AcmeTest on sqltest02 cannot be read", "DBA"},
	{TESTING, database_missing, CAUSE_DATABASE_MISSING, "AcmeTest does not exist", "restore"},
	{TESTING, server_down, CAUSE_SERVER_DOWN, "sqltest02 does not answer", "start the server"},
	{TESTING, certificate_wrong, CAUSE_CERTIFICATE, "certificate of sqltest02", "ca_file"},
	{TESTING, agent_refused, CAUSE_AGENT_REFUSED, "agent login",
		"run `curfew credential sqltest02`"},
	{TESTING, agent_refused, CAUSE_AGENT_REFUSED, "ALTER LOGIN", "curfew bootstrap sqltest02"},
	{TESTING, agent_without_rights, CAUSE_AGENT_RIGHTS, "ALTER ANY LOGIN",
		"curfew bootstrap sqltest02"},
	/* Applying again would fail again. */
	{TESTING, change_failed, CAUSE_CHANGE_FAILED, "15247", "CREATE LOGIN [acme.jane.doe]"},
	{TESTING, not_verified, CAUSE_UNVERIFIED, "15517", "curfew bootstrap sqltest02"},
	{TESTING, guard_kept, CAUSE_GUARD_KEPT, "192.0.2.99:1433", "curfew unguard"},
	{GO_LIVE + 31 * DAY, clock_behind, CAUSE_CLOCK_BEHIND, "40 days behind", "curfew clock"},
	/* Beside the twenty: what the pass itself has still to do, and what is no fault. */
	{TESTING, login_missing, CAUSE_LOGIN_MISSING, "does not exist on sqltest02",
		"curfew apply acme"},
	{TESTING, login_disabled, CAUSE_LOGIN_DISABLED, "disabled on sqltest02",
		"curfew apply acme"},
	{TESTING, network_closed, CAUSE_NETWORK_CLOSED, "packet filter to sqltest02 blocks",
		"curfew apply acme"},
	/* `curfew apply` would grant nothing; who was let in before still is. */
	{TESTING, held_out, CAUSE_HELD, "records are missing", "curfew accept-loss"},
	{TESTING, held_without_rights, CAUSE_HELD, "records are missing", "curfew accept-loss"},
	{TESTING, held_and_down, CAUSE_SERVER_DOWN, "does not answer", "start the server"},
	{TESTING, held, CAUSE_NONE, "blocks nothing", "error message"},
	{TESTING, in_drift, CAUSE_NOT_AS_SCHEDULED, "is drift", "curfew apply acme"},
	{TESTING, nothing, CAUSE_NONE, "blocks nothing", "--address"},
	{TESTING, clock_behind, CAUSE_NONE, "blocks nothing", "error message"},
	{TESTING, rights_not_needed, CAUSE_NONE, "blocks nothing", "error message"},
	{TESTING, nothing_known, CAUSE_NOT_READ, "was not asked", "run this again"},
	{TESTING, filter_unread, CAUSE_NOT_READ, "packet filter was not read", "as root"},
	{TESTING, no_filter, CAUSE_NONE, "blocks nothing", "error message"},
};

static void test_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct scene s;
		char text[EXPLAIN_TEXT_MAX];

		scene_open(&s, scenes[i].now);
		scenes[i].make(&s);
		enum explain_cause cause = explain_verdict(text, &s.facts);
		if (cause != scenes[i].cause || !strstr(text, scenes[i].says) ||
			!strstr(text, scenes[i].remedy))
			fail_msg("scene %zu (%s): %s: %s", i, explain_cause_name(scenes[i].cause),
				explain_cause_name(cause), text);
		scene_close(&s);
	}
}

static void test_a_database_that_denies_the_agent_is_not_called_offline(void **state)
{
	struct scene s;
	char text[EXPLAIN_TEXT_MAX];

	(void)state;
	scene_open(&s, TESTING);
	database_denied(&s);
	assert_int_equal(explain_verdict(text, &s.facts), CAUSE_DATABASE_UNREAD);
	assert_non_null(strstr(text, "a DBA must run the output of `curfew bootstrap"));
	assert_null(strstr(text, "online"));
	scene_close(&s);
}

/* The last line of what is printed is the verdict; the JSON has the same. */
static void test_last_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct scene s;
		char verdict[EXPLAIN_TEXT_MAX], *text;

		scene_open(&s, scenes[i].now);
		scenes[i].make(&s);
		explain_verdict(verdict, &s.facts);
		CAPTURED(text, explain_print(&s.facts, to));
		size_t n = strlen(text), k = strlen(verdict);
		assert_true(n > k + 2 && text[n - 1] == '\n');
		assert_memory_equal(text + n - 1 - k, verdict, k);
		assert_non_null(strstr(text, "\n  network   "));
		assert_non_null(strstr(text, "\n  login     "));
		assert_non_null(strstr(text, "\n  database  "));
		assert_non_null(strstr(text, "\n  schedule  "));
		free(text);
		json_t *json = explain_json(&s.facts);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "text")), verdict);
		assert_string_equal(json_string_value(json_object_get(json, "cause")),
			explain_cause_name(scenes[i].cause));
		json_decref(json);
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_a_database_that_denies_the_agent_is_not_called_offline),
		cmocka_unit_test(test_last_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
