/* Denials that hide something of the server, and logins that the server names and does not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../corpus.h"
#include "../sql/played.h"
#include "catalog/catalog.h"

#define SERVER                                                                                     \
	{                                                                                          \
		"N'server'",                                                                       \
		{                                                                                  \
			"server", "15.0", "7"                                                      \
		}                                                                                  \
	}
#define PRINCIPAL(id, name, sid, type)                                                             \
	{                                                                                          \
		"sys.server_principals AS p;",                                                     \
		{                                                                                  \
			"principal", id, "=" name, sid, type, "0", "1", "~", "~"                   \
		}                                                                                  \
	}
#define AGENT PRINCIPAL("3", "curfew_agent", "#03", "S")
#define SA    PRINCIPAL("1", "sa", "#01", "S")
#define FIXED PRINCIPAL("9", "dbcreator", "#09", "R")
#define DENIAL(permission, class, kind, name, id)                                                  \
	{                                                                                          \
		"N'server-denial'",                                                                \
		{                                                                                  \
			"server-denial", "=curfew_agent", "=sa", permission, class, kind, "~",     \
				name, "~", id                                                      \
		}                                                                                  \
	}

static struct user jane = {.login = (char *)"acme.jane"};
static struct database configured = {.name = (char *)"Acme"};
static struct grant grant = {.user = &jane, .database = &configured, .level = LEVEL_FULL};
static const struct grant *const grants[] = {&grant};
static struct server server = {.name = (char *)"sql01", .login = (char *)"curfew_agent"};
static const struct wanted_server wanted = {
	.server = &server, .grants = (const struct grant **)grants, .n_grants = 1};
static struct claim claim = {
	.server = "sql01", .login = "acme.jane", .sid = {.size = 1, .bytes = {7}}, .living = true};
static const struct claims claims = {.items = &claim, .n = 1};

static int observe(struct observed_server *o, const struct played_row *rows, size_t n)
{
	struct sql_error error;

	played_rows = rows;
	n_played_rows = n;
	questions = 0;
	return sql_observe_server(o, &error, NULL, &wanted, &claims, NULL, 0, NULL);
}
#define OBSERVE(o, rows) observe((o), (rows), ARRAY_SIZE(rows))

static void test_a_denial_names_what_it_hides_and_its_revoke(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, AGENT,
		DENIAL("CONTROL", "101", "LOGIN", "=acme.jane", "7"),
		DENIAL("VIEW DEFINITION", "101", "LOGIN", "=bo]ss", "8"),
		DENIAL("VIEW ANY DEFINITION", "100", "~", "~", "0"),
		DENIAL("VIEW DEFINITION", "101", "LOGIN", "~", "11"),
		DENIAL("CONTROL", "105", "ENDPOINT", "~", "12")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_true(observed_is_partial(&o));
	assert_int_equal(o.n_unseen, 5);
	for (size_t i = 0; i < o.n_unseen; i++)
		corpus_add(o.unseen[i].fix);
	assert_string_equal(o.unseen[0].text,
		"CONTROL on [acme.jane] is denied to [curfew_agent], so logins, roles, or permissions may be hidden");
	assert_string_equal(o.unseen[0].fix,
		"USE [master]; REVOKE CONTROL ON LOGIN::[acme.jane] FROM [curfew_agent] AS [sa];");
	assert_string_equal(o.unseen[0].login, "acme.jane");
	assert_true(observed_is_hidden(&o, "ACME.jane"));
	assert_string_equal(o.unseen[1].fix,
		"USE [master]; REVOKE VIEW DEFINITION ON LOGIN::[bo]]ss] FROM [curfew_agent] AS [sa]; -- of a server role: ON SERVER ROLE::");
	assert_null(o.unseen[1].login);
	assert_string_equal(o.unseen[2].fix,
		"USE [master]; REVOKE VIEW ANY DEFINITION FROM [curfew_agent] AS [sa];");
	assert_null(o.unseen[2].login);
	/* Nobody knows what it is: it may be a role. */
	assert_non_null(strstr(o.unseen[3].text, "on the principal with id 11"));
	assert_string_equal(o.unseen[3].fix, "");
	assert_null(o.unseen[3].login);
	assert_non_null(strstr(o.unseen[4].text, "on the endpoint with id 12"));
	observed_free(&o);
}

static void test_a_login_that_the_server_still_names_is_hidden(void **state)
{
	static const struct played_row rows[] = {
		SERVER, SA, AGENT, {"SUSER_SNAME(0x07)", {"still-named", "0", "=acme.jane"}}};
	static const struct played_row gone[] = {
		SERVER, SA, AGENT, {"SUSER_SNAME(0x07)", {"still-named", "0", "~"}}};
	static const struct played_row shown[] = {SERVER, SA, AGENT,
		PRINCIPAL("7", "acme.jane", "#07", "S"),
		{"SUSER_SNAME(0x07)", {"still-named", "0", "=acme.jane"}}};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_int_equal(o.n_unseen, 1);
	assert_true(observed_is_hidden(&o, "acme.jane"));
	assert_string_equal(o.unseen[0].fix, "");
	observed_free(&o);
	assert_int_equal(OBSERVE(&o, gone), 0);
	assert_false(observed_is_partial(&o));
	observed_free(&o);
	assert_int_equal(OBSERVE(&o, shown), 0);
	assert_false(observed_is_partial(&o));
	observed_free(&o);
}

static void test_what_cannot_be_asked_by_its_sid_is_not_gone(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, AGENT};
	struct observed_server o;

	(void)state;
	refused = "SUSER_SNAME(0x07)";
	assert_int_equal(OBSERVE(&o, rows), 0);
	refused = NULL;
	assert_int_equal(o.n_unreadable, 1);
	observed_free(&o);
}

/* Without a denial such a row means that the server changes while it is read. */
static void test_rows_that_name_a_hidden_principal_do_not_hide_the_others(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, AGENT, FIXED,
		{"sys.server_role_members", {"server-member", "9", "7"}},
		{"sys.server_permissions AS p;",
			{"server-permission", "100", "G", "CONTROL SERVER", "0", "3", "20"}},
		DENIAL("VIEW DEFINITION", "101", "LOGIN", "=acme.jane", "7")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_int_equal(o.n_logins, 2);
	assert_int_equal(o.n_members, 1);
	assert_string_equal(o.members[0].role, "dbcreator");
	assert_string_equal(o.members[0].member, "acme.jane");
	assert_int_equal(o.n_permissions, 1);
	assert_string_equal(o.permissions[0].grantor, "principal_id 20");
	observed_free(&o);
	assert_int_equal(observe(&o, rows, ARRAY_SIZE(rows) - 1), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_denial_names_what_it_hides_and_its_revoke),
		cmocka_unit_test(test_a_login_that_the_server_still_names_is_hidden),
		cmocka_unit_test(test_what_cannot_be_asked_by_its_sid_is_not_gone),
		cmocka_unit_test(test_rows_that_name_a_hidden_principal_do_not_hide_the_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
