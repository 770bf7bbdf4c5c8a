/* Inside the model of a server: what its parts share. Not for tests. */
#ifndef TESTS_ACCESS_MODEL_INTERNAL_H
#define TESTS_ACCESS_MODEL_INTERNAL_H

#include <string.h>
#include <strings.h>

#include "model.h"

/* Item i leaves the array; what it owns is the caller's to free. */
#define CUT(items, n, i)                                                                           \
	(memmove(&(items)[i], &(items)[(i) + 1], ((n) - (i)-1) * sizeof(*(items))), (n)--)

static inline bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcasecmp(a, b));
}

/* model.c */
struct observed_user *user_find(const struct observed_database *d, const char *name);
bool permission_same_target(const struct permission *a, const struct permission *b);
/* One row for a right, a target, a grantee and a grantor: GRANT and DENY replace each other. */
void permission_put(struct observed_database *d, const struct permission *p);

/* model_can.c */
unsigned fixed_role_can(const char *role); /* 0: no role of that name */

#endif
