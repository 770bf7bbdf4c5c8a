/* The firewall process when somebody says nothing: the kernel to it, or it to the service. */
#include "helper_program.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int reload_same(struct program **out, void *context)
{
	(void)context;
	*out = calloc(1, sizeof(**out)); /* an empty configuration */
	snprintf((*out)->digest, sizeof((*out)->digest), "%064d", 2);
	(*out)->settings.firewall = program.settings.firewall;
	return 0;
}

static struct firewall_client *process_start(void)
{
	struct firewall_client *c;
	const struct firewall_process_options o = {.program = &program, .reload = reload_same};

	assert_int_equal(firewall_process_start(&c, &o), 0);
	return c;
}

/* The kernel's answers to the process do not arrive, or do again. */
static void kernel_is_silent(const struct firewall_client *c, bool silent)
{
	struct sock_filter none = {.code = BPF_RET | BPF_K, .k = 0};
	const struct sock_fprog program_of_none = {.len = 1, .filter = &none};
	int process = (int)syscall(SYS_pidfd_open, c->pid, 0), found = 0;

	assert_true(process >= 0);
	for (int i = 3; i < 64; i++) {
		int domain = 0, fd = (int)syscall(SYS_pidfd_getfd, process, i, 0);
		socklen_t size = sizeof(domain);
		if (fd < 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
			domain == AF_NETLINK) {
			assert_int_equal(setsockopt(fd, SOL_SOCKET,
						 silent ? SO_ATTACH_FILTER : SO_DETACH_FILTER,
						 &program_of_none, sizeof(program_of_none)),
				0);
			found++;
		}
		close(fd);
	}
	close(process);
	assert_true(found > 0);
}

/* Its guards have left the configuration, so the table says whether they may stay: which cannot be read now. */
static void test_a_reading_that_fails_is_told_and_ends_nothing(void **state)
{
	char digest[65], who[64];
	bool changed;

	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allowlist wanted = list_of(NULL, 0);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(firewall_client_reload(digest, c), 0);
	assert_int_equal(firewall_client_adopt(c, digest), 0);
	kernel_is_silent(c, true);
	for (int closings_only = 0; closings_only < 2; closings_only++) {
		int rc = port.apply(NULL, port.context, &wanted, real_now(), closings_only);
		assert_int_equal(rc, -EAGAIN);
		assert_string_not_equal(firewall_client_error(c), "");
		assert_int_equal(firewall_client_read(&changed, who, c), 0);
	}
	kernel_is_silent(c, false);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), true), 0);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	firewall_process_stop(c);
	run("nft delete table inet curfew");
}

static void answers_again(struct firewall_client *c)
{
	bool changed;
	char who[64];

	kill(c->pid, SIGCONT);
	while (firewall_client_late(c) >= 0) {
		struct pollfd p = {.fd = firewall_client_fd(c), .events = POLLIN};
		poll(&p, 1, 10);
		assert_int_equal(firewall_client_read(&changed, who, c), 0);
	}
}

/* What ends access does not wait long for it; nothing of what it owes is taken for another answer. */
static void test_one_that_hangs_is_late_and_may_come_back(void **state)
{
	static struct guard many[2000];
	struct firewall_state s;
	uint64_t refused;

	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allowlist wanted = list_of(NULL, 0), longer = list_of(NULL, 0);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_true(firewall_client_late(c) < 0);
	kill(c->pid, SIGSTOP);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), true), -ETIMEDOUT);
	assert_true(firewall_client_late(c) >= 0);
	assert_int_equal(port.observe(&s, port.context, real_now()), -ETIMEDOUT);
	assert_int_equal(firewall_client_refused(&refused, c), -ETIMEDOUT);
	answers_again(c);
	assert_int_equal(port.observe(&s, port.context, real_now()), 0);
	assert_int_equal(s.n_guards, 1);
	firewall_state_free(&s);
	/* A list that was not sent to its end. */
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i].endpoint = endpoints[0];
		many[i].endpoint.port = (uint16_t)(2000 + i);
	}
	longer.guards = many;
	longer.n_guards = ARRAY_SIZE(many);
	kill(c->pid, SIGSTOP);
	assert_int_equal(port.apply(NULL, port.context, &longer, real_now(), true), -ETIMEDOUT);
	answers_again(c);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	/* It dies while it is late. */
	kill(c->pid, SIGSTOP);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), true), -ETIMEDOUT);
	kill(c->pid, SIGKILL);
	struct pollfd p = {.fd = firewall_client_fd(c), .events = POLLIN};
	assert_int_equal(poll(&p, 1, COMES), 1);
	bool changed;
	char who[64];
	assert_int_equal(firewall_client_read(&changed, who, c), -EPIPE);
	firewall_process_stop(c);
	run("nft delete table inet curfew");
}

/* As one in an uninterruptible call: killed, but its end is not seen, here because another process traces it. */
static pid_t its_end_is_not_seen(pid_t process)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t tracer = fork();
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, process, 0, 0) == 0)
			(void)!write(ready[1], "", 1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return tracer;
}

static void test_one_that_cannot_be_ended_is_left(void **state)
{
	(void)state;
	lab_require();
	struct firewall_client *c = process_start();
	pid_t process = c->pid, tracer = its_end_is_not_seen(process);
	kill(process, SIGSTOP);
	firewall_process_stop(c);
	assert_int_equal(waitpid(process, NULL, WNOHANG), 0);
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	assert_int_equal(waitpid(process, NULL, 0), process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reading_that_fails_is_told_and_ends_nothing),
		cmocka_unit_test(test_one_that_hangs_is_late_and_may_come_back),
		cmocka_unit_test(test_one_that_cannot_be_ended_is_left),
	};
	program_make();
	return cmocka_run_group_tests_name("firewall process, silence", tests, lab_setup, NULL);
}
