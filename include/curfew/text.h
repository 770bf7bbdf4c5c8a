/* Texts: built piece by piece, and read character by character. */
#ifndef CURFEW_TEXT_H
#define CURFEW_TEXT_H

#include "curfew/base.h"

/* A text that grows while it is written: text_begin(), any writing to `to`, text_end(). */
struct text {
	FILE *to;
	char *bytes;
	size_t size;
};
/* NULL without memory: text_end() is then NULL too. */
FILE *text_begin(struct text *t);
/* The text, to be freed, with its length in t->size; NULL when some of it found no memory. */
char *text_end(struct text *t);
/* text_end() without a use for the text. */
void text_drop(struct text *t);
#define _cleanup_text_ _cleanup_(text_drop)

/* Writes what the placeholder behind a `%` stands for. The number of its characters that were read, or negative errno. */
typedef int (*placeholder_fn)(FILE *to, const char *at, void *context);
/* Copies a template, and calls `write` for each `%`. 0, or the first negative errno. */
int template_write(FILE *to, const char *template, placeholder_fn write, void *context);

/* Bytes of the character at a text's beginning, 0 at its end and where there is no valid UTF-8: shortest form only, no
 * surrogates. */
size_t utf8_decode(uint32_t *out, const char *text);
size_t utf8_encode(char out[4], uint32_t c);
bool utf8_is_valid(const char *text);

#endif
