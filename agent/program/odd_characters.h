/* Characters that look like others or are invisible, and that an editor or mail program puts in place of plain ones. */
#ifndef PROGRAM_ODD_CHARACTERS_H
#define PROGRAM_ODD_CHARACTERS_H

#include "curfew/base.h"

struct odd_character {
	uint32_t code;
	const char *name, *instead; /* "use a plain space" */
	bool in_names;		    /* legitimate in some names, as a curly apostrophe is */
};
/* The first such character in `size` bytes of a text, or NULL. */
const struct odd_character *odd_character_find(const char *text, size_t size);

/* A setting that occurs twice in one group: the first such pair of the file. */
struct duplicate {
	const char *name; /* points into the text */
	size_t length;
	int first, second; /* lines */
};
bool duplicate_find(struct duplicate *out, const char *text);

#endif
