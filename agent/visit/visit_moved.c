/* Databases that are known by more than their names. A verification is of the database that had the name then, by its
 * id, which renaming does not change (sys.databases: unique on the server). While that database is there under another
 * name and was not seen without the login, whatever has the name now counts as unread: what is verified there says
 * nothing about it. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "proof/proof.h"
#include "visit/visit.h"

static const struct observed_database *database_by_id(const struct observed_server *o, int id)
{
	for (size_t i = 0; i < o->n_databases; i++)
		if (o->databases[i].id == id)
			return &o->databases[i];
	return NULL;
}

static bool grants_name(const struct visit_run *run, const char *login, const char *database)
{
	const struct wanted_server *w = &run->visit->wanted;

	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, login) &&
			names_equal(w->grants[i]->database->name, database))
			return true;
	return false;
}

static bool has_user(const struct observed_database *d, const struct sid *sid)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (sid_equal(&d->users[i].sid, sid))
			return true;
	return false;
}

/* Nothing is left there of the login, or its access there is scheduled under the name that the database has now. */
static bool is_settled(
	const struct visit_run *run, const struct verified *v, const struct observed_database *old)
{
	return old->read && (!has_user(old, &v->sid) || grants_name(run, v->login, old->name));
}

static int moved_tell(struct observed_database *now, const struct observed_database *old)
{
	const char *why = old->unread ? old->unread : "see `curfew bootstrap SERVER`";
	bool absent = now->absent;

	database_clear(now);
	now->read = now->absent = false;
	/* Both are online. Only where the user is can it be removed. */
	if (old->read)
		return database_unread_set(now,
			"%s" UNREAD_LEFT "%s], which was verified under this name%s%s%s",
			absent ? "it was renamed" : "another database has this name now", old->name,
			old->unwritable ? " and cannot be changed: " : "",
			old->unwritable ? old->unwritable : "",
			old->unwritable
				? "; a DBA makes it READ_WRITE for one pass, or drops or detaches it"
				: "; the next pass removes it if it can");
	return absent ? database_unread_set(now, "it was renamed to [%s], which is not read: %s",
				old->name, why)
		      : database_unread_set(now,
				"another database has this name now; the one that was verified is [%s], which is not "
				"read: %s",
				old->name, why);
}

/* One row about a name that another database has by now, or none. */
static int row_judge(struct visit_run *run, const struct verified *v)
{
	struct observed_database *now = observed_find_database(&run->observed, v->database);
	const struct observed_database *old =
		v->database_id ? database_by_id(&run->observed, v->database_id) : NULL;

	if (!now || (!now->read && !now->absent) || (old && names_equal(old->name, v->database)))
		return 0;
	/* Dropped, or hidden: only what is there can be settled. */
	if (!old)
		now->renamed = now->renamed && v->level == LEVEL_NONE;
	else if (!is_settled(run, v, old))
		return moved_tell(now, old);
	return 0;
}

/* An absent name is taken for renamed until a row says otherwise. */
static void renamed_begin(struct visit_run *run, const struct verified *v)
{
	struct observed_database *now = observed_find_database(&run->observed, v->database);

	if (now && now->absent && v->database_id)
		now->renamed = true;
}

/* Access was seen there last, or could not be ruled out. */
static bool may_have_access(const struct verified *v)
{
	return v->database_id && (v->level != LEVEL_NONE || v->result != VERIFICATION_VERIFIED);
}

int hidden_observe(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *p = run->visit;
	int rc = entries_note(run);
	_cleanup_free_ int *ids = calloc(p->n_verified + run->n_entries + 1, sizeof(*ids));
	size_t n = 0;

	if (rc || !ids)
		return -ENOMEM;
	for (size_t i = 0; i < run->n_entries; i++)
		ids[n++] = run->entries[i].database;
	for (size_t i = 0; i < p->n_verified; i++)
		if (may_have_access(&p->verified[i]))
			ids[n++] = p->verified[i].database_id;
	return sql_observe_hidden(&run->observed, error, run->session, ids, n);
}

int moved_mark(struct visit_run *run)
{
	const struct sql_visit *p = run->visit;
	int rc = 0;

	for (size_t i = 0; i < p->n_verified; i++)
		renamed_begin(run, &p->verified[i]);
	for (size_t i = 0; i < p->n_verified && !rc; i++)
		rc = row_judge(run, &p->verified[i]);
	return rc;
}

void moved_settle(struct visit_run *run)
{
	const struct sql_visit *p = run->visit;

	for (size_t i = 0; i < p->n_verified; i++) {
		const struct verified *v = &p->verified[i];
		const struct observed_database *now =
			observed_find_database(&run->observed, v->database);
		for (size_t k = 0; now && now->absent && now->renamed && k < p->wanted.n_grants;
			k++) {
			const struct grant *g = p->wanted.grants[k];
			if (g->level != LEVEL_NONE && v->level > g->level &&
				names_equal(g->user->login, v->login) &&
				names_equal(g->database->name, v->database) &&
				pass_is_for(p, g->client->name))
				verdict_tell(run, k, &(struct grant_place){0},
					VERIFICATION_VERIFIED, STATE_OK,
					"the database was renamed, and read under its new name: nothing of the login is left "
					"there that is not scheduled there");
		}
	}
}
