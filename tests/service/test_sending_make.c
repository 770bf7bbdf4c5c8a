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

/* Notices were switched on where many have access: that each is known costs a write to disk. */
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
	do {
		unsigned before = commits(f);

		turn.more = false;
		assert_true(people_add(&v) >= 0);
		assert_true(commits(f) - before <= 1);
		turns++;
	} while (turn.more && turns < 2 * CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++)
		told += is_told(f, &many[i]);
	assert_int_equal(told, CLIENTS);
	assert_int_equal(turns, CLIENTS);
	/* With time enough one turn is enough, and nothing is left to write. */
	turn.until = INT64_MAX;
	turns = commits(f);
	assert_true(people_add(&v) >= 0);
	assert_false(turn.more);
	assert_int_equal(commits(f), turns);
	free(many);
	free(s);
}

static size_t notices(const struct fixture *f)
{
	int64_t n = -1;

	assert_int_equal(database_number(&n, f->j, "SELECT count(*) FROM outbox", 0), 0);
	return (size_t)n;
}

/* Whoever corrects a date at once has both mails sent, not the first alone. */
static void test_two_changes_in_one_second(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	struct sending_turn turn = {.until = INT64_MAX};
	const struct overrides none = {0};
	const struct sending_view v = {.turn = &turn,
		.journal = f->j,
		.program = &s->program,
		.overrides = &none,
		.now = GOLDEN_NOW,
		.since = GOLDEN_NOW};

	s->program.n_clients = 1;
	s->program.settings.notices.from = (char *)"access@host.example";
	s->clients[0].language = (char *)"";
	assert_true(people_add(&v) >= 0);
	assert_int_equal(notices(f), 0);
	for (size_t i = 1; i <= 2; i++) {
		s->clients[0].go_live += DAY;
		s->sources[0].addr[3]++;
		assert_true(people_add(&v) >= 0);
		assert_int_equal(notices(f), 2 * i);
	}
	assert_true(people_add(&v) >= 0);
	assert_int_equal(notices(f), 4);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_a_look_ends_with_its_time),
		WITH_JOURNAL(test_two_changes_in_one_second),
	};
	return cmocka_run_group_tests_name("sending make", tests, NULL, NULL);
}
