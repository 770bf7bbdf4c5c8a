/* Who loses access before its end, because it could not be verified: first in a plan, and in what came of it. */
#ifndef CURFEW_COMMANDS_PLAN_SHUT_H
#define CURFEW_COMMANDS_PLAN_SHUT_H

#include "curfew/record.h"

/* `applied`: it has happened. Prints nothing if it concerns nobody. */
void plan_shut_print(const struct record *items, size_t n, bool applied, FILE *to);
/* An array; NULL without memory. */
struct json_t *plan_shut_json(const struct record *items, size_t n);

#endif
