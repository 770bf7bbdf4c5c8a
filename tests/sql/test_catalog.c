/* The observation against servers that do not answer as asked. The session is played: its functions stand here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "curfew/sql.h"

struct answer {
	const char *columns[8];
	int n;
};
/* What the server says to every question, and the words of a question that it refuses. */
static struct answer answers[8];
static const char *refused;

int sql_session_open(
	struct sql_session **out, struct sql_error *error, const struct sql_session_options *o)
{
	(void)out;
	(void)error;
	(void)o;
	return -ENOTSUP;
}

void sql_session_close(struct sql_session *s)
{
	(void)s;
}

unsigned sql_session_round_trips(const struct sql_session *s)
{
	(void)s;
	return 0;
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	(void)s;
	if (refused && strstr(batch, refused)) {
		*error = (struct sql_error){.number = 195, .text = "no such function"};
		return SQL_SERVER_ERROR;
	}
	for (size_t i = 0; i < ARRAY_SIZE(answers) && answers[i].n; i++) {
		struct sql_value values[8];

		for (int k = 0; k < answers[i].n; k++)
			values[k] = (struct sql_value){
				answers[i].columns[k], strlen(answers[i].columns[k])};
		int rc = each(context, values, answers[i].n);
		if (rc)
			return rc;
	}
	return 0;
}

static int observe(struct observed_server *o)
{
	static struct server server = {.name = (char *)"sql01"};
	static const struct wanted_server wanted = {.server = &server};
	struct sql_error error;

	return sql_observe(o, &error, NULL, &wanted);
}

/* Nothing may be proved on it: the pass asks for just these words. */
static void a_server_that_hides_our_rights_is_told(void **state)
{
	struct observed_server o;

	(void)state;
	answers[0] = (struct answer){{"server", "15.0", "7"}, 3};
	answers[1] = (struct answer){.n = 0};
	refused = "HAS_PERMS_BY_NAME";
	assert_int_equal(observe(&o), 0);
	assert_int_equal(o.n_unreadable, 1);
	assert_string_equal(o.unreadable[0], "the agent's own rights: the server does not tell");
	assert_string_equal(o.version, "15.0");
	observed_free(&o);
	/* Beside a view that is not there either. */
	refused = "HAS_";
	assert_int_equal(observe(&o), SQL_SERVER_ERROR); /* of databases it must tell */
	refused = NULL;
}

/* Rows that were not asked for neither take the place of what was, nor are lost. */
static void what_was_not_asked_for_changes_nothing(void **state)
{
	struct observed_server o;

	(void)state;
	answers[0] = (struct answer){{"server", "15.0", "7"}, 3};
	answers[1] = (struct answer){{"right", "VIEW ANY DEFINITION", "0"}, 3};
	answers[2] = (struct answer){{"login", "sa", "1", "S", "0", "1"}, 6};
	answers[3] = (struct answer){.n = 0};
	assert_int_equal(observe(&o), 0);
	assert_string_equal(o.version, "15.0");
	assert_true(o.n_missing_rights > 0);
	assert_true(o.n_logins > 0);
	observed_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_hides_our_rights_is_told),
		cmocka_unit_test(what_was_not_asked_for_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
