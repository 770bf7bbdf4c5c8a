/* What the firewall process remembers, compared with the journal: its newest record, and guards that left the
 * configuration. */
#include "curfew/state_tables.h"
#include "journal/database.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* By an operator, after the firewall process saw its newest record: nothing newer was lost. */
static int was_accepted_since(bool *out, struct journal *j, instant_t at)
{
	int64_t n = 0;
	int rc = database_number(&n, j,
		"SELECT EXISTS (SELECT 1 FROM record WHERE kind = 'event' AND action = 'accept-loss' AND at >= ?)",
		at);

	*out = n != 0;
	return rc;
}

int remembered_head_compare(
	bool *lost, struct journal *j, const struct seen_head *head, instant_t now)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	size_t size = 0;
	bool known = true;

	*lost = false;
	if (sodium_hex2bin(hash, sizeof(hash), head->hash, strlen(head->hash), NULL, &size, NULL) ||
		size != sizeof(hash))
		return 0;
	int rc = journal_holds(&known, j, hash, head->id);
	if (!rc && !known)
		rc = was_accepted_since(&known, j, head->at);
	if (!rc && !known)
		rc = loss_put(j, now, LOSS_SINCE_UNKNOWN,
			"the journal is not the one that the firewall process saw, or an older copy of it: records are missing; " LOSS_FIX);
	*lost = !rc && !known;
	return rc;
}

int remembered_guards_hold(struct journal *j, const struct kept_guards *guards,
	const struct program *p, guard_held_fn tell)
{
	_cleanup_free_ char *why = NULL;
	instant_t at;
	int rc = loss_read(&at, &why, j), failed = 0;

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	for (size_t i = 0; i < guards->n; i++) {
		const struct kept_guard *k = &guards->items[i];
		if (endpoint_is_configured(p, &k->endpoint))
			continue;
		rc = guards_hold(j, k);
		tell(k, rc);
		failed = rc ? rc : failed;
	}
	return failed;
}
