/* What the packet filter costs a packet: nothing filtered, beside our chains for 1, 20, and 200 servers, and beside one
 * set of nft as a script by hand has it, in one run on one machine. Packets of an allowed source go through the
 * loopback device of a network namespace of this process; the kernel handles each within the call that sends it. Needs
 * root. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../firewall/table.h"
#include "curfew/firewall.h"

#define TURNS	11
#define BATCHES 200
#define BATCH	64
#define EACH	30 /* people of a server */
#define MOST	200
#define PORT	1433

static const struct firewall_settings SETTINGS = {
	.enabled = true, .hooks = HOOK_INPUT, .priority = -10};

static void die(const char *what)
{
	fprintf(stderr, "bench_packets: %s\n", what);
	exit(1);
}

static void run(const char *command)
{
	if (system(command) != 0) /* NOLINT: our own commands */
		die(command);
}

/* Of this thread on a processor: other processes do not matter. */
static double spent_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Server `s` is 198.18.0.s; its people are 100.64.s.1 and on. */
static struct endpoint endpoint_of(unsigned s)
{
	return (struct endpoint){AF_INET, {198, 18, (uint8_t)(s >> 8), (uint8_t)s}, PORT};
}

static struct source source_of(unsigned s, unsigned person)
{
	return (struct source){
		AF_INET, {100, (uint8_t)(64 + (s >> 8)), (uint8_t)s, (uint8_t)(1 + person)}, 32};
}

static struct firewall *ours(unsigned servers)
{
	static char names[MOST][16];
	static struct guard guards[MOST];
	static struct allow allows[MOST * EACH];
	struct allowlist w = {.allows = allows,
		.n_allows = servers * EACH,
		.guards = guards,
		.n_guards = servers};
	struct firewall *f;

	for (unsigned s = 0; s < servers; s++) {
		snprintf(names[s], sizeof(names[s]), "sql%03u", s);
		guards[s] = (struct guard){endpoint_of(s), names[s]};
		for (unsigned k = 0; k < EACH; k++) {
			struct allow *a = &allows[s * EACH + k];

			*a = (struct allow){.source = source_of(s, k),
				.endpoint = endpoint_of(s),
				.until = (instant_t)time(NULL) + 86400,
				.comment = "client/user"};
		}
	}
	if (firewall_open(&f, &SETTINGS) != 0 ||
		firewall_apply(NULL, f, &w, (instant_t)time(NULL), false) != 0)
		die("the packet filter was not set up");
	return f;
}

static void nft_set(unsigned servers)
{
	FILE *to = popen("nft -f -", "w"); /* NOLINT: our own command */

	if (!to)
		die("nft");
	fputs("add table inet bench\n"
	      "add set inet bench allow { type ipv4_addr . ipv4_addr . inet_service; flags timeout; counter; }\n"
	      "add chain inet bench input { type filter hook input priority -10; }\n"
	      "add rule inet bench input tcp dport 1433 ip saddr . ip daddr . tcp dport @allow accept\n"
	      "add rule inet bench input tcp dport 1433 drop\n",
		to);
	for (unsigned s = 0; s < servers; s++)
		for (unsigned k = 0; k < EACH; k++) {
			struct source source = source_of(s, k);
			struct endpoint endpoint = endpoint_of(s);

			fprintf(to,
				"add element inet bench allow { %u.%u.%u.%u . 198.18.%u.%u . 1433 timeout 1d }\n",
				source.addr[0], source.addr[1], source.addr[2], source.addr[3],
				endpoint.addr[2], endpoint.addr[3]);
		}
	if (pclose(to) != 0)
		die("nft -f");
}

static struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
} packet;

/* Of the first person of the last server: a segment of a connection that is long there. */
static void packet_make(unsigned servers)
{
	struct source from = source_of(servers - 1, 0);
	struct endpoint to = endpoint_of(servers - 1);

	packet = (struct packet){.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
		.tcp = {.source = htons(50000),
			.dest = htons(PORT),
			.doff = 5,
			.ack = 1,
			.window = 1}};
	memcpy(&packet.ip.saddr, from.addr, 4);
	memcpy(&packet.ip.daddr, to.addr, 4);
}

/* Nanoseconds a packet. */
static double turn(int fd)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct iovec iov = {&packet, sizeof(packet)};
	struct mmsghdr messages[BATCH] = {0};
	double began;

	to.sin_addr.s_addr = packet.ip.daddr;
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to,
			.msg_namelen = sizeof(to),
			.msg_iov = &iov,
			.msg_iovlen = 1};
	began = spent_ns();
	for (int i = 0; i < BATCHES; i++)
		if (sendmmsg(fd, messages, BATCH, 0) != BATCH)
			die("sendmmsg");
	return (spent_ns() - began) / (BATCHES * BATCH);
}

static double median_of(int fd, unsigned servers)
{
	double values[TURNS];

	packet_make(servers);
	turn(fd);
	for (int i = 0; i < TURNS; i++)
		values[i] = turn(fd);
	qsort(values, TURNS, sizeof(*values), compare_double);
	return values[TURNS / 2];
}

/* How many packets came through: all of them, or nothing was measured. */
static void came_through(void)
{
	run("nft list chain inet sink input | grep -q 'packets [1-9]'");
	run("nft 'flush chain inet sink input; add rule inet sink input tcp dport 1433 counter drop'");
}

int main(void)
{
	static const unsigned sizes[] = {1, 20, 200};
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		die("needs root, for a network namespace of its own");
	run("ip link set lo up; ip address add 198.18.0.0/16 dev lo; ip address add 100.64.0.0/10 dev lo");
	/* What comes through ends here, and no answer is made. */
	run("nft 'add table inet sink; add chain inet sink input { type filter hook input priority 100; }; "
	    "add rule inet sink input tcp dport 1433 counter drop'");
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		die("no raw socket");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned n = sizes[i];
		struct firewall *f;
		double plain = median_of(fd, n), with, set;

		came_through();
		f = ours(n);
		with = median_of(fd, n);
		came_through();
		if (firewall_remove(f) != 0)
			die("the table was not removed");
		firewall_close(f);
		nft_set(n);
		set = median_of(fd, n);
		came_through();
		run("nft delete table inet bench");
		printf("%3u servers, %4u people: a packet unfiltered %5.0f ns; Curfew +%.0f ns (%.2f million packets/s); "
		       "one set of nft +%.0f ns (%.2f million)\n",
			n, n * EACH, plain, with - plain, 1e3 / with, set - plain, 1e3 / set);
	}
	close(fd);
	return 0;
}
