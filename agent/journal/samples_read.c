/* Reads what earlier readings for the inventory saw. */
#include "curfew/samples.h"
#include "journal/database.h"

#include <errno.h>

static int watch_take(void *sample, sqlite3_stmt *s)
{
	struct sample *out = sample;
	struct sample_watch *watch = ARRAY_MORE(out->watches, out->n_watches);
	char *part;
	int rc = watch ? column_text(&part, s, 0) : -ENOMEM;

	if (!rc)
		*watch = (struct sample_watch){part, sqlite3_column_int64(s, 1),
			sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3)};
	return rc;
}

static int use_take(void *sample, sqlite3_stmt *s)
{
	struct sample *out = sample;
	struct sample_use *use = ARRAY_MORE(out->uses, out->n_uses);
	char *text[3];
	int rc = use ? column_texts(text, s, 3) : -ENOMEM;

	if (!rc)
		*use = (struct sample_use){text[0], text[1], text[2], sqlite3_column_int64(s, 3)};
	return rc;
}

static int tally_take(void *sample, sqlite3_stmt *s)
{
	struct sample *out = sample;
	struct sample_tally *tally = ARRAY_MORE(out->tallies, out->n_tallies);
	uint64_t n[8];

	if (!tally)
		return -ENOMEM;
	for (int i = 0; i < 8; i++)
		n[i] = (uint64_t)sqlite3_column_int64(s, i + 1);
	*tally = (struct sample_tally){.at = sqlite3_column_int64(s, 0),
		.red = n[0],
		.yellow = n[1],
		.green = n[2],
		.undecided = n[3],
		.keep = n[4],
		.replace = n[5],
		.drop = n[6],
		.left = n[7]};
	return 0;
}

static int decision_take(void *sample, sqlite3_stmt *s)
{
	struct sample *out = sample;
	struct sample_decision *decision = ARRAY_MORE(out->decisions, out->n_decisions);
	char *text[7];
	int rc = decision ? column_texts(text, s, 7) : -ENOMEM;

	if (!rc)
		*decision = (struct sample_decision){
			text[0], text[1], text[2], text[3], text[4], text[5], text[6]};
	return rc;
}

static const struct {
	const char *sql;
	int (*take)(void *sample, sqlite3_stmt *s);
} parts[] = {
	{"SELECT part, since, until, gap FROM watched WHERE server = ? AND database = ? ORDER BY part",
		watch_take},
	{"SELECT type, name, source, last FROM used WHERE server = ? AND database = ? ORDER BY type, name",
		use_take},
	{"SELECT at, red, yellow, green, undecided, keep, replace, gone, remaining FROM tally"
	 " WHERE server = ? AND database = ? ORDER BY at",
		tally_take},
	{"SELECT type, name, decision, replacement, owner, due, note FROM decided"
	 " WHERE server = ? AND database = ? ORDER BY type, name",
		decision_take},
};

int sample_last(instant_t *out, struct journal *j, const char *server, const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc;

	*out = 0;
	if (j->version < SAMPLES_VERSION)
		return 0;
	rc = place_prepare(&s, j, "SELECT at FROM sampled WHERE server = ? AND database = ?",
		server, database);
	if (rc)
		return rc;
	step = sqlite3_step(s);
	if (step == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	return step == SQLITE_ROW ? 0 : database_error(j->db, step);
}

void sample_free(struct sample *s)
{
	for (size_t i = 0; i < s->n_watches; i++)
		free((char *)s->watches[i].part);
	for (size_t i = 0; i < s->n_uses; i++) {
		free((char *)s->uses[i].type);
		free((char *)s->uses[i].name);
		free((char *)s->uses[i].source);
	}
	for (size_t i = 0; i < s->n_decisions; i++) {
		const struct sample_decision *d = &s->decisions[i];
		const char *const texts[] = {
			d->type, d->name, d->decision, d->replacement, d->owner, d->due, d->note};
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			free((char *)texts[k]);
	}
	free((char *)s->server);
	free((char *)s->database);
	free(s->watches);
	free(s->uses);
	free(s->tallies);
	free(s->decisions);
	*s = (struct sample){0};
}

void samples_free(struct samples *all)
{
	for (size_t i = 0; i < all->n; i++)
		sample_free(&all->items[i]);
	free(all->items);
	*all = (struct samples){0};
}

const struct sample *sample_of(const struct samples *all, const char *server, const char *database)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (streq(all->items[i].server, server) && streq(all->items[i].database, database))
			return &all->items[i];
	return NULL;
}

#define PART_TALLIES 2

static int parts_read(struct samples *out, struct journal *j, const char *server,
	const char *database, size_t from, size_t to)
{
	struct sample s = {0};
	int rc = sample_last(&s.at, j, server, database);

	if (rc)
		return rc;
	s.server = strdup(server);
	s.database = strdup(database);
	if (!s.server || !s.database)
		rc = -ENOMEM;
	for (size_t i = from; i < to && !rc && j->version >= SAMPLES_VERSION; i++) {
		_cleanup_statement_ sqlite3_stmt *k = NULL;

		rc = place_prepare(&k, j, parts[i].sql, server, database);
		if (!rc)
			rc = database_rows(j, k, parts[i].take, &s);
	}
	if (!rc)
		rc = ARRAY_ADD(out->items, out->n, s);
	if (rc)
		sample_free(&s);
	return rc;
}

int sample_read(struct samples *out, struct journal *j, const char *server, const char *database)
{
	return parts_read(out, j, server, database, 0, ARRAY_SIZE(parts));
}

int sample_tallies_read(
	struct samples *out, struct journal *j, const char *server, const char *database)
{
	return parts_read(out, j, server, database, PART_TALLIES, PART_TALLIES + 1);
}
