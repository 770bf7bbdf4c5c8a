/* Sessions of which the server does not tell whose they are: reported, and never taken for one that may be ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/catalog.h"

/* With a name it counts as one of that login, as far as reports go; without one nobody can tell. */
static void a_session_of_nobody_known_is_told(void **state)
{
	struct observed_session sessions[] = {{.login = (char *)"acme.jane"}, {.login = (char *)""},
		{.key.sid = {{0x02}, 1}, .login = (char *)""}};
	struct observed_server o = {.sessions = sessions, .n_sessions = 1};
	const struct sid sid = {{0x02}, 1};

	(void)state;
	assert_true(observed_session_may_be_of(&sessions[0], "acme.jane", &sid));
	assert_false(observed_session_is_of(&sessions[0], &sid));
	assert_int_equal(catalog_sessions_judge(&o), 0);
	assert_int_equal(o.n_unreadable, 0);
	o.n_sessions = 3;
	assert_int_equal(catalog_sessions_judge(&o), 0);
	assert_int_equal(o.n_unreadable, 1);
	assert_non_null(strstr(o.unreadable[0], "the logins of 1 sessions: "));
	free(o.unreadable[0]);
	free(o.unreadable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_of_nobody_known_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
