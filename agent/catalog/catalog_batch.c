/* Reads all databases in one batch, so that the number of databases does not change the number of round trips.
 *
 * The questions to each database stand in a TRY block and end with a sentinel row, N'end'. An error that TRY catches (a
 * lock timeout, a missing permission) concerns one database. An error that it does not catch (an unknown view, a
 * database that goes offline, the end of the batch) leaves databases without their sentinel: these are read again, each
 * by itself. So a database never looks empty because an answer is missing. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "catalog/catalog.h"
#include "sql/rows.h"
#include "sql/question.h"

/* Size of one batch's text. A server with hundreds of databases and logins gets several batches. */
#define MAX_BATCH ((long)1 << 20)

struct database_batch {
	struct database_reading *readings; /* of this batch, and others */
	size_t n;
};

void sql_blocked_free(struct sql_blocked *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->reasons[i]);
	free(b->reasons);
	free(b->ids);
	*b = (struct sql_blocked){0};
}

static int blocked_add(struct sql_blocked *b, const struct observed_database *d)
{
	size_t n = b->n;
	int *id = ARRAY_MORE(b->ids, n);

	if (!id)
		return -ENOMEM;
	n = b->n;
	char **reason = ARRAY_MORE(b->reasons, n);
	if (!reason || !(*reason = strdup(d->unread)))
		return -ENOMEM;
	*id = d->id;
	b->n++;
	return 0;
}

static const char *blocked_reason(const struct sql_blocked *b, int id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->ids[i] == id)
			return b->reasons[i];
	return NULL;
}

/* Each row names its database. A row after that database's sentinel comes from a USE that failed while the batch went on:
 * then that reading does not count. A row from a database that was not asked is ignored. */
static int batch_row(void *batch, const struct sql_value *v, int n)
{
	struct database_batch *b = batch;

	for (size_t i = 0; n >= 2 && i < b->n; i++) {
		struct raw_catalog *raw = &b->readings[i].raw;
		if (!raw->database || raw->database != (int)row_number(&v[1]))
			continue;
		raw->strays += raw->ended || raw->failed;
		return catalog_database_row(raw, v, n);
	}
	return n >= 2 ? 0 : -EBADMSG;
}

/* The answer is missing, or there was no memory for it; the session goes on. */
static bool is_of_answer(int rc)
{
	return rc == -EBADMSG || rc == -EOVERFLOW || rc == -ENOMEM;
}

/* Decides whether this database is finished, read whole in a second batch, or read by itself. */
static int reading_finish(struct database_reading *r)
{
	int rc = 0;

	r->next = READ_ALONE;
	if (r->raw.strays || (!r->raw.failed && !r->raw.ended))
		return 0;
	/* One question that is refused must not hide what the others show: each is asked by itself. */
	if (r->raw.failed && !database_error_words(r->raw.failed))
		return 0;
	rc = database_answer_judge(r);
	if (!rc && !r->d->unread && !r->whole && r->raw.n_principals) {
		r->whole = true; /* a managed login has a user there */
		r->next = READ_TOGETHER;
		return 0;
	}
	if (!rc && !r->d->unread && r->whole)
		rc = catalog_database_join(r->d, &r->raw);
	if (rc == -ESTALE || rc == -ENOMEM || (!rc && r->d->missed)) {
		database_clear(r->d);
		return 0;
	}
	r->d->read = !rc && !r->d->unread;
	r->next = READ_NO_MORE;
	return rc;
}

/* Sends the readings from `from` on, as many as fit into one batch. */
static int batch_send(size_t *from, struct database_reading *readings, size_t n)
{
	struct database_batch b = {.readings = readings, .n = n};
	_cleanup_text_ struct text text;
	size_t to = *from, asked = 0;
	FILE *f = text_begin(&text);

	if (!f) {
		*from = n;
		return -ENOMEM;
	}
	fprintf(f, "SET LOCK_TIMEOUT %u;\n", readings->patience);
	for (; to < n && ftell(f) < MAX_BATCH; to++) {
		if (readings[to].next != READ_TOGETHER)
			continue;
		database_block_write(f, &readings[to], !readings[to].whole);
		readings[to].raw.database = readings[to].d->id;
		asked++;
	}
	catalog_leave_write(f);
	int rc = asked ? question_ask(readings->session, readings->error, &text, batch_row, &b) : 0;
	/* A cut or malformed answer is read again like a missing one. */
	bool lost = rc < 0 && !is_of_answer(rc);
	for (size_t i = *from; i < to; i++) {
		bool finish = !lost && readings[i].raw.database;
		int finished = finish ? reading_finish(&readings[i]) : 0;
		raw_catalog_free(&readings[i].raw);
		lost = lost || finished < 0;
		rc = finished < 0 ? finished : rc;
	}
	*from = to;
	return rc;
}

/* One batch, and a second for the databases in which a managed login turned up. 0: the session is back in master. */
static int together_read(struct database_reading *readings, size_t n)
{
	int rc = 0, worst = 0;

	for (int round = 0; round < 2; round++)
		for (size_t from = 0; from < n; worst = rc ? rc : worst)
			if ((rc = batch_send(&from, readings, n)) < 0 && !is_of_answer(rc))
				return rc;
	return worst;
}

/* It must not be unread for what another one takes of the memory, nor take it from others. */
static int within_memory_read(struct database_reading *r)
{
	int rc;

	while ((rc = database_read_alone(r)) == -ENOMEM) {
		database_clear(r->d);
		if (!database_largest_outgrow(r->o, r->taken))
			return database_outgrow(r->d);
	}
	return rc;
}

static int alone_read(struct database_reading *readings, size_t n, struct sql_blocked *blocked)
{
	unsigned patience = readings->patience;
	int rc = 0;

	for (size_t i = 0; i < n && rc >= 0; i++) {
		struct database_reading *r = &readings[i];
		if (blocked->n)
			patience = LOCK_PATIENCE_AFTER;
		r->patience = patience;
		if (r->next != READ_NO_MORE)
			rc = within_memory_read(r);
		r->d->online = r->d->online || r->d->read;
		if (rc < 0)
			blocked->lost = r->d;
		if (rc >= 0 && r->locked)
			rc = blocked_add(blocked, r->d);
	}
	return rc;
}

/* Chooses the databases to read. One that the agent cannot enter, or that has no row, would fail the whole batch: it is
 * read by itself. */
static int readings_choose(struct database_reading *readings, size_t *n, struct observed_server *o,
	const struct sql_blocked *blocked)
{
	for (size_t i = 0; i < o->n_databases; i++) {
		size_t at = blocked->apart ? (blocked->first + i) % o->n_databases : i;
		struct observed_database *d = &o->databases[at];
		const char *before = d->id ? blocked_reason(blocked, d->id) : NULL;
		if (before && database_unread_set(d, "%s", before))
			return -ENOMEM;
		if (before || d->unread)
			continue;
		readings[*n].d = d;
		readings[*n].whole = d->managed;
		readings[(*n)++].next =
			d->id && d->accessible && !blocked->apart ? READ_TOGETHER : READ_ALONE;
	}
	return 0;
}

int sql_observe_databases(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, struct sql_blocked *blocked)
{
	_cleanup_free_ struct database_reading *readings =
		calloc(o->n_databases + 1, sizeof(*readings));
	_cleanup_free_ struct sid *sids = NULL;
	size_t n_sids, n = 0;
	bool alone = false;
	int rc = readings ? catalog_managed_sids(&sids, &n_sids, o, w, c) : -ENOMEM;

	if (!rc)
		rc = readings_choose(readings, &n, o, blocked);
	if (rc || !n)
		return rc;
	for (size_t i = 0; i < n; i++) {
		readings[i].o = o;
		readings[i].session = s;
		readings[i].error = error;
		readings[i].sids = sids;
		readings[i].n_sids = n_sids;
		readings[i].patience = blocked->n ? LOCK_PATIENCE_AFTER : LOCK_PATIENCE;
	}
	rc = together_read(readings, n);
	bool left = !rc;
	if (rc >= 0 || is_of_answer(rc)) {
		for (size_t i = 0; i < n; i++)
			alone = alone || readings[i].next != READ_NO_MORE;
		rc = alone_read(readings, n, blocked);
	}
	if (rc < 0 || (left && !alone))
		return rc < 0 ? rc : 0;
	/* An error here does not matter: a server without master has no other databases. */
	struct text leave;
	if (!text_begin(&leave))
		return -ENOMEM;
	catalog_leave_write(leave.to);
	_cleanup_free_ char *batch = text_end(&leave);
	rc = batch ? sql_session_run(s, error, batch, NULL, NULL) : -ENOMEM;
	return rc < 0 ? rc : 0;
}
