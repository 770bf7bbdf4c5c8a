/* The last failures of a login's changes, read from intents, outcomes, and proofs; the statement of an outcome is in its
 * intent. */
#include "commands/last_failure.h"

#include <string.h>

#include "curfew/record.h"
#include "curfew/text.h"

static int change_keep(void *context, const struct journal_entry *e)
{
	bool wanted =
		e->kind == JOURNAL_INTENT || e->kind == JOURNAL_OUTCOME || e->kind == JOURNAL_PROOF;

	return wanted ? journal_entries_keep(context, e) : 0;
}

int login_changes_read(
	struct journal_entries *out, struct journal *j, const char *client, const char *login)
{
	const struct journal_filter f = {.client = client, .login = login, .kind = -1};

	return journal_read(j, &f, change_keep, out);
}

static bool is_on(const struct journal_entry *e, const char *server)
{
	return e->kind == JOURNAL_OUTCOME && e->server && streq(e->server, server);
}

static bool is_own_failure(const struct journal_entry *e)
{
	return e->outcome && streq(e->outcome, "failed") &&
	       !(e->detail && begins_with(e->detail, OUTCOME_SKIPPED));
}

/* What failed, and was not done after all: another pass can have come in the same second. */
static bool is_left(const struct journal_entries *changes, size_t i)
{
	const struct journal_entry *e = &changes->items[i];

	if (!is_own_failure(e))
		return false;
	for (size_t k = i + 1; k < changes->n; k++) {
		const struct journal_entry *later = &changes->items[k];
		if (is_on(later, e->server) && streq(later->action, e->action) && later->outcome &&
			streq(later->outcome, "done") &&
			(!later->database || !e->database ||
				names_equal(later->database, e->database)))
			return false;
	}
	return true;
}

/* A pass asks a server behind all changes what came of them, and records it: what failed before the last changes were
 * followed by that belongs to an earlier pass. */
static size_t last_pass(const struct journal_entries *changes, const char *server)
{
	size_t first = 0;
	bool asked = false;

	for (size_t i = 0; i < changes->n; i++) {
		const struct journal_entry *e = &changes->items[i];
		if (is_on(e, server)) {
			first = asked ? i : first;
			asked = false;
		} else if (e->kind == JOURNAL_PROOF && e->server && streq(e->server, server)) {
			asked = true;
		}
	}
	return first;
}

const struct journal_entry *last_failure(const struct journal_entries *changes, const char *server)
{
	for (size_t i = last_pass(changes, server); i < changes->n; i++)
		if (is_on(&changes->items[i], server) && is_left(changes, i))
			return &changes->items[i];
	return NULL;
}

static const char *statement_of(
	const struct journal_entries *changes, const struct journal_entry *e)
{
	for (size_t i = 0; i < changes->n && !e->statement && e->intent; i++)
		if (changes->items[i].id == e->intent)
			return changes->items[i].statement;
	return e->statement;
}

char *last_failure_statements(const struct journal_entries *changes, const char *server)
{
	_cleanup_free_ const char **seen = calloc(changes->n + 1, sizeof(*seen));
	struct text text;
	size_t n = 0;

	if (!seen || !text_begin(&text))
		return NULL;
	for (size_t i = last_pass(changes, server); i < changes->n; i++) {
		const struct journal_entry *e = &changes->items[i];
		size_t k = 0;
		const char *statement;

		if (!is_on(e, server) || !is_left(changes, i) ||
			!(statement = statement_of(changes, e)))
			continue;
		while (k < n && !streq(seen[k], statement))
			k++;
		if (k < n)
			continue;
		fprintf(text.to, "%s%s", n ? " " : "", statement);
		seen[n++] = statement;
	}
	char *all = text_end(&text);
	if (n)
		return all;
	free(all);
	return NULL;
}

const struct journal_entry *last_doubt(
	const struct journal_entries *changes, const char *server, const char *database)
{
	for (size_t i = changes->n; i-- > 0;) {
		const struct journal_entry *e = &changes->items[i];
		if (e->kind == JOURNAL_PROOF && e->server && e->database &&
			streq(e->server, server) && names_equal(e->database, database))
			return e->outcome && !is_verified(e->outcome) ? e : NULL;
	}
	return NULL;
}
