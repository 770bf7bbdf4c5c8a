/* Writes T-SQL for the client's own people to drop objects. Curfew itself drops nothing. */
#include "inventory/inventory_internal.h"

#include <errno.h>

#include "curfew/sql.h"

static void two_part_write(FILE *to, const struct inventory_item *i)
{
	sql_write_name(to, i->schema);
	putc('.', to);
	sql_write_name(to, i->name);
}

static bool part_write(FILE *to, const struct inventory_item *i)
{
	if (!i->on || !i->on->writable)
		return false;
	if (streq(i->type, "column")) {
		fputs("ALTER TABLE ", to);
		two_part_write(to, i->on);
		fputs(" DROP COLUMN ", to);
		sql_write_name(to, i->name);
	} else if (inventory_has_fact(i->facts, "constraint")) {
		fputs("ALTER TABLE ", to);
		two_part_write(to, i->on);
		fputs(" DROP CONSTRAINT ", to);
		sql_write_name(to, i->name);
	} else {
		fputs("DROP INDEX ", to);
		sql_write_name(to, i->name);
		fputs(" ON ", to);
		two_part_write(to, i->on);
	}
	fputs(";\n", to);
	return true;
}

bool inventory_drop_write(FILE *to, const struct inventory_item *i)
{
	static const struct {
		const char *type, *start, *end;
		bool one_part; /* its name has no schema */
	} forms[] = {{"table", "DROP TABLE ", ""}, {"view", "DROP VIEW ", ""},
		{"procedure", "DROP PROCEDURE ", ""}, {"function", "DROP FUNCTION ", ""},
		{"trigger", "DROP TRIGGER ", ""},
		{"ddl-trigger", "DROP TRIGGER ", " ON DATABASE", true},
		{"sequence", "DROP SEQUENCE ", ""}, {"synonym", "DROP SYNONYM ", ""},
		{"type", "DROP TYPE ", ""}, {"aggregate", "DROP AGGREGATE ", ""},
		{"queue", "DROP QUEUE ", ""}, {"assembly", "DROP ASSEMBLY ", "", true}};

	if (!i->writable)
		return false;
	if (streq(i->type, "column") || streq(i->type, "index"))
		return part_write(to, i);
	if (streq(i->type, "job") || streq(i->type, "linked-server")) {
		fputs(streq(i->type, "job") ? "EXEC msdb.dbo.sp_delete_job @job_name = "
					    : "EXEC sys.sp_dropserver @server = ",
			to);
		sql_write_string(to, i->name);
		fputs(";\n", to);
		return true;
	}
	for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
		if (!streq(i->type, forms[k].type))
			continue;
		fputs(forms[k].start, to);
		if (forms[k].one_part)
			sql_write_name(to, i->name);
		else
			two_part_write(to, i);
		fprintf(to, "%s;\n", forms[k].end);
		return true;
	}
	return false;
}

/* A name must not end the comment's line. */
static void comment_write(FILE *to, const char *text)
{
	for (; *text; text++)
		putc((unsigned char)*text < ' ' ? ' ' : *text, to);
}

/* Objects to drop: red, or decided so; never those to keep or to replace. A changed object of the product is
 * restored, not dropped. */
static bool is_to_go(const struct inventory_item *i)
{
	bool wanted = i->decision ? streq(i->decision, "drop") : i->color == COLOR_RED;

	return wanted && i->class != CLASS_CHANGED && i->class != CLASS_PRODUCT && *i->database;
}

struct dropping {
	const struct inventory *v;
	size_t *items;
	size_t n;
	bool *ready;
};

static int round_order(const void *a, const void *b, void *items)
{
	const struct inventory_item *all = items;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (all[x].round != all[y].round)
		return all[x].round < all[y].round ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Returns an object that refers to this one and stays, or NULL. Edges are sorted by what they refer to. */
static const struct inventory_item *keeper_of(const struct dropping *d, size_t item)
{
	const struct inventory *v = d->v;
	size_t low = 0, high = v->n_edges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (v->edges[middle].to < item)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < v->n_edges && v->edges[low].to == item; low++) {
		const struct inventory_item *from = &v->items[v->edges[low].from];
		bool together =
			from->cycle && from->cycle == v->items[item].cycle && is_to_go(from);
		if (from->on != &v->items[item] && !together && !d->ready[v->edges[low].from])
			return from;
	}
	return NULL;
}

static void item_write(
	FILE *to, const struct inventory_item *i, const struct inventory_item *keeper)
{
	fprintf(to, "-- %s ", i->type);
	comment_write(to, i->full);
	fputs(": ", to);
	comment_write(to, i->decision ? "decided to drop" : i->reason);
	if (i->cycle)
		fprintf(to, "; cycle %zu: these objects refer to each other", i->cycle);
	fputs("\n", to);
	if (keeper) {
		fprintf(to, "-- not yet: %s ", keeper->type);
		comment_write(to, keeper->full);
		fputs(" refers to it, and stays\n", to);
	} else if (!inventory_drop_write(to, i)) {
		fputs("-- no statement can write this name or type; a DBA must review it\n", to);
	}
}

static void items_write(FILE *to, struct dropping *d)
{
	const struct inventory_item *before = NULL;

	for (size_t k = 0; k < d->n; k++) {
		size_t i = d->items[k];
		const struct inventory_item *t = &d->v->items[i];
		const struct inventory_item *keeper = keeper_of(d, i);
		d->ready[i] = !keeper;
		if (!before || before->round != t->round)
			fprintf(to, "\n-- Round %zu\n", t->round);
		if (!before || before->database != t->database || before->server != t->server) {
			fputs("USE ", to);
			sql_write_name(to, t->database);
			fputs(";\n", to);
		}
		item_write(to, t, keeper);
		before = t;
	}
}

int inventory_drop_script(FILE *to, const struct inventory *v)
{
	_cleanup_free_ size_t *items = calloc(v->n + 1, sizeof(*items));
	_cleanup_free_ bool *ready = calloc(v->n + 1, sizeof(*ready));
	struct dropping d = {.v = v, .items = items, .ready = ready};

	if (!items || !ready)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		if (is_to_go(&v->items[i]))
			items[d.n++] = i;
	if (d.n)
		qsort_r(items, d.n, sizeof(*items), round_order, v->items);
	fputs("-- For review, then to be run by the client's own people, round by round. Curfew itself drops nothing.\n"
	      "-- Listed is what was decided to be dropped, and what is red without a decision. Red means: not seen in use for\n"
	      "-- long enough, and nothing that the server knows of refers to it. Applications and dynamic SQL are not seen: ask\n"
	      "-- who owns each before it goes.\n",
		to);
	items_write(to, &d);
	return ferror(to) ? -EIO : 0;
}
