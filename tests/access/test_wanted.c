/* Wanted access: grants gathered by login, and when a login was last narrowed; whose a login is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scene.h"

/* A client of `days` since its go-live (negative: to come), with these databases and one user. */
static struct client *client_live(struct scene *s, const char *name, const char *login, int days)
{
	struct client *c = scene_client(s, name, SCENE_NOW - 60 * SCENE_DAY);

	scene_go_live(c, SCENE_NOW - days * SCENE_DAY);
	scene_user(c, login);
	return c;
}

static void test_by_login(void **state)
{
	struct scene s = {0};

	(void)state;
	scene_server(&s, false);
	struct client *c = client_live(&s, "b", "zoe", -20);
	scene_database(c, "One", ROLE_STAGING, LEVEL_FULL);
	scene_database(c, "Two", ROLE_PRODUCTION, LEVEL_READ_ONLY);
	scene_database(c, "Three", ROLE_PRODUCTION, LEVEL_NONE);
	scene_user(c, "Amy");
	scene_finish(&s);
	/* Several databases, one login; what is none is a grant, and no user. */
	assert_int_equal(s.wanted.n_logins, 2);
	assert_int_equal(s.wanted.n_grants, 6);
	assert_string_equal(s.wanted.logins[0].login, "Amy");
	assert_string_equal(s.wanted.logins[1].login, "zoe");
	assert_int_equal(s.wanted.logins[1].n_users, 2);
	assert_string_equal(s.wanted.logins[1].client, "b");
	assert_ptr_equal(wanted_find(&s.wanted, "ZOE"), &s.wanted.logins[1]);
	assert_null(wanted_find(&s.wanted, "zo"));
	scene_free(&s);
}

static void test_nobody(void **state)
{
	struct scene s = {0};

	(void)state;
	scene_server(&s, false);
	struct client *c = client_live(&s, "b", "zoe", 31);
	scene_database(c, "One", ROLE_STAGING, LEVEL_FULL);
	scene_finish(&s);
	assert_int_equal(s.wanted.n_logins, 0);
	assert_int_equal(s.wanted.n_grants, 1);
	assert_null(wanted_find(&s.wanted, "zoe"));
	scene_free(&s);
}

/* Sessions from before an instant at which something was taken away are too wide. */
static void test_narrowed(void **state)
{
	static const struct {
		int days;
		enum level before;
		int narrowed; /* days ago, or 0 for never */
	} cases[] = {
		{-1, LEVEL_FULL, 0},
		{5, LEVEL_FULL, 5},
		{5, LEVEL_NONE, 5},  /* staging narrows too */
		{20, LEVEL_NONE, 6}, /* and ended six days ago */
		{20, LEVEL_FULL, 6},
		{5, LEVEL_WRITE, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene s = {0};
		scene_server(&s, false);
		struct client *c = client_live(&s, "b", "zoe", cases[i].days);
		scene_database(c, "One", ROLE_STAGING, LEVEL_FULL);
		scene_database(c, "Two", ROLE_PRODUCTION, cases[i].before);
		scene_finish(&s);
		const struct wanted_login *l = wanted_find(&s.wanted, "zoe");
		assert_non_null(l);
		assert_true(l->narrowed ==
			    (cases[i].narrowed ? SCENE_NOW - cases[i].narrowed * SCENE_DAY : 0));
		scene_free(&s);
	}
}

/* Production alone that opens at go-live has never been wider. */
static void test_never_narrowed(void **state)
{
	struct scene s = {0};

	(void)state;
	scene_server(&s, false);
	struct client *c = client_live(&s, "b", "zoe", 5);
	scene_database(c, "Two", ROLE_PRODUCTION, LEVEL_NONE);
	scene_finish(&s);
	assert_true(wanted_find(&s.wanted, "zoe")->narrowed == 0);
	scene_free(&s);
}

/* Whose is it: the mark, the ledger by SID, or an intent that was cut off; nothing else. */
static void test_claims(void **state)
{
	static const struct {
		const char *server, *login;
		uint32_t sid; /* 0: only intended */
		instant_t intended;
		bool marked;
		char type;
		bool ours;
		bool named, gone; /* by the configuration; by the ledger, as seen gone */
	} cases[] = {
		{"sql1", "zoe", 1, 0, false, 'S', true}, {"sql1", "ZOE", 1, 0, false, 'S', true},
		{"sql1", "zoe", 2, 0, false, 'S', false}, /* made anew by somebody else */
		{"sql2", "zoe", 1, 0, false, 'S', false}, /* of another server */
		{"sql1", "amy", 1, 0, false, 'S', true},  /* renamed since */
		{"sql2", "amy", 1, 0, true, 'S', false},
		{"sql1", "amy", 1, 0, false, 'S', true,
			.gone = true}, /* made again under another name */
		{"sql1", "amy", 1, 0, true, 'U', false},
		{"sql1", "amy", 2, 0, true, 'S', false}, /* the mark, and nobody names it */
		{"sql1", "amy", 2, 0, true, 'S', true, .named = true},
		{"sql1", "amy", 2, 0, false, 'S', false, .named = true},
		{"sql1", "zoe", 2, 0, true, 'S', true}, /* the ledger's name and the mark */
		{"sql1", "zoe", 2, 0, true, 'S', false, .gone = true},
		{"sql2", "zoe", 2, 0, true, 'S', false},
		{"sql1", "zoe", 1, 0, false, 'S', true, .gone = true}, /* a restore of master */
		{"sql1", "zoe", 1, 0, true, 'U', false,
			.named = true}, /* a Windows login is never ours */
		{"sql1", "zoe", 0, 1000, false, 'S', true},
		{"sql1", "zoe", 0, 1001, false, 'S', true},  /* one second of rounding */
		{"sql1", "zoe", 0, 1002, false, 'S', false}, /* it was there before */
		{"sql1", "zoe", 0, 940, false, 'S', true},
		{"sql1", "zoe", 0, 939, false, 'S', false}, /* beyond the window */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model m = {0};
		struct claim claim = {.server = cases[i].server,
			.login = cases[i].login,
			.intended = cases[i].intended,
			.living = !cases[i].gone};
		struct server server = {.name = (char *)"sql1"};
		const char *named[] = {"zoe"};
		const struct wanted_server wanted = {
			.server = &server, .named = named, .n_named = cases[i].named};
		struct claims claims = {.items = &claim, .n = 1};
		struct observed_login *l = model_login(&m, "zoe", 1);
		if (cases[i].sid)
			claim.sid = model_sid(cases[i].sid);
		l->created = 1000;
		l->marked = cases[i].marked;
		l->type = cases[i].type;
		observed_claim(&m.o, &wanted, &claims, 60);
		if (l->ours != cases[i].ours)
			fail_msg("case %zu: ours is %d", i, l->ours);
		model_free(&m);
	}
}

/* What all managed logins hold without being named. */
static void test_everybody(void **state)
{
	static const struct {
		const char *name, *grantee;
		uint8_t class;
		char state;
		bool exceeds;
	} cases[] = {
		{"CONTROL SERVER", "public", 100, 'G', true},
		{"CONTROL SERVER", "public", 100, 'D', false},
		{"IMPERSONATE", "curfew_logins", 101, 'W', true},
		{"CONTROL SERVER", "others", 100, 'G', false},
		{"CONNECT ANY DATABASE", "public", 100, 'G', true},
		{"CONNECT SQL", "public", 100, 'G', false},
		{"VIEW ANY DATABASE", "public", 100, 'G', false},
		{"CONNECT", "public", 105, 'G', false},
		{"CONTROL", "public", 105, 'G', true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct permission p = {.class = cases[i].class,
			.state = cases[i].state,
			.name = (char *)cases[i].name,
			.grantee = (char *)cases[i].grantee};
		struct observed_server o = {.permissions = &p, .n_permissions = 1};
		if (observed_everybody_exceeds(&o) != cases[i].exceeds)
			fail_msg("case %zu", i);
	}
	struct observed_member m = {.role = (char *)"sysadmin", .member = (char *)MARK_ROLE};
	struct observed_server o = {.members = &m, .n_members = 1};
	assert_true(observed_everybody_exceeds(&o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_login),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_narrowed),
		cmocka_unit_test(test_never_narrowed),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
