/* What the fuzzers share: the entry that libFuzzer calls, properties, and a reader of the input.
 * A fuzzer states what must hold for every input; not to crash is only the least of it. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <string.h>
#include "curfew/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}
#define REQUIRE(property) require((property), #property, __FILE__, __LINE__)

struct input {
	const uint8_t *data;
	size_t left;
};

/* So many bytes as a number, the lowest first; what the input lacks counts as zero. */
static inline uint64_t input_number(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && in->left; i++, in->left--)
		value |= (uint64_t)*in->data++ << (8 * i);
	return value;
}

static inline void *input_copy(const void *data, size_t size)
{
	char *copy = malloc(size + 1);

	REQUIRE(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

/* The text up to `end` or a zero byte, in memory of its very size, so that a step beyond it is seen.
 * The caller frees it. */
static inline char *input_text(struct input *in, char end)
{
	size_t n = 0;
	char *text;

	while (n < in->left && in->data[n] != (uint8_t)end && in->data[n] != 0)
		n++;
	text = input_copy(n ? (const void *)in->data : "", n);
	n += n < in->left;
	in->data += n;
	in->left -= n;
	return text;
}

/* UTF-8 by the book (RFC 3629), written without a look at how the agent does it. */
static inline bool text_is_utf8(const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s;) {
		size_t more = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;

		if ((*s >= 0x80 && *s < 0xc2) || *s > 0xf4)
			return false;
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
			(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
			return false;
		for (s++; more; more--, s++)
			if (*s < 0x80 || *s > 0xbf)
				return false;
	}
	return true;
}

static inline bool text_has_controls(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

#endif
