/* firewall_apply() against a real kernel: what is built, changed, kept and refused. */
#include "usual.h"

/* Every batch, successful or not, but nothing else, moves the generation. */
static uint32_t generation(struct firewall *f)
{
	struct firewall_state s = observed(f);
	uint32_t g = s.generation;

	firewall_state_free(&s);
	return g;
}

/* Says what the kernel can do, and holds it against what the caller expects of this kernel. */
static void test_features(void **state)
{
	const char *expected = getenv("CURFEW_EXPECT_FEATURES");
	struct firewall_features features;
	struct firewall *f;
	char found[64];

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	snprintf(found, sizeof(found), "%s%s%s", features.owner_persist ? "owner+persist " : "",
		features.update_timeout ? "update-timeout " : "",
		features.destroy ? "destroy " : "");
	print_message("# features: %s\n", *found ? found : "none");
	if (expected)
		assert_string_equal(*found ? found : "none", expected);
	/* Nothing of the probe is left. */
	firewall_close(f);
	assert_false(succeeds("nft list ruleset | grep -q probe"));
}

static void test_first(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_state s;
	char *text;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	s = observed(f);
	assert_false(s.present);
	assert_false(s.intact);
	firewall_state_free(&s);

	assert_int_equal(applied(f, &l, real_now()), 1 + 2 + 1 + 3);
	s = observed(f);
	assert_holds(&s, &l, real_now());
	assert_int_equal(s.n_allows, 3);
	for (size_t i = 0; i < s.n_allows; i++) {
		assert_true(s.allows[i].has_timeout);
		/* Never later than wanted, and early by no more than the tolerance, unless the host was slow. */
		assert_true((int64_t)s.allows[i].remaining_ms <=
			    (l.allows[i].until - now) * 1000 - 1000);
		assert_true(f->batch_ms != ALLOWANCE_MS ||
			    (int64_t)s.allows[i].remaining_ms >=
				    (l.allows[i].until - real_now() - 4) * 1000);
		assert_string_equal(s.allows[i].comment, l.allows[i].comment);
	}
	firewall_state_free(&s);

	text = output("nft list table inet curfew");
	assert_non_null(strstr(text, "acme/acme.jane.doe"));
	assert_non_null(strstr(text, "ip saddr & 255.255.255.0 == @" SQL07 ".allow4_24 accept"));
	assert_non_null(strstr(text, HOME4 " . 1433 : goto " SQL07));
	assert_non_null(strstr(text, "ip daddr . tcp dport vmap @server4"));
	assert_non_null(
		strstr(text, "type filter hook input priority filter - 10; policy accept;"));
	assert_non_null(
		strstr(text, "type filter hook forward priority filter - 10; policy accept;"));
	free(text);
	lab_close(f);
	list_free(&l);
}

static void test_second_does_nothing(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	uint32_t before;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	before = generation(f);
	assert_int_equal(applied(f, &l, real_now()), 0);
	assert_int_equal(applied(f, &l, real_now()), 0);
	assert_int_equal(generation(f), before);
	lab_close(f);
	list_free(&l);
}

static void test_changes(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_state s;
	uint32_t before;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	before = generation(f);

	list_find(&l, JANE)->until += 86400;
	list_find(&l, OFFICE)->until -= 3600;
	list_find(&l, "2001:db8:7::/64")->comment = "acme/acme.jane.doe, other/other.joe";
	list_allow(&l, "203.0.113.8", E4, now + 60, "acme/new");
	list_allow(&l, "2001:db8:8::/56", E6, now + 600, "acme/another length");
	list_trust(&l, "172.16.0.0/12", E4, "sql07, sql08");
	assert_int_equal(applied(f, &l, real_now()), 6);
	/* One transaction, whatever it holds, also with prefix lengths that were not in use. */
	assert_int_equal(generation(f), before + 1);
	table_holds(f, &l, real_now());

	list_remove(&l, JANE);
	list_remove(&l, "2001:db8:7::/64");
	l.w.n_trusted--;
	assert_int_equal(applied(f, &l, real_now()), 3);
	s = observed(f);
	assert_holds(&s, &l, real_now());
	assert_null(state_find(&s, JANE));
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

static void test_closings_only(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_changes done;
	struct firewall_state s;

	(void)state;
	lab_require();
	/* A server of its own, so that it can go. */
	l.guards[1].server = "sql08";
	f = lab_open(&LAB_SETTINGS);
	/* The guard and the hoster's own machines first; nobody else yet. */
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), true), 0);
	assert_int_equal(done.n, 1 + 2 + 1);
	firewall_changes_free(&done);
	s = observed(f);
	assert_int_equal(s.n_allows, 0);
	assert_int_equal(s.n_trusted, 1);
	assert_int_equal(s.n_guards, 2);
	firewall_state_free(&s);
	applied(f, &l, real_now());

	list_find(&l, JANE)->until += 86400;
	list_find(&l, OFFICE)->until -= 3600;
	list_remove(&l, "2001:db8:7::/64");
	list_allow(&l, "203.0.113.8", E4, now + 60, "acme/new");
	l.w.n_guards = 1;
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), true), 0);
	assert_int_equal(done.n, 2);
	firewall_changes_free(&done);
	s = observed(f);
	assert_int_equal(s.n_allows, 2);
	assert_int_equal(s.n_guards, 2);
	assert_true(state_find(&s, JANE)->remaining_ms <= 3600 * 1000);
	assert_true(state_find(&s, OFFICE)->remaining_ms <= 3600 * 1000);
	firewall_state_free(&s);

	/* And with the rest: the guard that goes, goes last. */
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), false), 0);
	assert_int_equal(done.n, 3);
	assert_int_equal(done.items[2].kind, FIREWALL_GUARD_REMOVE);
	firewall_changes_free(&done);
	lab_close(f);
	list_free(&l);
}

static void test_counters_survive(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_state s;
	uint64_t packets;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	some_packets();
	s = observed(f);
	packets = state_find(&s, JANE)->packets;
	assert_true(packets > 0);
	firewall_state_free(&s);
	/* The reading that the first change goes by is from before the packets. */
	list_find(&l, JANE)->comment = "renamed once";
	applied(f, &l, real_now());
	list_find(&l, JANE)->until += 100;
	applied(f, &l, real_now());
	list_find(&l, JANE)->until -= 50;
	applied(f, &l, real_now());
	list_find(&l, JANE)->comment = "renamed";
	applied(f, &l, real_now());
	s = observed(f);
	assert_int_equal(state_find(&s, JANE)->packets, packets);
	assert_string_equal(state_find(&s, JANE)->comment, "renamed");
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

static void test_ends_are_refused(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_state s;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	list_allow(&l, "203.0.113.20", E4, now, "now");
	list_allow(&l, "203.0.113.21", E4, now - 1, "past");
	list_allow(&l, "203.0.113.22", E4, 0, "never set");
	list_allow(&l, "203.0.113.23", E4, now + 1, "a second");
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	s = observed(f);
	assert_int_equal(s.n_allows, 3);
	firewall_state_free(&s);

	/* Beyond the bound: not let in, the others are, and it is said. */
	list_allow(&l, "203.0.113.24", E4, now + 3661LL * 86400, "eleven years");
	list_allow(&l, "203.0.113.25", E4, INT64_MAX, "for ever");
	list_allow(&l, "203.0.113.26", E4, now + 3659LL * 86400, "ten years");
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), -ERANGE);
	s = observed(f);
	assert_int_equal(s.n_allows, 4);
	assert_non_null(state_find(&s, "203.0.113.26"));
	for (size_t i = 0; i < s.n_allows; i++)
		assert_true(s.allows[i].has_timeout && s.allows[i].remaining_ms > 0);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

/* What somebody else put into our set without an end gets one, or goes. */
static void test_permanent_elements(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_state s;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	firewall_close(f);
	run("nft add element inet curfew " SQL07 ".allow4_32 { 203.0.113.66 timeout 20d }");
	run("nft delete element inet curfew " SQL07 ".allow4_32 { %s }", JANE);
	run("nft add element inet curfew " SQL07 ".allow4_32 { %s timeout 90d }", JANE);
	f = lab_open(&LAB_SETTINGS);
	assert_int_equal(applied(f, &l, real_now()), 2);
	s = observed(f);
	assert_holds(&s, &l, real_now());
	assert_null(state_find(&s, "203.0.113.66"));
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

static void test_overlapping(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l;
	struct firewall_state s;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	list_allow(&l, "198.51.100.0/24", E4, now + 100, "wide");
	list_allow(&l, "198.51.100.0/25", E4, now + 200, "half");
	list_allow(&l, "198.51.100.7", E4, now + 300, "one");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	list_find(&l, "198.51.100.0/25")->until = now + 50;
	list_remove(&l, "198.51.100.0/24");
	applied(f, &l, real_now());
	s = observed(f);
	assert_holds(&s, &l, real_now());
	assert_int_equal(s.n_allows, 2);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

/* Whatever a comment holds, nft reads its own listing again. */
static void test_listing_reads_again(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	char printable[ALLOW_COMMENT_MAX + 1] = "", longest[ALLOW_COMMENT_MAX + 1];
	size_t n = 0;

	(void)state;
	lab_require();
	/* allowlist_build() leaves everything but controls, quotes, backslashes and asterisks. */
	for (int c = ' '; c < 0x7f; c++)
		if (c != '"' && c != '\\' && c != '*')
			printable[n++] = (char)c;
	memset(longest, 'x', ALLOW_COMMENT_MAX);
	longest[ALLOW_COMMENT_MAX] = '\0';
	list_allow(&l, "203.0.113.31", E4, now + 600, printable);
	list_allow(&l, "203.0.113.32", E4, now + 600, longest);
	list_allow(
		&l, "203.0.113.33", E4, now + 600, "Zo\xc3\xab \xe5\xb1\xb1\xe7\x94\xb0 #; } $x");
	list_allow(&l, "2001:db8:a::/47", E6, now + 600, "odd");
	list_trust(&l, "0.0.0.0/0", E4, "everybody");
	list_trust(&l, "::/0", E6, "everybody");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	assert_int_equal(applied(f, &l, real_now()), 0);
	run("nft list ruleset >/tmp/curfew-test-%ld.nft", (long)getpid());
	/* In the other namespace there is no such table yet. */
	lab_enter(lab_away);
	run("nft -f /tmp/curfew-test-%ld.nft", (long)getpid());
	run("nft flush ruleset");
	lab_enter(lab_home);
	run("rm -f /tmp/curfew-test-%ld.nft", (long)getpid());
	lab_close(f);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_second_does_nothing),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_closings_only),
		cmocka_unit_test(test_counters_survive),
		cmocka_unit_test(test_ends_are_refused),
		cmocka_unit_test(test_permanent_elements),
		cmocka_unit_test(test_overlapping),
		cmocka_unit_test(test_listing_reads_again),
	};

	return cmocka_run_group_tests(tests, usual_setup, NULL);
}
