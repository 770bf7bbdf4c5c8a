/* Constraints and indexes that stand against dropping a column (errors 5074 and 4922,
 * https://learn.microsoft.com/sql/t-sql/statements/alter-table-transact-sql) or a table to which a foreign key refers
 * (error 3726, https://learn.microsoft.com/sql/t-sql/statements/drop-table-transact-sql). */
#include "inventory/inventory_internal.h"

#include "curfew/sql.h"

static int table_order(const struct inventory_item *x, const struct inventory_item *y)
{
	int order = strcmp(x->server, y->server);

	if (!order)
		order = strcmp(x->database, y->database);
	return order ? order : (x->refers > y->refers) - (x->refers < y->refers);
}

static int dependent_order(const void *a, const void *b)
{
	const struct inventory_item *x = a, *y = b;
	size_t p = inventory_dependent_rank(x->type), q = inventory_dependent_rank(y->type);
	int order = table_order(x, y);

	if (!order)
		order = (p > q) - (p < q);
	if (!order)
		order = (x->parent > y->parent) - (x->parent < y->parent);
	return order ? order : strcmp(x->name, y->name);
}

void inventory_dependents_sort(struct inventory *v)
{
	if (v->n_dependents)
		qsort(v->dependents, v->n_dependents, sizeof(*v->dependents), dependent_order);
}

const char *inventory_dependents_unread(
	const struct inventory *v, const char *server, const char *database)
{
	const char *type;

	for (size_t k = 0; (type = inventory_dependent_type(k)); k++) {
		const struct inventory_coverage *c =
			inventory_coverage_of(v, server, database, type);
		if (!c || c->seen != ANSWER_YES)
			return type;
	}
	return NULL;
}

static int table_find(const void *dependent, const void *table)
{
	return table_order(dependent, table);
}

/* Calls `each` for what depends on the column, or on any column of the table, until it returns true. */
static bool dependents_each(struct dependents *d, const struct inventory_item *i,
	bool (*each)(FILE *to, struct dependents *d, size_t k), FILE *to)
{
	const struct inventory *v = d->v;
	bool column = streq(i->type, "column");
	struct inventory_item table = {
		.server = i->server, .database = i->database, .refers = column ? i->parent : i->id};
	size_t k = array_first(
		v->dependents, v->n_dependents, sizeof(*v->dependents), &table, table_find);

	for (; k < v->n_dependents && !table_order(&v->dependents[k], &table); k++) {
		/* A table goes with its own constraints; those of others that refer to it are theirs to lose. */
		bool wanted = column ? v->dependents[k].id == i->id
				     : v->dependents[k].parent == i->id &&
					       !streq(v->dependents[k].type, "index-column");
		if (wanted && each(to, d, k))
			return true;
	}
	return false;
}

static const struct inventory_item *table_of(
	const struct inventory *v, const struct inventory_item *dependent)
{
	return inventory_find(
		v, dependent->server, dependent->database, SPACE_OBJECT, dependent->parent, 0);
}

/* The index itself is in the inventory, where people may have decided to keep it. */
static const struct inventory_item *index_of(
	const struct inventory *v, const struct inventory_item *dependent)
{
	const struct inventory_item *table = table_of(v, dependent);
	struct text text;

	if (!table || !streq(dependent->type, "index-column") || !text_begin(&text))
		return NULL;
	fprintf(text.to, "%s.%s.%s", table->schema, table->name, dependent->name);
	_cleanup_free_ char *full = text_end(&text);
	return full ? inventory_called(v, dependent->server, dependent->database, "index", full)
		    : NULL;
}

static bool stays(FILE *to, struct dependents *d, size_t k)
{
	const struct inventory_item *i = &d->v->dependents[k], *table = table_of(d->v, i);
	const struct inventory_item *index = index_of(d->v, i);

	if (d->gone[k])
		return false;
	if (!table || !table->writable || !i->writable) {
		fputs("no statement can write the name of what depends on it; a DBA must review it",
			to);
		return true;
	}
	if (!index || inventory_is_to_go(index) ||
		(!index->decision && index->class != CLASS_PRODUCT &&
			index->class != CLASS_CHANGED))
		return false;
	fputs("an index that stays contains it", to);
	return true;
}

bool inventory_dependents_stay(
	FILE *to, const struct dependents *d, const struct inventory_item *column)
{
	struct dependents same = *d;
	const char *unread = inventory_dependents_unread(d->v, column->server, column->database);

	if (unread) {
		fprintf(to, "what depends on it was not read (%s)", unread);
		return true;
	}
	return dependents_each(&same, column, stays, to);
}

static bool is_index(const struct inventory_item *i)
{
	return streq(i->type, "index-column") || streq(i->type, "index");
}

/* One constraint or index depends on as many columns as it has. */
static bool mark(struct dependents *d, const struct inventory_item *i, uint64_t table)
{
	const struct inventory *v = d->v;
	bool already = false;

	for (size_t k = 0; k < v->n_dependents; k++) {
		const struct inventory_item *x = &v->dependents[k];
		if (x->parent != table || !streq(x->name, i->name) ||
			!streq(x->server, i->server) || !streq(x->database, i->database) ||
			is_index(x) != is_index(i))
			continue;
		already = already || d->gone[k];
		d->gone[k] = true;
	}
	return already;
}

static bool drop(FILE *to, struct dependents *d, size_t k)
{
	const struct inventory_item *i = &d->v->dependents[k], *table = table_of(d->v, i);
	bool index = streq(i->type, "index-column") && !inventory_has_fact(i->facts, "constraint");

	if (d->gone[k] || !table || !table->writable || !i->writable)
		return false;
	fputs(index ? "DROP INDEX " : "ALTER TABLE ", to);
	if (index) {
		sql_write_name(to, i->name);
		fputs(" ON ", to);
	}
	sql_write_name(to, table->schema);
	putc('.', to);
	sql_write_name(to, table->name);
	if (!index) {
		fputs(" DROP CONSTRAINT ", to);
		sql_write_name(to, i->name);
	}
	fputs(";\n", to);
	mark(d, i, i->parent);
	return false;
}

void inventory_dependents_write(FILE *to, struct dependents *d, const struct inventory_item *i)
{
	dependents_each(d, i, drop, to);
}

bool inventory_dependent_gone(struct dependents *d, const struct inventory_item *index)
{
	return mark(d, index, index->parent);
}
