/* Who is shut before a server is read, from memory alone; and whom a verification lets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "stage.h"

#define NOTHING -1

/* Jane is full in AcmeTest before go-live, read-only in both after it. */
static void one(bool live, bool revoked, bool claimed, int test, int prod, bool excess, bool unsure,
	bool closes)
{
	struct stage *s = stage_new(live);
	struct remembered m[2];
	struct claim claim = {.server = "sql1", .login = JANE, .sid = model_sid(7), .living = true};
	const struct claims claims = {&claim, claimed};
	struct closings c;
	size_t n = 0;

	if (revoked) {
		static struct override o;
		o = (struct override){.client = s->scene.clients[0].name, .at = SCENE_NOW - 60};
		const struct overrides all = {.items = &o, .n = 1};
		wanted_free(&s->scene.wanted);
		grants_free(&s->scene.grants);
		assert_int_equal(
			schedule_at(&s->scene.grants, &s->scene.program, &all, SCENE_NOW), 0);
		assert_int_equal(
			wanted_build(&s->scene.wanted, &s->scene.server, &s->scene.grants), 0);
	}
	if (prod != NOTHING)
		m[n++] = (struct remembered){JANE, "AcmeProd", (enum level)prod, false};
	if (test != NOTHING)
		m[n++] = (struct remembered){JANE, "acmetest", (enum level)test, excess};
	assert_int_equal(closings_build(&c, &s->scene.wanted, &claims, m, n, unsure), 0);
	if (c.n != closes)
		fail_msg("live %d revoked %d claimed %d test %d prod %d: %zu closings", live,
			revoked, claimed, test, prod, c.n);
	if (closes) {
		assert_string_equal(c.items[0].login, JANE);
		assert_int_equal(c.items[0].sid.size, claimed ? claim.sid.size : 0);
		assert_true(strlen(c.items[0].reason) > 0);
		assert_string_equal(c.items[0].client, s->scene.clients[0].name);
	}
	closings_free(&c);
	stage_free(s);
}

static void test_table(void **state)
{
	(void)state;
	/* As scheduled, or less. */
	one(false, false, true, LEVEL_FULL, LEVEL_NONE, false, false, false);
	one(false, false, true, LEVEL_READ_ONLY, NOTHING, false, false, false);
	one(true, false, true, LEVEL_READ_ONLY, LEVEL_READ_ONLY, false, false, false);
	one(true, false, true, LEVEL_NONE, LEVEL_NONE, false, false, false);
	/* Go-live has come. */
	one(true, false, true, LEVEL_FULL, LEVEL_NONE, false, false, true);
	one(true, false, true, LEVEL_NONE, LEVEL_FULL, false, false, true);
	/* Wider in production than it ever was to be. */
	one(false, false, true, LEVEL_FULL, LEVEL_READ_ONLY, false, false, true);
	/* The last verification found more. */
	one(false, false, true, LEVEL_FULL, LEVEL_NONE, true, false, true);
	/* Revoked: whatever is known of it, also that it holds nothing but lives. */
	one(false, true, true, LEVEL_FULL, LEVEL_NONE, false, false, true);
	one(false, true, true, LEVEL_NONE, LEVEL_NONE, false, false, true);
	one(false, true, false, LEVEL_READ_ONLY, NOTHING, false, false, true);
	/* Revoked and seen gone. */
	one(false, true, false, LEVEL_NONE, LEVEL_NONE, false, false, false);
	/* Nothing on record: the widest that it was ever to have. */
	one(true, false, false, NOTHING, NOTHING, false, false, true);
	one(false, true, false, NOTHING, NOTHING, false, false, true);
	one(false, false, false, NOTHING, NOTHING, false, false, false);
	/* ... but where the records themselves are missing, only those who should have nothing. */
	one(true, false, false, NOTHING, NOTHING, false, true, false);
	one(false, true, false, NOTHING, NOTHING, false, true, true);
	/* A database of which nothing is known, of a login that is known: it was never given. */
	one(true, false, true, NOTHING, LEVEL_READ_ONLY, false, false, false);
}

/* Somebody whom the files do not name on this server any more, and a database that left. */
static void test_left(void **state)
{
	struct stage *s = stage_new(false);
	const struct claim items[] = {
		{.server = "sql1", .login = "acme.rob.roe", .sid = model_sid(8), .living = true},
		{.server = "sql1", .login = "acme.old.one", .sid = model_sid(9)},
		{.server = "sql2", .login = "acme.far.off", .sid = model_sid(10), .living = true},
	};
	const struct claims claims = {(struct claim *)items, 3};
	const struct remembered m[] = {
		{"acme.amy.who", "AcmeTest", LEVEL_READ_ONLY, false},
		{"acme.bob.who", "AcmeTest", LEVEL_NONE, false},
		{JANE, "AcmeOld", LEVEL_READ_ONLY, false},
		{JANE, "AcmeTest", LEVEL_FULL, false},
	};
	struct closings c;

	(void)state;
	assert_int_equal(closings_build(&c, &s->scene.wanted, &claims, m, 4, false), 0);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.items[0].login, JANE);
	assert_non_null(strstr(c.items[0].reason, "AcmeOld"));
	assert_string_equal(c.items[1].login, "acme.rob.roe");
	assert_int_equal(c.items[1].sid.bytes[0], items[0].sid.bytes[0]);
	assert_string_equal(c.items[2].login, "acme.amy.who");
	assert_int_equal(c.items[2].sid.size, 0);
	closings_free(&c);
	stage_free(s);
}

static int by_login(const void *a, const void *b)
{
	const struct remembered *x = a, *y = b;

	return names_compare(x->login, y->login);
}

/* Whatever is remembered: exactly those are shut who hold, or may hold, more than is scheduled. The function has no
 * way to ask the server; it is given none. */
static void test_property(void **state)
{
	static const char *const databases[] = {"AcmeTest", "AcmeProd", "AcmeOld"};
	static const char *const logins[] = {JANE, "acme.rob.roe"};
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct stage *s = stage_new(round & 1);
		struct remembered m[6];
		struct claim claims[2];
		size_t n = 0, n_claims = 0;
		bool expected[2] = {false, false}, known[2] = {false, false};
		struct closings c;

		for (size_t l = 0; l < 2; l++) {
			seed = seed * 1664525u + 1013904223u;
			if (seed >> 20 & 1) {
				claims[n_claims++] = (struct claim){.server = "sql1",
					.login = logins[l],
					.sid = model_sid(7 + (uint32_t)l),
					.living = true};
				known[l] = true;
				expected[l] = l == 1; /* nothing is scheduled for Rob */
			}
			for (size_t d = 0; d < 3; d++) {
				seed = seed * 1664525u + 1013904223u;
				if ((seed >> 20) % 3 == 0)
					continue;
				enum level level = (enum level)((seed >> 22) % 3);
				bool excess = l == 0 && (seed >> 25) % 8 == 0;
				enum level scheduled = l == 1 || d == 2 ? LEVEL_NONE
						       : round & 1	? LEVEL_READ_ONLY
						       : d == 0		? LEVEL_FULL
									: LEVEL_NONE;
				m[n++] =
					(struct remembered){logins[l], databases[d], level, excess};
				known[l] = true;
				expected[l] |= level > scheduled || excess;
			}
		}
		/* Jane unknown, and once narrowed: the widest. */
		expected[0] |= !known[0] && (round & 1);
		qsort(m, n, sizeof(*m), by_login);
		assert_int_equal(closings_build(&c, &s->scene.wanted,
					 &(struct claims){claims, n_claims}, m, n, false),
			0);
		for (size_t l = 0; l < 2; l++) {
			size_t times = 0;

			for (size_t i = 0; i < c.n; i++)
				times += names_equal(c.items[i].login, logins[l]);
			assert_int_equal(times, expected[l]);
		}
		assert_int_equal(c.n, expected[0] + expected[1]);
		closings_free(&c);
		stage_free(s);
	}
}

/* Admitted is what is verified, at no more than is scheduled. */
static void test_admission(void **state)
{
	(void)state;
	for (int result = VERIFICATION_UNVERIFIED; result <= VERIFICATION_EXCESS; result++)
		for (int level = LEVEL_NONE; level <= LEVEL_FULL; level++)
			for (int scheduled = LEVEL_NONE; scheduled <= LEVEL_FULL; scheduled++) {
				const struct verified v = {.level = (enum level)level,
					.result = (enum verification)result};
				enum admission a = admission_by(&v, (enum level)scheduled);
				bool good = result == VERIFICATION_VERIFIED && level <= scheduled;

				assert_int_equal(a == ADMIT_NOBODY, !good);
				assert_int_equal(a == ADMIT, good && level != LEVEL_NONE);
			}
	assert_int_equal(admission_by(NULL, LEVEL_FULL), ADMIT_NOT_YET);
}

/* By the list alone: what a login was given in a database that its file does not name shuts it out of the server. */
static void test_admission_by_list(void **state)
{
	struct stage *s = stage_new(false);
	struct verified items[] = {
		{.server = "sql1",
			.login = JANE,
			.database = "AcmeOld",
			.result = VERIFICATION_VERIFIED},
		{.server = "sql1",
			.login = JANE,
			.database = "AcmeTest",
			.level = LEVEL_FULL,
			.result = VERIFICATION_VERIFIED},
	};
	const struct verified_list list = {items, 2}, nothing = {0};
	const struct grant *test = wanted_find(&s->scene.wanted, JANE)->users[0].grant;

	(void)state;
	assert_int_equal(verified_admission(&list, test), ADMIT);
	assert_int_equal(verified_admission(&nothing, test), ADMIT_NOT_YET);
	items[0].level = LEVEL_READ_ONLY;
	assert_int_equal(verified_admission(&list, test), ADMIT_NOBODY);
	items[0].login = "acme.other";
	qsort(items, 2, sizeof(*items), verified_compare);
	assert_int_equal(verified_admission(&list, test), ADMIT);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_admission),
		cmocka_unit_test(test_admission_by_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
