/* Turns references into edges: by the server's number if there is one, else by name. A name that could mean several
 * objects counts for each of them, because an object that may be in use must not appear as unused. */
#include "inventory/inventory_internal.h"

#include <errno.h>
#include <strings.h>

struct linking {
	struct inventory *v;
	size_t from;
	bool writes;
};

static int edge_add(void *linking, size_t to)
{
	struct linking *l = linking;
	struct inventory *v = l->v;

	if (l->from == to)
		return 0;
	return ARRAY_ADD(v->edges, v->n_edges,
		(struct inventory_edge){.from = l->from, .to = to, .writes = l->writes});
}

static int facts_add(struct inventory *v, struct inventory_item *i, const char *more)
{
	struct text text;

	if (inventory_has_fact(i->facts, more))
		return 0;
	if (!text_begin(&text))
		return -ENOMEM;
	fprintf(text.to, "%s%s%s", i->facts, *i->facts ? " " : "", more);
	_cleanup_free_ char *facts = text_end(&text);
	const char *kept = facts ? inventory_text(v, facts) : NULL;
	if (!kept)
		return -ENOMEM;
	i->facts = kept;
	return 0;
}

static int name_link(struct linking *l, const char *server, const char *database,
	const char *schema, const char *name)
{
	struct inventory_item *from = &l->v->items[l->from];

	if (*server) {
		const struct inventory_item *to =
			inventory_linked_server(l->v, from->server, server);
		if (to && edge_add(l, (size_t)(to - l->v->items)))
			return -ENOMEM;
		return facts_add(l->v, from, "other-server");
	}
	if (*database && strcasecmp(database, from->database) != 0) {
		int rc = facts_add(l->v, from, "other-database");
		if (rc)
			return rc;
	}
	return inventory_named_each(l->v, from->server, *database ? database : from->database,
		schema, name, edge_add, l);
}

static int reference_link(struct inventory *v, const struct inventory_named *r)
{
	struct inventory_item *from =
		inventory_find(v, r->server, r->database, SPACE_OBJECT, r->from, 0);
	struct inventory_item *to =
		r->to ? inventory_find(v, r->server, r->database, SPACE_OBJECT, r->to, 0) : NULL;

	if (!from)
		return 0;
	if (streq(r->how, "text"))
		return facts_add(v, from, r->facts);
	struct linking l = {
		.v = v, .from = (size_t)(from - v->items), .writes = streq(r->how, "writes")};
	if (r->to)
		return to ? edge_add(&l, (size_t)(to - v->items)) : 0;
	return name_link(&l, r->to_server, r->to_database, r->to_schema, r->to_name);
}

/* Splits a name into server, database, schema, and object: the last part of "[db].[dbo].[x]" is always parts[3], and
 * missing ones are "". */
static void parts_read(char parts[4][MAX_NAME_BYTES + 1], const char *text)
{
	char read[4][MAX_NAME_BYTES + 1] = {"", "", "", ""};
	size_t n = 0, used = 0;
	bool quoted = false;

	for (const char *c = text; *c && n < 4; c++) {
		if (*c == '[' && !quoted && !used) {
			quoted = true;
		} else if (*c == ']' && quoted && c[1] == ']') {
			if (used < MAX_NAME_BYTES)
				read[n][used++] = *c;
			c++;
		} else if (*c == ']' && quoted) {
			quoted = false;
		} else if (*c == '.' && !quoted) {
			n++;
			used = 0;
		} else if (used < MAX_NAME_BYTES) {
			read[n][used++] = *c;
		}
	}
	for (size_t i = 0; i < 4; i++)
		snprintf(parts[i], MAX_NAME_BYTES + 1, "%s",
			n < 4 && i + n >= 3 ? read[i + n - 3] : "");
}

static int synonym_link(struct inventory *v, size_t item)
{
	char parts[4][MAX_NAME_BYTES + 1];
	struct linking l = {.v = v, .from = item};

	parts_read(parts, v->items[item].target);
	return name_link(&l, parts[0], parts[1], parts[2], parts[3]);
}

static int type_link(struct inventory *v, const struct inventory_item *column)
{
	const struct inventory_item *type =
		inventory_find(v, column->server, column->database, SPACE_TYPE, column->refers, 0);
	struct linking l = {
		.v = v, .from = column->on ? (size_t)(column->on - v->items) : SIZE_MAX};

	return type && column->on ? edge_add(&l, (size_t)(type - v->items)) : 0;
}

static bool in_word(unsigned char c)
{
	return c >= 0x80 || c == '_' || c == '#' || c == '$' || c == '@' ||
	       (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Links every word of a job's command that names an object, and every name in brackets. */
static int step_link(struct inventory *v, const struct inventory_item *step)
{
	const struct inventory_item *job = inventory_called(v, step->server, "", "job", step->name);
	struct linking l = {.v = v};
	char word[MAX_NAME_BYTES + 1];
	int rc = 0;

	if (!job)
		return 0;
	l.from = (size_t)(job - v->items);
	for (const char *c = step->target; *c && !rc;) {
		size_t skip = 0, n = 0;
		if (*c == '[') {
			skip = 1;
			n = strcspn(c + 1, "]");
		} else {
			while (in_word((unsigned char)c[n]))
				n++;
		}
		if (n && n <= MAX_NAME_BYTES) {
			memcpy(word, c + skip, n);
			word[n] = '\0';
			rc = inventory_named_each(v, step->server, "", "", word, edge_add, &l);
		}
		c += skip + n;
		if (*c && !n)
			c++;
		else if (skip && *c == ']')
			c++;
	}
	return rc;
}

static int edge_order(const void *a, const void *b)
{
	const struct inventory_edge *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

/* Keeps each edge once. An edge that reads and writes counts as writing. */
static void edges_sort(struct inventory *v)
{
	size_t kept = 0;

	if (v->n_edges)
		qsort(v->edges, v->n_edges, sizeof(*v->edges), edge_order);
	for (size_t i = 0; i < v->n_edges; i++) {
		if (kept && !edge_order(&v->edges[kept - 1], &v->edges[i]))
			v->edges[kept - 1].writes |= v->edges[i].writes;
		else
			v->edges[kept++] = v->edges[i];
	}
	v->n_edges = kept;
}

int inventory_link(struct inventory *v)
{
	int rc = 0;

	for (size_t i = 0; i < v->n_named && !rc; i++)
		rc = reference_link(v, &v->named[i]);
	for (size_t i = 0; i < v->n && !rc; i++) {
		if (streq(v->items[i].type, "synonym"))
			rc = synonym_link(v, i);
		else if (v->items[i].refers)
			rc = type_link(v, &v->items[i]);
	}
	for (size_t i = 0; i < v->n_steps && !rc; i++)
		rc = step_link(v, &v->steps[i]);
	edges_sort(v);
	/* A column or index that refers to its own table does not keep that table. */
	for (size_t i = 0; i < v->n_edges && !rc; i++) {
		const struct inventory_item *from = &v->items[v->edges[i].from];
		struct inventory_item *to = &v->items[v->edges[i].to];
		if (from->on == to)
			continue;
		to->referrers++;
		to->referrer = to->referrer ? to->referrer : from;
	}
	return rc;
}
