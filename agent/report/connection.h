/* How a person connects: what is typed into which field. */
#ifndef REPORT_CONNECTION_H
#define REPORT_CONNECTION_H

#include "curfew/schedule.h"

/* `hooks`: where users' packets are filtered, since behind a gateway they carry another address than people type. */
void connection_print(const struct server *s, const struct user *u, const struct grants *g,
	unsigned hooks, FILE *to);
struct json_t *connection_json(
	const struct server *s, const struct user *u, const struct grants *g);

#endif
