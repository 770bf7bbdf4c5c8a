/* Error 15151 of a removal: whether its object is gone or hidden, the reading behind it tells, and that is reported. Other
 * errors, and those of what gives access, are reported as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "visit/visit.h"

static struct record told;
static unsigned n_told;

void worker_tell(struct worker *w, const struct record *r)
{
	(void)w;
	told = *r;
	n_told++;
}

struct row {
	const char *name;
	enum change_kind kind;
	int number; /* of the server's error */
	const char *database;
	bool kept;			/* until the next reading */
	bool read, asked, lacks_rights; /* of that reading */
	enum state state;
	/* The reading: something of the server, or of the database, is hidden; the SID is on record. */
	bool hides, hides_in_database, claimed;
};

static const struct row rows[] = {
	{"gone", CHANGE_MEMBER_DROP, 15151, "Acme", true, true, false, false, STATE_OK},
	{"a login is gone", CHANGE_LOGIN_DROP, 15151, NULL, true, true, false, false, STATE_OK},
	{"asked for again", CHANGE_MEMBER_DROP, 15151, "Acme", true, true, true, false,
		STATE_DRIFT},
	{"nothing was read", CHANGE_USER_DROP, 15151, "Acme", true, false, false, false,
		STATE_DRIFT},
	{"its database was not read", CHANGE_USER_DROP, 15151, "Other", true, true, false, false,
		STATE_DRIFT},
	{"the agent may not see all", CHANGE_LOGIN_DROP, 15151, NULL, true, true, false, true,
		STATE_DRIFT},
	{"something is hidden", CHANGE_LOGIN_DROP, 15151, NULL, true, true, false, false,
		STATE_DRIFT, .hides = true},
	{"something in its database is hidden", CHANGE_USER_DROP, 15151, "Acme", true, true, false,
		false, STATE_DRIFT, .hides_in_database = true},
	{"a login to be disabled that is not seen", CHANGE_LOGIN_DISABLE, 15151, NULL, true, true,
		false, false, STATE_DRIFT},
	{"its SID names nothing either", CHANGE_LOGIN_DISABLE, 15151, NULL, true, true, false,
		false, STATE_OK, .claimed = true},
	{"a session is gone", CHANGE_SESSION_KILL, 6106, NULL, true, true, false, false, STATE_OK},
	{"a session is there still", CHANGE_SESSION_KILL, 6106, NULL, true, true, true, false,
		STATE_DRIFT},
	{"a KILL is not permitted", CHANGE_SESSION_KILL, 6102, NULL, false, true, false, false,
		STATE_DRIFT},
	{"another error", CHANGE_LOGIN_DROP, 15434, NULL, false, true, false, false, STATE_DRIFT},
	{"it gives access", CHANGE_MEMBER_ADD, 15151, "Acme", false, true, false, false,
		STATE_DRIFT},
};

static void row_check(const struct row *row)
{
	static struct observed_user everybody = {.name = (char *)"public", .type = 'R'};
	static struct permission denial = {.class = CLASS_PRINCIPAL,
		.state = 'D',
		.name = (char *)"CONTROL",
		.grantee = (char *)"public"};
	static struct server server = {.name = (char *)"sql01", .login = (char *)"curfew_agent"};
	static const struct program program;
	static const struct sql_visit visit = {
		.program = &program, .server = &server, .wanted = {.server = &server}};
	static struct observed_unseen unseen = {.text = (char *)"a denial", .fix = (char *)""};
	struct observed_database seen = {.name = (char *)"Acme",
		.read = true,
		.users = &everybody,
		.n_users = 1,
		.permissions = &denial,
		.n_permissions = row->hides_in_database ? 1 : 0};
	struct claim claim = {.server = "sql01",
		.login = "acme.jane",
		.sid = {.size = 1, .bytes = {7}},
		.living = true};
	char *lacking[] = {(char *)"VIEW ANY DEFINITION"};
	struct change again = {
		.kind = row->kind, .login = (char *)"acme.jane", .database = (char *)row->database};
	struct visit_run run = {.difference = {.changes = &again, .n_changes = row->asked ? 1 : 0},
		.observed = {.databases = &seen,
			.n_databases = 1,
			.missing_rights = lacking,
			.n_missing_rights = row->lacks_rights ? 1 : 0,
			.unseen = &unseen,
			.n_unseen = row->hides ? 1 : 0},
		.visit = &visit,
		.claims = {.items = &claim, .n = row->claimed ? 1 : 0}};
	struct record plan = {.kind = RECORD_PLAN, .change.kind = row->kind};
	struct sql_error error = {.number = row->number};

	RECORD_SET(&plan, login, "acme.jane");
	RECORD_SET(&plan, database, row->database ? row->database : "");
	record_set(error.text, sizeof(error.text), "refused");
	n_told = 0;
	if (doubt_keep(&run, &plan, SQL_SERVER_ERROR, &error) != row->kept)
		fail_msg("%s: %s", row->name, row->kept ? "not kept" : "kept");
	if (!row->kept)
		outcome_tell(&run, &plan, SQL_SERVER_ERROR, &error, false);
	doubts_settle(&run, row->read);
	assert_int_equal(n_told, 1);
	assert_int_equal(told.kind, RECORD_OUTCOME);
	if (told.state != row->state)
		fail_msg("%s: state %d", row->name, told.state);
	assert_string_equal(told.detail, row->state == STATE_OK
						 ? "it was gone already: somebody else removed it"
						 : "refused");
	assert_int_equal(told.code, row->state == STATE_OK ? 0 : row->number);
}

static void test_what_is_gone_has_not_failed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		row_check(&rows[i]);
}

/* Whoever may alter a database can make very many permissions there, and another agent may take them away meanwhile. */
static void test_very_many_are_gone(void **state)
{
	enum { MANY = 40000, MOST_SECONDS = 12 };
	static struct observed_database seen = {.name = (char *)"Acme", .read = true};
	static struct server server = {.name = (char *)"sql01"};
	static const struct program program;
	static const struct sql_visit visit = {
		.program = &program, .server = &server, .wanted = {.server = &server}};
	struct change *asked = calloc(MANY, sizeof(*asked));
	struct visit_run run = {.difference = {.changes = asked, .n_changes = MANY},
		.observed = {.databases = &seen, .n_databases = 1},
		.visit = &visit};
	struct record *doubts = calloc(MANY, sizeof(*doubts));

	(void)state;
	assert_non_null(asked);
	assert_non_null(doubts);
	for (size_t i = 0; i < MANY; i++) {
		asked[i] = (struct change){.kind = CHANGE_REVOKE,
			.login = (char *)"acme.jane.of.a.long.name",
			.database = (char *)"Acme2"};
		doubts[i] = (struct record){
			.kind = RECORD_PLAN, .change.kind = CHANGE_REVOKE, .code = 15151};
		RECORD_SET(&doubts[i], login, "acme.jane.of.a.long.name");
		RECORD_SET(&doubts[i], database, "Acme");
	}
	run.doubts = (struct doubts){.items = doubts, .n = MANY};
	n_told = 0;
	clock_t start = clock();
	doubts_settle(&run, true);
	assert_true(clock() - start < MOST_SECONDS * CLOCKS_PER_SEC);
	assert_int_equal(n_told, MANY);
	assert_int_equal(told.state, STATE_OK);
	free(asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_gone_has_not_failed),
		cmocka_unit_test(test_very_many_are_gone)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
