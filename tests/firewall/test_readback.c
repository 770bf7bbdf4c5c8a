/* A kernel that accepts a transaction and does not do it: apply must say so, never believe the answer. */
#include "lab.h"

#include "firewall/intact.h"

static int lying_commit(struct batch *b);
#define batch_commit lying_commit
#include "firewall/apply.c"
#undef batch_commit

static int lies, interlopers, delay_ms, delay_always_ms, commits;

static int lying_commit(struct batch *b)
{
	commits++;
	if (lies > 0) {
		lies--;
		return 0;
	}
	if (interlopers > 0) {
		interlopers--;
		run("nft 'add table inet interloper; delete table inet interloper'");
	}
	usleep((useconds_t)(delay_ms + delay_always_ms) * 1000);
	delay_ms = 0;
	return batch_commit(b);
}

#define E4 HOME4 ":1433"

/* A lab whose list has one guarded endpoint and one source, which ends an hour after `now`. */
static struct firewall *jane_open(struct list *l, instant_t now)
{
	lab_require();
	list_init(l);
	list_guard(l, E4);
	list_allow(l, "203.0.113.7", E4, now + 3600, "jane");
	return lab_open(&LAB_SETTINGS);
}

static void test_unproved(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_changes done;
	struct list l;

	(void)state;
	f = jane_open(&l, now);
	lies = 100;
	commits = 0;
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), false), FIREWALL_UNPROVED);
	assert_non_null(strstr(firewall_error(f), "not in the kernel"));
	/* It did not go on for ever either. */
	assert_true(commits <= 3);
	/* What is told as done is what is there. */
	assert_int_equal(done.n, 0);
	firewall_changes_free(&done);

	/* One lie is made good. */
	lies = 1;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	/* A removal that was only pretended. */
	l.w.n_allows = 0;
	lies = 100;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), FIREWALL_UNPROVED);
	lies = 0;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
	commits = 0;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
	assert_int_equal(commits, 0);
	lab_close(f);
	list_free(&l);
}

/* Somebody changes the ruleset between our reading and our writing. */
static void test_changed_meanwhile(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_changes done;
	struct list l;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	f = lab_open(&LAB_SETTINGS);
	lies = 0;
	interlopers = 3;
	commits = 0;
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), false), 0);
	assert_int_equal(commits, 4);
	assert_non_null(strstr(firewall_error(f), "changed in the meantime"));
	/* What was done is told once, however often it was tried. */
	assert_int_equal(done.n, 2);
	firewall_changes_free(&done);
	/* Nobody keeps us from closing by writing for ever. */
	list_allow(&l, "203.0.113.7", E4, now + 3600, "jane");
	interlopers = 1000;
	commits = 0;
	int64_t began = monotonic_ms();
	int rc = firewall_apply(NULL, f, &l.w, real_now(), false);
	/* Either proved, or given up: where each attempt takes a second or more, the result is UNPROVED. */
	assert_true(rc == 0 ||
		    (rc == FIREWALL_UNPROVED && monotonic_ms() - began > MAX_ATTEMPTS * 1000));
	/* At least MAX_ATTEMPTS commits. On a slow machine, ends that came late are mended by further ones. */
	assert_true(commits >= MAX_ATTEMPTS && commits < 3 * MAX_ATTEMPTS);
	interlopers = 0;
	lab_close(f);
	list_free(&l);
}

/* The machine was busy between our working out the deadlines and the kernel's hearing of them: what would
 * have been late is mended in the same pass, and told once. */
static void test_slow_commit(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	int64_t began = monotonic_ms(), passed;
	struct firewall_changes done;
	struct firewall_state s;
	struct list l;

	(void)state;
	f = jane_open(&l, now);
	interlopers = lies = 0;
	delay_ms = 2000;
	commits = 0;
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), false), 0);
	assert_true(commits >= 2);
	assert_int_equal(done.n, 3);
	firewall_changes_free(&done);
	passed = monotonic_ms() - began;
	s = observed(f);
	assert_int_equal(s.n_allows, 1);
	/* In time even if `now` had been cut by a whole second. */
	assert_true(now * 1000 + passed + (int64_t)s.allows[0].remaining_ms <=
		    (now + 3600) * 1000 - CUT_MS + 50);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

/* A feature that the probe promised and the kernel does not keep. */
static void test_false_promise(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l;
	bool update;

	(void)state;
	f = jane_open(&l, now);
	update = f->features.update_timeout;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	l.allows[0].until -= 1800;
	f->features.update_timeout = true;
	assert_int_equal(
		firewall_apply(NULL, f, &l.w, real_now(), false), update ? 0 : FIREWALL_UNPROVED);
	/* And without them all: an older kernel's ways work on every kernel. */
	f->features.update_timeout = f->features.destroy = false;
	l.allows[0].until -= 900;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	l.w.n_allows = 0;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	lab_close(f);
	list_free(&l);
}

/* No element without an end is ever built, whoever asks. */
static void test_timeout_zero(void **state)
{
	uint64_t buf[1024] = {0}, timeout = 0;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	const struct source source = {AF_INET, {203, 0, 113, 7}, 32};
	struct element e = {
		.set = {SET_ALLOW, AF_INET, 32, 0},
		.source = &source,
		.order = ELEMENT_ADD,
	};

	(void)state;
	assert_int_equal(element_build(nlh, &e, 0), -EINVAL);
	assert_int_equal(element_build(nlh, &e, 1), 0);
	assert_false(element_timeout(&timeout, 5000, 5000, 0));
	assert_false(element_timeout(&timeout, 5000, 6000, 0));
	assert_false(element_timeout(&timeout, 5000 + CUT_MS + 250, 5000, 250));
	assert_false(element_timeout(&timeout, INT64_MIN / 2, 5000, 250));
	assert_int_equal(timeout, 0);
	assert_true(element_timeout(&timeout, 5000 + CUT_MS + 251, 5000, 250));
	assert_int_equal(timeout, 1);
	assert_true(element_timeout(&timeout, 3600000, 0, ALLOWANCE_MS + MAX_SPREAD_MS));
	/* However large the batch, the end stays within the tolerance: or each pass would write it again. */
	assert_true(3600000 - (int64_t)timeout + 1000 <= TOLERANCE_MS);
}

/* A host that is so busy that every transaction takes long: ends come a little early, and none late. */
static void test_always_slow(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_state s;
	struct list l;
	int64_t asked;
	int passes = 0;

	(void)state;
	f = jane_open(&l, now);
	delay_always_ms = 2500;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	asked = real_ms();
	s = observed(f);
	assert_int_equal(s.n_allows, 1);
	assert_true(asked + (int64_t)s.allows[0].remaining_ms <= (now + 3600) * 1000);
	assert_true(real_ms() + (int64_t)s.allows[0].remaining_ms > (now + 3590) * 1000);
	firewall_state_free(&s);
	/* Quick again: the ends are as usual, in the pass behind the first that was quick. */
	delay_always_ms = 0;
	for (bool quick = false; !quick && passes < 100; passes++) {
		quick = f->batch_ms == ALLOWANCE_MS;
		assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
		quick = quick && f->batch_ms == ALLOWANCE_MS;
	}
	s = observed(f);
	assert_true(real_ms() + (int64_t)s.allows[0].remaining_ms >
		    (now + 3600 - FIREWALL_TOLERANCE) * 1000 - ALLOWANCE_MS);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

static int commits_of(struct firewall *f, struct list *l, uint64_t number, instant_t now)
{
	commits = 0;
	l->w.number = number;
	assert_int_equal(firewall_apply(NULL, f, &l->w, now, false), 0);
	return commits;
}

/* A list that was proved is not compared again while nothing can have changed, and is as soon as something can. */
static void test_proved_list(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_changes planned;
	struct list l;

	(void)state;
	f = jane_open(&l, now);
	assert_true(commits_of(f, &l, 1, real_now()) > 0);
	assert_int_equal(f->proof.list, 1);
	assert_int_equal(commits_of(f, &l, 1, real_now()), 0);
	assert_int_equal(firewall_plan(&planned, f, &l.w, real_now(), false), FIREWALL_PROVED);
	assert_int_equal(planned.n, 0);
	/* It goes by the number, so the number must not lie. */
	l.allows[0].until -= 1800;
	assert_int_equal(commits_of(f, &l, 1, real_now()), 0);
	assert_true(commits_of(f, &l, 2, real_now()) > 0);
	assert_int_equal(commits_of(f, &l, 2, real_now()), 0);
	/* Without a number nothing is taken for proved. */
	l.allows[0].until -= 600;
	assert_true(commits_of(f, &l, 0, real_now()) > 0);
	assert_int_equal(f->proof.list, 0);
	/* The clock was set: every end is late now, or too early. */
	assert_int_equal(commits_of(f, &l, 3, real_now()), 0);
	assert_true(commits_of(f, &l, 3, real_now() + 10) > 0);
	assert_int_equal(commits_of(f, &l, 3, real_now() + 10), 0);
	assert_true(commits_of(f, &l, 3, real_now()) > 0);
	/* A table that is not ours alone: any transaction may have been about it. */
	f->last->owned = false;
	run("nft 'add table inet interloper; delete table inet interloper'");
	f->last->fresh = false;
	assert_int_equal(commits_of(f, &l, 3, real_now()), 0);
	assert_true(f->last->fresh);
	/* A list of which only the closings were compared proves nothing of the rest. */
	list_allow(&l, "203.0.113.8", E4, now + 3600, "joe");
	l.w.number = 4;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
	assert_true(commits_of(f, &l, 4, real_now()) > 0);
	lab_close(f);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_slow_commit),
		cmocka_unit_test(test_always_slow),
		cmocka_unit_test(test_false_promise),
		cmocka_unit_test(test_timeout_zero),
		cmocka_unit_test(test_proved_list),
	};

	return cmocka_run_group_tests(tests, lab_setup, NULL);
}
