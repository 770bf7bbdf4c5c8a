/* The types of what has to be dropped before a column or a table can be. */
#include "inventory/inventory_internal.h"

/* In the order in which they can be dropped: a key of a table cannot go before the foreign keys that refer to it. */
static const char *const types[] = {
	"foreign-key-target", "foreign-key-column", "check", "default", "index-column"};

const char *inventory_dependent_type(size_t rank)
{
	return rank < ARRAY_SIZE(types) ? types[rank] : NULL;
}

size_t inventory_dependent_rank(const char *type)
{
	size_t rank = 0;

	while (rank < ARRAY_SIZE(types) && !streq(types[rank], type))
		rank++;
	return rank;
}

bool inventory_is_dependent(const char *type)
{
	return inventory_dependent_rank(type) < ARRAY_SIZE(types);
}
