/* The allowlist with real packets: who gets through, until when, over which hook and beside whom. */
#include "lab.h"

#define E4     HOME4 ":1433"
#define E6     "[" HOME6 "]:1433"
#define JANE   "203.0.113.7"
#define JANE6  "2001:db8:7::7"
#define OFFICE "198.51.100.0/24"
#define BOB    "198.51.100.9"
#define NOBODY "203.0.113.99"
#define INNER  "10.9.0.2"

static int inner = -1; /* the namespace of a server behind us */

static void test_allowed_and_refused(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_state s;
	struct list l;
	int listener, other;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	list_allow(&l, JANE, E4, now + 3600, "jane");
	list_allow(&l, OFFICE, E4, now + 3600, "office");
	list_trust(&l, "192.0.2.0/24", E4, "the hoster's own");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, now);
	listener = tcp_listen(lab_home, HOME4, PORT);
	other = tcp_listen(lab_home, HOME4, 8080);
	assert_true(reaches(lab_away, JANE, HOME4, PORT));
	assert_true(reaches(lab_away, BOB, HOME4, PORT));
	assert_true(reaches(lab_away, "192.0.2.1", HOME4, PORT));
	assert_true(is_refused(lab_away, NOBODY, HOME4, PORT));
	/* What we do not guard is none of our business. */
	assert_true(reaches(lab_away, NOBODY, HOME4, 8080));
	s = observed(f);
	assert_int_equal(s.n_refused, 1);
	assert_true(s.refused[0].packets >= 1);
	assert_int_equal(source_compare(&s.refused[0].source,
				 &(struct source){AF_INET, {203, 0, 113, 99}, 32}),
		0);
	assert_true(s.refused[0].last_seen_latest >= now - 1 &&
		    s.refused[0].last_seen_latest <= real_now());
	assert_true(s.refused_packets >= 1);
	uint64_t refused = 0;
	assert_int_equal(firewall_refused_packets(&refused, f), 0);
	assert_true(refused >= s.refused_packets);
	assert_true(state_find(&s, JANE)->packets > 0);
	assert_true(state_find(&s, OFFICE)->packets > 0);
	firewall_state_free(&s);
	close(listener);
	close(other);
	lab_close(f);
	list_free(&l);
}

static void test_version_six(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_state s;
	struct list l;
	int listener;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E6);
	list_allow(&l, "2001:db8:7::/64", E6, now + 3600, "jane");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, now);
	listener = tcp_listen(lab_home, HOME6, PORT);
	assert_true(reaches(lab_away, JANE6, HOME6, PORT));
	assert_true(is_refused(lab_away, "2001:db8:8::1", HOME6, PORT));
	s = observed(f);
	assert_int_equal(s.n_refused, 1);
	assert_int_equal(s.refused[0].source.family, AF_INET6);
	firewall_state_free(&s);
	close(listener);
	lab_close(f);
	list_free(&l);
}

/* A connection that is open, with both ends in our hands. */
struct session {
	int listener, client, server;
};

static struct session session_open(
	int ns, const char *from, int server_ns, const char *bound, const char *to)
{
	struct session s = {.listener = tcp_listen(server_ns, bound, PORT)};

	s.client = tcp_connect(ns, from, to, PORT, COMES);
	assert_true(s.client >= 0);
	s.server = tcp_accept(s.listener);
	assert_true(s.server >= 0);
	assert_true(passes(s.client, s.server, COMES));
	return s;
}

static void session_close(struct session *s)
{
	close(s->listener);
	close(s->client);
	close(s->server);
}

static void test_session_ends_with_its_element(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l;
	struct session jane, bob;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	list_allow(&l, JANE, E4, now + 3600, "jane");
	list_allow(&l, OFFICE, E4, now + 3600, "office");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, now);
	jane = session_open(lab_away, JANE, lab_home, HOME4, HOME4);
	close(jane.listener);
	bob = session_open(lab_away, BOB, lab_home, HOME4, HOME4);
	list_remove(&l, JANE);
	applied(f, &l, now);
	assert_false(passes(jane.client, jane.server, COMES_NOT));
	assert_true(passes(bob.client, bob.server, COMES));
	session_close(&jane);
	session_close(&bob);
	lab_close(f);
	list_free(&l);
}

/* Sends the time without a pause, until well after the end: the last that arrived, and the last that was sent before `early`. */
static int64_t last_arrival_ms(
	const struct session *s, int64_t early, int64_t until_ms, int64_t *due)
{
	int64_t last = 0, said;

	for (int64_t now = real_ms(); now < until_ms + 500; now = real_ms()) {
		struct pollfd p = {.fd = s->server, .events = POLLIN};

		if (send(s->client, &now, sizeof(now), MSG_NOSIGNAL) == sizeof(now) &&
			real_ms() < early)
			*due = now;
		if (poll(&p, 1, 5) == 1 &&
			recv(s->server, &said, sizeof(said), MSG_WAITALL) == sizeof(said))
			last = said;
	}
	return last;
}

static void test_kernel_ends_sessions_by_itself(void **state)
{
	struct firewall *f;
	instant_t now, until;
	struct list l;
	struct session jane;
	int64_t last, due = 0;
	bool usual;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	/* A machine too busy for the first instant gets another. */
	for (int ahead = 8;; ahead *= 4) {
		assert_true(ahead < 1000);
		f = lab_open(&LAB_SETTINGS);
		now = real_now();
		until = now + ahead;
		list_allow(&l, JANE, E4, until, "jane");
		applied(f, &l, now);
		usual = f->batch_ms == ALLOWANCE_MS;
		/* Nobody is there any more when the end comes. */
		firewall_close(f);
		if (real_now() < until - FIREWALL_TOLERANCE - 3)
			break;
		list_remove(&l, JANE);
	}
	jane = session_open(lab_away, JANE, lab_home, HOME4, HOME4);
	last = last_arrival_ms(&jane, (until - FIREWALL_TOLERANCE) * 1000, until * 1000, &due);
	assert_true(last > 0);
	assert_true(last < until * 1000);
	/* Nor early beyond what the margin says, unless the host was slow. */
	assert_true(!usual || last >= due);
	session_close(&jane);
	f = lab_open(&LAB_SETTINGS);
	assert_int_equal(
		applied(f, &(struct list){.w = {.guards = l.guards, .n_guards = 1}}, real_now()),
		0);
	lab_close(f);
	list_free(&l);
}

static void test_overlapping_deadlines(void **state)
{
	struct firewall *f;
	instant_t now;
	struct list l;
	struct session one;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	f = lab_open(&LAB_SETTINGS);
	now = real_now();
	/* The host's own element ends long before the prefix around it, and takes nothing from it. */
	list_allow(&l, BOB, E4, now + 4, "bob");
	list_allow(&l, OFFICE, E4, now + 3600, "office");
	applied(f, &l, now);
	one = session_open(lab_away, BOB, lab_home, HOME4, HOME4);
	while (real_now() <= now + 4)
		usleep(50000);
	assert_true(passes(one.client, one.server, COMES));
	list_remove(&l, BOB);
	list_remove(&l, OFFICE);
	applied(f, &l, real_now());
	assert_false(passes(one.client, one.server, COMES_NOT));
	session_close(&one);
	lab_close(f);
	list_free(&l);
}

static void test_forwarded_after_translation(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l;
	struct session jane;

	(void)state;
	lab_require();
	run("nft 'add table ip nat; add chain ip nat prerouting { type nat hook prerouting priority -100; }; "
	    "add rule ip nat prerouting ip daddr %s tcp dport 14330 dnat to %s:1433'",
		HOME4, INNER);
	list_init(&l);
	list_guard(&l, INNER ":1433");
	list_allow(&l, JANE, INNER ":1433", now + 3600, "jane");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, now);
	jane = session_open(lab_away, JANE, inner, INNER, INNER);
	assert_true(reaches(lab_away, JANE, HOME4, 14330));
	assert_true(is_refused(lab_away, NOBODY, HOME4, 14330));
	assert_true(is_refused(lab_away, NOBODY, INNER, PORT));
	list_remove(&l, JANE);
	applied(f, &l, now);
	assert_false(passes(jane.client, jane.server, COMES_NOT));
	assert_true(is_refused(lab_away, JANE, HOME4, 14330));
	session_close(&jane);
	lab_close(f);
	run("nft delete table ip nat");
	list_free(&l);
}

/* Rulesets of the kind that people load beside ours. */
static const struct neighbor {
	const char *name, *rules;
	bool lets_in;
} NEIGHBORS[] = {
	{"accepts everything before us",
		"table inet x { chain input { type filter hook input priority -300; policy accept; accept; }; "
		"chain forward { type filter hook forward priority -300; accept; }; }",
		true},
	{"accepts everything after us",
		"table inet x { chain input { type filter hook input priority 10; policy drop; accept; }; "
		"chain forward { type filter hook forward priority 10; policy drop; accept; }; }",
		true},
	{"as firewalld does",
		"table inet firewalld { chain filter_INPUT { type filter hook input priority 10; policy accept; "
		"ct state { established, related } accept; ct status dnat accept; iifname \"lo\" accept; "
		"tcp dport 1433 accept; ct state invalid drop; reject with icmpx admin-prohibited; }; }",
		true},
	{"as ufw does",
		"table ip filter { chain ufw-before { ct state related,established accept; tcp dport 1433 accept; }; "
		"chain INPUT { type filter hook input priority 0; policy drop; iifname \"lo\" accept; jump ufw-before; }; "
		"chain FORWARD { type filter hook forward priority 0; policy drop; jump ufw-before; }; }",
		true},
	{"as Docker does",
		"table ip filter { chain DOCKER-USER { return; }; chain DOCKER { tcp dport 1433 accept; }; "
		"chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; "
		"ct state related,established accept; jump DOCKER; }; }",
		true},
	{"drops what we accept",
		"table inet x { chain input { type filter hook input priority 0; tcp dport 1433 drop; }; "
		"chain forward { type filter hook forward priority 0; tcp dport 1433 drop; }; }",
		false},
};

static void test_neighbors(void **state)
{
	instant_t now = real_now();
	struct list l;
	int listener, behind;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	list_guard(&l, INNER ":1433");
	list_allow(&l, JANE, E4, now + 3600, "jane");
	list_allow(&l, JANE, INNER ":1433", now + 3600, "jane");
	listener = tcp_listen(lab_home, HOME4, PORT);
	behind = tcp_listen(inner, INNER, PORT);
	for (size_t i = 0; i < ARRAY_SIZE(NEIGHBORS); i++) {
		const struct neighbor *n = &NEIGHBORS[i];
		struct firewall *f = lab_open(&LAB_SETTINGS);

		run("nft '%s'", n->rules);
		applied(f, &l, now);
		if (n->lets_in) {
			if (!reaches(lab_away, JANE, HOME4, PORT) ||
				!reaches(lab_away, JANE, INNER, PORT))
				fail_msg("kept out although allowed: %s", n->name);
		} else if (!is_refused(lab_away, JANE, HOME4, PORT)) {
			fail_msg("the neighbor's own drop must hold: %s", n->name);
		}
		if (!is_refused(lab_away, NOBODY, HOME4, PORT) ||
			!is_refused(lab_away, NOBODY, INNER, PORT))
			fail_msg("let in although not allowed: %s", n->name);
		lab_close(f);
		run("nft flush ruleset");
	}
	close(listener);
	close(behind);
	list_free(&l);
}

static int setup(void **state)
{
	static const char *const people[] = {JANE, BOB, NOBODY, JANE6, "2001:db8:8::1"};
	int r = lab_setup(state);

	if (!lab_ready)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(people); i++)
		lab_person(people[i]);
	/* A server behind us, which the forward hook guards. */
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	inner = lab_namespace();
	lab_wire(lab_home, "inside", inner, "gateway");
	lab_address(lab_home, "inside", "10.9.0.1/24");
	lab_address(inner, "gateway", INNER "/24");
	lab_enter(inner);
	run("ip route add default via 10.9.0.1");
	lab_enter(lab_away);
	run("ip route add 10.9.0.0/24 via %s", HOME4);
	lab_enter(lab_home);
	assert_true(write_text("/proc/sys/net/ipv4/ip_forward", "1"));
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed_and_refused),
		cmocka_unit_test(test_version_six),
		cmocka_unit_test(test_session_ends_with_its_element),
		cmocka_unit_test(test_kernel_ends_sessions_by_itself),
		cmocka_unit_test(test_overlapping_deadlines),
		cmocka_unit_test(test_forwarded_after_translation),
		cmocka_unit_test(test_neighbors),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
