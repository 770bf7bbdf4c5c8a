/* Our transactions side by side with `nft -f`, in one run on one machine: the ratios are what counts. Both have the people
 * spread over the same sets of twenty servers. Everything happens in a network namespace of this process; needs root. */
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "curfew/firewall.h"

#define RUNS	7
#define SERVERS 20

static const struct firewall_settings SETTINGS = {
	.enabled = true, .hooks = HOOK_INPUT, .priority = -10};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of this process, or of its children: netlink works in the time of whoever sends. Other processes do not matter. */
static double cpu_ms(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_firewall: %s\n", what);
	exit(1);
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof(*values), compare_double);
	return values[RUNS / 2];
}

static struct guard guards[SERVERS];
static char names[SERVERS][16];

static void guards_make(void)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		snprintf(names[i], sizeof(names[i]), "sql%02u", i);
		guards[i] =
			(struct guard){{AF_INET, {192, 0, 2, (uint8_t)(10 + i)}, 1433}, names[i]};
	}
}

static struct allowlist list_make(size_t n)
{
	struct allowlist w = {.n_allows = n, .guards = guards, .n_guards = SERVERS};

	w.allows = calloc(n, sizeof(*w.allows));
	if (!w.allows)
		die("no memory");
	for (size_t i = 0; i < n; i++) {
		struct allow *a = &w.allows[i];

		a->source = (struct source){
			AF_INET, {100, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 32};
		a->endpoint = guards[i * SERVERS / n].endpoint;
		a->until = (instant_t)time(NULL) + 86400;
		snprintf(a->comment, sizeof(a->comment), "client%zu/client%zu.first.last", i / 3,
			i / 3);
	}
	return w;
}

static void apply(struct firewall *f, const struct allowlist *w)
{
	if (firewall_apply(NULL, f, w, (instant_t)time(NULL), false) != 0)
		die(firewall_error(f));
}

static void run(const char *command)
{
	if (system(command) != 0) /* NOLINT: our own commands */
		die(command);
}

/* The same sets and elements as text. */
static void write_nft(const char *path, const struct allowlist *w)
{
	const struct endpoint *last = NULL;
	FILE *to = fopen(path, "we");
	unsigned server = 0;

	if (!to)
		die(path);
	fputs("table inet bench {\n", to);
	for (unsigned i = 0; i < SERVERS; i++)
		fprintf(to,
			" set %s.allow4_32 { type ipv4_addr; flags timeout; timeout 1m; counter; }\n",
			names[i]);
	fputs("}\n", to);
	for (size_t i = 0; i < w->n_allows; i++) {
		const struct allow *a = &w->allows[i];
		char source[SOURCE_TEXT_MAX];

		if (!last || endpoint_compare(last, &a->endpoint) != 0) {
			server = (unsigned)(a->endpoint.addr[3] - 10);
			fprintf(to, "%sadd element inet bench %s.allow4_32 {\n", last ? "}\n" : "",
				names[server]);
			last = &a->endpoint;
		}
		fprintf(to, "%s timeout 86400s comment \"%s\",\n",
			source_format(source, &a->source), a->comment);
	}
	fputs("}\n", to);
	fclose(to);
}

/* In kB; the field of /proc/self/status. */
static long memory(const char *field)
{
	char line[128];
	long found = 0;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			found = strtol(line + strlen(field) + 1, NULL, 10);
	if (f)
		fclose(f);
	return found;
}

/* From now on VmHWM is the most since now. */
static void memory_begin(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");

	if (f) {
		fputs("5", f);
		fclose(f);
	}
}

static void bench_fill(size_t n)
{
	struct allowlist w = list_make(n), none = w;
	long before = 0, most = 0;
	double ours[RUNS], theirs[RUNS], ours_cpu[RUNS], theirs_cpu[RUNS];
	char path[64], command[128];

	none.n_allows = 0;
	snprintf(path, sizeof(path), "/tmp/curfew-bench-%ld.nft", (long)getpid());
	snprintf(command, sizeof(command), "nft -f %s", path);
	write_nft(path, &w);
	for (int i = 0; i < RUNS; i++) {
		struct firewall *f;
		double began, cpu;

		if (firewall_open(&f, &SETTINGS) != 0)
			die("cannot open the packet filter: needs root");
		apply(f, &none);
		before = memory("VmRSS");
		memory_begin();
		began = now_ms();
		cpu = cpu_ms(RUSAGE_SELF);
		apply(f, &w);
		ours[i] = now_ms() - began;
		ours_cpu[i] = cpu_ms(RUSAGE_SELF) - cpu;
		most = memory("VmHWM") - before > most ? memory("VmHWM") - before : most;
		if (firewall_remove(f) != 0)
			die("cannot remove the table");
		firewall_close(f);
		began = now_ms();
		cpu = cpu_ms(RUSAGE_CHILDREN);
		run(command);
		theirs[i] = now_ms() - began;
		theirs_cpu[i] = cpu_ms(RUSAGE_CHILDREN) - cpu;
		run("nft delete table inet bench");
	}
	unlink(path);
	free(w.allows);
	printf("add %6zu elements: observe, commit, read back %8.1f ms; nft -f alone %8.1f ms; ratio %.2f; "
	       "CPU %.1f and %.1f ms, ratio %.2f; memory %.1f MB beside the list\n",
		n, median(ours), median(theirs), median(ours) / median(theirs), median(ours_cpu),
		median(theirs_cpu), median(ours_cpu) / median(theirs_cpu), (double)most / 1024);
}

/* A pass over a table of n: one that finds nothing to do, and one that adds a single element. */
static void bench_one(size_t n)
{
	struct allowlist w = list_make(n + 1), less = w;
	double quiet[RUNS], one[RUNS], theirs[RUNS], quiet_cpu[RUNS], one_cpu[RUNS];
	struct firewall *f;

	less.n_allows = n;
	if (firewall_open(&f, &SETTINGS) != 0)
		die("cannot open the packet filter: needs root");
	apply(f, &less);
	run("nft 'add table inet bench; add set inet bench s { type ipv4_addr . ipv4_addr . inet_service; "
	    "flags timeout; counter; }'");
	for (int i = 0; i < RUNS; i++) {
		double began = now_ms(), cpu = cpu_ms(RUSAGE_SELF);

		apply(f, &less);
		quiet[i] = now_ms() - began;
		quiet_cpu[i] = cpu_ms(RUSAGE_SELF) - cpu;
		began = now_ms();
		cpu = cpu_ms(RUSAGE_SELF);
		apply(f, &w);
		one[i] = now_ms() - began;
		one_cpu[i] = cpu_ms(RUSAGE_SELF) - cpu;
		apply(f, &less);
		began = now_ms();
		run("nft add element inet bench s '{ 203.0.113.7 . 192.0.2.10 . 1433 timeout 1h }'");
		theirs[i] = now_ms() - began;
		run("nft flush set inet bench s");
	}
	printf("over %6zu elements: quiet pass %8.2f ms (CPU %.2f); one added, read back %8.2f ms (CPU %.2f); "
	       "nft add element %.2f ms\n",
		n, median(quiet), median(quiet_cpu), median(one), median(one_cpu), median(theirs));
	if (firewall_remove(f) != 0)
		die("cannot remove the table");
	firewall_close(f);
	run("nft delete table inet bench");
	free(w.allows);
}

int main(void)
{
	struct rusage usage;

	if (unshare(CLONE_NEWNET) < 0)
		die("needs root, for a network namespace of its own");
	guards_make();
	bench_one(10);
	bench_one(1000);
	bench_one(30000);
	bench_fill(100);
	bench_fill(1000);
	bench_fill(10000);
	bench_fill(100000);
	if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
		printf("most memory of nft: %ld MB\n", usage.ru_maxrss / 1024);
	return 0;
}
