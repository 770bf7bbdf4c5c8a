/* What a person reads when no session comes about: where, what, and what would be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sybdb.h>

#include "sql/session_failure.h"

#define CA "/etc/curfew/tls/ca.pem"

static const struct sql_session_options options = {.host = "sql01.example",
	.port = 1444,
	.ca_file = CA,
	.password = "never-to-be-read",
	.connect_timeout = 7};

static void test_words(void **state)
{
	static const struct {
		struct sql_error error;
		int rc;
		const char *text;
	} cases[] = {
		{{.library = SYBEFCON,
			 .os_error = -ECONNRESET,
			 .text = "Adaptive Server (curfew-server)"},
			-EPROTO,
			"no TLS session with sql01.example port 1444: its certificate must be valid now, name "
			"sql01.example and be signed by the authority in " CA
			"; the server must offer TLS 1.2 or newer"},
		{{.library = SYBETIME, .os_error = -ETIMEDOUT, .text = "timed out (curfew-server)"},
			-ETIMEDOUT, "did not answer within 7 seconds: sql01.example port 1444"},
		{{.library = SYBECONN, .os_error = -ECONNREFUSED, .text = "Unable (curfew-server)"},
			-ECONNREFUSED,
			"cannot connect to sql01.example port 1444: Connection refused"},
		{{.library = SYBESEOF, .os_error = -ECONNRESET, .text = "EOF (curfew-server)"},
			-EPROTO,
			"sql01.example port 1444 closed the connection before it answered the login: it must speak "
			"TDS 7.4 (SQL Server 2012 or newer) inside TLS 1.2"},
		{{.library = SYBEUHST,
			 .os_error = -ECONNRESET,
			 .text = "Unknown host (curfew-server)"},
			-ECONNRESET, "Unknown host: sql01.example port 1444"},
		/* The server's own word stays as it is, whatever the library says after it. */
		{{.library = SYBEFCON,
			 .os_error = -ECONNRESET,
			 .number = 18456,
			 .text = "Login failed"},
			-EACCES, "Login failed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sql_error e = cases[i].error;

		assert_int_equal(session_failure(&e, &options), cases[i].rc);
		assert_string_equal(e.text, cases[i].text);
		assert_null(strstr(e.text, options.password));
	}
}

/* Longer than the text has room for: cut, not written beyond. */
static void test_long(void **state)
{
	char name[400];
	struct sql_session_options o = options;
	struct sql_error e = {.library = SYBEFCON, .os_error = -ECONNRESET};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	o.host = name;
	assert_int_equal(session_failure(&e, &o), -EPROTO);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void file_make(const char *path, const char *content)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_true(fputs(content, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static void test_ca_file(void **state)
{
	char folder[] = "/tmp/curfew-ca-XXXXXX", path[64];
	struct sql_error e = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/ca.pem", folder);
	assert_int_equal(ca_file_check(&e, path), -ENOENT);
	assert_non_null(strstr(e.text, path));
	assert_non_null(strstr(e.text, "No such file"));

	file_make(path, "# of the house\n-----BEGIN CERTIFICATE-----\n");
	e.text[0] = '\0';
	assert_int_equal(ca_file_check(&e, path), 0);
	assert_string_equal(e.text, "");

	/* DER begins so. */
	file_make(path, "0\x82\x01\x0a");
	assert_int_equal(ca_file_check(&e, path), -EINVAL);
	assert_non_null(strstr(e.text, path));
	assert_non_null(strstr(e.text, "convert it to PEM"));

	assert_int_equal(ca_file_check(&e, folder), -EINVAL);
	assert_non_null(strstr(e.text, "not a regular file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* Nothing is sent anywhere before the file is known to be readable. */
static void test_session(void **state)
{
	struct sql_session *s = NULL;
	struct sql_session_options o = options;
	struct sql_error e;

	(void)state;
	o.ca_file = "/nonexistent/ca.pem";
	o.login = "curfew_agent";
	assert_int_equal(sql_session_open(&s, &e, &o), -ENOENT);
	assert_null(s);
	assert_non_null(strstr(e.text, "this process cannot read ca_file /nonexistent/ca.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_ca_file),
		cmocka_unit_test(test_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
