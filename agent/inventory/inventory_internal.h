/* Used only by inventory/: what one file leaves for the next. */
#ifndef CURFEW_INVENTORY_INTERNAL_H
#define CURFEW_INVENTORY_INTERNAL_H

#include "curfew/inventory.h"

/* A reference by name, until its target is known. */
struct inventory_named {
	const char *how, *server, *database; /* where it was read */
	const char *to_server, *to_database, *to_schema, *to_name;
	const char *facts;
	uint64_t from, to;
};

/* When something was seen in use, or how large it is. */
struct inventory_use {
	const char *server, *database, *source;
	uint64_t id, index, count;
	instant_t last, written;
	uint64_t rows, bytes;
};

/* A text that lives as long as the inventory; NULL without memory. Texts like the last one of that place are kept once. */
const char *inventory_text(struct inventory *v, const char *text);

/* inventory_find.c: names, orders, and who is where. The server numbers objects, types, and assemblies apart. */
enum inventory_space { SPACE_OBJECT, SPACE_TYPE, SPACE_ASSEMBLY, SPACE_OTHER };
/* Sorts, gives full names, drops what was reported twice, and makes both orders. 0 or -ENOMEM. */
int inventory_sort(struct inventory *v);
/* By the server's number; `owner` only for an index. NULL: not there. */
struct inventory_item *inventory_find(const struct inventory *v, const char *server,
	const char *database, enum inventory_space space, uint64_t id, uint64_t owner);
/* By its full name, with case. NULL: not there. */
struct inventory_item *inventory_called(const struct inventory *v, const char *server,
	const char *database, const char *type, const char *full);
/* Calls `each` for every object of that name on the server; `database` and `schema` "": any. Compares without case. */
typedef int (*inventory_fn)(void *context, size_t item);
int inventory_named_each(const struct inventory *v, const char *server, const char *database,
	const char *schema, const char *name, inventory_fn each, void *context);
/* inventory_use.c: sizes, and when something was seen. */
void inventory_use(struct inventory *v);
/* inventory_link.c: references become edges. 0 or -ENOMEM. */
int inventory_link(struct inventory *v);
/* inventory_class.c: whose things are. */
void inventory_classify(struct inventory *v, const struct vendor *vendor);
/* inventory_risk.c: from facts and edges. */
void inventory_risks(struct inventory *v);
/* inventory_color.c. 0 or -ENOMEM. */
int inventory_colors(struct inventory *v);
/* inventory_order.c. 0 or -ENOMEM. */
int inventory_order(struct inventory *v);

/* Those of that type and name, of every list; compares names without case. */
const struct vendor_item *vendor_find(
	size_t *n, const struct vendor *v, const char *type, const char *name);

bool inventory_has_fact(const char *facts, const char *word);

#endif
