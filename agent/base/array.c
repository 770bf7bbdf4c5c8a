/* Lists: sorting, not inline, since clang's analyzer takes a list whose loop it sees not taken for one never filled. */
#include <curfew/base.h>

void array_sort(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	const char *at = items;

	for (size_t i = 1; i < n; i++, at += size)
		if (compare(at, at + size) > 0) {
			qsort(items, n, size, compare);
			return;
		}
}
