/* Notices keep no pass waiting: whatever there is to write, a look ends with its time, and the next goes on. */
#include "../report/report_fixture.h"
#include "../journal/journal_fixture.h"

#include "curfew/state_tables.h"
#include "service/sending_make.h"

#define CLIENTS 40

/* SQLite counts the transactions that changed the file, in its header. */
static unsigned commits(const struct fixture *f)
{
	unsigned char count[4];
	FILE *file = fopen(f->path, "re");

	assert_non_null(file);
	assert_int_equal(fseek(file, 24, SEEK_SET), 0);
	assert_int_equal(fread(count, 1, sizeof(count), file), sizeof(count));
	fclose(file);
	return (unsigned)count[0] << 24 | (unsigned)count[1] << 16 | (unsigned)count[2] << 8 |
	       count[3];
}

static bool is_told(const struct fixture *f, const struct client *c)
{
	char *sources = NULL, *dates = NULL;
	unsigned sequence;
	int rc = last_notice_read(&sources, &dates, &sequence, f->j, c->name, c->users[0].login);

	assert_true(rc == 0 || rc == -ENOENT);
	free(sources);
	free(dates);
	return rc == 0;
}

static size_t notices(const struct fixture *f)
{
	int64_t n = -1;

	assert_int_equal(database_number(&n, f->j, "SELECT count(*) FROM outbox", 0), 0);
	return (size_t)n;
}

/* The dates of many have moved: each mail costs a write to disk. */
static void test_a_look_ends_with_its_time(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct client *many = calloc(CLIENTS, sizeof(*many));
	char names[CLIENTS][16];
	struct sending_turn turn = {.until = 0};
	const struct overrides none = {0};
	const struct sending_view v = {.turn = &turn,
		.journal = f->j,
		.program = &s->program,
		.overrides = &none,
		.now = GOLDEN_NOW,
		.since = GOLDEN_NOW};
	size_t turns = 0, told = 0;

	assert_non_null(many);
	for (size_t i = 0; i < CLIENTS; i++) {
		snprintf(names[i], sizeof(names[i]), "client%zu", i);
		many[i] = s->clients[0];
		many[i].name = names[i];
	}
	s->program.clients = many;
	s->program.n_clients = CLIENTS;
	s->program.settings.notices.from = (char *)"access@host.example";
	assert_int_equal(people_note(&v), 0);
	for (size_t i = 0; i < CLIENTS; i++)
		many[i].go_live += DAY;
	do {
		unsigned before = commits(f);

		turn.more = false;
		assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
		assert_true(commits(f) - before <= 1);
		turns++;
	} while (turn.more && turns < 2 * CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++)
		told += is_told(f, &many[i]);
	assert_int_equal(told, CLIENTS);
	assert_int_equal(turns, CLIENTS);
	assert_int_equal(notices(f), CLIENTS);
	/* With time enough one turn is enough, and nothing is left to write. */
	turn.until = INT64_MAX;
	turns = commits(f);
	assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
	assert_false(turn.more);
	assert_int_equal(commits(f), turns);
	free(many);
	free(s);
}

/* Of a program with one client, whose notices are sent as they fall due. */
static struct sending_view one_client_view(
	struct fixture *f, struct report_fixture *s, struct sending_turn *turn)
{
	static const struct overrides none = {0};

	s->program.n_clients = 1;
	s->program.settings.notices.from = (char *)"access@host.example";
	s->clients[0].language = (char *)"";
	return (struct sending_view){.turn = turn,
		.journal = f->j,
		.program = &s->program,
		.overrides = &none,
		.now = GOLDEN_NOW,
		.since = GOLDEN_NOW};
}

/* Whoever corrects a date at once has both mails sent, not the first alone. */
static void test_two_changes_in_one_second(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct sending_turn turn = {.until = INT64_MAX};
	const struct sending_view v = one_client_view(f, s, &turn);

	assert_int_equal(people_note(&v), 0);
	assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
	assert_int_equal(notices(f), 0);
	for (size_t i = 1; i <= 2; i++) {
		s->clients[0].go_live += DAY;
		s->sources[0].addr[3]++;
		assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
		assert_int_equal(notices(f), 2 * i);
	}
	assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
	assert_int_equal(notices(f), 4);
	free(s);
}

static void level_put(struct fixture *f, const struct report_fixture *s, const struct client *c,
	enum level level, enum verification result)
{
	const char *server = s->servers[c->databases[1].server].name;
	const struct verified_level p = {
		server, c->users[0].login, c->databases[1].name, level, GOLDEN_NOW - DAY};
	const struct verified v = {.server = server,
		.login = p.login,
		.database = p.database,
		.level = level,
		.result = result,
		.at = p.at};

	assert_int_equal(verified_level_save(f->j, &p), 0);
	assert_int_equal(verified_save(f->j, &v), 0);
}

/* Whoever has access when notices are switched on is told nothing of it, however long the first look takes; whoever is
 * added after that is told. */
static void test_switching_on_mails_no_backlog(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct sending_turn turn = {.until = INT64_MAX};
	struct sending_view v = one_client_view(f, s, &turn);

	level_put(f, s, &s->clients[0], LEVEL_FULL, VERIFICATION_VERIFIED);
	assert_int_equal(people_note(&v), 0);
	v.now += 60;
	assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
	assert_int_equal(notices(f), 0);
	assert_int_equal(
		notified_person_forget(f->j, s->clients[0].name, s->clients[0].users[0].login), 0);
	assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
	assert_int_equal(notices(f), 1);
	free(s);
}

static int64_t withdrawn(const struct fixture *f)
{
	return sql_number(f->path, "SELECT count(*) FROM outbox WHERE notice = 'revoked'");
}

/* Taken out of the configuration: told once, with a calendar that cancels; put back, told that access is back. */
static void test_removed(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct client *c = &s->clients[0];
	struct sending_turn turn = {.until = INT64_MAX};
	const struct overrides none = {0};
	struct sending_view v = {.turn = &turn,
		.journal = f->j,
		.program = &s->program,
		.overrides = &none,
		.now = GOLDEN_NOW,
		.since = GOLDEN_NOW};
	size_t users = c->n_users;

	s->program.n_clients = 1;
	s->program.settings.notices.from = (char *)"access@host.example";
	c->language = (char *)"";
	level_put(f, s, c, LEVEL_FULL, VERIFICATION_VERIFIED);
	assert_int_equal(people_note(&v), 0);
	/* One user, then the client's file as a whole. */
	for (int i = 1; i <= 2; i++) {
		c->n_users = i == 1 ? 0 : users;
		s->program.n_clients = i == 1;
		for (int again = 0; again < 2; again++, v.now++)
			assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
		assert_int_equal(withdrawn(f), (int64_t)((size_t)i * users));
		assert_int_equal(sql_number(f->path, "SELECT count(*) FROM notified_person"), 0);
		c->n_users = users;
		s->program.n_clients = 1;
		for (int again = 0; again < 2; again++, v.now++)
			assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
		assert_int_equal(
			sql_number(f->path, "SELECT count(*) FROM outbox WHERE notice = 'opened'"),
			i);
	}
	assert_int_equal(
		sql_number(f->path,
			"SELECT count(*) FROM outbox WHERE notice = 'revoked' AND message LIKE '%text/calendar%'"),
		withdrawn(f));
	/* Whose access has ended, or was revoked before, hears nothing more. */
	assert_int_equal(
		notified_person_save(f->j,
			&(struct notified_person){c->name, c->users[0].login, "x@acme.example", "X",
				"Y", "UTC", "", GOLDEN_NOW - DAY, GOLDEN_NOW - 1}),
		0);
	s->program.n_clients = 0;
	assert_true(people_add(&v) >= 0 && removed_add(&v) >= 0);
	assert_int_equal(withdrawn(f), (int64_t)(2 * users));
	free(s);
}

#define RENAMED                                                                                    \
	"SELECT count(*) FROM outbox WHERE notice = 'dates-moved' AND client = 'apex'"             \
	" AND message LIKE '%text/calendar%' AND event LIKE 'acme/%/renamed/%'"

/* The client's file was renamed, and the login is written in it. Whose access does not go on, who has the login no
 * more, or who only has access to another database of another client, is told. */
static void test_renamed(void **state)
{
	static const struct {
		const char *client, *email;
		bool revoked, elsewhere;
	} cases[] = {{"acme", NULL, false, false}, {"ache", "other@acme.example", false, false},
		{"acre", NULL, true, false}, {"acne", NULL, false, true}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report_fixture *s = sample_new();
		struct client *c = &s->clients[0];
		struct sending_turn turn = {.until = INT64_MAX};
		struct sending_view v = one_client_view(f, s, &turn);
		struct overrides revoked = {0};
		int64_t before = withdrawn(f);

		c->name = (char *)cases[i].client;
		c->n_users = 1;
		assert_int_equal(people_note(&v), 0);
		const struct journal_entry had = {.kind = JOURNAL_ACCESS,
			.at = v.now,
			.client = c->name,
			.login = c->users[0].login,
			.server = s->servers[1].name,
			.database = cases[i].elsewhere ? "Elsewhere" : c->databases[1].name,
			.level = "full"};
		assert_int_equal(journal_write(NULL, f->j, &had), 0);
		c->name = (char *)"apex";
		if (cases[i].email)
			c->users[0].email = (char *)cases[i].email;
		if (cases[i].revoked)
			assert_int_equal(overrides_add(&revoked, "apex", NULL, v.now, "left"), 0);
		v.overrides = &revoked;
		assert_true(removed_add(&v) >= 0);
		assert_int_equal(withdrawn(f) - before, i > 0);
		/* Whose access goes on has the dates under the new name, and no longer under the former one. */
		assert_int_equal(sql_number(f->path, RENAMED), 1);
		assert_int_equal(sql_number(f->path, "SELECT count(*) FROM notified_person"), 0);
		overrides_free(&revoked);
		/* Later cases begin anew. */
		assert_int_equal(sql_number(f->path, "SELECT count(*) FROM told"), 0);
		free(s);
	}
}

/* One server has confirmed its database, the other has not answered yet: the mail says which. */
static void test_opened_says_what_is_confirmed(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct client *c = &s->clients[0];
	struct sending_turn turn = {.until = INT64_MAX};
	struct sending_view v = one_client_view(f, s, &turn);
	struct verified_list seen = {0};
	const struct notice n = {NOTICE_OPENED, c, &c->users[0], GOLDEN_NOW, GOLDEN_NOW, INT64_MAX};
	const struct notice_dates d = {0};
	struct notice_values values;

	c->databases[0].before_go_live = LEVEL_READ_ONLY;
	assert_int_equal(people_note(&v), 0);
	assert_int_equal(notified_person_forget(f->j, c->name, c->users[0].login), 0);
	level_put(f, s, c, LEVEL_FULL, VERIFICATION_EXCESS);
	assert_true(people_add(&v) >= 0);
	assert_int_equal(notices(f), 0);
	level_put(f, s, c, LEVEL_FULL, VERIFICATION_VERIFIED);
	assert_true(people_add(&v) >= 0);
	assert_int_equal(notices(f), 1);
	assert_int_equal(verified_load(&seen, f->j), 0);
	assert_int_equal(
		notice_values(&values, &s->program, &n, &d, v.overrides, &seen, GOLDEN_NOW), 0);
	assert_string_equal(values.items[VALUE_DATABASES],
		"  AcmeProd (production): not available yet\n  AcmeTest (staging): full");
	assert_null(strstr(values.items[VALUE_CONNECTION], "sql07"));
	assert_non_null(strstr(values.items[VALUE_CONNECTION], "sqltest02, in SSMS"));
	notice_values_free(&values);
	verified_list_free(&seen);
	free(s);
}

static int64_t ended_mails(const struct fixture *f, struct sending_view *v)
{
	assert_true(people_add(v) >= 0 && removed_add(v) >= 0);
	return sql_number(f->path, "SELECT count(*) FROM outbox WHERE notice = 'ended'");
}

/* "The login is removed" is said when it is: no level, no user of a database, and no login on any server. */
static void test_ended_when_nothing_is_left(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct client *c = &s->clients[0];
	struct sending_turn turn = {.until = INT64_MAX};
	struct sending_view v = one_client_view(f, s, &turn);
	const uint8_t sid = 1;
	const struct identity login = {.server = "sqltest02",
		.login = c->users[0].login,
		.sid = &sid,
		.sid_size = 1,
		.created = GOLDEN_NOW - DAY};

	assert_int_equal(people_note(&v), 0);
	v.now = c->end + 60;
	v.since = c->end - 1;
	level_put(f, s, c, LEVEL_READ_ONLY, VERIFICATION_VERIFIED);
	assert_int_equal(ended_mails(f, &v), 0);
	level_put(f, s, c, LEVEL_NONE, VERIFICATION_EXCESS);
	assert_int_equal(ended_mails(f, &v), 0);
	level_put(f, s, c, LEVEL_NONE, VERIFICATION_VERIFIED);
	assert_int_equal(ledger_put(f->j, &login), 0);
	assert_int_equal(ended_mails(f, &v), 0);
	assert_int_equal(ledger_remove(f->j, login.server, login.login, v.now), 0);
	assert_int_equal(ended_mails(f, &v), 1);
	assert_int_equal(ended_mails(f, &v), 1);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_a_look_ends_with_its_time),
		WITH_JOURNAL(test_two_changes_in_one_second),
		WITH_JOURNAL(test_switching_on_mails_no_backlog),
		WITH_JOURNAL(test_removed),
		WITH_JOURNAL(test_renamed),
		WITH_JOURNAL(test_opened_says_what_is_confirmed),
		WITH_JOURNAL(test_ended_when_nothing_is_left),
	};
	return cmocka_run_group_tests_name("sending make", tests, NULL, NULL);
}
