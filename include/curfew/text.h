/* Builds texts piece by piece, and decodes UTF-8. */
#ifndef CURFEW_TEXT_H
#define CURFEW_TEXT_H

#include <stdarg.h>

#include "curfew/base.h"

/* A text of growing length: text_begin(), write to `to`, text_end(). */
struct text {
	FILE *to;
	char *bytes;
	size_t size;
};
/* NULL without memory; then text_end() returns NULL too. */
FILE *text_begin(struct text *t);
/* Returns the text, which the caller frees; its length is t->size. NULL if memory ran out. */
char *text_end(struct text *t);
/* Discards the text. */
void text_drop(struct text *t);
/* The formatted text, which the caller frees. NULL without memory. */
char *text_vformat(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
#define _cleanup_text_ _cleanup_(text_drop)

/* Writes the replacement of a placeholder; `at` is the text after its `%`. Returns the number of characters used, or
 * negative errno. */
typedef int (*placeholder_fn)(FILE *to, const char *at, void *context);
/* Copies a template and calls `write` for each `%`. 0, or the first negative errno. */
int template_write(FILE *to, const char *template, placeholder_fn write, void *context);

/* Number of bytes of the first character; 0 at the end of the text and for invalid UTF-8 (overlong forms, surrogates).
 * */
size_t utf8_decode(uint32_t *out, const char *text);
size_t utf8_encode(char out[4], uint32_t c);
bool utf8_is_valid(const char *text);

#endif
