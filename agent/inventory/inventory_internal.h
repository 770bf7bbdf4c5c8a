/* Private to inventory/: the steps that complete an inventory, in order. */
#ifndef CURFEW_INVENTORY_INTERNAL_H
#define CURFEW_INVENTORY_INTERNAL_H

#include "curfew/inventory.h"

/* A reference by name whose target is not known yet. */
struct inventory_named {
	const char *how, *server, *database; /* where the reference was read */
	const char *to_server, *to_database, *to_schema, *to_name;
	const char *facts;
	uint64_t from, to;
};

/* When an object was seen in use, or its size. */
struct inventory_use {
	const char *server, *database, *source;
	uint64_t id, index, count;
	instant_t last, written;
	uint64_t rows, bytes;
};

/* A text that lives as long as the inventory; NULL without memory. Equal texts in a row are stored once. */
const char *inventory_text(struct inventory *v, const char *text);

/* inventory_find.c: names, sorted orders, and lookup. The server numbers objects, types, and assemblies separately, and
 * the columns and indexes of each table. */
enum inventory_space { SPACE_OBJECT, SPACE_TYPE, SPACE_ASSEMBLY, SPACE_COLUMN, SPACE_OTHER };
/* Sorts the items, sets full names, drops duplicates, and builds both orders. 0 or -ENOMEM. */
int inventory_sort(struct inventory *v);
/* By the server's number; `owner` only for a column or an index. NULL: none. */
struct inventory_item *inventory_find(const struct inventory *v, const char *server,
	const char *database, enum inventory_space space, uint64_t id, uint64_t owner);
/* By full name, case-sensitive. NULL: none. */
struct inventory_item *inventory_called(const struct inventory *v, const char *server,
	const char *database, const char *type, const char *full);
#define LINKED_SERVER "linked-server"
/* Ignores case. NULL: none. */
struct inventory_item *inventory_linked_server(
	const struct inventory *v, const char *server, const char *name);
/* Calls `each` for every object of that name on the server; `database` or `schema` "": any. Ignores case. */
typedef int (*inventory_fn)(void *context, size_t item);
int inventory_named_each(const struct inventory *v, const char *server, const char *database,
	const char *schema, const char *name, inventory_fn each, void *context);
/* inventory_use.c: sizes, and when objects were seen in use. */
void inventory_use_join(struct inventory *v);
/* inventory_watch.c: since when use of the item would have been seen, by the server or by earlier readings; `since` 0, with
 * `why`: it might not have been. */
enum inventory_part { PART_COUNTERS, PART_STORE };
#define INVENTORY_PARTS (PART_STORE + 1)
/* Gives the parts their names, under which their watches are kept. `vendor` may be NULL. */
void inventory_parts_name(struct inventory *v, const struct vendor *vendor);
/* NULL: nothing is kept. */
const struct sample_watch *inventory_part_kept(const struct inventory *v, const char *server,
	const char *database, enum inventory_part part);
struct sample_watch inventory_part_watch(const char **why, const struct inventory *v,
	const char *server, const char *database, enum inventory_part part);
struct sample_watch inventory_watch(
	const char **why, const struct inventory *v, const struct inventory_item *i);
/* inventory_sample.c: what earlier readings saw, and people's decisions. */
void inventory_recall(struct inventory *v);
/* inventory_link.c: turns references into edges. 0 or -ENOMEM. */
int inventory_link(struct inventory *v);
/* inventory_place.c: to which database a job or a linked server belongs. */
void inventory_places(struct inventory *v);
/* inventory_class.c: the product's or the client's. */
void inventory_classify(struct inventory *v, const struct vendor *vendor);
/* inventory_risk.c: cloud risks, from facts and edges. */
void inventory_risks(struct inventory *v);
/* inventory_color.c. 0 or -ENOMEM. */
int inventory_colors(struct inventory *v);
/* inventory_order.c. 0 or -ENOMEM. */
int inventory_order(struct inventory *v);

/* inventory_dependent_type.c: constraints and indexes that SQL Server does not let a column or a table be dropped with. */
const char *inventory_dependent_type(size_t rank); /* NULL: no more of them */
size_t inventory_dependent_rank(const char *type);
bool inventory_is_dependent(const char *type);
/* inventory_dependent.c */
void inventory_dependents_sort(struct inventory *v);
/* What drop scripts write of them. */
struct dependents {
	const struct inventory *v;
	bool *gone; /* of each: dropped by the script so far */
};
/* A part without which they are not known; NULL: all were read. */
const char *inventory_dependents_unread(
	const struct inventory *v, const char *server, const char *database);
/* Of the column: why it cannot go. False: nothing is against it. */
bool inventory_dependents_stay(
	FILE *to, const struct dependents *d, const struct inventory_item *column);
/* Drops what depends on the column, or on any column of the table that goes with others that refer to it. */
void inventory_dependents_write(FILE *to, struct dependents *d, const struct inventory_item *i);
/* The index, or the constraint behind it, is dropped; true: that was already so. */
bool inventory_dependent_gone(struct dependents *d, const struct inventory_item *index);
/* "drop", "keep", or by color; see inventory_color.c. */
bool inventory_is_to_go(const struct inventory_item *i);

/* Entries of that type and name in all lists; ignores case. */
const struct vendor_item *vendor_find(
	size_t *n, const struct vendor *v, const char *type, const char *name);

bool inventory_has_fact(const char *facts, const char *word);

#endif
