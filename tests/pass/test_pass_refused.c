/* What a server refused to give in addition is kept in mind for an hour and longer each time, until it gives it; a lock refuses nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "pass/pass_internal.h"

#define NOW ((instant_t)1800000000)

struct scene {
	struct program program;
	struct server server;
	struct refusals *refusals;
	struct pass pass;
};

static void scene_begin(struct scene *s)
{
	*s = (struct scene){.program.digest = "aa", .server.name = (char *)"sql01"};
	s->pass =
		(struct pass){.o = {.program = &s->program, .now = NOW, .refusals = &s->refusals}};
}

static void outcome(struct scene *s, enum change_kind kind, int code)
{
	struct record r = {.kind = RECORD_OUTCOME,
		.code = code,
		.state = code ? STATE_DRIFT : STATE_OK,
		.change.kind = kind};

	RECORD_SET(&r, server, "sql01");
	RECORD_SET(&r, login, "acme.jane");
	RECORD_SET(&r, database, "Prod");
	RECORD_SET(&r, detail, "so the server says");
	pass_refused_note(&s->pass, &r);
}

static size_t held(struct scene *s, instant_t now)
{
	struct server_work w = {.server = &s->server};

	s->pass.o.now = now;
	assert_int_equal(pass_refused_build(&s->pass, &w), 0);
	size_t n = w.sql.wanted.n_refused;
	pass_refused_free(&w);
	return n;
}

static void test_a_refusal_holds_for_an_hour(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	/* A log that is full stays so until somebody acts. */
	outcome(&s, CHANGE_USER_CREATE, 9002);
	assert_int_equal(held(&s, NOW), 1);
	assert_int_equal(held(&s, NOW + 3599), 1);
	assert_int_equal(held(&s, NOW + 3600), 0);
	assert_int_equal(held(&s, NOW - 1), 0);
	refusals_free(s.refusals);
}

/* Each attempt costs the person a session: what is refused again and again is tried once a day. */
static void test_each_refusal_doubles_the_wait(void **state)
{
	static const instant_t hours[] = {1, 2, 4, 8, 16, 24, 24};
	struct scene s;
	instant_t now = NOW;

	(void)state;
	scene_begin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(hours); i++) {
		outcome(&s, CHANGE_USER_CREATE, 1105);
		/* What was skipped behind it, and an operator who insists, do not prolong it. */
		outcome(&s, CHANGE_MEMBER_ADD, 1105);
		assert_int_equal(held(&s, now + hours[i] * 3600 - 1), 1);
		assert_int_equal(held(&s, now + hours[i] * 3600), 0);
		now += hours[i] * 3600 + 100;
		s.pass.o.now = now;
	}
	/* Once it was given, or nobody asked for long, the first refusal is the first. */
	outcome(&s, CHANGE_USER_CREATE, 0);
	outcome(&s, CHANGE_USER_CREATE, 1105);
	assert_int_equal(held(&s, now + 3600), 0);
	s.pass.o.now = now += 3 * 86400;
	outcome(&s, CHANGE_USER_CREATE, 1105);
	assert_int_equal(held(&s, now + 3599), 1);
	assert_int_equal(held(&s, now + 3600), 0);
	/* Another configuration may be what was needed. */
	s.pass.o.now = now += 3600;
	snprintf(s.program.digest, sizeof(s.program.digest), "bb");
	outcome(&s, CHANGE_USER_CREATE, 1105);
	assert_int_equal(held(&s, now + 3600), 0);
	refusals_free(s.refusals);
}

static void test_what_passes_by_itself_is_none(void **state)
{
	/* A database goes offline, or is restored, between its reading and the change. */
	static const int codes[] = {922, 924, 927, 942, 952, 976, 983, 1205, 1222, 3906};
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		outcome(&s, CHANGE_MEMBER_ADD, codes[i]);
	assert_int_equal(held(&s, NOW), 0);
	/* And ends none. */
	outcome(&s, CHANGE_USER_CREATE, 1105);
	outcome(&s, CHANGE_USER_CREATE, 1222);
	assert_int_equal(held(&s, NOW), 1);
	refusals_free(s.refusals);
}

static void test_what_is_given_is_refused_no_more(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	outcome(&s, CHANGE_USER_CREATE, 1105);
	outcome(&s, CHANGE_USER_DROP, 0);
	assert_int_equal(held(&s, NOW), 1);
	outcome(&s, CHANGE_USER_CREATE, 0);
	assert_int_equal(held(&s, NOW), 0);
	refusals_free(s.refusals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_refusal_holds_for_an_hour),
		cmocka_unit_test(test_each_refusal_doubles_the_wait),
		cmocka_unit_test(test_what_passes_by_itself_is_none),
		cmocka_unit_test(test_what_is_given_is_refused_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
