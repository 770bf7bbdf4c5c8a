/* A bounded queue of journal entries that could not be written yet. */
#include <errno.h>
#include <string.h>
#include "curfew/log.h"
#include "service/backlog.h"

struct item {
	struct journal_entry entry; /* owned */
	bool revocation;
};

struct backlog {
	struct item *items;
	size_t n;
	bool full; /* the log says that the queue is full */
};

int backlog_new(struct backlog **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void backlog_free(struct backlog *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		journal_entry_free(&b->items[i].entry);
	free(b->items);
	free(b);
}

size_t backlog_count(const struct backlog *b)
{
	return b->n;
}

static void keep(struct backlog *b, const struct journal_entry *e, bool revocation)
{
	struct item *items =
		b->n < MAX_BACKLOG ? reallocarray(b->items, b->n + 1, sizeof(*items)) : NULL;

	if (items)
		b->items = items;
	if (items && journal_entry_copy(&items[b->n].entry, e) == 0) {
		items[b->n++].revocation = revocation;
		return;
	}
	if (!b->full)
		log_send(LOG_JOURNAL_FAILED, NULL,
			"%zu records already wait for the journal; later records are only in this log",
			b->n);
	b->full = true;
}

void backlog_keep(struct backlog *b, const struct journal_entry *e)
{
	keep(b, e, false);
}

void backlog_keep_revocation(struct backlog *b, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason)
{
	const struct journal_entry e = {
		.client = client, .login = login, .at = at, .actor = actor, .reason = reason};

	keep(b, &e, true);
}

static int item_write(struct journal *j, const struct item *i)
{
	const struct journal_entry *e = &i->entry;

	return i->revocation ? override_add(j, e->client, e->login, e->at, e->actor, e->reason)
			     : journal_write(NULL, j, e);
}

/* The journal will never accept this entry. Drop it, or it blocks the others for ever. */
static bool is_hopeless(int error)
{
	return error == -EINVAL || error == -E2BIG;
}

int backlog_flush(struct backlog *b, struct journal *j)
{
	size_t done = 0;
	int rc = 0;

	while (done < b->n) {
		rc = j ? item_write(j, &b->items[done]) : -ENODEV;
		if (rc && !is_hopeless(rc))
			break;
		journal_entry_free(&b->items[done++].entry);
		rc = 0;
	}
	b->n -= done;
	if (done)
		memmove(b->items, b->items + done, b->n * sizeof(*b->items));
	if (b->n == 0)
		b->full = false;
	return rc;
}

int backlog_write(struct backlog *b, struct journal *j, const struct journal_entry *e)
{
	/* The first entry has waited for a lock already, so do not wait again for each of the others. */
	int patience = b->n ? journal_patience(j, 0) : 0;
	bool waits = b->n != 0;
	int rc = backlog_flush(b, j);

	if (waits)
		journal_patience(j, patience);
	if (rc == 0)
		rc = j ? journal_write(NULL, j, e) : -ENODEV;
	if (rc && !is_hopeless(rc))
		backlog_keep(b, e);
	return rc;
}
