/* Edit distance between two words. */
#include "program/suggest.h"

#include "program/names.h"

#include <string.h>

/* Longer than any setting, zone, or permission. Keeps the row on the stack. */
#define NEAREST_MAX 64

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t edit_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	size_t row[NEAREST_MAX + 1];

	if (na > NEAREST_MAX || nb > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			bool same = to_small(a[i - 1]) == to_small(b[j - 1]);
			size_t next = least(row[j] + 1, row[j - 1] + 1, diagonal + !same);

			diagonal = row[j];
			row[j] = next;
		}
	}
	return row[nb];
}

const char *nearest_word(const char *word, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t distance = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		size_t d = edit_distance(word, words[i]);

		if (d < distance) {
			distance = d;
			best = words[i];
		}
	}
	/* Up to a third of the letters may be wrong; more means another word. */
	return distance <= (strlen(word) + 2) / 3 ? best : NULL;
}
