/* firewall_apply() against a real kernel where others had their hands in it: a table that was damaged, switched off,
 * flushed, made by other settings or another process is put right; tables that are not ours stay. */
#include "usual.h"

static void test_rebuild_keeps(void **state)
{
	static const char *const damages[] = {
		"nft insert rule inet curfew " SQL07 " accept",
		"nft insert rule inet curfew refuse accept",
		"nft flush chain inet curfew guard_input",
		"nft delete chain inet curfew guard_forward",
		"nft add rule inet curfew guard_input accept",
		"nft 'add chain inet curfew guard_input { policy drop; }'",
		"nft 'add chain inet curfew stranger'",
		"nft 'add set inet curfew stranger { type ipv4_addr; }'",
		"nft 'flush chain inet curfew guard_input; delete chain inet curfew guard_input; "
		"add chain inet curfew guard_input { type filter hook input priority 5; }'",
		"nft flush chain inet curfew guard_input && "
		"nft add rule inet curfew guard_input ip daddr . tcp dport vmap @server4",
		"nft flush chain inet curfew " SQL07,
		/* Last, for the count of the drops goes with its rule. */
		"nft flush chain inet curfew refuse",
	};
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	some_packets();
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct firewall_state before = observed(f), damaged, after;
		struct firewall_changes done;

		/* Only a table without a living owner can be damaged. */
		firewall_close(f);
		run("%s", damages[i]);
		f = lab_open(&LAB_SETTINGS);
		damaged = observed(f);
		if (damaged.intact)
			fail_msg("not noticed: %s", damages[i]);
		assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), false), 0);
		assert_int_equal(done.n, 1);
		assert_int_equal(done.items[0].kind, FIREWALL_TABLE);
		firewall_changes_free(&done);
		after = observed(f);
		assert_holds(&after, &l, real_now());
		assert_true(state_find(&before, JANE)->packets > 0);
		assert_int_equal(
			state_find(&after, JANE)->packets, state_find(&before, JANE)->packets);
		assert_int_equal(state_find(&after, JANE)->bytes, state_find(&before, JANE)->bytes);
		assert_true(before.refused_packets > 0);
		assert_int_equal(before.n_refused, 1);
		assert_int_equal(after.refused_packets, damaged.refused_packets);
		assert_int_equal(after.n_refused, 1);
		assert_int_equal(after.refused[0].packets, before.refused[0].packets);
		assert_true(after.refused[0].last_seen_latest >= now - 60);
		firewall_state_free(&before);
		firewall_state_free(&damaged);
		firewall_state_free(&after);
	}
	lab_close(f);
	list_free(&l);
}

/* A table that is switched off guards nobody. Where tables persist nobody can switch ours off by nft. */
static void test_dormant(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_features features;
	struct firewall_state s;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	applied(f, &l, real_now());
	firewall_close(f);
	assert_int_equal(succeeds("nft 'add table inet curfew { flags dormant; }' 2>/dev/null"),
		!features.owner_persist);
	f = lab_open(&LAB_SETTINGS);
	s = observed(f);
	assert_int_equal(s.intact, features.owner_persist);
	firewall_state_free(&s);
	assert_int_equal(applied(f, &l, real_now()), features.owner_persist ? 0 : 1);
	table_holds(f, &l, real_now());
	lab_close(f);
	list_free(&l);
}

static void test_rebuild_closings_only(void **state)
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
	run("nft flush chain inet curfew refuse");
	f = lab_open(&LAB_SETTINGS);
	list_find(&l, JANE)->until += 86400;
	list_find(&l, OFFICE)->until -= 3600;
	list_remove(&l, "2001:db8:7::/64");
	list_allow(&l, "203.0.113.8", E4, now + 60, "acme/new");
	l.w.n_guards = 1;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
	s = observed(f);
	assert_true(s.intact);
	assert_int_equal(s.n_allows, 2);
	assert_int_equal(s.n_guards, 2);
	assert_true(state_find(&s, JANE)->remaining_ms <= 3600 * 1000);
	assert_true(state_find(&s, OFFICE)->remaining_ms <= 3600 * 1000);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

static void test_flushed_by_others(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_features features;
	struct firewall_state s;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	applied(f, &l, real_now());
	run("nft flush ruleset");
	s = observed(f);
	assert_int_equal(s.present, features.owner_persist);
	firewall_state_free(&s);
	applied(f, &l, real_now());
	table_holds(f, &l, real_now());
	lab_close(f);
	list_free(&l);
}

static void test_ownership(void **state)
{
	struct firewall *f, *second, *reader;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_features features;
	struct firewall_state s;
	pid_t child;
	int status;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	if (!features.owner_persist) {
		print_message("# SKIPPED: this kernel knows no owners that persist\n");
		firewall_close(f);
		list_free(&l);
		skip();
	}
	applied(f, &l, real_now());
	assert_int_equal(firewall_open(&second, &LAB_SETTINGS), -EPERM);
	assert_int_equal(firewall_open_reader(&reader, &LAB_SETTINGS), 0);
	s = observed(reader);
	assert_true(s.intact);
	assert_int_equal(s.n_allows, 3);
	firewall_state_free(&s);
	assert_int_not_equal(firewall_other_owner(reader), 0);
	assert_int_equal(firewall_apply(NULL, reader, &l.w, real_now(), false), -EPERM);
	assert_int_equal(firewall_remove(reader), -EPERM);
	firewall_close(reader);
	assert_false(succeeds("nft delete table inet curfew 2>/dev/null"));
	lab_close(f);

	/* A killed owner leaves the table standing; the next one takes it over without a change. */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		f = lab_open(&LAB_SETTINGS);
		applied(f, &l, real_now());
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	f = lab_open(&LAB_SETTINGS);
	table_holds(f, &l, real_now());
	assert_int_equal(applied(f, &l, real_now()), 0);
	/* Taken over although nothing had to change. */
	assert_int_equal(firewall_open(&second, &LAB_SETTINGS), -EPERM);
	run("nft flush ruleset");
	table_holds(f, &l, real_now());
	lab_close(f);
	list_free(&l);
}

static void test_settings_change(void **state)
{
	struct firewall_settings s = LAB_SETTINGS;
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	char *text;

	(void)state;
	lab_require();
	f = lab_open(&s);
	applied(f, &l, real_now());
	firewall_close(f);
	s.hooks = HOOK_INPUT;
	s.priority = -150;
	s.log = false;
	s.guard_loopback = true;
	f = lab_open(&s);
	assert_int_equal(applied(f, &l, real_now()), 1);
	assert_int_equal(applied(f, &l, real_now()), 0);
	text = output("nft list table inet curfew");
	assert_null(strstr(text, "hook forward"));
	assert_null(strstr(text, "log prefix"));
	assert_null(strstr(text, "iif"));
	assert_non_null(strstr(text, "priority mangle"));
	free(text);
	lab_close(f);
	list_free(&l);
}

static void test_only_our_table(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	char *before, *after;

	(void)state;
	lab_require();
	run("nft 'add table ip curfew; add chain ip curfew x; add table inet foreign; "
	    "add chain inet foreign input { type filter hook input priority 0; }; "
	    "add rule inet foreign input tcp dport 22 accept'");
	before = output("nft list ruleset");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	lab_close(f);
	after = output("nft list ruleset");
	assert_string_equal(before, after);
	free(before);
	free(after);
	run("nft flush ruleset");
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rebuild_keeps),
		cmocka_unit_test(test_dormant),
		cmocka_unit_test(test_rebuild_closings_only),
		cmocka_unit_test(test_flushed_by_others),
		cmocka_unit_test(test_ownership),
		cmocka_unit_test(test_settings_change),
		cmocka_unit_test(test_only_our_table),
	};

	return cmocka_run_group_tests(tests, usual_setup, NULL);
}
