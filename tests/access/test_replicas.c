/* Replicas of an availability group: one grant on each, one SID, nothing on a secondary but the login, and a listener's
 * address that opens only for those whom every replica lets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "curfew/allowlist.h"
#include "stage.h"

static const struct change *created(const struct stage *s)
{
	for (size_t i = 0; i < s->d.n_changes; i++)
		if (s->d.changes[i].kind == CHANGE_LOGIN_CREATE)
			return &s->d.changes[i];
	return NULL;
}

static struct stage *replica_stage(const struct sid *sid)
{
	struct stage *s = stage_new(false);

	s->scene.wanted.replicated = true;
	for (size_t i = 0; sid && i < s->scene.wanted.n_logins; i++)
		s->scene.wanted.logins[i].sid = *sid;
	return s;
}

static void secondary_make(struct observed_database *d)
{
	d->secondary = true;
	d->read = false;
	d->unread = strdup("it is a secondary replica that cannot be read");
}

static void test_the_sid_is_given(void **state)
{
	const struct sid sid = model_sid(4711);
	struct stage *s = replica_stage(&sid);

	(void)state;
	compare(s);
	assert_non_null(created(s));
	assert_true(sid_equal(&created(s)->sid, &sid));
	stage_free(s);
	/* Elsewhere the server makes one, and nobody knows it before. */
	s = stage_new(false);
	compare(s);
	assert_int_equal(created(s)->sid.size, 0);
	stage_free(s);
}

/* Another replica is making it right now: whoever made one too would have another SID. */
static void test_the_sid_is_awaited(void **state)
{
	struct stage *s = replica_stage(NULL);

	(void)state;
	compare(s);
	assert_null(created(s));
	assert_non_null(strstr(obstacle_of(s, STATE_WAITING)->text, "SID"));
	stage_free(s);
}

static void test_another_sid(void **state)
{
	const struct sid sid = model_sid(4711);
	struct stage *s = replica_stage(&sid);

	(void)state;
	stage_jane(s, FULL);
	expect(s, "");
	assert_non_null(strstr(obstacle_of(s, STATE_DRIFT)->text, "another SID"));
	stage_free(s);
}

/* The login alone, disabled, until a database is open there. Not unread, and not absent. */
static void test_a_secondary(void **state)
{
	const struct sid sid = model_sid(4711);
	struct stage *s = replica_stage(&sid);

	(void)state;
	secondary_make(s->test);
	secondary_make(s->prod);
	expect(s, "login-create login-disable login-mark");
	assert_null(obstacle_of(s, STATE_UNREAD));
	assert_non_null(strstr(obstacle_of(s, STATE_WAITING)->text, "secondary replica"));
	stage_free(s);
	/* Where no replicas are configured, it is what it was: unread. */
	s = stage_new(false);
	secondary_make(s->test);
	compare(s);
	assert_non_null(obstacle_of(s, STATE_UNREAD));
	stage_free(s);
}

struct group {
	struct server servers[3];
	char *names[2];
	struct endpoint own[3], listener;
	struct endpoint endpoints[3][2];
	struct source source;
	struct user user;
	struct database database;
	struct client client;
	struct program program;
	const char *refuses; /* the server that lets nobody in */
};

static void group_make(struct group *g)
{
	static const char *const servers[] = {"sql01", "sql02", "sql03"};
	static const char *const own[] = {"192.0.2.1:1433", "192.0.2.2:1433", "192.0.2.3:1433"};

	*g = (struct group){.names = {(char *)"sql02", (char *)"sql03"}};
	assert_int_equal(endpoint_parse(&g->listener, "192.0.2.99:1433"), 0);
	assert_int_equal(source_parse(&g->source, "203.0.113.7"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		assert_int_equal(endpoint_parse(&g->endpoints[i][0], own[i]), 0);
		g->endpoints[i][1] = g->listener;
		g->servers[i] = (struct server){.name = (char *)servers[i],
			.endpoints = g->endpoints[i],
			.n_endpoints = i < 2 ? 2 : 1};
	}
	g->servers[0].replicas = (struct strings){g->names, 1};
	g->user = (struct user){.login = (char *)JANE, .sources = &g->source, .n_sources = 1};
	g->database = (struct database){.name = (char *)"Acme", .before_go_live = LEVEL_FULL};
	g->client = (struct client){.name = (char *)"acme",
		.starts = SCENE_NOW - SCENE_DAY,
		.testing_end = SCENE_NOW + SCENE_DAY,
		.end = SCENE_NOW + SCENE_DAY,
		.users = &g->user,
		.n_users = 1,
		.databases = &g->database,
		.n_databases = 1};
	g->program = (struct program){
		.servers = g->servers, .n_servers = 3, .clients = &g->client, .n_clients = 1};
}

/* The server of the file, and its replica: not the third, which belongs to nobody. */
static void test_a_grant_on_each(void **state)
{
	struct group g;
	struct grants grants;

	(void)state;
	group_make(&g);
	assert_int_equal(schedule_at(&grants, &g.program, NULL, SCENE_NOW), 0);
	assert_int_equal(grants.n, 2);
	assert_string_equal(grants.items[0].server->name, "sql01");
	assert_string_equal(grants.items[1].server->name, "sql02");
	assert_int_equal(grants.items[1].level, LEVEL_FULL);
	assert_ptr_equal(grants.items[0].database, grants.items[1].database);
	grants_free(&grants);
	assert_true(client_uses_server(&g.program, &g.client, &g.servers[1]));
	assert_false(client_uses_server(&g.program, &g.client, &g.servers[2]));
}

static enum admission refused_by_name(const struct grant *grant, void *group)
{
	const struct group *g = group;

	return g->refuses && streq(g->refuses, grant->server->name) ? ADMIT_NOBODY : ADMIT;
}

static bool is_open(struct group *g, const struct endpoint *e)
{
	struct grants grants;
	struct allowlist list;
	bool open = false;

	assert_int_equal(schedule_at(&grants, &g->program, NULL, SCENE_NOW), 0);
	assert_int_equal(
		allowlist_build(&list, &g->program, &grants, SCENE_NOW, refused_by_name, g), 0);
	for (size_t i = 0; i < list.n_allows; i++)
		open |= !endpoint_compare(&list.allows[i].endpoint, e);
	allowlist_free(&list);
	grants_free(&grants);
	return open;
}

static void test_the_listener(void **state)
{
	struct group g;

	(void)state;
	group_make(&g);
	assert_true(is_open(&g, &g.listener));
	g.refuses = "sql02";
	assert_false(is_open(&g, &g.listener));
	assert_false(is_open(&g, &g.endpoints[1][0]));
	assert_true(is_open(&g, &g.endpoints[0][0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sid_is_given),
		cmocka_unit_test(test_the_sid_is_awaited),
		cmocka_unit_test(test_another_sid),
		cmocka_unit_test(test_a_secondary),
		cmocka_unit_test(test_a_grant_on_each),
		cmocka_unit_test(test_the_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
