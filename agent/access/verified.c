/* Lists of verifications: in order, and freed. */
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
