/* Temporary sources: in the allowlist, and in what the firewall process holds the service to. */
#include "curfew/allowlist.h"
#include "curfew/firewall_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define NOW ((instant_t)1000000)

/* Two clients whose users come from one address; the first user's second source is another. */
static struct source sources[2];
static instant_t ends[2];
static struct endpoint endpoint;
static struct user users[2];
static struct database databases[2];
static struct client clients[2];
static struct server server;
static struct program program;
static struct grant items[2];
static struct grants grants;

static int world_make(void **state)
{
	static char *const logins[] = {(char *)"acme.jane.doe", (char *)"beta.jane.doe"};

	(void)state;
	assert_int_equal(source_parse(&sources[0], "203.0.113.7"), 0);
	assert_int_equal(source_parse(&sources[1], "198.51.100.0/29"), 0);
	assert_int_equal(endpoint_parse(&endpoint, "192.0.2.10:1433"), 0);
	server = (struct server){.name = (char *)"sql01", .endpoints = &endpoint, .n_endpoints = 1};
	for (size_t i = 0; i < 2; i++) {
		users[i] = (struct user){
			.login = logins[i], .sources = sources, .n_sources = i ? 1 : 2};
		databases[i] = (struct database){.name = (char *)"Test"};
		clients[i] = (struct client){.name = (char *)(i ? "beta" : "acme"),
			.end = NOW + 1000,
			.databases = &databases[i],
			.n_databases = 1,
			.users = &users[i],
			.n_users = 1};
		items[i] = (struct grant){.client = &clients[i],
			.user = &users[i],
			.server = &server,
			.database = &databases[i],
			.level = LEVEL_FULL,
			.until = NOW + (i ? 80 : 100),
			.end = NOW + 1000};
	}
	program = (struct program){
		.servers = &server, .n_servers = 1, .clients = clients, .n_clients = 2};
	program.settings.widest_prefix4 = 24;
	users[0].source_ends = ends;
	ends[0] = NOW + 50;
	ends[1] = SOURCE_NO_END;
	grants = (struct grants){items, 1};
	return 0;
}

static const struct allow *allow_find(const struct allowlist *a, const struct source *s)
{
	for (size_t i = 0; i < a->n_allows; i++)
		if (source_compare(&a->allows[i].source, s) == 0)
			return &a->allows[i];
	return NULL;
}

/* The instant until which the first source is allowed; 0: it is not. */
static instant_t allowed_until(const char **comment)
{
	static char text[ALLOW_COMMENT_MAX + 1];
	struct allowlist a;

	assert_int_equal(allowlist_build(&a, &program, &grants, NOW, NULL, NULL), 0);
	const struct allow *found = allow_find(&a, &sources[0]),
			   *other = allow_find(&a, &sources[1]);
	instant_t until = found ? found->until : 0;
	snprintf(text, sizeof(text), "%s", found ? found->comment : "");
	*comment = text;
	/* The other source lasts as long as the access, whatever becomes of the first. */
	assert_int_equal(other->until, NOW + 100);
	allowlist_free(&a);
	return until;
}

static void test_the_allowlist_ends_it(void **state)
{
	const char *comment;

	(void)state;
	assert_int_equal(allowed_until(&comment), NOW + 50);
	/* Never longer than the access itself. */
	ends[0] = NOW + 5000;
	assert_int_equal(allowed_until(&comment), NOW + 100);
	ends[0] = NOW + 1;
	assert_int_equal(allowed_until(&comment), NOW + 1);
	ends[0] = NOW;
	assert_int_equal(allowed_until(&comment), 0);
}

/* Another user behind the same address is let in for himself, and under his own name alone. */
static void test_another_user_stays(void **state)
{
	const char *comment;

	(void)state;
	grants.n = 2;
	assert_int_equal(allowed_until(&comment), NOW + 80);
	assert_string_equal(comment, "acme/acme.jane.doe, beta/beta.jane.doe");
	ends[0] = NOW;
	assert_int_equal(allowed_until(&comment), NOW + 80);
	assert_string_equal(comment, "beta/beta.jane.doe");
}

/* The service cannot prolong it. */
static void test_the_firewall_process_knows_it(void **state)
{
	struct allow late = {
		.source = sources[0], .endpoint = endpoint, .until = NOW + 51, .comment = ""};
	struct allow other = {
		.source = sources[1], .endpoint = endpoint, .until = NOW + 1000, .comment = ""};
	struct firewall_policy *p;

	(void)state;
	program.n_clients = 1;
	assert_int_equal(firewall_policy_build(&p, &program, NULL), 0);
	assert_non_null(firewall_policy_allow(p, &late));
	late.until = NOW + 50;
	assert_null(firewall_policy_allow(p, &late));
	assert_null(firewall_policy_allow(p, &other));
	firewall_policy_free(p);
}

#define TEST(f) cmocka_unit_test_setup(f, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_the_allowlist_ends_it),
		TEST(test_another_user_stays), TEST(test_the_firewall_process_knows_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
