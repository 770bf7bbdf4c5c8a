/* Verifications: their lists, and whom one lets in. */
#include <stdlib.h>
#include <string.h>

#include "curfew/access.h"

int verified_compare(const void *a, const void *b)
{
	const struct verified *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	if (!c)
		c = strcmp(x->login, y->login);
	return c ? c : strcmp(x->database, y->database);
}

void verified_list_free(struct verified_list *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free((char *)v->items[i].server);
		free((char *)v->items[i].login);
		free((char *)v->items[i].database);
	}
	free(v->items);
	*v = (struct verified_list){0};
}

enum admission admission_by(const struct verified *last, enum level scheduled)
{
	if (!last)
		return ADMIT_NOT_YET;
	/* What nobody can tell may be anything. */
	if (last->result != VERIFICATION_VERIFIED || last->level > scheduled)
		return ADMIT_NOBODY;
	return last->level == LEVEL_NONE ? ADMIT_NOT_YET : ADMIT;
}
