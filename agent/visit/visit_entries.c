/* Databases in which sessions of managed logins were seen. In one that nobody schedules and that cannot be read, such a
 * session is all that shows that the login has access: it is noted also of a session that is ended before anything is read.
 */
#include <errno.h>
#include <string.h>

#include "sql/rows.h"
#include "visit/visit.h"

static int entry_add(struct visit_run *run, const struct observed_entry *e)
{
	for (size_t i = 0; i < run->n_entries; i++)
		if (run->entries[i].database == e->database &&
			sid_equal(&run->entries[i].sid, &e->sid))
			return 0;
	return ARRAY_ADD(run->entries, run->n_entries, *e);
}

int entry_note(struct visit_run *run, const struct observed_session *s)
{
	const struct observed_entry e = {.sid = s->key.sid, .database = s->database};

	return s->database && s->key.sid.size ? entry_add(run, &e) : 0;
}

int entries_recall(struct visit_run *run)
{
	int rc = 0;

	for (size_t i = 0; i < run->visit->n_entries && !rc; i++)
		rc = entry_add(run, &run->visit->entries[i]);
	return rc;
}

void entries_carry(const struct visit_run *run)
{
	struct record r;

	for (size_t i = 0; i < run->n_entries; i++) {
		record_of(&r, run->visit, RECORD_ENTRY, NULL, NULL, NULL);
		r.entry.sid = run->entries[i].sid;
		r.entry.database_id = (uint64_t)run->entries[i].database;
		worker_tell(run->worker, &r);
	}
}

int entries_note(struct visit_run *run)
{
	int rc = 0;

	for (size_t i = 0; i < run->observed.n_sessions && !rc; i++)
		rc = entry_note(run, &run->observed.sessions[i]);
	run->observed.entries = run->entries;
	run->observed.n_entries = run->n_entries;
	return rc;
}

/* Under the name that Curfew gave it. This pass may have dropped it since: then the inventory knows it. */
static const char *login_of(const struct visit_run *run, const struct observed_entry *e)
{
	const struct observed_server *o = &run->observed;
	const char *server = run->visit->server->name;

	for (size_t i = 0; i < o->n_logins; i++) {
		const struct observed_login *l = &o->logins[i];
		if (!l->ours || !sid_equal(&l->sid, &e->sid))
			continue;
		const char *former = observed_former_name(l, &run->claims, server);
		return former ? former : l->name;
	}
	for (size_t i = 0; i < run->claims.n; i++)
		if (streq(run->claims.items[i].server, server) &&
			sid_equal(&run->claims.items[i].sid, &e->sid))
			return run->claims.items[i].login;
	return NULL;
}

/* It is looked for by itself. */
static bool is_former(const struct visit_run *run, const char *login, const char *database)
{
	for (size_t i = 0; i < run->visit->n_formers; i++)
		if (names_equal(run->visit->formers[i].login, login) &&
			names_equal(run->visit->formers[i].database, database))
			return true;
	return false;
}

static bool is_read(const struct observed_server *o, int database)
{
	for (size_t i = 0; i < o->n_databases; i++)
		if (o->databases[i].id == database)
			return o->databases[i].read;
	return true;
}

/* Makes the record of an entry in a database that is not read. False: it needs none. */
static bool unread_record(
	struct record *r, const struct visit_run *run, const struct observed_entry *e)
{
	const struct observed_server *o = &run->observed;
	const char *login = is_read(o, e->database) ? NULL : login_of(run, e);
	const struct observed_database *d =
		login ? observed_unread_entry(o, &run->visit->wanted, login, e) : NULL;
	const char *client = login ? client_of_login(run, login) : NULL;

	if (!d || is_former(run, login, d->name) ||
		!(client ? pass_is_for(run->visit, client) : !run->visit->only_client))
		return false;
	record_of(r, run->visit, RECORD_GRANT, client, login, d->name);
	r->state = STATE_UNREAD;
	r->grant.admission = ADMIT_NOBODY;
	r->grant.level = LEVEL_FULL;
	r->grant.seen = ANSWER_NO;
	r->grant.database_id = (uint64_t)e->database;
	RECORD_PRINTF(r, detail,
		"it had a session in database [%s], where no access is configured for it, and which cannot be read: %s",
		d->name, d->unread ? d->unread : "the server returned no row for it");
	return true;
}

int entries_judge(struct visit_run *run)
{
	_cleanup_free_ struct record *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	run->n_unread_entries = 0;
	for (size_t i = 0; i < run->n_entries; i++) {
		struct record *more;
		if (!unread_record(r, run, &run->entries[i]))
			continue;
		more = ARRAY_MORE(run->unread_entries, run->n_unread_entries);
		if (!more)
			return -ENOMEM;
		*more = *r;
	}
	return 0;
}

void tell_entries(const struct visit_run *run)
{
	for (size_t i = 0; i < run->n_unread_entries; i++)
		worker_tell(run->worker, &run->unread_entries[i]);
}
