/* The outbox: one row an event and recipient, whatever happens to the writer, and a record of each end. */
#include "journal_fixture.h"

#include <errno.h>

#include "curfew/outbox.h"

static struct outbox_item item(const char *event, instant_t at)
{
	return (struct outbox_item){.event = event,
		.recipient = "jane.doe@acme.example",
		.client = "acme",
		.login = "acme.jane.doe",
		.notice = "opened",
		.message = "Subject: x\r\n",
		.created = at};
}

static size_t events(struct journal *j, const char *action)
{
	struct collected c = {0};
	const struct journal_filter f = {.kind = JOURNAL_EVENT};
	size_t n = 0;

	assert_int_equal(journal_read(j, &f, collect, &c), 0);
	for (size_t i = 0; i < c.n; i++)
		n += c.items[i].action && streq(c.items[i].action, action);
	collected_free(&c);
	return n;
}

static void chain_holds(struct journal *j)
{
	int64_t first;
	char why[256];

	assert_int_equal(journal_verify(&first, why, j), 0);
}

/* Added once, sent once, and after that without its message, so that nobody can send it again. */
static void test_once(void **state)
{
	struct fixture *f = *state;
	const struct outbox_item i = item("acme/opened", 100);
	struct outbox_item got;

	assert_int_equal(outbox_add(f->j, &i), 1);
	assert_int_equal(outbox_add(f->j, &i), 0);
	assert_int_equal(events(f->j, "notice"), 1);
	assert_int_equal(outbox_next(&got, f->j, 99), -ENOENT);
	assert_int_equal(outbox_next(&got, f->j, 100), 0);
	assert_string_equal(got.message, i.message);
	assert_int_equal(outbox_mark(f->j, got.id, OUTBOX_HANDED, NULL, 100, 100), 0);
	assert_int_equal(outbox_mark(f->j, got.id, OUTBOX_SENT, NULL, 101, 101), 0);
	outbox_item_free(&got);
	assert_int_equal(outbox_next(&got, f->j, 1000), -ENOENT);
	assert_int_equal(outbox_add(f->j, &i), 0);
	assert_int_equal(outbox_recover(f->j, 102), 0);
	assert_int_equal(events(f->j, "notice-sent"), 1);
	chain_holds(f->j);
}

/* What was handed over when the writer died is never sent again, and said to be so. */
static void test_recover(void **state)
{
	struct fixture *f = *state;
	const struct outbox_item a = item("a", 1), b = item("b", 2);
	struct outbox_item got;
	struct outbox_counts n;

	assert_int_equal(outbox_add(f->j, &a), 1);
	assert_int_equal(outbox_add(f->j, &b), 1);
	assert_int_equal(outbox_next(&got, f->j, 10), 0);
	assert_string_equal(got.event, "a");
	assert_int_equal(outbox_mark(f->j, got.id, OUTBOX_HANDED, NULL, 10, 10), 0);
	outbox_item_free(&got);
	assert_int_equal(outbox_recover(f->j, 11), 1);
	assert_int_equal(outbox_next(&got, f->j, 11), 0);
	assert_string_equal(got.event, "b");
	outbox_item_free(&got);
	assert_int_equal(outbox_count(&n, f->j, 12), 0);
	assert_int_equal(n.queued, 1);
	assert_int_equal(n.uncertain, 1);
	assert_int_equal(n.oldest, 2);
	assert_int_equal(events(f->j, "notice-uncertain"), 1);
	chain_holds(f->j);
}

/* A sheet that is sent afterward does not hide that the last notice withdrew access. */
static void test_last(void **state)
{
	struct fixture *f = *state;
	struct outbox_item i = item("withdrawn", 1);
	char *event;

	i.login = "acme.jane.doe";
	i.notice = "revoked";
	assert_int_equal(outbox_add(f->j, &i), 1);
	i.event = "sheet";
	i.notice = "sheet";
	assert_int_equal(outbox_add(f->j, &i), 1);
	assert_int_equal(outbox_last_is(&event, f->j, i.client, i.login, "revoked"), 0);
	assert_non_null(event);
	assert_string_equal(event, "withdrawn");
	free(event);
	i.event = "opened";
	i.notice = "opened";
	assert_int_equal(outbox_add(f->j, &i), 1);
	assert_int_equal(outbox_last_is(&event, f->j, i.client, i.login, "revoked"), 0);
	assert_null(event);
}

/* A transaction that is undone takes the row and its record with it. */
static void test_undone(void **state)
{
	struct fixture *f = *state;
	const struct outbox_item i = item("a", 1);
	bool known = true;

	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(outbox_add(f->j, &i), 1);
	journal_rollback(f->j);
	assert_int_equal(outbox_has(&known, f->j, i.event, i.recipient), 0);
	assert_false(known);
	assert_int_equal(events(f->j, "notice"), 0);
}

/* Off: what waits is given up, and on again begins then. */
static void test_switch(void **state)
{
	struct fixture *f = *state;
	const struct outbox_item i = item("a", 1);
	struct outbox_counts n;
	char *sources, *dates;
	unsigned sequence;
	instant_t since;

	assert_int_equal(notices_off(f->j, 5), 0);
	assert_int_equal(notices_since(&since, f->j, 10), 1);
	assert_int_equal(since, 10);
	assert_int_equal(notices_since(&since, f->j, 20), 0);
	assert_int_equal(since, 10);
	assert_int_equal(outbox_add(f->j, &i), 1);
	assert_int_equal(
		last_notice_save(f->j, "acme", "acme.jane.doe", "203.0.113.7", "1 2 3", 4), 0);
	assert_int_equal(
		last_notice_read(&sources, &dates, &sequence, f->j, "acme", "acme.jane.doe"), 0);
	assert_string_equal(sources, "203.0.113.7");
	assert_string_equal(dates, "1 2 3");
	assert_int_equal(sequence, 4);
	free(sources);
	free(dates);
	assert_int_equal(notices_off(f->j, 30), 0);
	assert_int_equal(
		last_notice_read(&sources, &dates, &sequence, f->j, "acme", "acme.jane.doe"),
		-ENOENT);
	assert_int_equal(outbox_count(&n, f->j, 31), 0);
	assert_int_equal(n.queued, 0);
	assert_int_equal(n.failed, 1);
	assert_string_equal(n.detail, "notices were switched off");
	assert_int_equal(notices_since(&since, f->j, 40), 1);
	assert_int_equal(since, 40);
	chain_holds(f->j);
}

/* A failed attempt waits for its time; the reason stays to be read. */
static void test_retry(void **state)
{
	struct fixture *f = *state;
	const struct outbox_item i = item("a", 1);
	struct outbox_item got;
	struct outbox_counts n;

	assert_int_equal(outbox_add(f->j, &i), 1);
	assert_int_equal(outbox_next(&got, f->j, 1), 0);
	assert_int_equal(outbox_mark(f->j, got.id, OUTBOX_QUEUED, "451 later", 61, 1), 0);
	outbox_item_free(&got);
	assert_int_equal(outbox_next(&got, f->j, 60), -ENOENT);
	assert_int_equal(outbox_next(&got, f->j, 61), 0);
	assert_int_equal(got.attempts, 1);
	outbox_item_free(&got);
	assert_int_equal(outbox_count(&n, f->j, 61), 0);
	assert_string_equal(n.detail, "451 later");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_once),
		WITH_JOURNAL(test_recover),
		WITH_JOURNAL(test_last),
		WITH_JOURNAL(test_undone),
		WITH_JOURNAL(test_switch),
		WITH_JOURNAL(test_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
