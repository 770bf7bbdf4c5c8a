/* Copies of journal entries, for use after reading. */
#include <errno.h>
#include <string.h>

#include "curfew/journal.h"

static char *copy(const char *text, bool *failed)
{
	char *c = text ? strdup(text) : NULL;

	*failed = *failed || (text && !c);
	return c;
}

int journal_entries_keep(void *entries, const struct journal_entry *e)
{
	struct journal_entries *h = entries;
	struct journal_entry *items = reallocarray(h->items, h->n + 1, sizeof(*items)), *k;
	bool failed = false;

	if (!items)
		return -ENOMEM;
	h->items = items;
	k = &items[h->n++];
	*k = *e;
	const char **texts[] = {&k->actor, &k->reason, &k->phase, &k->client, &k->login, &k->server,
		&k->database, &k->action, &k->statement, &k->before, &k->after, &k->outcome,
		&k->detail, &k->level, &k->sources, &k->configuration};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = copy(*texts[i], &failed);
	return failed ? -ENOMEM : 0;
}

void journal_entries_free(struct journal_entries *h)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct journal_entry *k = &h->items[i];
		const char *const texts[] = {k->actor, k->reason, k->phase, k->client, k->login,
			k->server, k->database, k->action, k->statement, k->before, k->after,
			k->outcome, k->detail, k->level, k->sources, k->configuration};
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			free((char *)texts[t]);
	}
	free(h->items);
	*h = (struct journal_entries){0};
}
