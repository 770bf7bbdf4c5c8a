/* A plan, or what was done, as a person reads it: by client, why and what. */
#ifndef CURFEW_COMMANDS_PLAN_TEXT_H
#define CURFEW_COMMANDS_PLAN_TEXT_H

#include "curfew/record.h"

/* PLAN, OUTCOME and NOTE records and SERVER records that need a word; failed outcomes are marked. */
/* Not tried, because something before it failed. */
bool outcome_is_skipped(const struct record *r);
/* Setting up new roles is one line, unless `verbose`. */
void plan_print(const struct record *items, size_t n, bool verbose, FILE *to);

#endif
