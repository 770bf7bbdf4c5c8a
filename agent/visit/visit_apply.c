/* Makes changes in rounds: announce, wait for the journal, run, observe again, until no change is left. A change counts
 * as done when the next observation no longer asks for it, whatever its error number was. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "proof/residual.h"
#include "visit/visit.h"

/* Rounds: one to create, one to enable, and some for sessions that end slowly. */
#define MAX_ROUNDS 8

bool work_is_left(const struct visit_run *run)
{
	for (size_t i = 0; i < run->difference.n_changes; i++)
		if (pass_is_for(run->visit, run->difference.changes[i].client))
			return true;
	return false;
}

static bool only_enables(const struct difference *d)
{
	for (size_t i = 0; i < d->n_changes; i++)
		if (d->changes[i].kind != CHANGE_LOGIN_ENABLE)
			return false;
	return d->n_changes > 0;
}

static void lock_busy_tell(const struct visit_run *run, const char *text)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, NULL);
	r.state = STATE_DRIFT;
	RECORD_PRINTF(
		&r, detail, "%s; what must be removed was removed, no access was granted", text);
	worker_tell(run->worker, &r);
}

/* Whoever may alter a database can make schemas and permissions, and drop roles, there as often as it wants. */
static void waiting_tell(const struct visit_run *run)
{
	const struct difference *d = &run->difference;
	const char *last = NULL;

	for (size_t i = 0; run->waits && i < d->n_changes; i++) {
		const char *database = d->changes[i].database;
		struct record r;
		if (!d->changes[i].may_wait || !database || (last && streq(database, last)))
			continue;
		last = database;
		record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, database);
		r.state = STATE_DRIFT;
		RECORD_PRINTF(&r, detail,
			"database [%.128s] needs so many changes that the next pass continues with them; nobody gets access there "
			"before; if every pass says this, find who drops the roles, or adds schemas, permissions, or role members",
			database);
		worker_tell(run->worker, &r);
	}
}

static int rounds_run(struct visit_run *run, struct sql_error *error)
{
	uint64_t before = 0;
	int rc = 0;

	for (int i = 0; !rc && i < MAX_ROUNDS && work_is_left(run); i++) {
		/* The same list again: repeating it does not help. Whoever is disabled for additions alone is enabled
		 * without them. */
		if (run->failed && difference_digest(&run->difference) == before) {
			run->additions_refused = true;
			rc = visit_compare(run);
			if (rc || difference_digest(&run->difference) == before)
				break;
		}
		before = difference_digest(&run->difference);
		run->failed = run->waits = run->changed = false;
		rc = verify_before_enabling(run, error);
		if (!rc && !work_is_left(run))
			break;
		/* Enabling changes no database. */
		bool enabling = only_enables(&run->difference);
		if (!rc)
			rc = round_run(run, error);
		if (!rc && run->waits && !run->changed)
			break;
		if (!rc)
			rc = enabling ? visit_look(run, error) : visit_observe(run, error);
		doubts_settle(run, !rc);
		/* Look twice before enabling a login, because a session may have been starting. */
		if (!rc && only_enables(&run->difference)) {
			pause_ms(50);
			rc = visit_look(run, error);
		}
		if (!rc && run->failed)
			pause_ms(200);
	}
	return rc;
}

/* Baselines after everything that closes, for closing waits for no reading; before anybody comes in, for what is changed
 * afterwards would pass for how it was. */
static int baselines_take(struct visit_run *run, struct sql_error *error)
{
	int rc = rounds_run(run, error);

	run->closing_only = false;
	if (!rc)
		rc = baselines_tell(run, error, run->visit->baselines);
	return rc ? rc : visit_compare(run);
}

/* Another agent at work keeps no closing waiting: what only takes away needs no lock. -EBUSY: it is at work still. */
static int lock_await(struct visit_run *run, struct sql_error *error)
{
	run->closing_only = true;
	int rc = visit_observe(run, error);

	if (!rc)
		rc = rounds_run(run, error);
	run->closing_only = false;
	return rc ? rc : lock_take(run, error, true);
}

int visit_apply(struct visit_run *run, struct sql_error *error)
{
	int rc = run->locked ? 0 : lock_take(run, error, false);

	if (rc == -EBUSY)
		rc = lock_await(run, error);
	if (rc == -EBUSY) {
		lock_busy_tell(run, error->text);
		*error = (struct sql_error){0};
		return visit_observe(run, error);
	}
	run->closing_only = !rc && baselines_are_due(run);
	/* What was read without the lock may have been changed by its holder. */
	if (!rc)
		rc = run->locked ? visit_compare(run) : visit_observe(run, error);
	if (!rc && run->closing_only)
		rc = baselines_take(run, error);
	if (!rc)
		rc = rounds_run(run, error);
	waiting_tell(run);
	return rc;
}
