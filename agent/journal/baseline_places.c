/* Which databases have a baseline, in one reading: a pass over thousands of them asks of each. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

static int place_compare(const void *a, const void *b)
{
	const struct baseline_place *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	return c ? c : strcmp(x->database, y->database);
}

static int place_take(void *list, sqlite3_stmt *s)
{
	struct baseline_places *l = list;
	struct baseline_place *place = ARRAY_MORE(l->items, l->n);
	char *text[2];
	int rc = place ? column_texts(text, s, 2) : -ENOMEM;

	if (!rc)
		*place = (struct baseline_place){text[0], text[1]};
	return rc;
}

int baseline_places_read(struct baseline_places *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct baseline_places list = {0};
	int rc = database_prepare(
		&s, j, "SELECT server, database FROM baseline ORDER BY server, database");

	if (!rc)
		rc = database_rows(j, s, place_take, &list);
	if (rc)
		baseline_places_free(&list);
	else
		*out = list;
	return rc;
}

bool baseline_places_have(const struct baseline_places *p, const char *server, const char *database)
{
	const struct baseline_place key = {server, database};

	return p->n && bsearch(&key, p->items, p->n, sizeof(key), place_compare);
}

void baseline_places_free(struct baseline_places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free((char *)p->items[i].server);
		free((char *)p->items[i].database);
	}
	free(p->items);
	*p = (struct baseline_places){0};
}
