/* Prints a plan or its result for people: by client, with reasons. */
#ifndef CURFEW_COMMANDS_PLAN_TEXT_H
#define CURFEW_COMMANDS_PLAN_TEXT_H

#include "curfew/record.h"

/* Skipped because an earlier change failed. */
bool outcome_is_skipped(const struct record *r);
/* It was tried, and the server refused it. */
bool outcome_is_failed(const struct record *r);
/* Prints plans, outcomes (failed ones marked), notes, and servers with a problem. The setup of new roles is one line,
 * unless `verbose`. */
void plan_print(const struct record *items, size_t n, bool verbose, FILE *to);

#endif
