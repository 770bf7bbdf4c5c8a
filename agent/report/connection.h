/* How a user connects: what to type into which field. */
#ifndef REPORT_CONNECTION_H
#define REPORT_CONNECTION_H

#include "curfew/schedule.h"

/* `hooks`: where users' packets are filtered. Behind a gateway they have a different address than the one that users
 * type. */
void connection_print(const struct server *s, const struct user *u, const struct grants *g,
	unsigned hooks, FILE *to);
struct json_t *connection_json(
	const struct server *s, const struct user *u, const struct grants *g);

#endif
