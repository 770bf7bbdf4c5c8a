/* A login's databases that lie on one server: what must end in one of them ends the way in to all. */
#include "pass_scene.h"

/* Staging: full until GOLIVE, read-only for a fortnight, then none; production: read-only from GOLIVE on. */
#define STAGING_END (GOLIVE + 15 * 86400)

static void staging_moves_to_productions_server(const char *folder)
{
	_cleanup_free_ char *client = text_make("%s/clients.d/acme.conf", folder);
	size_t size;
	_cleanup_free_ char *text = file_content(client, &size);
	_cleanup_free_ char *shared = text_replace(text, "\"sqltest02\"", "\"sql07\"");

	fixture_write(folder, "clients.d/acme.conf", shared, strlen(shared));
}

static int setup(void **state)
{
	return scene_setup_with(state, staging_moves_to_productions_server);
}

static void proved_before(struct scene *s, const char *database, enum level level)
{
	scene_remember(s, "sql07", database, level);
}

static void server_says(struct pass *p, enum record_kind kind, const char *database,
	enum state state, enum level level, enum admission admission)
{
	struct record r = {.kind = kind, .state = state};

	RECORD_SET(&r, server, "sql07");
	if (database) {
		RECORD_SET(&r, login, "acme.jane.doe");
		RECORD_SET(&r, database, database);
		r.grant = (struct record_grant){level, admission};
	}
	assert_int_equal(pass_record(p, &r), 0);
}

/* A pass at `now`: production is as it should be, of staging the worker says this. */
static void pass_of(struct scene *s, instant_t now, enum state state, enum level level,
	enum admission admission)
{
	struct pass_result result;
	struct pass *p;

	s->options.now = now;
	s->n_applied = s->n_told = 0;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_close_network(p), 0);
	server_says(p, RECORD_SERVER, NULL, STATE_OK, LEVEL_NONE, ADMIT_NOT_YET);
	server_says(p, RECORD_GRANT, "AcmeProd", STATE_OK, LEVEL_READ_ONLY, ADMIT);
	if (admission == ADMIT) {
		struct record r = scene_verification("sql07", "AcmeTest", level);
		assert_int_equal(pass_record(p, &r), 0);
	}
	server_says(p, RECORD_GRANT, "AcmeTest", state, level, admission);
	server_says(p, RECORD_END, NULL, STATE_OK, LEVEL_NONE, ADMIT_NOT_YET);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	assert_true(s->n_applied <= ARRAY_SIZE(s->n_let_in));
}

/* A database that the agent may not read any more, at the time when it must narrow, or end. */
static void test_what_cannot_be_seen_narrower_lets_nobody_in(void **state)
{
	struct scene *s = *state;
	static const struct {
		instant_t now;
		enum level proved;
	} cases[] = {{GOLIVE, LEVEL_FULL}, {STAGING_END, LEVEL_READ_ONLY}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		proved_before(s, "AcmeProd", LEVEL_READ_ONLY);
		proved_before(s, "AcmeTest", cases[i].proved);
		for (int again = 0; again < 2; again++) {
			pass_of(s, cases[i].now, again ? STATE_UNREAD : STATE_WAITING, LEVEL_NONE,
				ADMIT_NOT_YET);
			for (size_t k = 0; k < s->n_applied; k++)
				assert_int_equal(s->n_let_in[k], 0);
		}
	}
}

/* A database that never gave anything keeps nobody out of another; nor does one that is seen narrowed. */
static void test_what_never_was_wider_keeps_nobody_out(void **state)
{
	struct scene *s = *state;

	proved_before(s, "AcmeProd", LEVEL_READ_ONLY);
	pass_of(s, GOLIVE, STATE_UNREAD, LEVEL_NONE, ADMIT_NOT_YET);
	assert_int_equal(s->n_let_in[s->n_applied - 1], 1);
	pass_of(s, GOLIVE, STATE_WAITING, LEVEL_NONE, ADMIT_NOT_YET);
	assert_int_equal(s->n_let_in[s->n_applied - 1], 1);
	proved_before(s, "AcmeTest", LEVEL_FULL);
	pass_of(s, GOLIVE, STATE_OK, LEVEL_READ_ONLY, ADMIT);
	assert_int_equal(s->n_let_in[s->n_applied - 1], 1);
	pass_of(s, STAGING_END, STATE_OK, LEVEL_NONE, ADMIT);
	assert_int_equal(s->n_let_in[s->n_applied - 1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_seen_narrower_lets_nobody_in, setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_never_was_wider_keeps_nobody_out, setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("one-server", tests, NULL, NULL);
}
