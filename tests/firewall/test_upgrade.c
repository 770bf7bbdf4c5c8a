/* The table of an earlier version, with one set for all servers, is taken over in one transaction: nobody who was refused
 * gets through meanwhile, nobody who was allowed is refused, and what was counted goes on. */
#include "usual.h"

#include "firewall/netlink.h"

#define SECOND HOME4 ":1434"

/* As an earlier version made it: its sets as it made them itself, or as nft restores them from a listing. */
static const char SETS[] =
	"add table inet curfew\n"
	"table inet curfew {\n"
	" set guard4 { type ipv4_addr . inet_service; }\n"
	" set guard6 { type ipv6_addr . inet_service; }\n"
	" set denied4 { type ipv4_addr . ipv4_addr . inet_service; size 65536; flags dynamic,timeout; "
	"timeout 1d; counter; }\n"
	" set denied6 { type ipv6_addr . ipv6_addr . inet_service; size 65536; flags dynamic,timeout; "
	"timeout 1d; counter; }\n"
	" set trusted4_8 { type ipv4_addr . ipv4_addr . inet_service; }\n"
	" set allow4_32 { type ipv4_addr . ipv4_addr . inet_service; flags timeout; timeout 1m; counter; }\n"
	" set allow4_24 { type ipv4_addr . ipv4_addr . inet_service; flags timeout; timeout 1m; counter; }\n"
	"}\n";
static const struct set_id OWN_SETS[] = {
	{.kind = SET_EARLIER_GUARD, .family = AF_INET},
	{.kind = SET_EARLIER_GUARD, .family = AF_INET6},
	{.kind = SET_DENIED, .family = AF_INET},
	{.kind = SET_DENIED, .family = AF_INET6},
	{.kind = SET_EARLIER_TRUSTED, .family = AF_INET, .prefix = 8},
	{.kind = SET_EARLIER_ALLOW, .family = AF_INET, .prefix = 32},
	{.kind = SET_EARLIER_ALLOW, .family = AF_INET, .prefix = 24},
};
static const char REST[] =
	"add chain inet curfew check\n"
	"add rule inet curfew check ip saddr & 255.255.255.0 . ip daddr . tcp dport @allow4_24 accept\n"
	"add rule inet curfew check ip saddr . ip daddr . tcp dport @allow4_32 accept\n"
	"add rule inet curfew check ip saddr & 255.0.0.0 . ip daddr . tcp dport @trusted4_8 accept\n"
	"add rule inet curfew check update @denied4 { ip saddr . ip daddr . tcp dport }\n"
	"add rule inet curfew check update @denied6 { ip6 saddr . ip6 daddr . tcp dport }\n"
	"add rule inet curfew check limit rate 6/minute burst 10 packets log prefix \"curfew refused: \" level info\n"
	"add rule inet curfew check counter packets 7 bytes 420 drop comment \"refused: nobody is allowed from there now\"\n"
	"add chain inet curfew guard_input { type filter hook input priority filter - 10; policy accept; }\n"
	"add rule inet curfew guard_input iif \"lo\" accept\n"
	"add rule inet curfew guard_input ip daddr . tcp dport @guard4 goto check\n"
	"add rule inet curfew guard_input ip6 daddr . tcp dport @guard6 goto check\n"
	"add chain inet curfew guard_forward { type filter hook forward priority filter - 10; policy accept; }\n"
	"add rule inet curfew guard_forward ip daddr . tcp dport @guard4 goto check\n"
	"add rule inet curfew guard_forward ip6 daddr . tcp dport @guard6 goto check\n"
	"add element inet curfew guard4 { " HOME4 " . 1433, " HOME4 " . 1434 }\n"
	"add element inet curfew guard6 { " HOME6 " . 1433 }\n"
	"add element inet curfew denied4 { 203.0.113.99 . " HOME4
	" . 1433 counter packets 5 bytes 300 expires 12h }\n"
	"add element inet curfew trusted4_8 { 10.0.0.0 . " HOME4 " . 1433 comment \"sql07\" }\n"
	"add element inet curfew allow4_32 { " JANE " . " HOME4
	" . 1433 counter packets 40 bytes 4000 timeout 1h expires 30m comment \"acme/acme.jane.doe\", " JANE
	" . " HOME4
	" . 1434 counter packets 2 bytes 200 timeout 1h expires 20m comment \"acme/acme.jane.doe\" }\n"
	"add element inet curfew allow4_24 { 198.51.100.0 . " HOME4
	" . 1433 timeout 2h expires 1h comment \"acme/acme.bob\" }\n";

static void nft_run(const char *before, const char *sets, const char *rest)
{
	char path[] = "/tmp/curfew-earlier-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%s%s%s", before, sets, rest) > 0);
	close(fd);
	run("nft -f %s", path);
	unlink(path);
}

static void earlier_make(bool own)
{
	struct firewall *f;
	struct batch b;

	if (!own) {
		nft_run("", SETS, REST);
		return;
	}
	f = lab_open(&LAB_SETTINGS);
	assert_int_equal(batch_begin(&b, f, 0, false), 0);
	assert_int_equal(batch_table(&b, false), 0);
	for (size_t i = 0; i < ARRAY_SIZE(OWN_SETS); i++)
		assert_int_equal(batch_set(&b, &OWN_SETS[i]), 0);
	assert_int_equal(batch_commit(&b), 0);
	batch_free(&b);
	firewall_close(f);
	nft_run("", "", REST);
}

static struct list later(instant_t now)
{
	struct list l;

	list_init(&l);
	list_guard_of(&l, "sql07", E4);
	list_guard_of(&l, "sql07", SECOND);
	list_guard_of(&l, "sql08", E6);
	list_trust(&l, "10.0.0.0/8", E4, "sql07");
	list_trust(&l, "10.0.0.0/8", SECOND, "sql07");
	for (int i = 0; i < 2; i++)
		list_allow(&l, JANE, i ? SECOND : E4, now + 7200, "acme/acme.jane.doe");
	return l;
}

/* First nothing is opened: what stands stays, and of two ends for one address the earlier one, since its element is one. */
static void closings_keep_what_stands(bool own)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = later(now);
	struct firewall_changes done;
	struct firewall_state s;
	uint32_t before, after;

	earlier_make(own);
	f = lab_open(&LAB_SETTINGS);
	s = observed(f);
	assert_true(s.present);
	assert_false(s.intact);
	assert_int_equal(s.n_allows, 3);
	assert_int_equal(s.n_guards, 3);
	firewall_state_free(&s);
	assert_int_equal(query_generation(&before, f), 0);
	assert_int_equal(firewall_apply(&done, f, &l.w, real_now(), true), 0);
	assert_int_equal(query_generation(&after, f), 0);
	assert_int_equal(after, before + 1);
	assert_int_equal(done.items[0].kind, FIREWALL_TABLE);
	firewall_changes_free(&done);
	s = observed(f);
	assert_true(s.intact);
	/* Bob is not wanted any more. */
	assert_int_equal(s.n_allows, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(source_compare(&s.allows[i].source, &l.allows[0].source), 0);
		/* A busy host takes its time between reading and writing. */
		assert_true(s.allows[i].remaining_ms <= 1210 * 1000);
		assert_true(s.allows[i].remaining_ms > 1100 * 1000);
	}
	assert_int_equal(s.allows[0].packets + s.allows[1].packets, 42);
	assert_int_equal(s.allows[0].bytes + s.allows[1].bytes, 4200);
	assert_int_equal(s.refused_packets, 7);
	assert_int_equal(s.n_refused, 1);
	assert_int_equal(s.refused[0].packets, 5);
	firewall_state_free(&s);
	assert_int_equal(applied(f, &l, real_now()), 2);
	table_holds(f, &l, real_now());
	lab_close(f);
	list_free(&l);
}

static void test_closings_keep_what_stands(void **state)
{
	(void)state;
	lab_require();
	closings_keep_what_stands(true);
	closings_keep_what_stands(false);
}

/* An endpoint that goes to another server goes in one transaction too, and is never open, also when only closing. */
static void test_endpoint_moves(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = later(now);
	struct firewall_state s;
	uint32_t before, after;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	assert_int_equal(query_generation(&before, f), 0);
	for (int only = 1; only >= 0; only--) {
		l.guards[0].server = "sql09";
		assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), only), 0);
		table_holds(f, &l, real_now());
	}
	assert_int_equal(query_generation(&after, f), 0);
	assert_int_equal(after, before + 1);
	/* And away: guarded still while only closing, with nobody let in, and then no more. */
	l.w.n_allows = l.w.n_trusted = 0;
	l.guards[0] = l.guards[1];
	l.guards[1] = l.guards[2];
	l.w.n_guards = 2;
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
	s = observed(f);
	assert_int_equal(s.n_guards, 3);
	assert_int_equal(s.n_allows, 0);
	firewall_state_free(&s);
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), false), 0);
	table_holds(f, &l, real_now());
	assert_false(succeeds("nft list chain inet curfew server.sql09 2>/dev/null"));
	lab_close(f);
	list_free(&l);
}

/* One element for both endpoints: it ends with the earlier of two ends, and goes when one of them lets nobody in. */
static void test_endpoints_share(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = later(now);
	struct firewall_state s;
	char *text;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	text = output("nft list set inet curfew server.sql07.allow4_32");
	assert_non_null(strstr(text, JANE));
	assert_null(strstr(strstr(text, JANE) + 1, JANE));
	free(text);
	l.allows[0].until -= 3600;
	assert_int_equal(applied(f, &l, real_now()), 2);
	s = observed(f);
	assert_int_equal(s.n_allows, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(s.allows[i].remaining_ms <= 3600 * 1000);
	firewall_state_free(&s);
	list_remove(&l, JANE);
	assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
	s = observed(f);
	assert_int_equal(s.n_allows, 0);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

/* A name that nft would read as its own word is none in front of which something stands. */
static void test_names_that_are_keywords(void **state)
{
	static const char *const names[] = {
		"accept", "ip", "table", "fwd", "_", "0", "A.b-c_d", "allow4_32", "server"};
	struct firewall *f;
	struct list l;

	(void)state;
	lab_require();
	list_init(&l);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char at[64];

		snprintf(at, sizeof(at), "192.0.2.%zu:1433", 20 + i);
		list_guard_of(&l, names[i], at);
		list_allow(&l, JANE, at, real_now() + 3600, "jane");
	}
	list_guard(&l, "192.0.2.99:1433");
	list_guard(&l, "[2001:db8::99]:1433");
	list_trust(&l, "2001:db8:1::/48", "[2001:db8::99]:1433", "sql01");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	assert_int_equal(applied(f, &l, real_now()), 0);
	run("nft list table inet curfew >/tmp/curfew-names-%ld.nft", (long)getpid());
	lab_enter(lab_away);
	run("nft -f /tmp/curfew-names-%ld.nft", (long)getpid());
	run("nft flush ruleset");
	lab_enter(lab_home);
	run("rm -f /tmp/curfew-names-%ld.nft", (long)getpid());
	lab_close(f);
	list_free(&l);
}

/* Connects again and again until the pipe is closed: whether each went as it must. */
static bool connects_all_the_while(bool allowed, int listener, int until)
{
	struct pollfd p = {.fd = until, .events = POLLIN};

	do {
		int fd = tcp_connect(lab_away, allowed ? JANE : "203.0.113.99", HOME4, PORT,
			allowed ? COMES : 2);

		if ((fd >= 0) != allowed)
			return false;
		if (fd >= 0) {
			close(fd);
			close(tcp_accept(listener));
		}
	} while (poll(&p, 1, 0) == 0);
	return true;
}

/* Packets all the while: the refused stay out, and the allowed stay in. */
static void test_nobody_slips_through(void **state)
{
	struct firewall *f;
	struct list l = later(real_now());
	int listener, status, until[2];
	pid_t children[2];

	(void)state;
	lab_require();
	assert_int_equal(pipe(until), 0);
	listener = tcp_listen(lab_home, HOME4, PORT);
	earlier_make(false);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			close(until[1]);
			_exit(connects_all_the_while(i == 1, listener, until[0]) ? 0 : 1);
		}
	}
	for (int round = 0; round < 20; round++) {
		f = lab_open(&LAB_SETTINGS);
		assert_int_equal(firewall_apply(NULL, f, &l.w, real_now(), true), 0);
		applied(f, &l, real_now());
		/* And back, in one transaction as well. */
		firewall_close(f);
		nft_run("delete table inet curfew\n", SETS, REST);
	}
	close(until[1]);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	close(listener);
	close(until[0]);
	f = lab_open(&LAB_SETTINGS);
	lab_close(f);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closings_keep_what_stands),
		cmocka_unit_test(test_endpoint_moves),
		cmocka_unit_test(test_endpoints_share),
		cmocka_unit_test(test_names_that_are_keywords),
		cmocka_unit_test(test_nobody_slips_through),
	};

	return cmocka_run_group_tests(tests, usual_setup, NULL);
}
