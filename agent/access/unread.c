/* What the journal still knows of databases that are not read. Such a database counts with its last level: while that
 * is above the scheduled one, the login stays disabled and has no session, whatever its other databases show. */
#include <string.h>

#include "access/difference.h"

static int remembered_compare(const void *item, const void *key)
{
	const struct remembered *r = item, *k = key;
	int order = names_compare(r->login, k->login);

	return order ? order : names_compare(r->database, k->database);
}

size_t remembered_from(const struct wanted_server *w, const char *login)
{
	const struct remembered key = {.login = login, .database = ""};

	return array_first(w->remembered, w->n_remembered, sizeof(key), &key, remembered_compare);
}

const struct remembered *builder_remembers(
	const struct builder *b, const char *login, const char *database)
{
	const struct remembered key = {.login = login, .database = database};

	return b->w->n_remembered ? bsearch(&key, b->w->remembered, b->w->n_remembered, sizeof(key),
					    remembered_compare)
				  : NULL;
}

static enum level level_of(const struct remembered *r)
{
	return r->excess ? LEVEL_FULL : r->level;
}

/* Read, gone, or a secondary replica, which nobody can enter as long as Curfew cannot. */
static bool is_settled(const struct wanted_server *w, const struct observed_database *d)
{
	return d && (d->read || (w->replicated && d->secondary));
}

static void login_shut(struct login_work *work)
{
	work->blocked = work->narrowed = true;
}

bool hidden_shut(struct builder *b, struct login_work *work, const struct observed_database *d)
{
	const char *why = d ? observed_user_hidden(b->o, d, work->observed, work->login) : NULL;

	if (!why)
		return false;
	obstacle_push(b, STATE_UNVERIFIED, work->login, d->name,
		"login [%s] may have any access in database [%s], and stays disabled until that is known: %s",
		work->login, d->name, why);
	if (b->n_obstacles)
		b->obstacles[b->n_obstacles - 1].shuts = true;
	login_shut(work);
	return true;
}

/* Whoever controls a database can keep the agent out and then give what it does not see: that counts as nothing
 * verified, for whoever had access there. What nobody there can cause, as taking it offline, leaves nobody with more
 * than before. */
static bool barred_shut(struct builder *b, struct login_work *work,
	const struct observed_database *d, const struct remembered *r)
{
	if (!d->barred || (r ? level_of(r) == LEVEL_NONE : !b->w->records_lost))
		return false;
	obstacle_push(b, STATE_UNREAD, work->login, d->name,
		"login [%s] has had access to database [%s], whoever controls that can keep the agent login out, and nobody "
		"knows what is given there meanwhile: the login stays disabled until the database is read: %s",
		work->login, d->name, d->unread ? d->unread : "unknown why");
	if (b->n_obstacles)
		b->obstacles[b->n_obstacles - 1].shuts = true;
	login_shut(work);
	return true;
}

/* Without a record, a grant that was reduced counts as the widest if records are missing; else it was never given. */
static void grant_judge(struct builder *b, struct login_work *work, const struct grant *g)
{
	const struct observed_database *d = observed_find_database(b->o, g->database->name);
	const struct remembered *r = builder_remembers(b, g->user->login, g->database->name);
	bool absent = !d || d->absent;
	instant_t at;

	/* Where access is scheduled, that was found when it was planned. */
	if (g->level == LEVEL_NONE && hidden_shut(b, work, d))
		return;
	/* That a database with ended access is gone is verified by itself. */
	if (is_settled(b->w, d) || (absent && (g->level == LEVEL_NONE || (d && d->renamed))))
		return;
	if (!absent && barred_shut(b, work, d, r))
		return;
	if (r && level_of(r) > g->level) {
		login_shut(work);
	} else if (!r && !absent && b->w->records_lost && grant_has_narrowed(g, &at)) {
		obstacle_push(b, STATE_UNREAD, work->login, g->database->name,
			"cannot read database [%s], and the journal has no record of it: the login stays disabled until the "
			"database is read",
			d->name);
		if (b->n_obstacles)
			b->obstacles[b->n_obstacles - 1].shuts = true;
		login_shut(work);
	}
}

/* The last verification counts, of the database that had the name then: another one, or the same restored, may hold any
 * user. Where none was ever given, only one that nobody can enter gives nothing. */
bool unread_may_give(
	const struct builder *b, const struct grant *g, const struct observed_database *d)
{
	const struct remembered *r = builder_remembers(b, g->user->login, g->database->name);

	if (!r)
		return b->w->records_lost || !d->shut;
	if (!r->verified || r->excess || r->level > g->level || !d->id || !r->made ||
		r->database_id != d->id)
		return true;
	/* The server hides when it was made together with its row, as it does of one that is offline. */
	return *d->made ? !streq(r->made, d->made) : !d->shut;
}

static bool grants_name(const struct wanted_server *w, const char *login, const char *database)
{
	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, login) &&
			names_equal(w->grants[i]->database->name, database))
			return true;
	return false;
}

/* Given once, in a database that the client's file does not name any more. */
static void former_judge(struct builder *b, struct login_work *work, const struct remembered *r)
{
	const struct observed_database *d = observed_find_database(b->o, r->database);

	if (level_of(r) == LEVEL_NONE || (d && d->absent) ||
		grants_name(b->w, r->login, r->database) || hidden_shut(b, work, d) ||
		is_settled(b->w, d))
		return;
	obstacle_push(b, STATE_UNREAD, work->login, NULL,
		"login [%s] had access to database [%s], which cannot be read: the login stays disabled until the database is "
		"read",
		work->login, r->database);
	login_shut(work);
}

/* Of master, tempdb, model, and msdb: everybody may enter all but model, so being there tells nothing. */
#define SYSTEM_DATABASES 4

/* The database shows all that the login has there, or nobody can enter it. */
static bool entry_is_settled(const struct wanted_server *w, const struct observed_database *d,
	const struct observed_entry *e)
{
	const struct observed_login l = {.sid = e->sid};

	return is_settled(w, d) && !(d->read && d->hidden && !observed_user_of(d, &l));
}

const struct observed_database *observed_unread_entry(const struct observed_server *o,
	const struct wanted_server *w, const char *login, const struct observed_entry *e)
{
	for (size_t i = 0; i < o->n_databases; i++) {
		const struct observed_database *d = &o->databases[i];
		if (d->id == e->database)
			return d->id <= SYSTEM_DATABASES || entry_is_settled(w, d, e) ||
					       grants_name(w, login, d->name)
				       ? NULL
				       : d;
	}
	return NULL;
}

/* For example a copy that was restored under another name: the session is the only sign of access there. */
static void entry_judge(struct builder *b, struct login_work *work, const struct observed_entry *e)
{
	const struct observed_database *d =
		sid_equal(&e->sid, &work->observed->sid)
			? observed_unread_entry(b->o, b->w, work->login, e)
			: NULL;

	if (!d || hidden_shut(b, work, d) || builder_remembers(b, work->login, d->name))
		return;
	obstacle_push(b, STATE_UNREAD, work->login, NULL,
		"login [%s] had a session in database [%s], where no access is configured for it and which cannot be read: the "
		"login stays disabled until the database is read",
		work->login, d->name);
	login_shut(work);
}

void unread_judge(struct builder *b, struct login_work *work)
{
	if (!work->observed)
		return;
	for (size_t i = 0; i < b->w->n_grants; i++)
		if (names_equal(b->w->grants[i]->user->login, work->login))
			grant_judge(b, work, b->w->grants[i]);
	for (size_t i = remembered_from(b->w, work->login);
		i < b->w->n_remembered && names_equal(b->w->remembered[i].login, work->login); i++)
		former_judge(b, work, &b->w->remembered[i]);
	for (size_t i = 0; i < b->o->n_entries; i++)
		entry_judge(b, work, &b->o->entries[i]);
}
