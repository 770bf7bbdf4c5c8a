/* A whole configuration: every value where it belongs, and the digest. */
#include "fixture.h"

#include "curfew/last_good.h"

static const char FULL_MAIN[] =
	"program = { max_users = 5; read_only_days = 20; staging_days = 7; testing_days = 90;\n"
	"  timezone = \"Europe/Berlin\"; widest_prefix4 = 16; widest_prefix6 = 40; };\n"
	"practice = true; clients = \"customers\"; state_directory = \"/srv/state\";\n"
	"runtime_directory = \"/srv/run\"; credential_directory = \"@FOLDER@/credentials\";\n"
	"journal_key = \"secret\"; metrics_file = \"/srv/curfew.prom\";\n"
	"servers = (\n"
	"  { name = \"z\"; host = \"z.example\"; port = 1444; ca_file = \"@FOLDER@/ca.pem\";\n"
	"    endpoints = [ \"192.0.2.1:1433\", \"[2001:db8::1]:1444\" ];\n"
	"    trusted = [ \"10.0.0.0/24\", \"2001:db8:1::/64\" ];\n"
	"    login = \"agent\"; credential = \"secret\"; must_change = false;\n"
	"    known_triggers = [ \"audit\", \"logon audit\" ];\n"
	"    known_linked_servers = [ \"REPORTING\" ]; known_proxies = ( \"backup\", \"ssis proxy\" );\n"
	"    known_listeners = ( \"[::]:1433\" );\n"
	"    levels = { read_only = { member_of = ( \"db_datareader\" ); }; }; },\n"
	"  { name = \"secret\"; host = \"2001:db8::9\"; ca_file = \"@FOLDER@/ca.pem\"; }\n"
	");\n"
	"levels = { full = { role = \"all\"; schema_denies = ( ); };\n"
	"  read_only = { role = \"some\"; schema_grants = ( \"SELECT\" ); }; };\n"
	"firewall = { enabled = false; hooks = [ \"forward\" ]; priority = -20; log = false;\n"
	"  guard_loopback = true; };\n"
	"limits = { interval = 60; connect_timeout = 5; server_deadline = 30; workers = 2; };\n";

static const char FULL_CLIENT[] =
	"client = { name = \"Acme Ltd\"; ticket = \"T-1\"; approved_by = \"lead\"; approved_on = "
	"\"2026-08-03\";\n"
	"  starts = \"2026-08-10\"; go_live = \"2026-11-23T09:00\"; staging_until = \"2026-12-01\";\n"
	"  milestones = { files_received = \"2026-08-04\"; database_upgraded = \"2026-08-07\";\n"
	"    checklist_signed = \"2026-10-19\"; production_ticket = \"T-2\"; };\n"
	"  databases = ( { role = \"production\"; server = \"secret\"; name = \"P\";\n"
	"      before_go_live = \"read-only\"; },\n"
	"    { role = \"staging\"; server = \"z\"; name = \"S\"; } );\n"
	"  users = ( { first = \"Jürgen\"; last = \"Groß\"; email = \"j@acme.example\";\n"
	"      sources = ( \"203.0.113.7\", { address = \"2001:db8:7::/64\"; until = \"2026-12-05\"; } ); },\n"
	"    { first = \"John\"; last = \"Roe\"; email = \"r@acme.example\"; login = \"Roe\";\n"
	"      sources = ( \"198.51.0.0/16\" ); } );\n"
	"};\n";

static void settings_check(const struct settings *s)
{
	assert_int_equal(s->max_users, 5);
	assert_int_equal(s->read_only_days, 20);
	assert_int_equal(s->staging_days, 7);
	assert_int_equal(s->testing_days, 90);
	assert_int_equal(s->widest_prefix4, 16);
	assert_int_equal(s->widest_prefix6, 40);
	assert_string_equal(s->timezone, "Europe/Berlin");
	assert_true(s->practice);
	assert_string_equal(s->state_directory, "/srv/state");
	assert_string_equal(s->runtime_directory, "/srv/run");
	assert_string_equal(s->journal_key, "secret");
	assert_string_equal(s->metrics_file, "/srv/curfew.prom");
	assert_false(s->firewall.enabled);
	assert_int_equal(s->firewall.hooks, HOOK_FORWARD);
	assert_int_equal(s->firewall.priority, -20);
	assert_false(s->firewall.log);
	assert_true(s->firewall.guard_loopback);
	assert_int_equal(s->interval, 60);
	assert_int_equal(s->connect_timeout, 5);
	assert_int_equal(s->server_deadline, 30);
	assert_int_equal(s->workers, 2);
}

static void servers_check(const struct program *p)
{
	const struct server *z = program_server(p, "Z"), *other = program_server(p, "secret");
	char buf[ENDPOINT_TEXT_MAX];

	assert_int_equal(p->n_servers, 2);
	assert_ptr_equal(z, &p->servers[1]);
	assert_string_equal(z->host, "z.example");
	assert_int_equal(z->port, 1444);
	assert_int_equal(z->n_endpoints, 2);
	assert_string_equal(endpoint_format(buf, &z->endpoints[1]), "[2001:db8::1]:1444");
	assert_int_equal(z->n_trusted, 2);
	assert_string_equal(z->login, "agent");
	assert_string_equal(z->credential, "secret");
	assert_false(z->must_change);
	assert_true(strings_contain(&z->known_triggers, "logon audit"));
	assert_int_equal(z->known_linked_servers.n, 1);
	assert_true(strings_contain(&z->known_linked_servers, "REPORTING"));
	assert_true(strings_contain(&z->known_proxies, "ssis proxy"));
	assert_int_equal(other->known_proxies.n, 0);
	assert_true(strings_contain(&z->known_listeners, "[::]:1433"));
	assert_int_equal(z->line, 7);
	assert_non_null(strstr(z->file, "/curfew.conf"));
	assert_null(z->terms[LEVEL_READ_ONLY].role);
	assert_true(strings_contain(&z->terms[LEVEL_READ_ONLY].member_of, "db_datareader"));
	assert_string_equal(z->terms[LEVEL_FULL].role, "all");
	/* An empty list says none; a missing one what is usual. */
	assert_int_equal(z->terms[LEVEL_FULL].schema_denies.n, 0);
	assert_true(strings_contain(&z->terms[LEVEL_FULL].schema_grants, "ALTER"));
	assert_int_equal(z->terms[LEVEL_NONE].schema_grants.n, 0);

	assert_string_equal(endpoint_format(buf, &other->endpoints[0]), "[2001:db8::9]:1433");
	assert_string_equal(other->login, "curfew_agent");
	assert_string_equal(other->credential, "secret");
	assert_true(other->must_change);
	assert_string_equal(other->terms[LEVEL_READ_ONLY].role, "some");
	assert_int_equal(other->terms[LEVEL_READ_ONLY].schema_grants.n, 1);
	assert_int_equal(other->terms[LEVEL_READ_ONLY].schema_denies.n, 5);
}

static void client_check(const struct program *p)
{
	const struct client *c = program_client(p, "ACME ltd");

	assert_non_null(c);
	assert_string_equal(c->ticket, "T-1");
	assert_string_equal(c->approved_by, "lead");
	assert_string_equal(c->timezone, "Europe/Berlin");
	assert_int_equal(c->approved, instant_at("2026-08-02T22:00Z"));
	assert_int_equal(c->starts, instant_at("2026-08-09T22:00Z"));
	assert_true(c->has_go_live);
	assert_int_equal(c->go_live, instant_at("2026-11-23T08:00Z"));
	assert_int_equal(c->testing_end, instant_at("2026-11-07T23:00Z"));
	assert_int_equal(c->staging_end, instant_at("2026-12-01T23:00Z"));
	assert_int_equal(c->end, instant_at("2026-12-13T08:00Z"));
	assert_string_equal(c->milestones[MILESTONE_FILES_RECEIVED], "2026-08-04");
	assert_string_equal(c->milestones[MILESTONE_DATABASE_UPGRADED], "2026-08-07");
	assert_string_equal(c->milestones[MILESTONE_CHECKLIST_SIGNED], "2026-10-19");
	assert_string_equal(c->milestones[MILESTONE_PRODUCTION_TICKET], "T-2");
	assert_int_equal(c->n_databases, 2);
	assert_int_equal(c->databases[0].role, ROLE_PRODUCTION);
	assert_int_equal(c->databases[0].before_go_live, LEVEL_READ_ONLY);
	assert_string_equal(p->servers[c->databases[0].server].name, "secret");
	assert_int_equal(c->databases[1].role, ROLE_STAGING);
	assert_int_equal(c->databases[1].before_go_live, LEVEL_FULL);
	assert_string_equal(p->servers[c->databases[1].server].name, "z");
	assert_int_equal(c->n_users, 2);
	assert_string_equal(c->users[0].login, "acmeltd.jurgen.gross");
	assert_int_equal(c->users[0].n_sources, 2);
	assert_true(user_source_end(&c->users[0], 0) == SOURCE_NO_END);
	/* To the end of that day in Berlin. */
	assert_int_equal(user_source_end(&c->users[0], 1), instant_at("2026-12-05T23:00:00Z"));
	assert_string_equal(c->users[1].login, "Roe");
	assert_int_equal(c->users[1].line, 10);
	assert_ptr_equal(client_user(c, "ROE"), &c->users[1]);
	assert_ptr_equal(client_user(c, "J@acme.example"), &c->users[0]);
	assert_ptr_equal(client_user(c, "john.roe"), &c->users[1]);
	assert_null(client_user(c, "john"));
	assert_null(client_user(c, "john.roe2"));
	assert_null(program_client(p, "acme"));
}

/* What the service keeps lies beside its curfew.conf, wherever that says that the files are. */
static void test_last_good_clients_lie_beside(void **state)
{
	char *folder = fixture_make();
	_cleanup_free_ char *path = text_make("%s/curfew.conf", folder);
	size_t size;
	_cleanup_free_ char *text = file_content(path, &size);
	_cleanup_free_ char *elsewhere = text_make("clients = \"customers\";\n%s", text);
	const struct last_good kept = {.folder = folder, .config = path};
	struct problems problems;
	struct program *p;

	(void)state;
	fixture_mkdir(folder, "customers", 0750);
	fixture_text(folder, "curfew.conf", elsewhere);
	assert_int_equal(program_load(&p, &problems, path, FIXTURE_NOW), 0);
	assert_non_null(p);
	assert_int_equal(p->n_clients, 0);
	program_free(p);
	problems_free(&problems);
	assert_int_equal(last_good_load(&p, &problems, &kept, FIXTURE_NOW), 0);
	assert_non_null(p);
	assert_int_equal(p->n_clients, 1);
	program_free(p);
	problems_free(&problems);
	fixture_remove(folder);
}

static void test_every_setting(void **state)
{
	char *folder = fixture_make(), *messages;
	struct problems problems;
	struct program *p;

	(void)state;
	fixture_mkdir(folder, "customers", 0750);
	fixture_text(folder, "curfew.conf", FULL_MAIN);
	fixture_text(folder, "customers/a.conf", FULL_CLIENT);
	messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	/* The fixture's own client lies in another folder now. */
	assert_string_equal(messages,
		"customers/a.conf:2: warning: \"go_live\" is later than the end of testing (Sun "
		"2026-11-08 00:00 CET); access before go-live lasts until \"go_live\"\n");
	assert_non_null(p);
	settings_check(&p->settings);
	servers_check(p);
	client_check(p);
	assert_int_equal(p->n_clients, 1);
	assert_int_equal(p->n_files, 2);
	program_free(p);
	problems_free(&problems);
	free(messages);
	fixture_remove(folder);
}

static void test_defaults(void **state)
{
	char *folder = fixture_make(), *messages;
	struct problems problems;
	struct program *p;

	(void)state;
	messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	assert_string_equal(messages, "");
	assert_int_equal(p->settings.max_users, 3);
	assert_int_equal(p->settings.read_only_days, 30);
	assert_int_equal(p->settings.staging_days, 14);
	assert_int_equal(p->settings.testing_days, 180);
	assert_int_equal(p->settings.widest_prefix4, 24);
	assert_int_equal(p->settings.widest_prefix6, 48);
	assert_string_equal(p->settings.timezone, "UTC");
	assert_false(p->settings.practice);
	assert_string_equal(p->settings.state_directory, "/var/lib/curfew");
	assert_string_equal(p->settings.runtime_directory, "/run/curfew");
	assert_null(p->settings.journal_key);
	assert_null(p->settings.metrics_file);
	assert_true(p->settings.firewall.enabled);
	assert_int_equal(p->settings.firewall.hooks, HOOK_INPUT | HOOK_FORWARD);
	assert_int_equal(p->settings.firewall.priority, -10);
	assert_true(p->settings.firewall.log);
	assert_false(p->settings.firewall.guard_loopback);
	assert_int_equal(p->settings.interval, 300);
	assert_int_equal(p->settings.connect_timeout, 10);
	assert_int_equal(p->settings.server_deadline, 60);
	assert_int_equal(p->settings.workers, 8);
	assert_string_equal(p->servers[0].terms[LEVEL_FULL].role, "curfew_full");
	assert_true(
		strings_contain(&p->servers[0].terms[LEVEL_FULL].schema_denies, "CREATE SEQUENCE"));
	assert_string_equal(p->servers[0].terms[LEVEL_READ_ONLY].role, "curfew_read_only");
	assert_int_equal(p->servers[0].terms[LEVEL_READ_ONLY].schema_denies.n, 5);
	assert_true(
		strings_contain(&p->servers[0].terms[LEVEL_READ_ONLY].database_grants, "SHOWPLAN"));
	program_free(p);
	problems_free(&problems);
	free(messages);
	fixture_remove(folder);
}

static void test_digest_of_all_files(void **state)
{
	char *folder = fixture_make();
	struct program *first = fixture_program(folder, FIXTURE_NOW), *again, *changed, *more;

	(void)state;
	assert_int_equal(strlen(first->digest), 64);
	again = fixture_program(folder, FIXTURE_NOW + 1);
	assert_string_equal(first->digest, again->digest);
	/* A comment is no change of what holds, but one of what was read. */
	fixture_text(folder, "clients.d/beta.conf", "# nothing yet\n");
	more = fixture_program(folder, FIXTURE_NOW);
	assert_string_not_equal(first->digest, more->digest);
	fixture_text(folder, "clients.d/beta.conf", "# nothing now\n");
	changed = fixture_program(folder, FIXTURE_NOW);
	assert_string_not_equal(more->digest, changed->digest);
	/* Broken or not, a file was read: the service must tell it from one that is gone. */
	assert_int_equal(more->n_files, 3);
	assert_int_equal(more->n_clients, 1);
	program_free(first);
	program_free(again);
	program_free(more);
	program_free(changed);
	fixture_remove(folder);
}

/* The example that is installed is a good one. */
static void test_example_is_valid(void **state)
{
	char *folder = fixture_make(), *messages;
	size_t size;
	_cleanup_free_ char *main_text = file_content("etc/curfew.conf", &size);
	_cleanup_free_ char *client_text = file_content("etc/clients.d/acme.conf", &size);
	_cleanup_free_ char *here =
		text_replace(main_text, "/etc/curfew/tls/sql-ca.pem", FOLDER_MARK "/ca.pem");
	_cleanup_free_ char *there =
		text_replace(here, "#credential_directory = \"/etc/curfew/credentials\"",
			"credential_directory = \"" FOLDER_MARK "/credentials\"");
	struct problems problems;
	struct program *p;

	(void)state;
	fixture_text(folder, "curfew.conf", there);
	fixture_text(folder, "clients.d/acme.conf", client_text);
	fixture_write(folder, "credentials/sqltest02", "x\n", 2);
	fixture_chmod(folder, "credentials/sqltest02", 0600);
	fixture_write(folder, "credentials/sql07", "x\n", 2);
	fixture_chmod(folder, "credentials/sql07", 0600);
	messages = fixture_load(&p, &problems, folder, instant_at("2026-09-01"));
	assert_string_equal(messages,
		"clients.d/acme.conf:10: advice: go-live is set (Mon 2026-11-23 09:00 CST) but "
		"milestones.checklist_signed is missing; add it when the checklist is signed\n");
	assert_int_equal(p->n_clients, 1);
	program_free(p);
	problems_free(&problems);
	free(messages);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_setting),
		cmocka_unit_test(test_last_good_clients_lie_beside),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_digest_of_all_files),
		cmocka_unit_test(test_example_is_valid),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
