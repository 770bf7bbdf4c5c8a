/* Databases that are not read: what is still known of them decides whether a login may be enabled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

/* All but the first users are not seen, and no member is. */
static void unseen(struct observed_database *d, size_t n_users)
{
	for (size_t i = n_users; i < d->n_users; i++) {
		free(d->users[i].name);
		free(d->users[i].owner);
	}
	for (size_t i = 0; i < d->n_members; i++) {
		free(d->members[i].role);
		free(d->members[i].member);
	}
	d->n_users = n_users;
	d->n_members = 0;
}

/* After go-live, with staging as the row says and production as scheduled. The login is enabled. */
static struct observed_login *unread_stage(
	struct stage *s, const char *staging_role, const char *unread)
{
	struct observed_login *l = stage_jane(s, staging_role);

	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	s->test->read = false;
	unseen(s->test, 1);
	if (unread)
		s->test->unread = strdup(unread);
	else
		s->test->absent = true;
	return l;
}

static void remember(struct stage *s, const struct remembered *rows, size_t n)
{
	s->scene.wanted.remembered = rows;
	s->scene.wanted.n_remembered = n;
}

static bool has_change(const struct stage *s, enum change_kind kind)
{
	for (size_t i = 0; i < s->d.n_changes; i++)
		if (s->d.changes[i].kind == kind)
			return true;
	return false;
}

static void test_wider_when_last_seen(void **state)
{
	static const struct remembered wide[] = {
		{JANE, "AcmeProd", LEVEL_READ_ONLY, false}, {JANE, "AcmeTest", LEVEL_WRITE, false}};
	static const struct remembered narrow[] = {{JANE, "AcmeProd", LEVEL_READ_ONLY, false},
		{JANE, "AcmeTest", LEVEL_READ_ONLY, false}};
	static const struct remembered excess[] = {{JANE, "ACMETEST", LEVEL_READ_ONLY, true}};

	(void)state;
	for (int absent = 0; absent < 2; absent++) {
		struct stage *s = stage_new(true);
		struct observed_login *l = unread_stage(s, FULL, absent ? NULL : "it is offline");
		remember(s, wide, 2);
		expect(s, "login-disable");
		/* Other databases that match do not enable it. */
		l->disabled = true;
		expect(s, "");
		/* Read-only at most, as is scheduled: nobody is shut for a database that is away. */
		l->disabled = false;
		remember(s, narrow, 2);
		expect(s, "");
		remember(s, excess, 1);
		expect(s, "login-disable");
		stage_free(s);
	}
}

/* A session that had more ends too, and is not waited for. */
static void test_session(void **state)
{
	static const struct remembered wide[] = {{JANE, "AcmeTest", LEVEL_FULL, false}};
	struct stage *s = stage_new(true);

	(void)state;
	unread_stage(s, FULL, "it is in single-user mode");
	remember(s, wide, 1);
	model_session(&s->model, JANE, 5);
	expect(s, "login-disable session-kill");
	stage_free(s);
}

/* A database that the file does not name any more. */
static void test_former(void **state)
{
	static const struct remembered former[] = {{JANE, "AcmeOld", LEVEL_READ_ONLY, false}};
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);
	struct observed_database *old;

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	remember(s, former, 1);
	old = model_database(&s->model, "AcmeOld");
	old->read = false;
	old->unread = strdup("it is offline");
	expect(s, "login-disable");
	assert_non_null(strstr(obstacle_of(s, STATE_UNREAD)->text, "AcmeOld"));
	old->read = true;
	expect(s, "");
	old->read = false;
	old->absent = true;
	expect(s, "");
	stage_free(s);
}

/* A session was seen in a database that no file names: if it cannot be read, nobody knows what the login has there. */
static void test_entry(void **state)
{
	static const struct remembered full[] = {{JANE, "Copy", LEVEL_FULL, false}};
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);
	struct observed_database *copy, *prod;
	struct observed_entry entries[] = {{l->sid, 9}};

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	s->model.o.entries = entries;
	s->model.o.n_entries = 1;
	copy = model_database(&s->model, "Copy");
	prod = observed_find_database(&s->model.o, "AcmeProd");
	copy->id = 9;
	expect(s, "");
	copy->read = false;
	copy->unread = strdup("it is in single-user mode");
	expect(s, "login-disable");
	assert_non_null(strstr(obstacle_of(s, STATE_UNREAD)->text, "Copy"));
	/* Said once. */
	remember(s, full, 1);
	expect(s, "login-disable");
	remember(s, NULL, 0);
	/* Everybody may be in msdb; somebody else's session tells nothing of hers. */
	copy->id = entries[0].database = 4;
	expect(s, "");
	copy->id = entries[0].database = 9;
	entries[0].sid.bytes[0] ^= 1;
	expect(s, "");
	entries[0].sid.bytes[0] ^= 1;
	/* What the file names is judged by its grant. */
	free(copy->name);
	copy->name = strdup("AcmeElse");
	expect(s, "login-disable");
	entries[0].database = prod->id = 10;
	prod->read = false;
	assert_null(observed_unread_entry(&s->model.o, &s->scene.wanted, JANE, entries));
	stage_free(s);
}

/* Whoever controls the database can have kept the agent out, and gives then what nobody sees: who had access there is
 * shut, and who never had, or has it no more, is not. What nobody there can cause leaves all as it is. */
static void test_who_had_access_is_shut_where_the_agent_is_kept_out(void **state)
{
	static const struct remembered rows[] = {{JANE, "AcmeProd", LEVEL_READ_ONLY, false},
		{JANE, "AcmeTest", LEVEL_READ_ONLY, false}};
	static const struct remembered gone[] = {{JANE, "AcmeTest", LEVEL_NONE, false}};
	struct stage *s = stage_new(true);
	struct observed_login *l = unread_stage(s, FULL, "it is in single-user mode");

	(void)state;
	remember(s, rows, 2);
	expect(s, "");
	s->test->barred = true;
	model_session(&s->model, JANE, 5);
	expect(s, "login-disable session-kill");
	bool shuts = false;
	for (size_t i = 0; i < s->d.n_obstacles; i++)
		shuts = shuts || (s->d.obstacles[i].shuts &&
					 !strcmp(s->d.obstacles[i].database, "AcmeTest"));
	assert_true(shuts);
	remember(s, gone, 1);
	expect(s, "");
	remember(s, NULL, 0);
	expect(s, "");
	s->scene.wanted.records_lost = true;
	expect(s, "login-disable session-kill");
	s->scene.wanted.records_lost = false;
	remember(s, rows, 2);
	l->disabled = true;
	expect(s, "session-kill");
	stage_free(s);
}

/* Records are missing: without a row, what was reduced counts as the widest, and what never was does not. */
static void test_records_lost(void **state)
{
	(void)state;
	for (int live = 0; live < 2; live++) {
		struct stage *s = stage_new(live);
		unread_stage(s, FULL, "it is offline");
		if (!live)
			unseen(s->prod, 1);
		s->scene.wanted.records_lost = true;
		expect(s, live ? "login-disable" : "");
		s->scene.wanted.records_lost = false;
		expect(s, "");
		stage_free(s);
	}
}

#define MADE "2026-01-05T10:00:00"

/* Production is new, and staging is not read. Only one that may give more than is scheduled keeps the login from it, and is
 * named then. */
static void test_what_an_unread_database_holds_back(void **state)
{
	static const struct {
		struct remembered row;
		bool none, enterable, hidden, lost, opens;
	} cases[] = {
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 7, MADE}, .opens = true},
		{{JANE, "AcmeTest", LEVEL_NONE, false, true, 7, MADE}, .opens = true},
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 7, MADE}, .enterable = true,
			.opens = true},
		/* Not verified, of another database, restored, or before that was recorded. */
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, false, 7, MADE}},
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 8, MADE}},
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 7, "2026-02-01T10:00:00"}},
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 7, ""}},
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 0, NULL}},
		/* An offline database has no row in sys.databases for most logins. */
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 7, MADE}, .hidden = true,
			.opens = true},
		{{JANE, "AcmeTest", LEVEL_READ_ONLY, false, true, 7, MADE}, .hidden = true,
			.enterable = true},
		/* Nothing was given there; a copy of another database may hold her user. */
		{.none = true, .opens = true},
		{.none = true, .enterable = true},
		{.none = true, .lost = true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct stage *s = stage_new(true);
		struct observed_login *l = stage_jane(s, READ_ONLY);

		s->test->read = false;
		unseen(s->test, 1);
		s->test->unread = strdup("it is offline");
		s->test->shut = !cases[i].enterable;
		s->test->id = 7;
		if (!cases[i].hidden)
			snprintf(s->test->made, sizeof(s->test->made), MADE);
		remember(s, &cases[i].row, !cases[i].none);
		s->scene.wanted.records_lost = cases[i].lost;
		for (int disabled = 0; disabled < 2; disabled++) {
			l->disabled = disabled || cases[i].lost;
			compare(s);
			bool created = s->d.n_changes && has_change(s, CHANGE_USER_CREATE);
			/* Whoever is shut loses nothing by an attempt. */
			if (created != (cases[i].opens || l->disabled))
				fail_msg("case %zu: created %d", i, created);
			const struct obstacle *o = obstacle_of(s, STATE_DRIFT);
			if ((o != NULL) != !created)
				fail_msg("case %zu: obstacle", i);
			if (o) {
				assert_string_equal(o->database, "AcmeProd");
				assert_non_null(
					strstr(o->text, "before database [AcmeTest] is read"));
			}
		}
		/* With all that it gets it is let in, or not. */
		model_user(s->prod, JANE, l->sid);
		model_member(s->prod, READ_ONLY, JANE);
		l->disabled = true;
		compare(s);
		if (has_change(s, CHANGE_LOGIN_ENABLE) != cases[i].opens)
			fail_msg("case %zu: enabled %d", i, !cases[i].opens);
		stage_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wider_when_last_seen),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_former),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_who_had_access_is_shut_where_the_agent_is_kept_out),
		cmocka_unit_test(test_records_lost),
		cmocka_unit_test(test_what_an_unread_database_holds_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
