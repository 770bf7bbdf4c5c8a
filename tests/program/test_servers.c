/* What the whole of a good configuration says of its servers: windows, evidence, hosts, trusted sources, levels. */
#include "fixture.h"

#include "curfew/source.h"

#include <sys/socket.h>

static const char SERVERS[] =
	"credential_directory = \"" FOLDER_MARK "/credentials\";\n"
	"program = { shared_databases = true; };\n"
	"servers = (\n"
	" { name = \"one\"; host = \"192.0.2.1\"; endpoints = ( \"192.0.2.9:1433\" ); trusted = ( \"203.0.113.0/28\" );\n"
	"   ca_file = \"" FOLDER_MARK
	"/ca.pem\"; credential = \"secret\"; evidence = \"catalog\"; },\n"
	" { name = \"two\"; host = \"192.0.2.2\"; ca_file = \"" FOLDER_MARK
	"/ca.pem\"; credential = \"secret\"; evidence = \"server\"; },\n"
	" { name = \"loop\"; host = \"127.0.0.1\"; endpoints = ( \"192.0.2.3:1433\" ); ca_file = \"" FOLDER_MARK
	"/ca.pem\"; credential = \"secret\"; },\n"
	" { name = \"named\"; host = \"sql.example\"; endpoints = ( \"192.0.2.4:1433\" ); ca_file = \"" FOLDER_MARK
	"/ca.pem\"; credential = \"secret\"; }\n"
	");\n"
	"maintenance = (\n"
	" { server = \"one\"; database = \"AcmeTest\"; from = \"2026-09-01T10:00\"; until = \"2026-09-01T12:00\"; },\n"
	" { server = \"two\"; from = \"2026-09-01\"; until = \"2026-09-02\"; }\n"
	");\n";

static const char CLIENT[] =
	"client = { name = \"%s\"; ticket = \"CS-1\"; approved_by = \"a\"; approved_on = \"2026-08-03\";\n"
	" starts = \"2026-08-10\";\n"
	" databases = ( { role = \"staging\"; server = \"one\"; name = \"AcmeTest\"; before_go_live = \"write\"; },\n"
	"               { role = \"production\"; server = \"two\"; name = \"Prod\"; before_go_live = \"write\"; } );\n"
	" users = ( { first = \"Sukarno\"; last = \"\"; email = \"%s@acme.example\"; sources = ( \"198.51.100.7\" ); } );\n"
	"};\n";

struct loaded {
	char *folder;
	struct program *program;
	struct problems problems;
};

static int load(void **state)
{
	static struct loaded l;
	static const char *const names[] = {"acme", "beta"};

	l = (struct loaded){.folder = fixture_make()};
	fixture_write(l.folder, "curfew.conf", SERVERS, sizeof(SERVERS) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *file = text_make("clients.d/%s.conf", names[i]);
		_cleanup_free_ char *text = text_make(CLIENT, names[i], names[i]);

		fixture_write(l.folder, file, text, strlen(text));
	}
	_cleanup_free_ char *messages =
		fixture_load(&l.program, &l.problems, l.folder, FIXTURE_NOW);
	assert_string_equal(messages, "");
	assert_non_null(l.program);
	*state = &l;
	return 0;
}

static int unload(void **state)
{
	struct loaded *l = *state;

	program_free(l->program);
	problems_free(&l->problems);
	fixture_remove(l->folder);
	return 0;
}

/* Half open; a window of a server covers its databases, one of a database that database alone. */
static void test_windows_cover(void **state)
{
	const struct program *p = ((struct loaded *)*state)->program;
	const instant_t ten = FIXTURE_NOW + 10 * 3600, noon = FIXTURE_NOW + 12 * 3600;

	assert_int_equal(p->n_maintenance, 2);
	assert_false(maintenance_covers(p, "one", "AcmeTest", ten - 1));
	assert_true(maintenance_covers(p, "one", "AcmeTest", ten));
	assert_true(maintenance_covers(p, "one", "acmetest", noon - 1));
	assert_false(maintenance_covers(p, "one", "AcmeTest", noon));
	assert_false(maintenance_covers(p, "one", "Other", ten));
	assert_false(maintenance_covers(p, "one", NULL, ten));
	assert_true(maintenance_covers(p, "two", NULL, FIXTURE_NOW));
	/* A day alone ends with the day. */
	assert_true(maintenance_covers(p, "two", "Prod", FIXTURE_NOW + 2 * 86400 - 1));
	assert_false(maintenance_covers(p, "two", "Prod", FIXTURE_NOW + 2 * 86400));
	assert_false(maintenance_covers(p, "named", NULL, FIXTURE_NOW));
}

/* It would look like one that does. */
static void test_windows_that_quiet_nothing(void **state)
{
	static const char windows[] =
		"maintenance = (\n"
		" { server = \"one\"; database = \"acmetest\"; from = \"2026-09-01T10:00\"; until = \"2026-09-01T12:00\"; },\n"
		" { server = \"one\"; database = \"AcmeTst\"; from = \"2026-09-01T10:00\"; until = \"2026-09-01T12:00\"; },\n"
		" { server = \"one\"; from = \"2026-08-31T22:00\"; until = \"2026-09-01T00:00\"; }\n"
		");\n";
	const char *over =
		"curfew.conf:13: advice: this maintenance window is over since 2026-09-01T00:00:00Z; "
		"remove it, or write the dates of the next one\n";
	const char *folder = ((struct loaded *)*state)->folder;
	_cleanup_free_ char *text = text_make(
		"%.*s%s", (int)(strstr(SERVERS, "maintenance") - SERVERS), SERVERS, windows);
	struct problems problems;
	struct program *p;

	fixture_write(folder, "curfew.conf", text, strlen(text));
	char *messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	const char *unknown =
		strstr(messages, "curfew.conf:12: warning: no client has the database "
				 "\"AcmeTst\" on \"one\", so this maintenance window");
	assert_ptr_equal(unknown, messages);
	assert_string_equal(strchr(messages, '\n') + 1, over);
	program_free(p);
	problems_free(&problems);
	free(messages);
	/* A client whose file has an error may have any database. */
	fixture_write(folder, "clients.d/gamma.conf", "client = {};\n", 13);
	messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	assert_null(strstr(messages, "AcmeTst"));
	assert_non_null(strstr(messages, over));
	program_free(p);
	problems_free(&problems);
	free(messages);
}

static void test_evidence_is_explicit(void **state)
{
	const struct program *p = ((struct loaded *)*state)->program;

	assert_true(program_server(p, "one")->evidence_catalog);
	assert_false(program_server(p, "two")->evidence_catalog);
	assert_false(program_server(p, "named")->evidence_catalog);
}

static void test_shared_where_it_is_said(void **state)
{
	const struct program *p = ((struct loaded *)*state)->program;

	assert_int_equal(p->n_clients, 2);
	assert_string_equal(p->clients[1].databases[0].name, "AcmeTest");
	assert_int_equal(p->clients[0].databases[0].before_go_live, LEVEL_WRITE);
	assert_int_equal(p->clients[0].databases[1].before_go_live, LEVEL_WRITE);
	assert_true(client_uses_server(
		p, &p->clients[0], &p->servers[p->clients[0].databases[0].server]));
}

static void test_one_name_is_enough(void **state)
{
	const struct client *c = &((struct loaded *)*state)->program->clients[0];

	assert_string_equal(c->users[0].login, "acme.sukarno");
	assert_string_equal(c->users[0].last, "");
	assert_ptr_equal(client_user(c, "sukarno"), &c->users[0]);
}

static void test_write_changes_data_alone(void **state)
{
	const struct level_terms *t =
		&program_server(((struct loaded *)*state)->program, "two")->terms[LEVEL_WRITE];
	static const char *const grants[] = {
		"SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "VIEW DEFINITION"};

	assert_string_equal(t->role, "curfew_write");
	assert_int_equal(t->schema_grants.n, ARRAY_SIZE(grants));
	for (size_t i = 0; i < ARRAY_SIZE(grants); i++)
		assert_true(strings_contain(&t->schema_grants, grants[i]));
	assert_true(strings_contain(&t->schema_denies, "ALTER"));
}

static void test_trusted_overlaps_both_ways(void **state)
{
	const struct server *s = program_server(((struct loaded *)*state)->program, "one");
	static const struct {
		const char *source;
		bool overlaps;
	} cases[] = {{"203.0.113.15", true}, {"203.0.113.16", false}, {"203.0.112.0/20", true},
		{"203.0.113.0/29", true}, {"2001:db8::1", false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source source;

		assert_int_equal(source_parse(&source, cases[i].source), 0);
		assert_ptr_equal(source_overlaps_trusted(&source, s),
			cases[i].overlaps ? &s->trusted[0] : NULL);
	}
}

static bool every_address(void *context, int family, const uint8_t *addr)
{
	(void)addr;
	assert_int_equal(family, AF_INET);
	return *(bool *)context;
}

/* `one` is reached at a port that is not guarded, `two` is its own endpoint, nobody reaches a loopback address. */
static void test_unguarded_host_is_named(void **state)
{
	struct loaded *l = *state;
	bool local = false;

	assert_int_equal(program_hosts_check(&l->problems, l->program, every_address, &local), 0);
	assert_int_equal(l->problems.n, 0);
	local = true;
	assert_int_equal(program_hosts_check(&l->problems, l->program, every_address, &local), 0);
	assert_int_equal(l->problems.n, 1);
	assert_int_equal(l->problems.items[0].severity, SEVERITY_WARNING);
	assert_int_equal(l->problems.items[0].line, 4);
	assert_non_null(strstr(l->problems.items[0].text, "192.0.2.1 port 1433 is not guarded"));
}

/* By address, family, and port: a port alone leaves the other family and every other address open. */
static void test_addresses_are_guarded(void **state)
{
	static const struct {
		const char *at;
		bool guarded;
	} cases[] = {{"192.0.2.10:1433", true}, {"192.0.2.11:1433", false},
		{"192.0.2.10:1434", false}, {"0.0.0.0:1433", true}, {"0.0.0.0:1444", false},
		{"[::]:1433", false}, {"[::]:1444", true}, {"[2001:db8::10]:1444", true},
		{"[2001:db8::11]:1444", false}, {"[fe80::1%4]:1444", false}, {"", false}};
	struct endpoint endpoints[2];
	struct server s = {.endpoints = endpoints};

	(void)state;
	assert_int_equal(endpoint_parse(&endpoints[0], "192.0.2.10:1433"), 0);
	assert_int_equal(endpoint_parse(&endpoints[1], "[2001:db8::10]:1444"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		s.n_endpoints = ARRAY_SIZE(endpoints);
		assert_int_equal(server_is_guarded(&s, cases[i].at), cases[i].guarded);
		/* By other means. */
		s.n_endpoints = 0;
		assert_true(server_is_guarded(&s, cases[i].at));
	}
}

/* No packet is sent to a wildcard, so that one was written says nothing of the addresses it stands for. */
static void test_wildcard_endpoint_guards_nothing(void **state)
{
	static const char *const none[] = {"0.0.0.0:1433", "[::]:1433", "224.0.0.1:1433",
		"[ff02::1]:1433", "255.255.255.255:1433", "[fe80::1]:1433", "169.254.1.1:1433"};
	static const char *const some[] = {
		"192.0.2.10:1433", "[2001:db8::5]:1433", "127.0.0.1:1433", "[::1]:1433"};
	struct endpoint e;
	struct server s = {.endpoints = &e, .n_endpoints = 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(endpoint_parse(&e, none[i]), 0);
		assert_non_null(endpoint_fault(&e));
		assert_false(
			server_is_guarded(&s, e.family == AF_INET ? "0.0.0.0:1433" : "[::]:1433"));
		assert_false(server_is_guarded(&s, none[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		assert_int_equal(endpoint_parse(&e, some[i]), 0);
		assert_null(endpoint_fault(&e));
		assert_true(server_is_guarded(&s, some[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wildcard_endpoint_guards_nothing),
		cmocka_unit_test(test_addresses_are_guarded),
		cmocka_unit_test_setup_teardown(test_windows_cover, load, unload),
		cmocka_unit_test_setup_teardown(test_windows_that_quiet_nothing, load, unload),
		cmocka_unit_test_setup_teardown(test_evidence_is_explicit, load, unload),
		cmocka_unit_test_setup_teardown(test_shared_where_it_is_said, load, unload),
		cmocka_unit_test_setup_teardown(test_one_name_is_enough, load, unload),
		cmocka_unit_test_setup_teardown(test_write_changes_data_alone, load, unload),
		cmocka_unit_test_setup_teardown(test_trusted_overlaps_both_ways, load, unload),
		cmocka_unit_test_setup_teardown(test_unguarded_host_is_named, load, unload),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
