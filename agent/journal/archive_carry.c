/* What an archive leaves in the live journal, with its original times: the live file alone must show who had, or may
 * have had, which access from the cut on, since when, and until when it was due. So are decisions in force carried
 * over, and what only the first or the last event of its kind says. */
#include "journal/refuted.h"
#include "curfew/record.h"

#include <string.h>

/* Writes the current revocations as events with their original times, because verify compares both. */
static int overrides_carry(struct journal *j, const char *reason)
{
	struct overrides list = {0};
	int rc = override_read(&list, j);

	for (size_t i = 0; i < list.n && !rc; i++) {
		_cleanup_free_ char *actor =
			override_actor(j, list.items[i].client, list.items[i].login);
		struct journal_entry e = {
			.kind = JOURNAL_EVENT,
			.at = list.items[i].at,
			.actor = actor ? actor : "curfew",
			.reason = list.items[i].reason,
			.client = list.items[i].client,
			.login = list.items[i].login,
			.action = "revoke",
			.outcome = "done",
			.detail = reason,
		};

		rc = journal_write(NULL, j, &e);
	}
	overrides_free(&list);
	return rc;
}

struct carry {
	struct journal *j;
	int64_t up_to;
	instant_t before;
	const char *
		earlier; /* the reason of records that are not the last of their place; NULL: carry the last */
	const char *in_effect, *past_its_end, *ended; /* the reasons of the last */
};

static bool is_ended(const struct journal_entry *e)
{
	return e->level && streq(e->level, level_name(LEVEL_NONE)) &&
	       (!e->outcome || is_verified(e->outcome));
}

static int access_write(void *context, const struct journal_entry *e)
{
	const struct carry *c = context;
	struct journal_entry again = *e;

	again.reason = is_ended(e)	      ? c->ended
		       : c->earlier	      ? c->earlier
		       : e->until > c->before ? c->in_effect
					      : c->past_its_end;
	return journal_write(NULL, c->j, &again);
}

/* As is_ended(); the older word for "verified" too. */
#define ENDED "NOT coalesce(level <> 'none' OR outcome NOT IN ('verified', 'proved'), false)"
/* As SAME_PLACE. */
#define PLACE "server, login COLLATE NOCASE, client COLLATE NOCASE, database COLLATE NOCASE"

/* A record of a clock that was ahead would be one of a right time behind the correction: one that says that access has
 * ended is left out, and any other that a later one of its place replaces. */
#define REFUTED                                                                                    \
	"(refuted(id, at) AND (" ENDED " OR EXISTS (SELECT 1 FROM record r"                        \
	" WHERE r.kind = 'access' AND r.id > l.id AND " SAME_PLACE ")))"

/* The records of each place since its last end: the first says since when access was there, and each one may have moved
 * its end. A record that says that access has ended only where an older one of the place stays, which was itself
 * carried over by an earlier archive: alone it would say that the access is still there. Of one second, the last record
 * decides. */
static int access_carry(struct carry *c)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int64_t last;
	size_t n;
	int step,
		rc = database_prepare(&s, c->j,
			"SELECT " RECORD_COLUMNS " FROM (SELECT *,"
			" max(iif(" ENDED ", nth, 0)) OVER place AS nth_ended,"
			" min(iif(id > ?2, nth, NULL)) OVER place AS nth_staying"
			" FROM (SELECT *, row_number() OVER (PARTITION BY " PLACE
			" ORDER BY at, id) AS nth,"
			" lead(at) OVER (PARTITION BY " PLACE " ORDER BY at, id) AS next"
			" FROM record AS l WHERE kind = 'access' AND at <= ?1 AND NOT " REFUTED ")"
			" WINDOW place AS (PARTITION BY " PLACE "))"
			" WHERE id <= ?2 AND next IS NOT at AND (next IS NOT NULL) = ?3"
			" AND (nth > nth_ended OR (" ENDED " AND nth > nth_staying))"
			" ORDER BY client, login, server, database, at, id");

	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, c->before);
	if (!step)
		step = sqlite3_bind_int64(s, 2, c->up_to);
	if (!step)
		step = sqlite3_bind_int(s, 3, c->earlier != NULL);
	return step ? database_error(c->j->db, step)
		    : record_deliver(&last, &n, c->j, s, access_write, c);
}

/* Decisions that are in force, and first sights, unchanged: who asks for them reads the journal alone. A revocation,
 * and its undoing, under another name: by their own ones they would be in force again. */
static int event_write(void *journal, const struct journal_entry *e)
{
	struct journal *j = journal;
	struct journal_entry again = *e;

	if (streq(e->action, "revoke"))
		again.action = REVOKE_ARCHIVED;
	if (streq(e->action, "reinstate"))
		again.action = REINSTATE_ARCHIVED;
	/* The correction of the clock may be archived, and its time alone would decide. */
	if (streq(e->action, "forget"))
		again.at = clock_resets_latest(&j->resets, e);
	return journal_write(NULL, j, &again);
}

/* One list for all events: there may be many of both. lower() folds what NOCASE does. Of each client, the earliest access
 * that was carried over; and of each revocation, the last time that it was undone. */
#define KEY(column) "ifnull(lower(" column "), '')"
#define CARRIED                                                                                    \
	"carried (its_client, since) AS (SELECT lower(client), min(at) FROM record"                \
	" WHERE kind = 'access' AND id > ?1 AND client IS NOT NULL GROUP BY 1)"
#define UNDONE                                                                                     \
	"undone (whose, its_login, last) AS (SELECT " KEY("client") ", " KEY(                      \
		"login") ", max(id)"                                                               \
			 " FROM record WHERE kind = 'event' AND action = 'reinstate' GROUP BY 1, 2)"

/* What took access away that is carried over, or may have: without it, access that ended late was in time. A revocation in
 * force is carried over by overrides_carry(). */
#define TOOK_AWAY                                                                                  \
	"(action IN ('client-removed', 'client-added', 'reinstate', '" REVOKE_ARCHIVED             \
	"', '" REINSTATE_ARCHIVED "') OR (action = 'revoke' AND last > id)) AND since <= at"

/* As in forgotten_databases_read(): the access that ended the decision may not be carried over, and it would be in force
 * again. */
#define FORGOTTEN                                                                                  \
	"(database IS NULL OR NOT EXISTS (SELECT 1 FROM record a WHERE a.kind = 'access'"          \
	" AND a.server = e.server AND a.database = e.database COLLATE NOCASE"                      \
	" AND a.level <> 'none' AND " IS_LATER("a", "e") "))"

static int events_carry(struct journal *j, int64_t up_to)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int64_t last;
	size_t n;
	int step,
		rc = database_prepare(&s, j,
			"WITH " CARRIED ", " UNDONE " SELECT " RECORD_COLUMNS " FROM (SELECT *,"
			" row_number() OVER (PARTITION BY action, statement, login, server, database ORDER BY id) AS nth,"
			" row_number() OVER (PARTITION BY action, statement, login, server, database"
			" ORDER BY id DESC) AS nth_last FROM record WHERE kind = 'event') AS e"
			" LEFT JOIN carried ON its_client = lower(client)"
			" LEFT JOIN undone ON whose = " KEY("client") " AND its_login = " KEY(
				"login") " WHERE id <= ?1 AND (action IN ('" LOSS_NOTICED
					 "', '" LOSS_ACCEPTED "')"
					 " OR (action = 'finding' AND nth = 1)"
					 " OR (action IN ('accept-finding', 'handover') AND nth_last = 1)"
					 " OR (action = 'forget' AND nth_last = 1 AND " FORGOTTEN
					 ")"
					 " OR (" TOOK_AWAY ")) ORDER BY id");

	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, up_to);
	return step ? database_error(j->db, step) : record_deliver(&last, &n, j, s, event_write, j);
}

/* Access first: which events concern it is read from what it left. */
static int all_carry(struct carry *c)
{
	bool any;
	int rc = refuted_begin(&any, c->j);

	if (!rc)
		rc = access_carry(c);
	c->earlier = NULL;
	if (!rc)
		rc = access_carry(c);
	if (!rc)
		rc = events_carry(c->j, c->up_to);
	refuted_end(c->j);
	return rc;
}

int archive_carry(struct journal *j, int64_t up_to, instant_t before)
{
	char earlier[128], in_effect[128], past_its_end[128], ended[128];
	struct carry c = {.j = j,
		.up_to = up_to,
		.before = before,
		.in_effect = in_effect,
		.past_its_end = past_its_end,
		.ended = ended};
	int rc;

	snprintf(earlier, sizeof(earlier),
		"earlier record of access that had not ended when the records up to %lld were archived",
		(long long)up_to);
	snprintf(in_effect, sizeof(in_effect), CARRIED_IN_EFFECT "%lld were archived",
		(long long)up_to);
	snprintf(past_its_end, sizeof(past_its_end),
		"past its end, and not confirmed as ended when the records up to %lld were archived",
		(long long)up_to);
	snprintf(ended, sizeof(ended), "ended before the records up to %lld were archived",
		(long long)up_to);
	c.earlier = earlier;
	rc = all_carry(&c);
	return rc ? rc : overrides_carry(j, in_effect);
}
