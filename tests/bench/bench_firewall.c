/* Our transactions side by side with `nft -f`, in one run on one machine: the ratios are what counts. `nft -f` loads
 * the people of twenty servers once into the same sets as ours, and once into one set of source, server, and port,
 * which is what a script by hand has. Everything happens in a network namespace of this process; needs root. */
#include <malloc.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../firewall/table.h"
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
		char comment[64];

		a->source = (struct source){
			AF_INET, {100, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 32};
		a->endpoint = guards[i * SERVERS / n].endpoint;
		a->until = (instant_t)time(NULL) + 86400;
		snprintf(comment, sizeof(comment), "client%zu/client%zu.first.last", i / 3, i / 3);
		a->comment = pool_text(&w.texts, comment);
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

/* The same elements as text, in a set for each server. */
static void write_sets(FILE *to, const struct allowlist *w)
{
	const struct endpoint *last = NULL;

	for (unsigned server = 0; server < SERVERS; server++)
		fprintf(to,
			"add set inet bench %s.allow4_32 { type ipv4_addr; flags timeout; timeout 1m; counter; }\n",
			names[server]);
	for (size_t i = 0; i < w->n_allows; i++) {
		const struct allow *a = &w->allows[i];
		char source[SOURCE_TEXT_MAX];

		if (!last || endpoint_compare(last, &a->endpoint) != 0)
			fprintf(to, "%sadd element inet bench %s.allow4_32 {\n", last ? "}\n" : "",
				names[a->endpoint.addr[3] - 10]);
		last = &a->endpoint;
		fprintf(to, "%s timeout 86400s comment \"%s\",\n",
			source_format(source, &a->source), a->comment);
	}
	fputs("}\n", to);
}

/* In one set, as a script by hand has it. */
static void write_one_set(FILE *to, const struct allowlist *w)
{
	fputs("add set inet bench allow { type ipv4_addr . ipv4_addr . inet_service; flags timeout; timeout 1m; counter; }\n"
	      "add element inet bench allow {\n",
		to);
	for (size_t i = 0; i < w->n_allows; i++) {
		const struct allow *a = &w->allows[i];
		char source[SOURCE_TEXT_MAX];

		fprintf(to, "%s . 192.0.2.%u . %u timeout 86400s comment \"%s\",\n",
			source_format(source, &a->source), a->endpoint.addr[3], a->endpoint.port,
			a->comment);
	}
	fputs("}\n", to);
}

struct nft {
	const char *called;
	void (*write)(FILE *to, const struct allowlist *w);
	char path[64];
	double took[RUNS], cpu[RUNS];
};

static void nft_make(struct nft *n, const struct allowlist *w, const char *suffix)
{
	FILE *to;

	snprintf(n->path, sizeof(n->path), "/tmp/curfew-bench-%ld-%s.nft", (long)getpid(), suffix);
	to = fopen(n->path, "we");
	if (!to)
		die(n->path);
	fputs("add table inet bench\n", to);
	n->write(to, w);
	fclose(to);
}

static void nft_run(struct nft *n, int i)
{
	double began = now_ms(), cpu = cpu_ms(RUSAGE_CHILDREN);
	char command[128];

	snprintf(command, sizeof(command), "nft -f %s", n->path);
	run(command);
	n->took[i] = now_ms() - began;
	n->cpu[i] = cpu_ms(RUSAGE_CHILDREN) - cpu;
	run("nft delete table inet bench");
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
	struct nft nfts[] = {{.called = "in the same sets", .write = write_sets},
		{.called = "in one set", .write = write_one_set}};
	long before = 0, most = 0;
	double ours[RUNS], ours_cpu[RUNS];

	none.n_allows = 0;
	nft_make(&nfts[0], &w, "sets");
	nft_make(&nfts[1], &w, "one");
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
		for (size_t k = 0; k < ARRAY_SIZE(nfts); k++)
			nft_run(&nfts[k], i);
	}
	free(w.allows);
	pool_free(&w.texts);
	printf("add %6zu elements: observe, commit, read back %8.1f ms (CPU %.1f); memory %.1f MB beside the list\n",
		n, median(ours), median(ours_cpu), (double)most / 1024);
	for (size_t k = 0; k < ARRAY_SIZE(nfts); k++) {
		printf("    to nft -f %-16s %8.1f ms (CPU %.1f): ratio %.2f, CPU %.2f\n",
			nfts[k].called, median(nfts[k].took), median(nfts[k].cpu),
			median(ours) / median(nfts[k].took),
			median(ours_cpu) / median(nfts[k].cpu));
		unlink(nfts[k].path);
	}
}

/* A pass over a table of n: one with the list as it was, one that compares it and finds nothing to do, and one that adds a
 * single element. */
static void bench_one(size_t n)
{
	struct allowlist w = list_make(n + 1), less = w, again;
	double quiet[RUNS], compared[RUNS], one[RUNS], theirs[RUNS], one_cpu[RUNS];
	struct firewall *f;

	less.n_allows = n;
	again = less;
	again.number = 1;
	if (firewall_open(&f, &SETTINGS) != 0)
		die("cannot open the packet filter: needs root");
	apply(f, &less);
	run("nft 'add table inet bench; add set inet bench s { type ipv4_addr . ipv4_addr . inet_service; "
	    "flags timeout; counter; }'");
	for (int i = 0; i < RUNS; i++) {
		double began, cpu;

		apply(f, &again);
		began = now_ms();
		apply(f, &again);
		quiet[i] = now_ms() - began;
		began = now_ms();
		apply(f, &less);
		compared[i] = now_ms() - began;
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
	printf("over %6zu elements: the same list again %6.3f ms, compared %6.2f ms; one added, read back %6.2f ms "
	       "(CPU %.2f); nft add element %.2f ms\n",
		n, median(quiet), median(compared), median(one), median(one_cpu), median(theirs));
	if (firewall_remove(f) != 0)
		die("cannot remove the table");
	firewall_close(f);
	run("nft delete table inet bench");
	free(w.allows);
	pool_free(&w.texts);
}

int main(void)
{
	struct rusage usage;

	if (unshare(CLONE_NEWNET) < 0)
		die("needs root, for a network namespace of its own");
	mallopt(M_MMAP_THRESHOLD, 1 << 20); /* as the firewall process */
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
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
