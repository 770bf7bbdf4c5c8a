/* The difference, rule by rule: what holds an opening back, and what is closed all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

/* Not ours: an error that says so, and not a finger on it. */
static void test_stranger(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	model_login(&s->model, JANE, 5);
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_DRIFT);
	assert_non_null(o);
	assert_non_null(strstr(o->text, "is not managed by Curfew"));
	stage_free(s);
}

static void test_stranger_user(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = stage_jane(s, FULL);

	(void)state;
	/* In staging somebody else's user has her name. */
	s->test->users[s->test->n_users - 1].sid = model_sid(4711);
	model_login(&s->model, "somebody", 4711);
	l = observed_find_login(&s->model.o, JANE);
	l->disabled = true;
	expect(s, "member-drop");
	assert_string_equal(s->d.changes[0].role, FULL);
	assert_non_null(obstacle_of(s, STATE_DRIFT));
	stage_free(s);
}

static void test_waiting(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	s->test->online = s->test->accessible = s->test->read = false;
	s->test->absent = true;
	expect(s, "");
	assert_non_null(obstacle_of(s, STATE_WAITING));
	/* Not seen is not absent. */
	s->test->absent = false;
	s->test->unread = strdup("it is offline");
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_UNREAD);
	assert_non_null(o);
	assert_string_equal(o->text, "cannot read database [AcmeTest]: it is offline");
	stage_free(s);
}

/* Nothing is tried on a copy; what it gives beyond the level shuts the login, what it gives within leaves it alone. */
static void test_a_copy_that_cannot_be_changed(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);
	struct observed_database *copy;

	(void)state;
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	expect(s, "");
	s->prod->unwritable = strdup("it is read-only");
	expect(s, "");
	assert_non_null(obstacle_of(s, STATE_UNVERIFIED));
	/* A snapshot of what she may read anyway. */
	s->prod->id = 5;
	copy = model_database(&s->model, "AcmeProdBefore");
	copy->unwritable = strdup("it is a snapshot");
	model_user(copy, JANE, l->sid);
	model_member(copy, FULL, JANE);
	s->prod = observed_find_database(&s->model.o, "AcmeProd");
	s->test = observed_find_database(&s->model.o, "AcmeTest");
	copy->source = 5;
	expect(s, "");
	/* Of another database: she must not read it. */
	copy->source = 9;
	expect(s, "login-disable");
	copy->source = 5;
	model_member(s->prod, FULL, JANE);
	expect(s, "login-disable");
	stage_free(s);
}

/* Nothing runs where a trigger that nobody reviewed would run as us. */
static void test_database_trigger(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	model_trigger(s->test, "tr_evil");
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(o);
	assert_non_null(strstr(o->text, "tr_evil"));
	/* Its name says nothing of what it does. */
	strings_add(&s->scene.server.known_triggers, "tr_evil");
	expect(s, "");
	o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(strstr(o->text, "is not as it was reviewed"));
	char entry[TRIGGER_ENTRY_MAX];
	trigger_entry(entry, &s->test->triggers[0]);
	assert_non_null(strstr(o->text, entry));
	strings_add(&s->scene.server.known_triggers, entry);
	expect(s, "login-create login-disable login-mark user-create member-add");
	/* What decides outside its text what it does makes the review worthless. */
	s->test->triggers[0].reaches = true;
	expect(s, "");
	s->test->triggers[0].reaches = false;
	s->test->triggers[0].dynamic = true;
	expect(s, "");
	s->test->triggers[0].dynamic = false;
	s->test->triggers[0].digest[0] = '\0';
	expect(s, "");
	/* As Change Data Capture has them. Beside one that fires they count, for that one could do what they fire on. */
	s->test->triggers[0].elsewhere = true;
	expect(s, "login-create login-disable login-mark user-create member-add");
	model_trigger(s->test, "tr_known");
	trigger_entry(entry, &s->test->triggers[1]);
	strings_add(&s->scene.server.known_triggers, entry);
	expect(s, "");
	stage_free(s);
}

/* An audit changes nothing, so a trigger hides nothing from it. */
static void test_trigger_in_an_audit(void **state)
{
	static const struct observed_trigger of_server = {
		.name = (char *)"tr_logon", .digest = "abab"};

	(void)state;
	for (int on_server = 0; on_server < 2; on_server++)
		for (int looked_at = 0; looked_at < 2; looked_at++) {
			struct stage *s = stage_new(false);
			struct observed_trigger trigger = of_server;

			stage_jane(s, FULL);
			s->scene.wanted.looked_at = looked_at;
			if (on_server) {
				s->model.o.triggers = &trigger;
				s->model.o.n_triggers = 1;
			} else {
				model_trigger(s->test, "tr_evil");
			}
			model_permission(s->test, 'G', "CREATE TABLE", NULL, NULL, FULL, "dbo");
			expect(s, looked_at ? "revoke" : on_server ? "" : "login-disable");
			assert_non_null(obstacle_of(s, STATE_UNVERIFIED));
			s->model.o.triggers = NULL;
			s->model.o.n_triggers = 0;
			stage_free(s);
		}
}

/* What cannot be narrowed there must not be used. */
static void test_trigger_over_something_wider(void **state)
{
	static const char *const wider[] = {"db_owner", "owner", "grant", "role", "dbo"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wider); i++) {
		struct stage *s = stage_new(true);
		struct observed_login *l = stage_jane(s, READ_ONLY);
		model_user(s->prod, JANE, l->sid);
		model_member(s->prod, READ_ONLY, JANE);
		model_trigger(s->test, "tr_evil");
		expect(s, "");
		if (i == 0)
			model_member(s->test, "db_owner", JANE);
		else if (i == 1)
			model_owned(s->test, "OBJECT", "dbo", "t", JANE);
		else if (i == 2)
			model_permission(s->test, 'G', "INSERT", "dbo", NULL, JANE, "dbo");
		else if (i == 3)
			model_permission(s->test, 'G', "CONTROL", NULL, NULL, READ_ONLY, "dbo");
		else
			s->test->users[0].sid = l->sid;
		expect(s, "login-disable");
		assert_non_null(obstacle_of(s, STATE_UNVERIFIED));
		stage_free(s);
	}
}

static void test_server_trigger(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_trigger trigger = {.name = (char *)"tr_logon", .digest = "abab"};
	char *known = (char *)"tr_logon", *exactly = (char *)"tr_logon sha256:abab";
	struct strings *list = &s->scene.server.known_triggers;

	(void)state;
	s->model.o.triggers = &trigger;
	s->model.o.n_triggers = 1;
	expect(s, "");
	assert_non_null(strstr(obstacle_of(s, STATE_UNVERIFIED)->text, "\"tr_logon sha256:abab\""));
	/* Its name is enough for what its own text does, and for nothing that others may alter. */
	*list = (struct strings){&known, 1};
	assert_null(server_trigger_refused(list, &trigger));
	trigger.dynamic = true;
	assert_non_null(server_trigger_refused(list, &trigger));
	*list = (struct strings){&exactly, 1};
	assert_null(server_trigger_refused(list, &trigger));
	trigger.reaches = true;
	assert_non_null(server_trigger_refused(list, &trigger));
	trigger.reaches = false;
	trigger.digest[0] = 'c';
	assert_string_equal(server_trigger_refused(list, &trigger), "is not as it was reviewed");
	trigger.digest[0] = '\0';
	assert_non_null(server_trigger_refused(list, &trigger));
	expect(s, "");
	*list = (struct strings){0};
	s->model.o.n_triggers = 0;
	s->model.o.triggers_unknown = true;
	expect(s, "");
	assert_non_null(obstacle_of(s, STATE_UNVERIFIED));
	s->model.o.triggers_unknown = false;
	s->model.o.n_triggers = 1;
	/* What shuts somebody out goes on all the same. */
	stage_claim(s, model_login(&s->model, "gone.user", 7));
	model_session(&s->model, "gone.user", 0);
	expect(s, "login-disable session-kill");
	s->model.o.triggers = NULL;
	s->model.o.n_triggers = 0;
	stage_free(s);
}

/* A DBA's denial is named, whoever it is of, and nothing is done to it. */
static void test_denials(void **state)
{
	static const char *const grantees[] = {JANE, "curfew_logins", "public", "somebody"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(grantees); i++) {
		struct stage *s = stage_new(false);
		stage_jane(s, FULL);
		expect(s, "");
		model_server_permission(&s->model, "CONNECT SQL", grantees[i]);
		s->model.o.permissions[s->model.o.n_permissions - 1].state = 'D';
		expect(s, "");
		const struct obstacle *o = obstacle_of(s, STATE_DRIFT);
		assert_int_equal(o != NULL, i < 3);
		assert_true(!o || strstr(o->text, "denies CONNECT SQL to"));
		stage_free(s);
	}
}

/* Who cannot see everything may close, and opens nothing. */
static void test_missing_rights(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = stage_claim(s, model_login(&s->model, "gone.user", 7));
	char *right = (char *)"VIEW ANY DEFINITION";

	(void)state;
	l->marked = true;
	s->model.o.missing_rights = &right;
	s->model.o.n_missing_rights = 1;
	expect(s, "login-disable login-drop");
	const struct obstacle *o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(o);
	assert_non_null(strstr(o->text, right));
	s->model.o.missing_rights = NULL;
	s->model.o.n_missing_rights = 0;
	stage_free(s);
}

/* Nothing is on record, and somebody bears the mark: the records are missing. */
static void test_missing_records(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	s->scene.wanted.first_start = true;
	/* Nobody bears it: a first start, and all is opened. */
	expect(s, "login-create login-disable login-mark user-create member-add");
	/* Somebody else's would do. */
	model_login(&s->model, "other.user", 7)->marked = true;
	expect(s, "");
	assert_true(obstacle_of(s, STATE_UNVERIFIED)->records_missing);
	/* What must close closes. */
	stage_jane(s, FULL);
	s->prod->users[0].sid = observed_find_login(&s->model.o, JANE)->sid;
	compare(s);
	assert_true(s->d.n_changes > 0);
	for (size_t i = 0; i < s->d.n_changes; i++)
		assert_true(change_closes(s->d.changes[i].kind));
	stage_free(s);
}

/* Another configuration's login, or nobody's: shown, and left alone, with its users. */
static void test_unclaimed(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l = model_login(&s->model, "other.user", 7);

	(void)state;
	l->marked = true;
	model_user(s->test, "other.user", l->sid);
	model_member(s->test, FULL, "other.user");
	model_session(&s->model, "other.user", 0);
	compare(s);
	for (size_t i = 0; i < s->d.n_changes; i++)
		assert_false(
			s->d.changes[i].login && names_equal(s->d.changes[i].login, "other.user"));
	for (size_t i = 0; i < s->d.n_changes; i++)
		assert_false(s->d.changes[i].kind == CHANGE_MEMBER_DROP);
	const struct obstacle *o = obstacle_of(s, STATE_OK);
	assert_non_null(o);
	assert_string_equal(o->login, "other.user");
	assert_non_null(strstr(o->text, "curfew adopt sql1 other.user"));
	stage_free(s);
}

/* Somebody gave her login another name: what it holds ends with it, whether access is scheduled or has ended. */
static void test_renamed(void **state)
{
	(void)state;
	for (int live = 0; live < 2; live++) {
		struct stage *s = stage_new(live);
		struct observed_login *l = stage_claim(s, stage_jane(s, FULL));
		free(l->name);
		l->name = strdup("innocent");
		s->claims[0].login = JANE;
		model_session(&s->model, "innocent", 0);
		compare(s);
		bool disabled = false, killed = false, stripped = false, dropped = false;
		for (size_t i = 0; i < s->d.n_changes; i++) {
			const struct change *c = &s->d.changes[i];
			bool its = c->login && names_equal(c->login, "innocent");
			disabled = disabled || (its && c->kind == CHANGE_LOGIN_DISABLE);
			killed = killed || (its && c->kind == CHANGE_SESSION_KILL);
			stripped = stripped || (its && c->kind == CHANGE_USER_DROP);
			dropped = dropped || (its && c->kind == CHANGE_LOGIN_DROP);
			if (its)
				assert_string_equal(c->client, "acme");
		}
		assert_true(disabled && killed && stripped && dropped);
		assert_null(observed_find_login(&s->model.o, JANE));
		struct claims claims = {.items = s->claims, .n = s->n_claims};
		assert_ptr_equal(observed_find_claimed(&s->model.o, &claims, "sql1", JANE), l);
		assert_null(observed_find_claimed(&s->model.o, &claims, "sql2", JANE));
		assert_string_equal(observed_former_name(l, &claims, "sql1"), JANE);
		assert_null(observed_former_name(l, &claims, "sql2"));
		stage_free(s);
	}
}

/* Everybody has CONNECT; who may grant it on may let others in. */
static void test_connect_with_grant_option(void **state)
{
	(void)state;
	for (int option = 0; option < 2; option++) {
		struct stage *s = stage_new(false);
		size_t revoked = 0;

		stage_jane(s, FULL);
		model_permission(s->test, option ? 'W' : 'G', "CONNECT", NULL, NULL, JANE, "dbo");
		compare(s);
		for (size_t i = 0; i < s->d.n_changes; i++)
			revoked += s->d.changes[i].kind == CHANGE_REVOKE &&
				   s->d.changes[i].permission.state == 'W';
		assert_int_equal(revoked, option);
		stage_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_with_grant_option),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_stranger_user),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_a_copy_that_cannot_be_changed),
		cmocka_unit_test(test_database_trigger),
		cmocka_unit_test(test_trigger_in_an_audit),
		cmocka_unit_test(test_trigger_over_something_wider),
		cmocka_unit_test(test_server_trigger),
		cmocka_unit_test(test_denials),
		cmocka_unit_test(test_missing_rights),
		cmocka_unit_test(test_missing_records),
		cmocka_unit_test(test_unclaimed),
		cmocka_unit_test(test_renamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
