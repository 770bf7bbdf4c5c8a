/* Text that came from outside, made harmless: for the journal, and for screens and pages. */
#ifndef PROGRAM_VISIBLE_TEXT_H
#define PROGRAM_VISIBLE_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "curfew/base.h"

#define TEXT_REPLACEMENT 0xfffdu /* stands for what is not UTF-8 */

/* The character at *p, which moves past it; TEXT_REPLACEMENT (and one byte) for what is not UTF-8; 0 at the end. */
uint32_t text_next(const char **p);
/* For keeping: valid UTF-8, and each control character but tab and newline replaced by its picture (U+2400...),
 * so that what was there can still be read and no terminal obeys it. NULL without memory. */
char *text_clean(const char *text);
/* For showing, on one line: tab and newline are pictures too, and marks that turn or hide the text around them
 * are spelled out ("<U+202E>"). NULL without memory. */
char *text_shown(const char *text);
/* One character of that; its length, without a terminator. */
#define TEXT_SHOWN_MAX 12 /* "<U+10FFFF>" */
size_t text_put_shown(char out[TEXT_SHOWN_MAX], uint32_t c);

/* One line of it: as printf(), with all that it makes shown harmlessly but a line feed that ends `format`. */
void text_printf(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(FILE *to, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* The same text for programs that read JSON: what a terminal would obey is escaped as JSON escapes it. */
void text_print_json(FILE *to, const char *json);

#endif
