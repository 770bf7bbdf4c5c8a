/* The order of changes when one client's database asks for many: what is nobody else's matter delays nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

#define BEN	"other.ben"
#define SCHEMAS 300  /* each asks for 7 denials and 15 grants */
#define MANY	3000 /* permissions */

/* Another client on the server, whose database has that many schemas and none of the roles. */
static struct stage *stage_two(bool live, size_t schemas, struct observed_database **theirs)
{
	struct stage *s = stage_new(live);
	struct client *c = scene_client(&s->scene, "other", SCENE_NOW - 40 * SCENE_DAY);

	scene_database(c, "OtherTest", ROLE_STAGING, LEVEL_FULL);
	scene_user(c, BEN);
	wanted_free(&s->scene.wanted);
	grants_free(&s->scene.grants);
	scene_finish(&s->scene);
	*theirs = model_database(&s->model, "OtherTest");
	s->test = &s->model.o.databases[0];
	s->prod = &s->model.o.databases[1];
	(*theirs)->managed = true;
	model_user(*theirs, "dbo", model_sid(9000));
	for (size_t i = 0; i < schemas; i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%zu", i);
		model_schema(*theirs, name, NULL);
	}
	return s;
}

/* The first and the last change of that kind; login or database NULL: of any. */
static size_t first_of(const struct stage *s, enum change_kind kind, const char *login,
	const char *database, size_t *last)
{
	size_t first = s->d.n_changes;

	for (size_t i = 0; i < s->d.n_changes; i++) {
		const struct change *c = &s->d.changes[i];
		if (c->kind != kind || (login && (!c->login || strcmp(c->login, login))) ||
			(database && (!c->database || strcmp(c->database, database))))
			continue;
		first = first < i ? first : i;
		*last = i;
	}
	assert_true(first < s->d.n_changes);
	return first;
}

/* Go-live of one client, while the other one's roles are made anew and its user has what it should not have. */
static void test_a_narrowing_waits_for_no_roles_of_another_client(void **state)
{
	struct observed_database *theirs;
	struct stage *s = stage_two(true, SCHEMAS, &theirs);
	struct observed_login *jane = stage_jane(s, FULL), *ben = model_login(&s->model, BEN, 2);
	size_t jane_last, ben_first, denials, killed, last;

	(void)state;
	jane = observed_find_login(&s->model.o, JANE);
	ben->marked = true;
	model_user(s->prod, JANE, jane->sid);
	model_member(s->prod, READ_ONLY, JANE);
	model_user(theirs, BEN, ben->sid);
	model_member(theirs, "db_owner", BEN);
	model_session(&s->model, JANE, 3600);
	model_session(&s->model, BEN, 3600);
	compare(s);
	first_of(s, CHANGE_MEMBER_DROP, JANE, "AcmeTest", &jane_last);
	denials = first_of(s, CHANGE_ROLE_DENY, NULL, "OtherTest", &last);
	assert_true(jane_last < denials);
	killed = first_of(s, CHANGE_SESSION_KILL, BEN, NULL, &last);
	assert_true(killed < first_of(s, CHANGE_MEMBER_DROP, JANE, "AcmeTest", &last));
	/* Who is moved there is moved behind them. */
	first_of(s, CHANGE_ROLE_DENY, NULL, "OtherTest", &last);
	ben_first = first_of(s, CHANGE_MEMBER_DROP, BEN, "OtherTest", &denials);
	assert_true(last < ben_first);
	apply_all(s);
	for (int i = 0; i < 4 && s->d.n_changes; i++)
		apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

/* What each of two ended logins has beside its roles: one has three rights, the other very many. */
static void test_an_end_waits_for_no_rights_of_another_login(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_login *l;
	size_t drops[2], user, last;

	(void)state;
	stage_jane(s, FULL);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "zz.gone" : "aa.gone";
		l = stage_claim(s, model_login(&s->model, name, (uint32_t)(7 + i)));
		l->marked = true;
		model_user(i ? s->test : s->prod, name, l->sid);
		for (int k = 0; k < (i ? 3 : 500); k++) {
			char object[16];
			snprintf(object, sizeof(object), "o%d", k);
			model_permission(
				i ? s->test : s->prod, 'G', "SELECT", "dbo", object, name, "dbo");
		}
	}
	compare(s);
	assert_int_equal(s->d.changes[0].kind, CHANGE_LOGIN_DISABLE);
	assert_int_equal(s->d.changes[1].kind, CHANGE_LOGIN_DISABLE);
	drops[0] = first_of(s, CHANGE_LOGIN_DROP, "aa.gone", NULL, &last);
	drops[1] = first_of(s, CHANGE_LOGIN_DROP, "zz.gone", NULL, &last);
	user = first_of(s, CHANGE_USER_DROP, "zz.gone", NULL, &last);
	assert_true(user < drops[1]);
	assert_true(drops[1] < first_of(s, CHANGE_REVOKE, "aa.gone", NULL, &last));
	user = first_of(s, CHANGE_USER_DROP, "aa.gone", NULL, &last);
	assert_true(user < drops[0]);
	apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

/* Both get access for the first time. */
static void test_access_waits_for_no_roles_of_another_client(void **state)
{
	struct observed_database *theirs;
	struct stage *s = stage_two(false, SCHEMAS, &theirs);
	size_t last, role;

	(void)state;
	compare(s);
	role = first_of(s, CHANGE_ROLE_CREATE, NULL, "OtherTest", &last);
	first_of(s, CHANGE_MEMBER_ADD, JANE, "AcmeTest", &last);
	assert_true(last < role);
	/* Whether time is left or not, whoever gets something there gets it behind what the roles deny. */
	for (size_t i = 0; i < s->d.n_changes; i++) {
		const struct change *c = &s->d.changes[i];
		bool theirs_alone = (c->database && !strcmp(c->database, "OtherTest")) ||
				    (c->login && !strcmp(c->login, BEN));
		assert_int_equal(c->may_wait, theirs_alone);
	}
	first_of(s, CHANGE_ROLE_DENY, NULL, "OtherTest", &last);
	size_t member = first_of(s, CHANGE_MEMBER_ADD, BEN, "OtherTest", &(size_t){0});
	assert_true(last < member);
	stage_free(s);
}

/* Few are made in the same pass, whatever time it takes. */
static void test_the_usual_roles_do_not_wait(void **state)
{
	struct observed_database *theirs;
	struct stage *s = stage_two(false, 3, &theirs);

	(void)state;
	compare(s);
	assert_true(s->d.n_changes > 50);
	for (size_t i = 0; i < s->d.n_changes; i++)
		assert_false(s->d.changes[i].may_wait);
	stage_free(s);
}

/* Put there as they are: the model looks for each among all. */
static void many_permissions(struct observed_database *d, const char *grantee)
{
	struct permission *all =
		realloc(d->permissions, (d->n_permissions + MANY) * sizeof(*d->permissions));

	assert_non_null(all);
	d->permissions = all;
	for (size_t i = 0; i < MANY; i++) {
		char column[16];
		struct permission *p = &all[d->n_permissions++];
		snprintf(column, sizeof(column), "c%zu", i);
		*p = (struct permission){.class = CLASS_OBJECT, .state = 'G'};
		p->name = strdup("REFERENCES");
		p->schema = strdup("dbo");
		p->object = strdup("wide");
		p->column = strdup(column);
		p->grantee = strdup(grantee);
		p->grantor = strdup("dbo");
	}
}

/* Very much is to be removed from the other client's role, whose user is to get access, as Jane is. */
static void test_access_waits_for_no_removals_of_another_client(void **state)
{
	struct observed_database *theirs;
	struct stage *s = stage_two(false, 0, &theirs);
	size_t last, revokes;

	(void)state;
	scene_roles(&s->scene, theirs);
	many_permissions(theirs, FULL);
	compare(s);
	revokes = first_of(s, CHANGE_REVOKE, NULL, "OtherTest", &last);
	assert_int_equal(last - revokes, MANY - 1);
	first_of(s, CHANGE_MEMBER_ADD, JANE, "AcmeTest", &last);
	assert_true(last < revokes);
	for (size_t i = 0; i < s->d.n_changes; i++) {
		const struct change *c = &s->d.changes[i];
		bool theirs_alone = (c->database && !strcmp(c->database, "OtherTest")) ||
				    (c->login && !strcmp(c->login, BEN));
		assert_int_equal(c->may_wait, theirs_alone);
	}
	/* Nobody gets anything there before. */
	first_of(s, CHANGE_REVOKE, NULL, "OtherTest", &last);
	assert_true(last < first_of(s, CHANGE_LOGIN_CREATE, BEN, NULL, &(size_t){0}));
	assert_true(last < first_of(s, CHANGE_MEMBER_ADD, BEN, "OtherTest", &(size_t){0}));
	apply_all(s);
	for (int i = 0; i < 4 && s->d.n_changes; i++)
		apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

/* A user of the other client who has very many permissions is shut, and loses its role, before Jane gets access. The
 * permissions, and what must come behind them, wait. */
static void test_an_end_does_not_wait_for_its_own_permissions(void **state)
{
	struct observed_database *theirs;
	struct stage *s = stage_two(false, 0, &theirs);
	struct observed_login *gone;
	size_t jane, last, revokes;

	(void)state;
	gone = stage_claim(s, model_login(&s->model, "aa.gone", 7));
	gone->marked = true;
	model_user(theirs, "aa.gone", gone->sid);
	scene_roles(&s->scene, theirs);
	model_member(theirs, FULL, "aa.gone");
	many_permissions(theirs, "aa.gone");
	model_session(&s->model, "aa.gone", 3600);
	compare(s);
	jane = first_of(s, CHANGE_MEMBER_ADD, JANE, "AcmeTest", &last);
	assert_int_equal(s->d.changes[0].kind, CHANGE_LOGIN_DISABLE);
	assert_int_equal(s->d.changes[1].kind, CHANGE_SESSION_KILL);
	assert_true(first_of(s, CHANGE_MEMBER_DROP, "aa.gone", "OtherTest", &last) < jane);
	assert_false(s->d.changes[0].may_wait || s->d.changes[1].may_wait ||
		     s->d.changes[last].may_wait);
	revokes = first_of(s, CHANGE_REVOKE, "aa.gone", "OtherTest", &last);
	assert_true(jane < revokes && s->d.changes[revokes].may_wait);
	size_t user = first_of(s, CHANGE_USER_DROP, "aa.gone", "OtherTest", &(size_t){0});
	size_t login = first_of(s, CHANGE_LOGIN_DROP, "aa.gone", NULL, &(size_t){0});
	assert_true(last < user && user < login);
	assert_true(s->d.changes[user].may_wait && s->d.changes[login].may_wait);
	for (int i = 0; i < 5 && s->d.n_changes; i++)
		apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	stage_free(s);
}

/* A change of owner counts with all that it grants again. */
static void test_a_transfer_counts_with_what_it_restores(void **state)
{
	struct observed_database *theirs;
	struct stage *s = stage_two(false, 0, &theirs);
	struct observed_login *gone;
	size_t owner, last;

	(void)state;
	gone = stage_claim(s, model_login(&s->model, "aa.gone", 7));
	gone->marked = true;
	model_user(theirs, "aa.gone", gone->sid);
	many_permissions(theirs, "public");
	model_owned(theirs, "OBJECT", "dbo", "wide", "aa.gone");
	compare(s);
	owner = first_of(s, CHANGE_OWNER, "aa.gone", "OtherTest", &last);
	assert_int_equal(s->d.changes[owner].n_regrants, MANY);
	assert_true(s->d.changes[owner].may_wait);
	assert_true(first_of(s, CHANGE_MEMBER_ADD, JANE, "AcmeTest", &last) < owner);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_narrowing_waits_for_no_roles_of_another_client),
		cmocka_unit_test(test_an_end_waits_for_no_rights_of_another_login),
		cmocka_unit_test(test_access_waits_for_no_roles_of_another_client),
		cmocka_unit_test(test_the_usual_roles_do_not_wait),
		cmocka_unit_test(test_access_waits_for_no_removals_of_another_client),
		cmocka_unit_test(test_an_end_does_not_wait_for_its_own_permissions),
		cmocka_unit_test(test_a_transfer_counts_with_what_it_restores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
