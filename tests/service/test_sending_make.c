/* Notices keep no pass waiting: whatever there is to write, a look ends with its time, and the next goes on. */
#include "../report/report_fixture.h"
#include "../journal/journal_fixture.h"

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

static void proved_as_full(
	struct fixture *f, const struct report_fixture *s, const struct client *c)
{
	const struct proved p = {s->servers[c->databases[0].server].name, c->users[0].login,
		c->databases[0].name, LEVEL_FULL, GOLDEN_NOW - DAY};

	assert_int_equal(proved_put(f->j, &p), 0);
}

/* Whoever has access when notices are switched on is told nothing of it, however long the first look takes; whoever is
 * added after that is told. */
static void test_switching_on_mails_no_backlog(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct sending_turn turn = {.until = INT64_MAX};
	struct sending_view v = one_client_view(f, s, &turn);

	proved_as_full(f, s, &s->clients[0]);
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
	proved_as_full(f, s, c);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_a_look_ends_with_its_time),
		WITH_JOURNAL(test_two_changes_in_one_second),
		WITH_JOURNAL(test_switching_on_mails_no_backlog),
		WITH_JOURNAL(test_removed),
	};
	return cmocka_run_group_tests_name("sending make", tests, NULL, NULL);
}
