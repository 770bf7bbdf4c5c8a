/* Escapes text from outside, for the journal, terminals, and HTML. */
#ifndef PROGRAM_VISIBLE_TEXT_H
#define PROGRAM_VISIBLE_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "curfew/base.h"

#define TEXT_REPLACEMENT 0xfffdu /* replaces invalid UTF-8 */

/* Returns the character at *p and moves past it. TEXT_REPLACEMENT (for one byte) if the text is not UTF-8; 0 at the
 * end. */
uint32_t text_next(const char **p);
/* For storage: valid UTF-8, with control characters except tab and newline replaced by their pictures (U+2400...), so
 * that the content stays readable and cannot control a terminal. NULL without memory. */
char *text_clean(const char *text);
/* For display on one line: also replaces tab and newline, and writes marks that reverse or hide text as "<U+202E>".
 * NULL without memory. */
char *text_shown(const char *text);
/* One character of that text. Returns its length, without a terminator. */
#define TEXT_SHOWN_MAX 12 /* "<U+10FFFF>" */
size_t text_put_shown(char out[TEXT_SHOWN_MAX], uint32_t c);

/* Prints one line: like printf(), with its output escaped as in text_shown(), except for a line feed at the end of
 * `format`. */
void text_printf(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(FILE *to, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Prints JSON with characters that a terminal would interpret as JSON escapes. */
void text_print_json(FILE *to, const char *json);

#endif
