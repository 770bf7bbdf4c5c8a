/* Texts in blocks that never move, so that pointers to them stay good. */
#include "curfew/pool.h"

#define BLOCK_BYTES ((size_t)64 * 1024 - 64)

struct pool_block {
	struct pool_block *before;
	size_t used, size;
	char bytes[];
};

static char *pool_room(struct pool *p, size_t n)
{
	struct pool_block *b = p->block;

	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;

		b = malloc(sizeof(*b) + size);
		if (!b)
			return NULL;
		*b = (struct pool_block){.before = p->block, .size = size};
		p->block = b;
	}
	b->used += n;
	return b->bytes + b->used - n;
}

const char *pool_bytes(struct pool *p, const char *bytes, size_t n)
{
	char *to;

	if (!n)
		return "";
	if (p->last && !strncmp(p->last, bytes, n) && !p->last[n])
		return p->last;
	to = pool_room(p, n + 1);
	if (!to)
		return NULL;
	memcpy(to, bytes, n);
	to[n] = '\0';
	p->last = to;
	return to;
}

const char *pool_text(struct pool *p, const char *text)
{
	return pool_bytes(p, text, strlen(text));
}

void pool_free(struct pool *p)
{
	while (p->block) {
		struct pool_block *before = p->block->before;

		free(p->block);
		p->block = before;
	}
	*p = (struct pool){0};
}
