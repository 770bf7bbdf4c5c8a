/* What full access is worth in a database, and what comes of it: the first grant is held back, nobody loses anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

static struct observed_runner *runner(struct stage *s, int kind)
{
	struct observed_runner *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->kind = (unsigned)kind;
	r->schema = strdup("dbo");
	r->name = strdup("Nightly");
	r->as_owner = true;
	s->test->runners = r;
	s->test->n_runners = 1;
	return r;
}

static void assert_reason(const struct stage *s, enum unfit unfit, const char *words)
{
	char reason[FITNESS_REASON_MAX];

	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 0), unfit);
	assert_string_equal(reason, words);
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 1), UNFIT_NONE);
}

static void test_reasons(void **state)
{
	struct stage *s = stage_new(false);
	char reason[FITNESS_REASON_MAX];

	(void)state;
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 0), UNFIT_NONE);
	s->test->trustworthy = true;
	assert_reason(s, UNFIT_TRUSTWORTHY, "the database is TRUSTWORTHY");
	s->test->trustworthy = false;
	s->test->runners_unknown = true;
	assert_reason(s, UNFIT_UNREAD_MODULE, "what runs there as another user cannot be read");
	s->test->runners_unknown = false;
	struct observed_runner *r = runner(s, RUNNER_MODULE);
	assert_reason(s, UNFIT_MODULE, "[dbo].[Nightly] uses other objects and runs as its owner");
	r->as_owner = false;
	r->kind = RUNNER_QUEUE;
	assert_reason(s, UNFIT_QUEUE, "queue [dbo].[Nightly] runs a procedure as another user");
	r->kind = RUNNER_POLICY;
	assert_reason(s, UNFIT_POLICY,
		"security policy [dbo].[Nightly] uses a function that is not schema-bound");
	r->kind = RUNNER_DDL_TRIGGER;
	*r->schema = '\0';
	assert_reason(s, UNFIT_MODULE,
		"DDL trigger [Nightly] uses other objects and runs as another user");
	stage_free(s);
}

static void test_jobs(void **state)
{
	struct stage *s = stage_new(false);
	struct observed_job *jobs = calloc(2, sizeof(*jobs));
	char reason[FITNESS_REASON_MAX];

	(void)state;
	assert_non_null(jobs);
	jobs[0] = (struct observed_job){.database = 8, .name = strdup("Elsewhere")};
	jobs[1] = (struct observed_job){.database = 7, .name = strdup("Nightly")};
	s->model.o.jobs = jobs;
	s->model.o.n_jobs = 2;
	s->test->id = 7;
	assert_reason(s, UNFIT_JOB, "Agent job [Nightly] runs there as a sysadmin");
	s->model.o.jobs_unknown = true;
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 0), UNFIT_UNREAD_JOB);
	assert_string_equal(reason, "what Agent jobs of a sysadmin run there cannot be read");
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 1), UNFIT_JOB);
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 2), UNFIT_NONE);
	stage_free(s);
}

/* Both databases have to allow it, or the server for all; and the owner is the same. */
static void test_chains(void **state)
{
	static const char words[] =
		"ownership chains reach database [AcmeProd], which has the same owner";
	struct stage *s = stage_new(false);
	char reason[FITNESS_REASON_MAX];

	(void)state;
	s->test->id = 7;
	s->prod->id = 8;
	s->test->owner = s->prod->owner = model_sid(1);
	s->test->chaining = true;
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 0), UNFIT_NONE);
	s->prod->chaining = true;
	assert_reason(s, UNFIT_OWNER, words);
	s->prod->owner = model_sid(2);
	assert_int_equal(fitness_reason(reason, &s->model.o, s->test, 0), UNFIT_NONE);
	s->prod->owner = model_sid(1);
	s->test->chaining = s->prod->chaining = false;
	s->model.o.chaining = true;
	assert_reason(s, UNFIT_OWNER, words);
	stage_free(s);
}

static void test_first_grant(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	runner(s, RUNNER_MODULE);
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(o);
	assert_string_equal(o->login, JANE);
	assert_non_null(strstr(o->text, "full access is not given to database [AcmeTest]"));
	assert_non_null(
		strstr(o->text, "full_waiver = { approved_by = \"NAME\"; ticket = \"TICKET\"; };"));
	s->scene.databases[0][0].full_waiver.approved_by = (char *)"lead@host.example";
	s->scene.databases[0][0].full_waiver.ticket = (char *)"CS-7";
	expect(s, "login-create login-disable login-mark user-create member-add");
	assert_null(obstacle_of(s, STATE_UNVERIFIED));
	o = obstacle_of(s, STATE_OK);
	assert_non_null(o);
	assert_non_null(
		strstr(o->text, "accepted by lead@host.example (CS-7), because [dbo].[Nightly]"));
	stage_free(s);
}

/* What the agent login cannot read is made readable; only where somebody accepts the risk is that a waiver. */
static void test_what_is_unread_asks_for_the_bootstrap(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	s->model.o.jobs_unknown = true;
	expect(s, "");
	assert_non_null(strstr(obstacle_of(s, STATE_UNVERIFIED)->text,
		"where it may equal db_owner: a DBA must run the output of `curfew bootstrap sql1` again; until then use "
		"before_go_live = \"write\", or accept the risk with full_waiver = {"));
	runner(s, RUNNER_MODULE);
	expect(s, "");
	assert_non_null(strstr(obstacle_of(s, STATE_UNVERIFIED)->text,
		"where it equals db_owner: a DBA must run the output of `curfew bootstrap sql1` again; beside that use "
		"before_go_live = \"write\", change what is named here, or accept it with full_waiver = {"));
	s->scene.databases[0][0].full_waiver.approved_by = (char *)"lead@host.example";
	s->scene.databases[0][0].full_waiver.ticket = (char *)"CS-7";
	compare(s);
	assert_non_null(strstr(obstacle_of(s, STATE_OK)->text, "full access equals db_owner"));
	s->test->n_runners = 0;
	compare(s);
	assert_non_null(strstr(obstacle_of(s, STATE_OK)->text, "full access may equal db_owner"));
	s->test->n_runners = 1;
	stage_free(s);
}

/* Given before: it stays, and is said. What she holds beside it is taken away as ever. */
static void test_in_force(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	runner(s, RUNNER_MODULE);
	expect(s, "");
	const struct obstacle *o = obstacle_of(s, STATE_UNVERIFIED);
	assert_non_null(o);
	assert_non_null(strstr(o->text, "full access was given to database [AcmeTest]"));
	model_member(s->test, "db_owner", JANE);
	expect(s, "login-disable member-drop");
	stage_free(s);
}

/* Less than full is kept as it is, neither raised nor taken. */
static void test_less(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, READ_ONLY);
	runner(s, RUNNER_MODULE);
	expect(s, "");
	assert_non_null(obstacle_of(s, STATE_UNVERIFIED));
	stage_free(s);
}

/* Nobody comes into a database without a baseline; who is there already stays. */
static void test_held(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	s->test->held = strdup("its baseline cannot be read: 208");
	expect(s, "");
	assert_string_equal(obstacle_of(s, STATE_UNVERIFIED)->text,
		"no access is granted in database [AcmeTest]: its baseline cannot be read: 208");
	stage_jane(s, FULL);
	model_member(s->test, "db_owner", JANE);
	expect(s, "login-disable member-drop");
	stage_free(s);
}

/* Where case counts, somebody of nearly the same name is somebody else. */
static void test_names_by_case(void **state)
{
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	struct observed_login *other = model_login(&s->model, "ACME.JANE.DOE", 77);
	model_user(s->test, "ACME.JANE.DOE", other->sid);
	model_member(s->test, "db_owner", "ACME.JANE.DOE");
	expect(s, "");
	model_member(s->test, READ_ONLY, "ACME.JANE.DOE");
	expect(s, "member-drop");
	assert_string_equal(s->d.changes[0].principal, "ACME.JANE.DOE");
	assert_string_equal(s->d.changes[0].role, READ_ONLY);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_first_grant),
		cmocka_unit_test(test_what_is_unread_asks_for_the_bootstrap),
		cmocka_unit_test(test_in_force),
		cmocka_unit_test(test_less),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_names_by_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
