/* "Did you mean ...": the known word that is most similar to a given one. */
#ifndef PROGRAM_NEAREST_H
#define PROGRAM_NEAREST_H

#include "curfew/base.h"

/* Number of characters to insert, delete, or replace; ignores case. SIZE_MAX for long texts. */
size_t edit_distance(const char *a, const char *b);
/* NULL if none is similar enough. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

#endif
