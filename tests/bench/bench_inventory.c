/* The inventory of a large database, as the command makes it from the records of a worker: packed and unpacked as on the
 * worker's channel, joined, judged against a list of the product, and written in each form. Nothing is asked of a server.
 * Usage: bench_inventory [OBJECTS [FOLDER]]; with FOLDER the page and the table stay there, to be looked at. */
#include <sys/resource.h>

#include "curfew/inventory_report.h"
#include "curfew/report.h"

#define NOW	     INT64_C(1795860000)
#define COLUMNS_EACH 6

static uint8_t packed[RECORD_PACKED_MAX];
static struct record unpacked;
static size_t sent;

static void tell(struct inventory *v, struct record *r)
{
	RECORD_SET(r, server, "sql01");
	size_t n = record_pack(packed, r);
	if (record_unpack(&unpacked, packed, n) || inventory_take(v, &unpacked))
		exit(EXIT_FAILURE);
	sent++;
}

static void part(struct inventory *v, const char *database, const char *name, instant_t since)
{
	struct record r = {.kind = RECORD_COVERAGE};

	RECORD_SET(&r, database, database);
	RECORD_SET(&r, coverage.part, name);
	r.coverage.seen = ANSWER_YES;
	r.coverage.since = since;
	tell(v, &r);
}

static void item(struct inventory *v, const char *type, uint64_t id, uint64_t parent,
	const char *name, const char *hash)
{
	struct record r = {.kind = RECORD_ITEM};

	RECORD_SET(&r, database, "Acme");
	RECORD_SET(&r, item.type, type);
	RECORD_SET(&r, item.schema, streq(type, "column") ? "" : "dbo");
	RECORD_SET(&r, item.name, name);
	RECORD_SET(&r, item.hash, hash);
	r.item.id = id;
	r.item.parent = parent;
	r.item.writable = ANSWER_YES;
	r.item.created = NOW - 400 * DAY;
	tell(v, &r);
}

static void object(struct inventory *v, uint64_t i, const char *hash)
{
	static const char *const types[] = {"table", "procedure", "view", "function", "trigger"};
	const char *type = types[i % ARRAY_SIZE(types)];
	char name[64];

	snprintf(name, sizeof(name), "%s_%06u", type, (unsigned)i);
	item(v, type, i, 0, name, streq(type, "table") ? "" : hash);
	for (unsigned c = 0; c < COLUMNS_EACH && streq(type, "table"); c++) {
		snprintf(name, sizeof(name), "column_%u", c);
		item(v, "column", 0, i, name, "56 4");
	}
}

static void links(struct inventory *v, uint64_t i, uint64_t n)
{
	struct record use = {.kind = RECORD_USE}, reference = {.kind = RECORD_REFERENCE};

	RECORD_SET(&use, database, "Acme");
	RECORD_SET(&use, use.source, i % 5 ? "procedure-stats" : "index-usage");
	use.use.id = i;
	use.use.count = 1;
	use.use.last = NOW - (instant_t)(i % 200) * DAY;
	if (i % 3)
		tell(v, &use);
	RECORD_SET(&reference, database, "Acme");
	RECORD_SET(&reference, reference.how, "reference");
	reference.reference.from = i;
	for (uint64_t k = 1; k < 3; k++) {
		reference.reference.to = (i * 7 + k * 13) % n + 1;
		tell(v, &reference);
	}
}

/* Nine tenths are the product's own. */
static void read_all(struct inventory *v, uint64_t n, bool clean)
{
	static const char *const parts[] = {"object", "reference", "foreign-key", "index-usage",
		"query-store-use", "memory", "query-store", "counted-since", "one-replica",
		"whole"};
	static const char *const server_parts[] = {"server-start", "job", "job-step", "whole"};

	*v = (struct inventory){.at = NOW, .days = 90};
	inventory_expect(v, "sql01", "Acme", true);
	for (uint64_t i = 1; i <= n; i++)
		if (!clean || i % 10)
			object(v, i,
				"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF");
	for (uint64_t i = 1; i <= n && !clean; i++)
		links(v, i, n);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		part(v, "Acme", parts[i], NOW - 300 * DAY);
	for (size_t i = 0; i < ARRAY_SIZE(server_parts); i++)
		part(v, "", server_parts[i], NOW - 300 * DAY);
}

static int64_t began;

static void lap(const char *what)
{
	int64_t now = monotonic_ms();

	printf("  %-28s %6lld ms\n", what, (long long)(now - began));
	began = monotonic_ms();
}

static FILE *output(const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/dev", folder ? name : "null");
	FILE *to = fopen(path, "w");
	if (!to) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return to;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000;
	const char *folder = argc > 2 ? argv[2] : NULL;
	struct inventory clean, v;
	struct vendor vendor = {0};
	char why[RECORD_TEXT_MAX];
	struct text list;
	struct rusage usage;

	report_locale();
	read_all(&clean, n, true);
	if (inventory_finish(&clean, NULL) || !text_begin(&list) ||
		vendor_write(list.to, &clean, "2017"))
		return EXIT_FAILURE;
	inventory_free(&clean);
	char *text = text_end(&list);
	printf("%llu objects, a list of %zu KiB\n", (unsigned long long)n, list.size >> 10);
	began = monotonic_ms();
	if (vendor_add(&vendor, why, text, list.size))
		return EXIT_FAILURE;
	vendor_sort(&vendor);
	free(text);
	lap("list of the product read");
	sent = 0;
	read_all(&v, n, false);
	lap("records taken");
	if (inventory_finish(&v, &vendor))
		return EXIT_FAILURE;
	lap("joined, judged, ordered");
	const struct inventory_report r = {
		.inventory = &v, .vendor = &vendor, .client = "acme", .zone = "UTC"};
	FILE *html = output(folder, "inventory.html"), *csv = output(folder, "inventory.csv"),
	     *script = output(folder, "drop.sql");
	int rc = inventory_html(&r, html);
	lap("page");
	rc |= inventory_print_csv(&r, csv);
	lap("CSV");
	rc |= inventory_drop_script(script, &v);
	lap("T-SQL");
	rc |= fclose(html) | fclose(csv) | fclose(script);
	size_t custom = 0;
	for (size_t i = 0; i < v.n; i++)
		custom += inventory_is_custom(&v.items[i]);
	getrusage(RUSAGE_SELF, &usage);
	printf("  %zu records, %zu items, %zu custom, %zu references, %zu cycles; %ld MiB at most\n",
		sent, v.n, custom, v.n_edges, v.cycles, usage.ru_maxrss >> 10);
	inventory_free(&v);
	vendor_free(&vendor);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
