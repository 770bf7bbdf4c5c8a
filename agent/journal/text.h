/* Text that came from outside: UTF-8 read step by step, and made harmless for a person's screen. */
#ifndef JOURNAL_TEXT_H
#define JOURNAL_TEXT_H

#include "curfew/base.h"

#define TEXT_REPLACEMENT 0xfffdu /* stands for what is not UTF-8 */

/* The character at *p, which moves past it; TEXT_REPLACEMENT (and one byte) for what is not UTF-8. 0 at the end. */
uint32_t text_next(const char **p);
/* Writes a character as UTF-8 and returns its length, 1 to 4. */
size_t text_put(char out[4], uint32_t c);
/* C0, DEL and C1: a terminal obeys them. */
bool text_is_control(uint32_t c);
/* Invisible marks that turn or hide the text around them (bidirectional embeddings, overrides, isolates). */
bool text_is_direction(uint32_t c);
/* A picture of a control character (U+2400...); the replacement for those that have none. */
uint32_t text_picture(uint32_t c);
/* A copy that is valid UTF-8 and holds no control character but tab and newline: each is replaced by its
 * picture, so that it can still be read what was there. NULL without memory. */
char *text_clean(const char *text);

#endif
