/* Used by every module: times, cleanup attributes, limits of names. */
#ifndef CURFEW_BASE_H
#define CURFEW_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds since 1970-01-01T00:00:00Z, as time_t, but 64 bits everywhere. */
typedef int64_t instant_t;

/* SQL Server's sysname: 128 UTF-16 units, each at most 3 bytes in UTF-8. */
#define MAX_NAME_CHARS 128
#define MAX_NAME_BYTES (MAX_NAME_CHARS * 3)

/* The last second of the year 9999. Later times are mistakes. */
#define INSTANT_LAST INT64_C(253402300799)

/* A day of 24 hours, in seconds. A day of a local calendar may be longer or shorter. */
#define DAY ((instant_t)86400)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static inline bool begins_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}
static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool number_is_among(int number, const int *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* Room for one more item behind n, doubled at powers of two. NULL without memory; the items are then unchanged. */
static inline void *array_grown(void *items, size_t n, size_t size)
{
	return n & (n - 1) ? items : reallocarray(items, n ? 2 * n : 1, size);
}

/* A list is a pointer and a count. Its new last item, all zeros; NULL without memory, and the list is then unchanged. */
#define ARRAY_MORE(items, n)                                                                       \
	({                                                                                         \
		__typeof__(items) more_ = array_grown((items), (n), sizeof(*(items)));             \
		if (more_) {                                                                       \
			(items) = more_;                                                           \
			more_ = memset(&more_[(n)++], 0, sizeof(*more_));                          \
		}                                                                                  \
		more_;                                                                             \
	})

/* Keeps a copy as the last item, which may be of the list itself. 0, or -ENOMEM: the list is then unchanged. */
#define ARRAY_ADD(items, n, ...)                                                                   \
	({                                                                                         \
		const __typeof__(*(items)) item_ = (__VA_ARGS__);                                  \
		__typeof__(items) to_ = ARRAY_MORE(items, n);                                      \
		if (to_)                                                                           \
			*to_ = item_;                                                              \
		to_ ? 0 : -ENOMEM;                                                                 \
	})

/* Sorts what is not sorted yet: files and tables are mostly read in their order. */
void array_sort(void *items, size_t n, size_t size, int (*compare)(const void *, const void *));

/* The index of the first of n sorted items that is not before `key`; n: none. For an exact match use bsearch(). */
static inline size_t array_first(const void *items, size_t n, size_t size, const void *key,
	int (*compare)(const void *item, const void *key))
{
	const char *base = items;
	size_t from = 0, to = n;

	while (from < to) {
		size_t at = from + (to - from) / 2;

		if (compare(base + at * size, key) < 0)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

/* The part behind the last slash. */
static inline const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}
#define _cleanup_(f)	 __attribute__((cleanup(f)))
#define _cleanup_free_	 _cleanup_(cleanup_free)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Milliseconds of the monotonic clock, the same in every process since boot. */
static inline int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
