/* The firewall process: what it lets through, what ends it, and that both ends agree with the kernel. */
#include "helper_program.h"

#include <linux/netlink.h>

#include "firewall/helper_message.h"

/* ---- the process ---- */

static int reload_same(struct program **out, void *context)
{
	*out = calloc(1, sizeof(**out)); /* an empty configuration */
	snprintf((*out)->digest, sizeof((*out)->digest), "%064d", 2);
	(*out)->settings.firewall = program.settings.firewall;
	return *(int *)context;
}

static int reload_result;

static struct firewall_client *process_start(void)
{
	struct firewall_client *c;
	const struct firewall_process_options o = {
		.program = &program, .reload = reload_same, .context = &reload_result};

	assert_int_equal(firewall_process_start(&c, &o), 0);
	return c;
}

static void test_the_process_applies_and_observes(void **state)
{
	(void)state;
	lab_require();
	clients[0].end = real_now() + 1000;
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allow a[2] = {allow_of("198.51.100.0/29", "192.0.2.10:1433", real_now() + 500),
		allow_of("203.0.113.7", "192.0.2.10:1433", real_now() + 500)};
	if (source_compare(&a[0].source, &a[1].source) > 0) {
		struct allow swap = a[0];
		a[0] = a[1];
		a[1] = swap;
	}
	struct allowlist wanted = list_of(a, 2);
	struct firewall_changes done = {0};
	struct firewall_state s;

	assert_int_equal(port.apply(&done, port.context, &wanted, real_now(), false), 0);
	assert_true(done.n >= 3);
	firewall_changes_free(&done);
	uint64_t refused = 99;
	assert_int_equal(firewall_client_refused(&refused, c), 0);
	assert_int_equal(refused, 0);
	assert_int_equal(port.observe(&s, port.context, real_now()), 0);
	assert_true(s.present && s.intact);
	assert_int_equal(s.n_allows, 2);
	assert_int_equal(s.n_guards, 1);
	assert_int_equal(s.n_trusted, 1);
	for (size_t i = 0; i < s.n_allows; i++)
		assert_true(s.allows[i].has_timeout && s.allows[i].remaining_ms > 400000);
	firewall_state_free(&s);
	/* Again: nothing to do. */
	assert_int_equal(port.apply(&done, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(done.n, 0);
	firewall_changes_free(&done);
	/* What has ended on its way is dropped, not refused. */
	a[1].until = real_now();
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	/* A service whose clock is behind cannot lengthen a deadline. */
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now() - 100000, false), 0);
	assert_int_equal(port.observe(&s, port.context, real_now()), 0);
	assert_int_equal(s.n_allows, 1);
	assert_true(s.allows[0].remaining_ms < 501000);
	firewall_state_free(&s);
	firewall_process_stop(c);
	run("nft delete table inet curfew");
}

/* Nobody else can change a table that is ours alone, and whoever listens pays for each of our own changes. */
static void test_an_owner_does_not_listen(void **state)
{
	struct firewall_features features;
	unsigned long groups = 0;
	char line[256];

	(void)state;
	lab_require();
	struct firewall *f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	firewall_close(f);
	struct firewall_client *c = process_start();
	FILE *sockets = fopen("/proc/thread-self/net/netlink", "re");
	assert_non_null(sockets);
	while (fgets(line, sizeof(line), sockets)) {
		unsigned long protocol, mask;

		if (sscanf(line, "%*s %lu %*u %lx", &protocol, &mask) == 2 &&
			protocol == NETLINK_NETFILTER)
			groups |= mask;
	}
	fclose(sockets);
	assert_int_equal(groups != 0, !features.owner_persist);
	firewall_process_stop(c);
}

static void test_the_process_holds_one_capability(void **state)
{
	char line[256];
	int found = 0;

	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	snprintf(line, sizeof(line), "/proc/%d/status", (int)c->pid);
	FILE *f = fopen(line, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNew", 5) == 0 ||
			strncmp(line, "Seccomp:", 8) == 0)
			print_message("firewall process: %s", line);
		found += !strcmp(line, "CapEff:\t0000000000001000\n") ||
			 !strcmp(line, "CapPrm:\t0000000000001000\n") ||
			 !strcmp(line, "NoNewPrivs:\t1\n") || !strcmp(line, "Seccomp:\t2\n");
	}
	fclose(f);
	assert_int_equal(found, 4);
	firewall_process_stop(c);
}

static void test_somebody_elses_change_is_told(void **state)
{
	bool changed = false;
	char who[64] = "";

	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allowlist wanted = list_of(NULL, 0);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	/* An owner that lives keeps others out; where it cannot, they are seen. */
	if (!succeeds("nft delete table inet curfew 2>/dev/null")) {
		print_message("# the kernel itself keeps others away from the table\n");
	} else {
		for (int i = 0; !changed && i < 100; i++) {
			struct pollfd p = {.fd = firewall_client_fd(c), .events = POLLIN};
			assert_int_equal(poll(&p, 1, COMES), 1);
			assert_int_equal(firewall_client_read(&changed, who, c), 0);
		}
		assert_true(changed);
	}
	firewall_process_stop(c);
	succeeds("nft delete table inet curfew 2>/dev/null");
}

/* Sends a message as a service under a stranger's control could, and waits for the process to end. */
static int message_kills(const void *message, size_t size)
{
	struct firewall_client *c = process_start();
	int fd = firewall_client_fd(c), status;
	pid_t pid = c->pid;

	assert_int_equal(send(fd, message, size, MSG_NOSIGNAL), size);
	siginfo_t info = {0};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, COMES), 1);
	char byte[sizeof(struct firewall_answer)];
	ssize_t n = recv(fd, byte, sizeof(byte), 0);
	assert_int_equal(n, 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	status = info.si_status;
	firewall_process_stop(c);
	return status;
}

static void test_anything_unknown_ends_it(void **state)
{
	struct firewall_request r = {.verb = 99};
	char longer[sizeof(r) + 1] = {0};

	(void)state;
	lab_require();
	assert_int_equal(message_kills(&r, sizeof(r)), 70);
	r.verb = VERB_ALLOW; /* no source */
	assert_int_equal(message_kills(&r, sizeof(r)), 70);
	r = (struct firewall_request){.verb = VERB_ALLOW,
		.source = source_of("203.0.113.99"),
		.endpoint = endpoints[0],
		.until = real_now() + 10};
	assert_int_equal(message_kills(&r, sizeof(r)), 70);
	r = (struct firewall_request){.verb = VERB_COMMIT, .now = real_now()}; /* no guards */
	assert_int_equal(message_kills(&r, sizeof(r)), 70);
	r = (struct firewall_request){.verb = VERB_ADOPT}; /* nothing read */
	assert_int_equal(message_kills(&r, sizeof(r)), 70);
	r = (struct firewall_request){.verb = VERB_BEGIN};
	memset(r.text, 'x', sizeof(r.text)); /* no end */
	assert_int_equal(message_kills(&r, sizeof(r)), 70);
	r.text[0] = '\0';
	assert_int_equal(message_kills(&r, sizeof(r) - 1), 70);
	assert_int_equal(message_kills(longer, sizeof(longer)), 70);
}

/* The channel in other hands: a process that got a copy of the descriptor is not the service. */
static void test_nobody_else_is_heard(void **state)
{
	int status;

	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	pid_t child = fork();
	if (child == 0) {
		struct firewall_request r = {.verb = VERB_BEGIN};
		_exit(send(firewall_client_fd(c), &r, sizeof(r), MSG_NOSIGNAL) == (ssize_t)sizeof(r)
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	struct pollfd p = {.fd = firewall_client_fd(c), .events = POLLIN};
	bool changed;
	char who[64];
	assert_int_equal(poll(&p, 1, COMES), 1);
	assert_int_equal(firewall_client_read(&changed, who, c), -EPIPE);
	firewall_process_stop(c);
}

static void test_death_is_told_and_the_table_stays(void **state)
{
	bool changed;
	char who[64];

	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allowlist wanted = list_of(NULL, 0);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	kill(c->pid, SIGKILL);
	struct pollfd p = {.fd = firewall_client_fd(c), .events = POLLIN};
	assert_int_equal(poll(&p, 1, COMES), 1);
	assert_int_equal(firewall_client_read(&changed, who, c), -EPIPE);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), -EPIPE);
	assert_string_not_equal(firewall_client_error(c), "");
	firewall_process_stop(c);
	assert_true(succeeds("nft list table inet curfew >/dev/null"));
	succeeds("nft delete table inet curfew 2>/dev/null");
}

static void test_a_reload_takes_two_steps(void **state)
{
	char digest[65] = "";
	bool changed;
	char who[64];

	(void)state;
	lab_require();
	clients[0].end = real_now() + 1000;
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allow a[1] = {allow_of("203.0.113.7", "192.0.2.10:1433", real_now() + 500)};
	struct allowlist wanted = list_of(a, 1), nothing = {0};

	assert_int_equal(firewall_client_reload(digest, c), 0);
	assert_string_equal(digest + 60, "0002");
	/* Read, but not in force yet. */
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(firewall_client_adopt(c, digest), 0);
	assert_int_equal(port.apply(NULL, port.context, &nothing, real_now(), false), 0);
	/* What the new one does not know ends it. */
	assert_true(port.apply(NULL, port.context, &wanted, real_now(), false) < 0);
	assert_int_equal(firewall_client_read(&changed, who, c), -EPIPE);
	firewall_process_stop(c);

	reload_result = -EINVAL;
	c = process_start();
	assert_int_equal(firewall_client_reload(digest, c), -EINVAL);
	port = firewall_client_port(c);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	firewall_process_stop(c);
	reload_result = 0;
	succeeds("nft delete table inet curfew 2>/dev/null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_process_applies_and_observes),
		cmocka_unit_test(test_an_owner_does_not_listen),
		cmocka_unit_test(test_the_process_holds_one_capability),
		cmocka_unit_test(test_somebody_elses_change_is_told),
		cmocka_unit_test(test_anything_unknown_ends_it),
		cmocka_unit_test(test_nobody_else_is_heard),
		cmocka_unit_test(test_death_is_told_and_the_table_stays),
		cmocka_unit_test(test_a_reload_takes_two_steps),
	};
	program_make();
	return cmocka_run_group_tests_name("firewall process", tests, lab_setup, NULL);
}
