/* Collects the records of a reading, unchanged, until inventory_finish() joins them. */
#include "inventory/inventory_internal.h"

#include <errno.h>

#define CHUNK_BYTES ((size_t)1 << 20)

struct inventory_chunk {
	struct inventory_chunk *next;
	size_t used, size;
	char bytes[];
};

/* Rows are ordered by database and type, so many texts equal that of the row before. */
static const char *again(const struct inventory *v, const char *text)
{
	const struct inventory_item *last = v->n ? &v->items[v->n - 1] : NULL;
	const char *const texts[] = {last ? last->server : NULL, last ? last->database : NULL,
		last ? last->type : NULL, last ? last->schema : NULL, last ? last->facts : NULL};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i] && streq(texts[i], text))
			return texts[i];
	return NULL;
}

const char *inventory_text(struct inventory *v, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *kept = size == 1 ? "" : again(v, text);

	if (kept)
		return kept;
	if (!v->chunks || v->chunks->size - v->chunks->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
		struct inventory_chunk *c = malloc(sizeof(*c) + room);
		if (!c)
			return NULL;
		*c = (struct inventory_chunk){.next = v->chunks, .size = room};
		v->chunks = c;
	}
	char *to = v->chunks->bytes + v->chunks->used;
	memcpy(to, text, size);
	v->chunks->used += size;
	return to;
}

static int texts_set(
	struct inventory *v, const char **const fields[], const char *const texts[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(*fields[i] = inventory_text(v, texts[i])))
			return -ENOMEM;
	return 0;
}

static int item_take(struct inventory *v, const struct record *r)
{
	const struct record_item *t = &r->item;
	bool step = streq(t->type, "job-step"), dependent = inventory_is_dependent(t->type);
	struct inventory_item **all = step ? &v->steps : dependent ? &v->dependents : &v->items;
	size_t *n = step ? &v->n_steps : dependent ? &v->n_dependents : &v->n;
	struct inventory_item i = {.id = t->id,
		.parent = t->parent,
		.refers = t->refers,
		.writable = t->writable == ANSWER_YES,
		.created = t->created,
		.modified = t->modified};
	const char **const fields[] = {
		&i.server, &i.database, &i.type, &i.schema, &i.name, &i.hash, &i.facts, &i.target};
	const char *const texts[] = {
		r->server, r->database, t->type, t->schema, t->name, t->hash, t->facts, t->target};
	int rc = texts_set(v, fields, texts, ARRAY_SIZE(fields));
	return rc ? rc : ARRAY_ADD(*all, *n, i);
}

static int use_take(struct inventory *v, const struct record *r)
{
	struct inventory_use u = {.id = r->use.id,
		.index = r->use.index,
		.count = r->use.count,
		.last = r->use.last,
		.written = r->use.written,
		.rows = r->use.rows,
		.bytes = r->use.bytes};
	const char **const fields[] = {&u.server, &u.database, &u.source};
	const char *const texts[] = {r->server, r->database, r->use.source};
	int rc = texts_set(v, fields, texts, ARRAY_SIZE(fields));
	return rc ? rc : ARRAY_ADD(v->uses, v->n_uses, u);
}

static int reference_take(struct inventory *v, const struct record *r)
{
	const struct record_reference *f = &r->reference;
	struct inventory_named e = {.from = f->from, .to = f->to};
	const char **const fields[] = {&e.how, &e.server, &e.database, &e.to_server, &e.to_database,
		&e.to_schema, &e.to_name, &e.facts};
	const char *const texts[] = {f->how, r->server, r->database, f->server, f->database,
		f->schema, f->name, f->facts};
	int rc = texts_set(v, fields, texts, ARRAY_SIZE(fields));
	return rc ? rc : ARRAY_ADD(v->named, v->n_named, e);
}

static struct inventory_database *database_of(
	const struct inventory *v, const char *server, const char *database)
{
	for (size_t i = 0; i < v->n_databases; i++)
		if (streq(v->databases[i].server, server) &&
			streq(v->databases[i].database, database))
			return &v->databases[i];
	return NULL;
}

int inventory_expect(struct inventory *v, const char *server, const char *database, bool alone)
{
	struct inventory_database d = {.server = inventory_text(v, server),
		.database = inventory_text(v, database),
		.alone = alone,
		.why = "the reading was not complete"};

	return d.server && d.database ? ARRAY_ADD(v->databases, v->n_databases, d) : -ENOMEM;
}

static bool is_of(const char *server, const char *database, const struct record *r)
{
	return streq(server, r->server) && streq(database, r->database);
}

/* Drops what was reported about this database. */
static void place_forget(struct inventory *v, const struct record *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!is_of(v->items[i].server, v->items[i].database, r))
			v->items[kept++] = v->items[i];
	v->n = kept;
	kept = 0;
	for (size_t i = 0; i < v->n_steps; i++)
		if (!is_of(v->steps[i].server, "", r) || *r->database)
			v->steps[kept++] = v->steps[i];
	v->n_steps = kept;
	kept = 0;
	for (size_t i = 0; i < v->n_dependents; i++)
		if (!is_of(v->dependents[i].server, v->dependents[i].database, r))
			v->dependents[kept++] = v->dependents[i];
	v->n_dependents = kept;
	kept = 0;
	for (size_t i = 0; i < v->n_uses; i++)
		if (!is_of(v->uses[i].server, v->uses[i].database, r))
			v->uses[kept++] = v->uses[i];
	v->n_uses = kept;
	kept = 0;
	for (size_t i = 0; i < v->n_named; i++)
		if (!is_of(v->named[i].server, v->named[i].database, r))
			v->named[kept++] = v->named[i];
	v->n_named = kept;
}

static int coverage_take(struct inventory *v, const struct record *r)
{
	struct inventory_database *d = database_of(v, r->server, r->database);

	if (streq(r->coverage.part, INVENTORY_AGAIN)) {
		place_forget(v, r);
		return 0;
	}
	struct inventory_coverage c = {.seen = r->coverage.seen, .since = r->coverage.since};
	const char **const fields[] = {&c.server, &c.database, &c.part, &c.detail};
	const char *const texts[] = {r->server, r->database, r->coverage.part, r->detail};
	int rc = texts_set(v, fields, texts, ARRAY_SIZE(fields));
	if (!rc)
		rc = ARRAY_ADD(v->coverage, v->n_coverage, c);
	if (rc)
		return rc;
	if (d && streq(c.part, "whole")) {
		d->read = c.seen == ANSWER_YES;
		d->why = c.detail;
	}
	return 0;
}

/* A worker failed: gives the reason to each database that it had not finished. */
static int end_take(struct inventory *v, const struct record *r)
{
	const char *why =
		r->code ? inventory_text(v, r->detail[0] ? r->detail : strerror(-r->code)) : NULL;

	v->round_trips += r->end.round_trips;
	if (r->code && !why)
		return -ENOMEM;
	for (size_t i = 0; i < v->n_databases && why; i++)
		if (streq(v->databases[i].server, r->server) && !v->databases[i].read)
			v->databases[i].why = why;
	return 0;
}

int inventory_take(void *inventory, const struct record *r)
{
	struct inventory *v = inventory;

	switch (r->kind) {
	case RECORD_ITEM:
		return item_take(v, r);
	case RECORD_USE:
		return use_take(v, r);
	case RECORD_REFERENCE:
		return reference_take(v, r);
	case RECORD_COVERAGE:
		return coverage_take(v, r);
	case RECORD_END:
		return end_take(v, r);
	default:
		return 0;
	}
}

const struct inventory_coverage *inventory_coverage_of(
	const struct inventory *v, const char *server, const char *database, const char *part)
{
	for (size_t i = 0; i < v->n_coverage; i++)
		if (streq(v->coverage[i].part, part) && streq(v->coverage[i].server, server) &&
			streq(v->coverage[i].database, database))
			return &v->coverage[i];
	return NULL;
}

bool inventory_has_fact(const char *facts, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = facts; (at = strstr(at, word)); at += n)
		if ((at == facts || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

void inventory_free(struct inventory *v)
{
	while (v->chunks) {
		struct inventory_chunk *next = v->chunks->next;
		free(v->chunks);
		v->chunks = next;
	}
	free(v->items);
	free(v->edges);
	free(v->coverage);
	free(v->databases);
	free(v->uses);
	free(v->named);
	free(v->notices);
	free(v->steps);
	free(v->dependents);
	free(v->by_id);
	free(v->by_name);
	*v = (struct inventory){0};
}
