/* Entries of known_triggers that are of no trigger which the server shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

static void assert_used(const struct stage *s, const char *entry, bool used)
{
	if (trigger_entry_is_used(entry, &s->model.o) != used)
		fail_msg("%s", entry);
}

/* Of the server's the name is enough, of a database's the digest must be that of its text. */
static void test_entries(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_trigger logon = {.name = (char *)"tr_logon", .digest = "abab"};
	char entry[TRIGGER_ENTRY_MAX];

	(void)state;
	assert_used(s, "tr_logon", false);
	s->model.o.triggers = &logon;
	s->model.o.n_triggers = 1;
	model_trigger(s->test, "guard");
	trigger_entry(entry, &s->test->triggers[0]);
	assert_used(s, "tr_logon", true);
	assert_used(s, "tr_logon sha256:ABAB", true);
	assert_used(s, "tr_logon sha256:cdcd", false);
	assert_used(s, "tr_log", false);
	assert_used(s, "tr_logon2", false);
	assert_used(s, entry, true);
	assert_used(s, "guard", false);
	/* Altered. */
	s->test->triggers[0].digest[0] = s->test->triggers[0].digest[0] == '0' ? '1' : '0';
	assert_used(s, entry, false);
	s->model.o.triggers = NULL;
	s->model.o.n_triggers = 0;
	stage_free(s);
}

/* What was not read may have it. */
static void test_what_was_not_read(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_server *o = &s->model.o;
	bool *const unknown[] = {&o->triggers_unknown, &s->test->triggers_unknown};

	(void)state;
	s->test->read = s->prod->read = true;
	assert_true(triggers_are_shown(o));
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		*unknown[i] = true;
		assert_false(triggers_are_shown(o));
		*unknown[i] = false;
	}
	s->prod->read = false;
	assert_false(triggers_are_shown(o));
	s->prod->absent = true;
	assert_true(triggers_are_shown(o));
	s->prod->absent = false;
	/* Of nobody's here no triggers are read. */
	s->prod->managed = false;
	assert_true(triggers_are_shown(o));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_what_was_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
