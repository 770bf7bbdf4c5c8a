/* Our transactions side by side with `nft -f`, in one run on one machine: the ratios are what counts.
 * Everything happens in a network namespace of this process; needs root. */
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "curfew/firewall.h"

#define RUNS	 7
#define ENDPOINT "192.0.2.10:1433"

static const struct firewall_settings SETTINGS = {
	.enabled = true, .hooks = HOOK_INPUT, .priority = -10};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
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

/* Addresses in a scattered order, as people's are. */
static struct allowlist list_make(size_t n, struct endpoint *guard)
{
	struct allowlist w = {.n_allows = n, .guards = guard, .n_guards = 1};

	w.allows = calloc(n, sizeof(*w.allows));
	if (!w.allows || endpoint_parse(guard, ENDPOINT) != 0)
		die("no memory");
	for (size_t i = 0; i < n; i++) {
		struct allow *a = &w.allows[i];

		a->source = (struct source){
			AF_INET, {100, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 32};
		a->endpoint = *guard;
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

/* The same table and elements as text. */
static void write_nft(const char *path, const struct allowlist *w)
{
	FILE *to = fopen(path, "we");

	if (!to)
		die(path);
	fputs("table inet bench {\n set allow4_32 { type ipv4_addr . ipv4_addr . inet_service; flags timeout; "
	      "timeout 1m; counter; }\n}\n",
		to);
	fputs("add element inet bench allow4_32 {\n", to);
	for (size_t i = 0; i < w->n_allows; i++) {
		char source[SOURCE_TEXT_MAX];

		fprintf(to, "%s . 192.0.2.10 . 1433 timeout 86400s comment \"%s\",\n",
			source_format(source, &w->allows[i].source), w->allows[i].comment);
	}
	fputs("}\n", to);
	fclose(to);
}

static void bench_fill(size_t n)
{
	struct endpoint guard;
	struct allowlist w = list_make(n, &guard), none = w;
	double ours[RUNS], theirs[RUNS];
	char path[64], command[128];

	none.n_allows = 0;
	snprintf(path, sizeof(path), "/tmp/curfew-bench-%ld.nft", (long)getpid());
	snprintf(command, sizeof(command), "nft -f %s", path);
	write_nft(path, &w);
	for (int i = 0; i < RUNS; i++) {
		struct firewall *f;
		double began;

		if (firewall_open(&f, &SETTINGS) != 0)
			die("cannot open the packet filter: needs root");
		apply(f, &none);
		began = now_ms();
		apply(f, &w);
		ours[i] = now_ms() - began;
		if (firewall_remove(f) != 0)
			die("cannot remove the table");
		firewall_close(f);
		began = now_ms();
		run(command);
		theirs[i] = now_ms() - began;
		run("nft delete table inet bench");
	}
	unlink(path);
	free(w.allows);
	printf("add %6zu elements: observe, commit, read back %8.1f ms; nft -f alone %8.1f ms; ratio %.2f\n",
		n, median(ours), median(theirs), median(ours) / median(theirs));
}

/* A pass over a table of n: one that finds nothing to do, and one that adds a single element. */
static void bench_one(size_t n)
{
	struct endpoint guard;
	struct allowlist w = list_make(n + 1, &guard), less = w;
	double quiet[RUNS], one[RUNS], theirs[RUNS];
	struct firewall *f;

	less.n_allows = n;
	if (firewall_open(&f, &SETTINGS) != 0)
		die("cannot open the packet filter: needs root");
	apply(f, &less);
	run("nft 'add table inet bench; add set inet bench s { type ipv4_addr . ipv4_addr . inet_service; "
	    "flags timeout; counter; }'");
	for (int i = 0; i < RUNS; i++) {
		double began = now_ms();

		apply(f, &less);
		quiet[i] = now_ms() - began;
		began = now_ms();
		apply(f, &w);
		one[i] = now_ms() - began;
		apply(f, &less);
		began = now_ms();
		run("nft add element inet bench s '{ 203.0.113.7 . 192.0.2.10 . 1433 timeout 1h }'");
		theirs[i] = now_ms() - began;
		run("nft flush set inet bench s");
	}
	printf("over %6zu elements: quiet pass %8.2f ms; one added, read back %8.2f ms; nft add element %.2f ms\n",
		n, median(quiet), median(one), median(theirs));
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
	bench_one(10);
	bench_one(1000);
	bench_one(30000);
	bench_fill(100);
	bench_fill(1000);
	bench_fill(10000);
	bench_fill(100000);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		printf("most memory of ours, at 100000 elements: %ld MB\n", usage.ru_maxrss / 1024);
	if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
		printf("most memory of nft: %ld MB\n", usage.ru_maxrss / 1024);
	return 0;
}
