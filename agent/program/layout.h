/* The positions of settings in the text of a configuration file, because libconfig keeps neither comments nor
 * columns. */
#ifndef PROGRAM_LAYOUT_H
#define PROGRAM_LAYOUT_H

#include "curfew/base.h"

/* A group, a list, or a scalar, with its position in bytes. */
struct layout {
	size_t begin, end; /* of the value */
	size_t name,
		name_size; /* of a setting; name_size 0: an element of a list, or the whole file */
	size_t whole, whole_end; /* name, value, and the semicolon or comma that ends the setting */
	char open;		 /* '{', '(', '[', or 0: a scalar */
	struct layout *items;
	size_t n;
};

/* The whole text as a group. 0, -ENOMEM, or -EINVAL if it is not like any file of Curfew. Free it on success. */
int layout_scan(struct layout *out, const char *text);
void layout_free(struct layout *l);

/* Finds "client.users.[1]" below it; "" is itself. NULL: none. */
const struct layout *layout_find(const struct layout *l, const char *text, const char *path);

/* Skips spaces, newlines, and comments, up to `end`. */
size_t layout_skip(const char *text, size_t at, size_t end);
/* Whether only spaces precede it on its line. */
bool layout_begins_line(const char *text, size_t at);
/* The end of the line of `at` (its newline, or the text's end) if only spaces and comments follow. SIZE_MAX if
 * anything else follows, or if a comment continues on the next line. */
size_t layout_line_end(const char *text, size_t at);

#endif
