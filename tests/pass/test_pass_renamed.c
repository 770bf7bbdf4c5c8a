/* A revoked client whom no file names: whom the revocation applies to under another name, and what that asks of the journal. */
#include "pass_scene.h"

#include "curfew/firewall.h"
#include "pass/pass_internal.h"

static size_t n_reinstatements; /* how often the journal was searched for one */

static int statement_seen(unsigned type, void *context, void *statement, void *text)
{
	(void)type;
	(void)context;
	(void)text;
	n_reinstatements += strstr(sqlite3_sql(statement), "'reinstate'") != NULL;
	return 0;
}

static void access_of_put(
	struct scene *s, const char *client, const char *login, const char *database, instant_t at)
{
	const struct journal_entry e = {.kind = JOURNAL_ACCESS,
		.at = at,
		.client = client,
		.login = login,
		.server = "sqltest02",
		.database = database,
		.level = "full",
		.sources = "203.0.113.7",
		.until = GOLIVE,
		.outcome = "verified",
		.after = ACCESS_ALLOWED};

	assert_int_equal(journal_write(NULL, s->journal, &e), 0);
}

static void access_put(struct scene *s, const char *client, const char *database, instant_t at)
{
	access_of_put(s, client, "acme.jane.doe", database, at);
}

/* A pass begins, with these revocations. Returns how many it adds, and whom the last is of. */
static size_t inherited(struct scene *s, struct overrides *revoked, char **client, char **login)
{
	struct pass *p;

	n_reinstatements = 0;
	*client = *login = NULL;
	s->options.overrides = revoked;
	sqlite3_trace_v2(s->journal->db, SQLITE_TRACE_STMT, statement_seen, NULL);
	assert_int_equal(pass_new(&p, &s->options), 0);
	sqlite3_trace_v2(s->journal->db, 0, NULL, NULL);
	size_t n = p->n_inherited;
	if (n) {
		const struct override *last = &p->overrides.items[p->overrides.n - 1];
		*client = strdup(last->client);
		*login = last->login ? strdup(last->login) : NULL;
	}
	pass_free(p);
	s->options.overrides = NULL;
	return n;
}

/* `login` NULL: the whole client. */
static void assert_inherited(struct scene *s, struct overrides *revoked, const char *login)
{
	char *client, *of;

	assert_int_equal(inherited(s, revoked, &client, &of), 1);
	assert_string_equal(client, "acme");
	if (login)
		assert_string_equal(of, login);
	else
		assert_null(of);
	assert_int_equal(n_reinstatements, 2);
	free(client);
	free(of);
}

static void assert_none(struct scene *s, struct overrides *revoked)
{
	char *client, *login;

	assert_int_equal(inherited(s, revoked, &client, &login), 0);
	assert_int_equal(n_reinstatements, 0);
}

/* A person works for two clients, by one written login. */
static void test_another_database_stays(void **state)
{
	struct scene *s = *state;
	struct overrides revoked = {0};

	assert_int_equal(overrides_add(&revoked, "former", NULL, TESTING, "left"), 0);
	access_put(s, "former", "OtherTest", TESTING - 1);
	assert_none(s, &revoked);
	access_put(s, "former", "acmetest", TESTING - 1);
	assert_inherited(s, &revoked, NULL);
	overrides_free(&revoked);
}

/* Of a client that had access before, only the login is the revoked client's. */
static void test_a_client_that_was_there_keeps_its_people(void **state)
{
	struct scene *s = *state;
	struct overrides revoked = {0};

	assert_int_equal(overrides_add(&revoked, "former", NULL, TESTING, "left"), 0);
	access_put(s, "acme", "OtherTest", TESTING - 2);
	access_put(s, "former", "AcmeTest", TESTING - 1);
	assert_inherited(s, &revoked, "acme.jane.doe");
	/* It got the access itself, and is nobody's heir there. */
	access_put(s, "acme", "AcmeTest", TESTING - 1);
	assert_none(s, &revoked);
	overrides_free(&revoked);
}

/* Whether somebody was reinstated is no question while they are revoked: the search takes long in a large journal. */
static void test_who_is_revoked_is_not_searched_for(void **state)
{
	static const char *const logins[] = {NULL, "acme.jane.doe"};
	struct scene *s = *state;

	access_put(s, "acme", "OtherTest", TESTING - 2);
	access_put(s, "former", "AcmeTest", TESTING - 1);
	for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
		struct overrides revoked = {0};

		assert_int_equal(overrides_add(&revoked, "former", NULL, TESTING, "left"), 0);
		assert_int_equal(overrides_add(&revoked, "acme", logins[i], TESTING, "left"), 0);
		assert_none(s, &revoked);
		overrides_free(&revoked);
	}
}

/* The revoked client's user worked for another client too, by the same login: whatever is recorded last of that one. */
static void test_another_client_of_the_login(void **state)
{
	struct scene *s = *state;
	struct overrides revoked = {0};
	const struct verified verified = {.server = "sqltest02",
		.login = "jane",
		.database = "AcmeTest",
		.level = LEVEL_FULL,
		.result = VERIFICATION_VERIFIED,
		.at = TESTING - 3};

	assert_int_equal(verified_save(s->journal, &verified), 0);
	access_of_put(s, "former", "jane", "AcmeTest", TESTING - 3);
	access_of_put(s, "other", "jane", "OtherTest", TESTING - 2);
	assert_int_equal(overrides_add(&revoked, "former", NULL, TESTING, "left"), 0);
	assert_inherited(s, &revoked, NULL);
	overrides_free(&revoked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_another_database_stays, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_was_there_keeps_its_people, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_who_is_revoked_is_not_searched_for, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_another_client_of_the_login, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("under another name", tests, NULL, NULL);
}
