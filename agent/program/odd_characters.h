/* Characters that look like others or like nothing, and that an editor or a mail program puts in place of plain ones. */
#ifndef PROGRAM_ODD_CHARACTERS_H
#define PROGRAM_ODD_CHARACTERS_H

#include "curfew/base.h"

struct odd_character {
	uint32_t code;
	const char *name, *instead; /* "use a plain space" */
	bool in_names; /* belongs into some people's names, as a curly apostrophe does */
};
/* The first one in `size` bytes of a text, or NULL. */
const struct odd_character *odd_character_find(const char *text, size_t size);

/* Where a setting is written twice in one group: the first two of the file. */
struct duplicate {
	const char *name; /* within the text */
	size_t length;
	int first, second; /* lines */
};
bool duplicate_find(struct duplicate *out, const char *text);

#endif
