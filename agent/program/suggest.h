/* "Did you mean ...": the known word that is spelt most like a given one. */
#ifndef PROGRAM_NEAREST_H
#define PROGRAM_NEAREST_H

#include "curfew/base.h"

/* Single characters to add, drop or replace; letter case counts for nothing. SIZE_MAX for long texts. */
size_t edit_distance(const char *a, const char *b);
/* NULL when none is near enough to be meant. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

#endif
