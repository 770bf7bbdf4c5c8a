/* Where things stand in the text of a configuration file: libconfig keeps neither comments nor columns. */
#ifndef PROGRAM_LAYOUT_H
#define PROGRAM_LAYOUT_H

#include "curfew/base.h"

/* A group, a list, or a scalar, with its place in the text, in bytes. */
struct layout {
	size_t begin, end; /* of the value */
	size_t name,
		name_size; /* of a setting; name_size 0: an element of a list, or the file itself */
	size_t whole, whole_end; /* name, value, and the semicolon or comma that ends a setting */
	char open;		 /* '{', '(', '[', or 0: a scalar */
	struct layout *items;
	size_t n;
};

/* The whole text is a group. 0, -ENOMEM, or -EINVAL for what no file of ours looks like. To be freed on success. */
int layout_scan(struct layout *out, const char *text);
void layout_free(struct layout *l);

/* "client.users.[1]" below it; "" is itself. NULL: there is none. */
const struct layout *layout_find(const struct layout *l, const char *text, const char *path);

/* Past blanks, newlines and comments, but not beyond `end`. */
size_t layout_skip(const char *text, size_t at, size_t end);
/* Whether nothing but blanks stands before it on its line. */
bool layout_begins_line(const char *text, size_t at);
/* Where the line ends on which `at` stands, past blanks and comments alone: at its newline or at the text's end.
 * SIZE_MAX: something else follows, or a comment goes on in the next line. */
size_t layout_line_end(const char *text, size_t at);

#endif
