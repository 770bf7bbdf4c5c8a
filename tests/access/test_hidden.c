/* Users that are not seen where a denial may hide them: their logins count as what nobody knows, and are shut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

enum { PRINCIPAL = 4 };

static struct permission *denial_add(
	struct observed_database *d, const char *name, const char *grantee)
{
	bool known = false;

	for (size_t i = 0; i < d->n_users; i++)
		known = known || !strcmp(d->users[i].name, grantee);
	if (!known)
		model_role(d, grantee);
	model_permission(d, 'D', name, NULL, NULL, grantee, "");
	struct permission *p = &d->permissions[d->n_permissions - 1];
	p->class = PRINCIPAL;
	return p;
}

static void look(struct stage *s)
{
	assert_int_equal(observed_mark_hidden(&s->model.o, &s->scene.server), 0);
}

/* Jane reads production, and staging is as it may be. */
static struct observed_login *hidden_stage(struct stage *s)
{
	struct observed_login *l = stage_jane(s, READ_ONLY);

	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	return l;
}

/* As the server shows it: its row and its memberships are not there. */
static void user_hide(struct observed_database *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n_members; i++) {
		struct observed_member m = d->members[i];
		if (strcmp(m.member, JANE) != 0) {
			d->members[kept++] = m;
			continue;
		}
		free(m.role);
		free(m.member);
	}
	d->n_members = kept;
	for (size_t i = 0; i < d->n_users; i++) {
		if (strcmp(d->users[i].name, JANE) != 0)
			continue;
		free(d->users[i].name);
		d->users[i].name = strdup("somebody");
		d->users[i].type = 'R';
	}
}

static void test_only_a_denial_that_reaches_the_agent_counts(void **state)
{
	struct stage *s = stage_new(true);
	struct permission *p;

	(void)state;
	look(s);
	assert_null(s->test->hidden);
	p = denial_add(s->test, "VIEW DEFINITION", "joe");
	look(s);
	assert_null(s->test->hidden);
	p->state = 'G';
	p = denial_add(s->test, "VIEW DEFINITION", "public");
	look(s);
	assert_non_null(
		strstr(s->test->hidden, "VIEW DEFINITION is denied to [public] in [AcmeTest]"));
	assert_null(s->prod->hidden);
	/* What hides no user is no matter here. */
	p->class = CLASS_SCHEMA;
	look(s);
	assert_null(s->test->hidden);
	p->class = PRINCIPAL;
	p->state = 'G';
	look(s);
	assert_null(s->test->hidden);
	stage_free(s);
}

static void test_the_agents_own_roles_count(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *agent = model_login(&s->model, "curfew_agent", 50);

	(void)state;
	s->scene.server.login = (char *)"curfew_agent";
	model_user(s->test, "curfew_agent", agent->sid);
	model_role(s->test, "watched");
	model_member(s->test, "watched", "curfew_agent");
	denial_add(s->test, "CONTROL", "watched");
	look(s);
	assert_non_null(s->test->hidden);
	s->scene.server.login = NULL;
	stage_free(s);
}

static void test_a_user_that_may_be_hidden_shuts_its_login(void **state)
{
	struct stage *s = stage_new(true);
	struct observed_login *l = hidden_stage(s);
	const struct obstacle *o;

	(void)state;
	denial_add(s->test, "VIEW DEFINITION", "public");
	look(s);
	/* Its user is seen: a verification decides. */
	expect(s, "");
	user_hide(s->test);
	model_session(&s->model, JANE, 5);
	expect(s, "login-disable session-kill");
	o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(o);
	assert_true(o->shuts);
	assert_string_equal(o->database, "AcmeTest");
	assert_non_null(strstr(o->text, "revoke that denial"));
	/* Nothing lets it in again, and nobody tries to make a user that is there. */
	s->model.o.n_sessions = 0;
	l->disabled = true;
	expect(s, "");
	/* Without the denial no user is there, and it gets one. */
	s->test->permissions[s->test->n_permissions - 1].state = 'G';
	look(s);
	expect(s, "user-create member-add");
	s->model.o.n_sessions = 1;
	stage_free(s);
}

/* A database that the file does not name any more, and one where a session was seen. */
static void test_where_no_access_is_scheduled_it_shuts_too(void **state)
{
	static const struct remembered former[] = {{JANE, "AcmeOld", LEVEL_READ_ONLY, false}};
	struct stage *s = stage_new(true);
	struct observed_login *l = hidden_stage(s);
	struct observed_entry entry = {l->sid, 9};
	struct observed_database *old = model_database(&s->model, "AcmeOld");

	(void)state;
	old->id = 9;
	denial_add(old, "VIEW DEFINITION", "public");
	look(s);
	expect(s, "");
	s->scene.wanted.remembered = former;
	s->scene.wanted.n_remembered = 1;
	expect(s, "login-disable");
	assert_true(obstacle_of(s, STATE_UNVERIFIED)->shuts);
	s->scene.wanted.n_remembered = 0;
	s->model.o.entries = &entry;
	s->model.o.n_entries = 1;
	expect(s, "login-disable");
	stage_free(s);
}

/* Before go-live nobody has access to production: a user that is hidden there would be more than nobody scheduled. */
static void test_a_level_of_none_shuts_too(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	expect(s, "");
	denial_add(s->prod, "VIEW DEFINITION", "public");
	look(s);
	expect(s, "login-disable");
	assert_string_equal(obstacle_of(s, STATE_UNVERIFIED)->database, "AcmeProd");
	stage_free(s);
}

static void test_whom_the_server_would_not_make_is_there(void **state)
{
	static const struct unseen_user unseen[] = {{JANE, "AcmeProd"}};
	struct stage *s = stage_new(true);
	struct observed_login *l = stage_jane(s, READ_ONLY);

	(void)state;
	expect(s, "login-disable user-create member-add");
	s->model.o.unseen_users = unseen;
	s->model.o.n_unseen_users = 1;
	expect(s, "login-disable");
	assert_true(obstacle_of(s, STATE_UNVERIFIED)->shuts);
	/* It is seen by now: somebody else made it. */
	model_user(s->prod, JANE, l->sid);
	model_member(s->prod, READ_ONLY, JANE);
	expect(s, "");
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_denial_that_reaches_the_agent_counts),
		cmocka_unit_test(test_the_agents_own_roles_count),
		cmocka_unit_test(test_a_user_that_may_be_hidden_shuts_its_login),
		cmocka_unit_test(test_where_no_access_is_scheduled_it_shuts_too),
		cmocka_unit_test(test_a_level_of_none_shuts_too),
		cmocka_unit_test(test_whom_the_server_would_not_make_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
