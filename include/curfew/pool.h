/* Copies of texts that are freed together: a list of many rows holds a pointer each, not room for the longest. */
#ifndef CURFEW_POOL_H
#define CURFEW_POOL_H

#include "curfew/base.h"

struct pool {
	struct pool_block *block;
	const char *last;
};
/* NULL without memory. A text equal to the one before is not copied again. */
const char *pool_text(struct pool *p, const char *text);
/* The same for the first `n` bytes, which hold no terminator. */
const char *pool_bytes(struct pool *p, const char *bytes, size_t n);
void pool_free(struct pool *p);

#endif
