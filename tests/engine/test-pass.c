/* A pass without its workers: what becomes of what they say, of what they leave unsaid, and of a time that was wrong. */
#include "../program/fixture.h"
#include "../journal/journal-fixture.h"

#include "curfew/pass.h"

/* Full access until GOLIVE, then read-only. */
#define TESTING 1793500000
#define GOLIVE	1795446000

struct scene {
	char *folder;
	struct program *program;
	struct journal *journal;
	struct pass_options options;
	struct firewall_port port;
	size_t n_applied, n_allows; /* calls, and how many are let in by the last of them */
	int applies;		    /* what the port answers */
	bool in_part; /* it does all but the last change, and one that nobody planned */
	bool stale;
	const char *element; /* the comment of one that is there */
	struct record told[32];
	size_t n_told;
};

static int sink(void *context, const struct record *r)
{
	struct scene *s = context;

	assert_true(s->n_told < ARRAY_SIZE(s->told));
	s->told[s->n_told++] = *r;
	return 0;
}

static int port_observe(struct firewall_state *out, void *context, instant_t now)
{
	const struct scene *s = context;

	(void)now;
	*out = (struct firewall_state){0};
	if (!s->element)
		return 0;
	const struct observed_allow held = {.source = s->program->clients[0].users[0].sources[0],
		.endpoint = s->program->servers[0].endpoints[0],
		.has_timeout = true,
		.remaining_ms = 3600 * 1000};
	out->present = out->intact = true;
	out->allows = calloc(1, sizeof(*out->allows));
	assert_non_null(out->allows);
	out->allows[0] = held;
	snprintf(out->allows[0].comment, sizeof(out->allows[0].comment), "%s", s->element);
	out->n_allows = 1;
	return 0;
}

static int port_apply(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct scene *s = context;

	(void)closings_only;
	s->n_applied++;
	s->n_allows = wanted->n_allows;
	*done = (struct firewall_changes){0};
	if (s->applies >= 0 && s->in_part) {
		const struct firewall_state nothing = {0};
		assert_int_equal(firewall_diff(done, wanted, &nothing, now), 0);
		assert_true(done->n > 1);
		done->items[done->n - 1].endpoint.port++;
	}
	return s->applies;
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->folder = fixture_make();
	_cleanup_free_ char *config = text_make("%s/curfew.conf", s->folder);
	_cleanup_free_ char *path = text_make("%s/journal", s->folder);
	const struct journal_options o = {.path = path};
	struct problems problems = {0};
	assert_int_equal(program_load(&s->program, &problems, config, TESTING), 0);
	assert_non_null(s->program);
	problems_free(&problems);
	assert_int_equal(journal_open(&s->journal, &o), 0);
	s->port = (struct firewall_port){port_observe, port_apply, s};
	s->options = (struct pass_options){.mode = PASS_APPLY,
		.program = s->program,
		.journal = s->journal,
		.network = &s->port,
		.now = TESTING,
		.stale = &s->stale,
		.actor = "a test",
		.reason = "a test",
		.sink = sink,
		.context = s};
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	journal_close(s->journal);
	program_free(s->program);
	fixture_remove(s->folder);
	free(s);
	return 0;
}

static struct record record_of(enum record_kind kind, const char *server)
{
	struct record r = {.kind = kind};

	RECORD_SET(&r, server, server);
	return r;
}

static const struct record *told_of(
	const struct scene *s, enum record_kind kind, const char *server)
{
	const struct record *found = NULL;

	for (size_t i = 0; i < s->n_told; i++)
		if (s->told[i].kind == kind && !strcmp(s->told[i].server, server)) {
			assert_null(found);
			found = &s->told[i];
		}
	assert_non_null(found);
	return found;
}

static struct collected journal_of(const struct scene *s, enum journal_kind kind)
{
	const struct journal_filter all = {.kind = (int)kind};
	struct collected c = {0};

	assert_int_equal(journal_read(s->journal, &all, collect, &c), 0);
	return c;
}

static void a_dead_worker_leaves_nothing_unsaid(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;
	const struct proved before = {.server = "sqltest02",
		.login = "acme.jane.doe",
		.database = "AcmeTest",
		.level = LEVEL_FULL,
		.at = TESTING};

	assert_int_equal(proved_put(s->journal, &before), 0);
	s->options.mode = PASS_STATUS;
	s->options.now = GOLIVE;
	assert_int_equal(pass_new(&p, &s->options), 0);
	struct record end = record_of(RECORD_END, "sqltest02");
	end.code = -ETIMEDOUT;
	RECORD_SET(&end, detail, "did not end");
	assert_int_equal(pass_record(p, &end), 0);
	/* This one had spoken before it died: that is not said again, and otherwise. */
	struct record said = record_of(RECORD_SERVER, "sql07");
	assert_int_equal(pass_record(p, &said), 0);
	said = record_of(RECORD_GRANT, "sql07");
	RECORD_SET(&said, login, "acme.jane.doe");
	RECORD_SET(&said, database, "AcmeProd");
	said.level = LEVEL_READ_ONLY;
	assert_int_equal(pass_record(p, &said), 0);
	RECORD_SET(&end, server, "sql07");
	assert_int_equal(pass_record(p, &end), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);

	assert_int_equal(told_of(s, RECORD_SERVER, "sqltest02")->state, STATE_UNREACHABLE);
	assert_string_equal(told_of(s, RECORD_SERVER, "sqltest02")->detail, "did not end");
	assert_int_equal(told_of(s, RECORD_GRANT, "sqltest02")->state, STATE_OVERDUE);
	assert_string_equal(told_of(s, RECORD_GRANT, "sqltest02")->database, "AcmeTest");
	assert_int_equal(told_of(s, RECORD_SERVER, "sql07")->state, STATE_OK);
	assert_int_equal(told_of(s, RECORD_GRANT, "sql07")->state, STATE_OK);
	assert_int_equal(result.overdue, 1);
	assert_int_equal(result.unreachable, 2);
}

/* Announces a change, has it done, and ends; `between` happens before the outcome. */
static void server_work(
	struct pass *p, void (*between)(struct pass *p, struct scene *s), struct scene *s)
{
	struct record r = record_of(RECORD_PLAN, "sqltest02");

	r.number = 1;
	RECORD_SET(&r, action, "user-create");
	RECORD_SET(&r, login, "acme.jane.doe");
	assert_int_equal(pass_record(p, &r), 0);
	r.kind = RECORD_INTENT;
	assert_int_equal(pass_record(p, &r), 0);
	between(p, s);
	r.kind = RECORD_OUTCOME;
	assert_int_equal(pass_record(p, &r), 0);
	r = record_of(RECORD_SERVER, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	r = record_of(RECORD_GRANT, "sqltest02");
	RECORD_SET(&r, login, "acme.jane.doe");
	RECORD_SET(&r, database, "AcmeTest");
	r.level = LEVEL_FULL;
	r.number = ADMIT;
	assert_int_equal(pass_record(p, &r), 0);
	r = record_of(RECORD_END, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
}

static void nothing_happens(struct pass *p, struct scene *s)
{
	(void)p;
	(void)s;
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

static void a_stale_pass_leaves_the_network_alone(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	struct pass_result result;
	struct pass *p;

	s->options.servers = servers;
	for (int changes = 0; changes <= 1; changes++) {
		struct collected before = journal_of(s, JOURNAL_INTENT);
		size_t applied = s->n_applied;
		assert_int_equal(pass_new(&p, &s->options), 0);
		server_work(p, changes ? schedule_changes : nothing_happens, s);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		struct collected after = journal_of(s, JOURNAL_INTENT);
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

static void what_follows_a_correction_bears_the_right_time(void **state)
{
	struct scene *s = *state;
	const instant_t wrong = TESTING + 86400;
	struct pass_result result;
	struct pass *p;

	s->options.now = wrong;
	assert_int_equal(pass_new(&p, &s->options), 0);
	server_work(p, clock_is_corrected, s);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	struct collected c = journal_of(s, JOURNAL_INTENT);
	assert_int_equal(c.items[0].at, wrong);
	for (size_t i = 1; i < c.n; i++)
		assert_int_equal(c.items[i].at, TESTING);
	collected_free(&c);
	for (int kind = JOURNAL_OUTCOME; kind <= JOURNAL_ACCESS; kind++) {
		c = journal_of(s, (enum journal_kind)kind);
		assert_true(c.n >= 1);
		for (size_t i = 0; i < c.n; i++)
			assert_int_equal(c.items[i].at, TESTING);
		collected_free(&c);
	}
}

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
static void every_intent_has_its_outcome(void **state)
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
		server_work(p, nothing_happens, s);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(result.network_failed, s->applies && s->applies != -ECANCELED);

		struct collected intents = journal_of(s, JOURNAL_INTENT);
		struct collected outcomes = journal_of(s, JOURNAL_OUTCOME);
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
static void a_dead_worker_leaves_nothing_unfinished(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;
	struct record r = record_of(RECORD_PLAN, "sqltest02");
	struct collected open = {0};

	assert_int_equal(pass_new(&p, &s->options), 0);
	RECORD_SET(&r, action, "user-create");
	RECORD_SET(&r, login, "acme.jane.doe");
	for (r.number = 1; r.number <= 2; r.number++)
		assert_int_equal(pass_record(p, &r), 0);
	r.kind = RECORD_INTENT;
	assert_int_equal(pass_record(p, &r), 0);
	r.kind = RECORD_OUTCOME;
	r.number = 1;
	assert_int_equal(pass_record(p, &r), 0);
	r = record_of(RECORD_END, "sqltest02");
	r.code = -ETIMEDOUT;
	RECORD_SET(&r, detail, "did not end");
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);

	assert_int_equal(journal_unfinished(s->journal, collect, &open), 0);
	assert_int_equal(open.n, 0);
	struct collected intents = journal_of(s, JOURNAL_INTENT);
	struct collected outcomes = journal_of(s, JOURNAL_OUTCOME);
	assert_int_equal(outcomes_of(&outcomes, 0, intents.items[0].id, "done"), 1);
	assert_int_equal(outcomes_of(&outcomes, 0, intents.items[1].id, "unknown"), 1);
	collected_free(&intents);
	collected_free(&outcomes);
}

/* Whoever has left the configuration has no grant that could tell of the end. */
static void who_left_has_nothing_on_record(void **state)
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
	struct record r = record_of(RECORD_LOGIN, "sqltest02");
	RECORD_SET(&r, login, "ACME.john.roe");
	RECORD_SET(&r, action, "gone");
	assert_int_equal(pass_record(p, &r), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	assert_false(result.journal_failed);
	assert_int_equal(journal_access_at(s->journal, TESTING, NULL, collect, &held), 0);
	assert_int_equal(held.n, 0);
	assert_int_equal(journal_access_at(s->journal, TESTING - 1, NULL, collect, &held), 0);
	assert_int_equal(held.n, 1);
	collected_free(&held);
}

/* A database was taken out of a client's file; the login has another on that server. Until the server is seen to agree
 * the login may have there what it had, and is shut out. */
static void what_a_file_names_no_more_shuts_its_login_out(void **state)
{
	struct scene *s = *state;
	static const char *const servers[] = {"sqltest02", NULL};
	static const char *const databases[] = {"AcmeTest", "OldDatabase"};
	static const struct {
		bool answers;
		enum state ends;
		bool let_in;
	} cases[] = {{false, STATE_OK, false}, {true, STATE_DRIFT, false}, {true, STATE_OK, true},
		{false, STATE_OK, true}};

	s->options.servers = servers;
	for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
		const struct proved had = {.server = "sqltest02",
			.login = "acme.jane.doe",
			.database = databases[i],
			.level = LEVEL_FULL,
			.at = TESTING};
		assert_int_equal(proved_put(s->journal, &had), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pass_result result;
		struct pass *p;

		s->n_told = 0;
		assert_int_equal(pass_new(&p, &s->options), 0);
		struct record r = record_of(RECORD_SERVER, "sqltest02");
		r.state = cases[i].answers ? STATE_OK : STATE_UNREACHABLE;
		assert_int_equal(pass_record(p, &r), 0);
		r = record_of(RECORD_GRANT, "sqltest02");
		RECORD_SET(&r, login, "acme.jane.doe");
		RECORD_SET(&r, database, "AcmeTest");
		r.level = LEVEL_FULL;
		r.number = ADMIT;
		r.state = cases[i].answers ? STATE_OK : STATE_UNREACHABLE;
		assert_int_equal(pass_record(p, &r), 0);
		r = record_of(RECORD_END, "sqltest02");
		r.state = cases[i].ends;
		r.code = cases[i].answers ? 0 : -ETIMEDOUT;
		assert_int_equal(pass_record(p, &r), 0);
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		assert_int_equal(s->n_allows > 0, cases[i].let_in);
	}
}

/* The server's own spelling; the worker does not know whose he was. */
static void what_closes_for_who_left_is_his_clients(void **state)
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
		struct record r = record_of(RECORD_PLAN, "sqltest02");

		r.number = i + 1;
		RECORD_SET(&r, action, "login-drop");
		RECORD_SET(&r, login, logins[i]);
		assert_int_equal(pass_record(p, &r), 0);
		r.kind = RECORD_OUTCOME;
		assert_int_equal(pass_record(p, &r), 0);
	}
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	for (int kind = JOURNAL_INTENT; kind <= JOURNAL_OUTCOME; kind++) {
		struct collected c = journal_of(s, (enum journal_kind)kind);
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
static void who_only_looks_writes_nothing(void **state)
{
	struct scene *s = *state;
	static const enum pass_mode modes[] = {PASS_PLAN, PASS_STATUS, PASS_AUDIT};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct pass_result result;
		struct pass *p;
		struct record r = record_of(RECORD_PLAN, "sqltest02");

		s->n_told = 0;
		s->options.mode = modes[i];
		assert_int_equal(pass_new(&p, &s->options), 0);
		r.number = 1;
		assert_int_equal(pass_record(p, &r), 0);
		r.kind = RECORD_INTENT;
		assert_int_not_equal(pass_record(p, &r), 0);
		static const enum record_kind kinds[] = {
			RECORD_OUTCOME, RECORD_PROOF, RECORD_BASELINE, RECORD_LOGIN};
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			r.kind = kinds[k];
			RECORD_SET(&r, database, "AcmeTest");
			pass_record(p, &r);
			assert_int_equal(journal_begin(s->journal), 0);
			assert_int_equal(journal_commit(s->journal), 0);
		}
		assert_int_equal(pass_finish(&result, p), 0);
		pass_free(p);
		for (int kind = JOURNAL_INTENT; kind <= JOURNAL_ACCESS; kind++) {
			struct collected c = journal_of(s, (enum journal_kind)kind);
			assert_int_equal(c.n, 0);
			collected_free(&c);
		}
	}
}

/* Its people have left, and their access with them: the record of the closing is still found by their names. */
static void an_element_bears_the_names_behind_it(void **state)
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
		struct collected before = journal_of(s, JOURNAL_INTENT);
		struct pass *p;

		s->element = cases[i].comment;
		assert_int_equal(pass_new(&p, &s->options), 0);
		assert_int_equal(pass_close_network(p), 0);
		pass_free(p);
		struct collected after = journal_of(s, JOURNAL_INTENT);
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
			a_dead_worker_leaves_nothing_unsaid, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_stale_pass_leaves_the_network_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_follows_a_correction_bears_the_right_time, setup, teardown),
		cmocka_unit_test_setup_teardown(every_intent_has_its_outcome, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_dead_worker_leaves_nothing_unfinished, setup, teardown),
		cmocka_unit_test_setup_teardown(who_left_has_nothing_on_record, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_file_names_no_more_shuts_its_login_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_element_bears_the_names_behind_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_closes_for_who_left_is_his_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(who_only_looks_writes_nothing, setup, teardown),
	};
	return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
