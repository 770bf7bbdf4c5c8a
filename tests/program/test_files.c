/* Files that others can write or read, that are none, or that are not there. */
#include "fixture.h"

/* Changes something in the good configuration and expects exactly these messages. */
static void messages_check(char *folder, const char *expected, bool fatal)
{
	struct problems problems;
	struct program *p;
	char *messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);

	assert_string_equal(messages, expected);
	assert_int_equal(problems.fatal, fatal);
	assert_int_equal(p == NULL, fatal);
	program_free(p);
	problems_free(&problems);
	free(messages);
	fixture_remove(folder);
}

static void mode_check(const char *name, mode_t mode, const char *expected, bool fatal)
{
	char *folder = fixture_make();

	fixture_chmod(folder, name, mode);
	messages_check(folder, expected, fatal);
}

static void test_writable_by_others(void **state)
{
	(void)state;
	mode_check("curfew.conf", 0660,
		"curfew.conf:1: error: this file must be writable by its owner only; run: chmod go-w "
		"curfew.conf\n",
		true);
	mode_check("curfew.conf", 0602,
		"curfew.conf:1: error: this file must be writable by its owner only; run: chmod go-w "
		"curfew.conf\n",
		true);
	mode_check("clients.d/acme.conf", 0620,
		"clients.d/acme.conf:1: error: this file must be writable by its owner only; run: chmod "
		"go-w clients.d/acme.conf\n",
		false);
	mode_check("clients.d", 0770,
		"curfew.conf:1: error: directory clients.d must be writable by its owner only; run: "
		"chmod go-w clients.d\n",
		true);
	mode_check(".", 01777,
		"curfew.conf:1: error: directory @FOLDER@ must be writable by its owner only; run: chmod "
		"go-w @FOLDER@\n",
		true);
	mode_check("ca.pem", 0666,
		"curfew.conf:3: error: CA certificate ca.pem must be writable by its owner only; run: "
		"chmod go-w ca.pem\n"
		"curfew.conf:4: error: CA certificate ca.pem must be writable by its owner only; run: "
		"chmod go-w ca.pem\n",
		false);
}

static void ca_check(const char *content, const char *expected)
{
	char *folder = fixture_make();

	fixture_write(folder, "ca.pem", content, strlen(content));
	messages_check(folder, expected, false);
}

/* An empty file, a key, and DER as Windows exports it: no server could be verified. */
static void test_a_ca_file_without_a_certificate_is_an_error(void **state)
{
	const char *expected = "curfew.conf:3: error: ca_file ca.pem contains no certificate "
			       "(-----BEGIN CERTIFICATE-----); convert it to PEM\n"
			       "curfew.conf:4: error: ca_file ca.pem contains no certificate "
			       "(-----BEGIN CERTIFICATE-----); convert it to PEM\n";

	(void)state;
	ca_check("", expected);
	ca_check("-----BEGIN PRIVATE KEY-----\n", expected);
	ca_check("0\x82\x03\x1d", expected);
	ca_check("a comment\n-----BEGIN CERTIFICATE-----\n", "");
	ca_check("-----BEGIN X509 CERTIFICATE-----\n", "");
}

#define CREDENTIAL_MESSAGES(path, what)                                                            \
	"curfew.conf:3: error: credential " path " " what "\n"                                     \
	"curfew.conf:4: error: credential " path " " what "\n"

static void test_credentials_that_others_can_read(void **state)
{
	const char *expected = CREDENTIAL_MESSAGES("credentials/secret",
		"must be readable by its owner only; run: chmod 0600 credentials/secret");

	(void)state;
	mode_check("credentials/secret", 0640, expected, false);
	mode_check("credentials/secret", 0604, expected, false);
	mode_check("credentials/secret", 0666, expected, false);
	mode_check("credentials/secret", 0400, "", false);
}

static void content_check(const char *content, const char *expected)
{
	char *folder = fixture_make();

	fixture_write(folder, "credentials/secret", content, strlen(content));
	fixture_chmod(folder, "credentials/secret", 0600);
	messages_check(folder, expected, false);
}

/* It would be another password, and the server would only say that the login failed. */
static void test_a_credential_that_would_be_another_password(void **state)
{
	const char *expected =
		"curfew.conf:3: error: credential credentials/secret starts with a byte order mark (BOM), as some "
		"editors on Windows write it; run `curfew credential sqltest02`, which writes it\n"
		"curfew.conf:4: error: credential credentials/secret starts with a byte order mark (BOM), as some "
		"editors on Windows write it; run `curfew credential sql07`, which writes it\n";

	(void)state;
	content_check("\xef\xbb\xbf" FIXTURE_SECRET "\n", expected);
	content_check(FIXTURE_SECRET "\r\n", "");
	content_check(FIXTURE_SECRET, "");
}

/* The service does not read what the service manager provides; the worker that needs it says what is wrong.
 * Under the service manager the group bits show the mask of an access list. */
static void test_credentials_of_the_service_manager(void **state)
{
	char *folder = fixture_make(), *messages;
	_cleanup_free_ char *managed = text_make("%s/managed", folder);
	struct problems problems;
	struct program *p;

	(void)state;
	fixture_mkdir(folder, "managed", 0700);
	fixture_write(folder, "managed/secret", "\xef\xbb\xbf", 3);
	fixture_chmod(folder, "managed/secret", 0440);
	setenv("CREDENTIALS_DIRECTORY", managed, 1);
	messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	assert_string_equal(messages, "");
	assert_string_equal(p->settings.credential_directory, managed);
	program_free(p);
	problems_free(&problems);
	free(messages);
	fixture_chmod(folder, "managed/secret", 0444);
	messages_check(folder,
		CREDENTIAL_MESSAGES("managed/secret",
			"must be readable by its owner only; run: chmod 0600 managed/secret"),
		false);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void test_owned_by_someone_else(void **state)
{
	char *folder = fixture_make();
	_cleanup_free_ char *path = text_make("%s/clients.d/acme.conf", folder);

	(void)state;
	if (chown(path, 12345, 12345) < 0) {
		print_message("only root can give a file away\n");
		fixture_remove(folder);
		skip();
	}
	messages_check(folder,
		"clients.d/acme.conf:1: error: this file must be owned by root or by the current "
		"user; run: chown root clients.d/acme.conf\n",
		false);
}

static void test_link_leads_to_a_judged_file(void **state)
{
	char *folder = fixture_make();
	_cleanup_free_ char *client = text_make("%s/clients.d/acme.conf", folder);
	_cleanup_free_ char *target = text_make("%s/elsewhere", folder);

	(void)state;
	assert_int_equal(rename(client, target), 0);
	assert_int_equal(symlink("../elsewhere", client), 0);
	fixture_chmod(folder, "elsewhere", 0666);
	messages_check(folder,
		"clients.d/acme.conf:1: error: this file must be writable by its owner only; run: chmod "
		"go-w clients.d/acme.conf\n",
		false);
}

static void test_no_plain_file(void **state)
{
	char *folder = fixture_make();
	_cleanup_free_ char *pipe_path = text_make("%s/clients.d/pipe.conf", folder);

	(void)state;
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	fixture_mkdir(folder, "clients.d/folder.conf", 0700);
	messages_check(folder,
		"clients.d/folder.conf:1: error: not a regular file; write the settings into a regular "
		"file\n"
		"clients.d/pipe.conf:1: error: not a regular file; write the settings into a regular "
		"file\n",
		false);
}

static void test_too_large(void **state)
{
	char *folder = fixture_make();
	_cleanup_free_ char *path = text_make("%s/clients.d/acme.conf", folder);

	(void)state;
	assert_int_equal(truncate(path, 2 * 1024 * 1024), 0);
	messages_check(folder,
		"clients.d/acme.conf:1: error: the file is larger than 1 MiB; split it, or remove what is not configuration\n",
		false);
}

static void test_nothing_there(void **state)
{
	struct problems problems;
	struct program *p = NULL;

	(void)state;
	assert_int_equal(program_load(&p, &problems, "/nonexistent/curfew.conf", FIXTURE_NOW), 0);
	assert_null(p);
	assert_true(problems.fatal);
	assert_true(problems.n_errors > 0);
	problems_free(&problems);
	problems_free(NULL);
	program_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writable_by_others),
		cmocka_unit_test(test_a_ca_file_without_a_certificate_is_an_error),
		cmocka_unit_test(test_credentials_that_others_can_read),
		cmocka_unit_test(test_a_credential_that_would_be_another_password),
		cmocka_unit_test(test_credentials_of_the_service_manager),
		cmocka_unit_test(test_owned_by_someone_else),
		cmocka_unit_test(test_link_leads_to_a_judged_file),
		cmocka_unit_test(test_no_plain_file),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_nothing_there),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
