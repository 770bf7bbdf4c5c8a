/* Replicas of one availability group: a login has the same SID on all, and only the primary of a database can verify that
 * access to it was removed, because the secondaries cannot be read. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "pass/pass_internal.h"

/* As long as the SIDs that SQL Server generates. */
#define LOGIN_SID_SIZE 16

bool pass_are_replicas(const struct pass *p, const char *a, const char *b)
{
	const struct server *x = program_server(p->o.program, a);
	const struct server *y = program_server(p->o.program, b);

	return x && y && x != y && server_first(p->o.program, x) == server_first(p->o.program, y);
}

/* A database has the same content on all replicas, so its baseline is stored under the server that client files name. */
const char *pass_baseline_server(
	const struct pass *p, const struct server_work *w, const char *database)
{
	return sql_is_server_baseline(database) ? w->server->name
						: server_first(p->o.program, w->server)->name;
}

/* What the inventory knows of a login on the replicas of one server. */
struct sid_memory {
	struct sid sid;
	bool unknown; /* a login was being created, and the outcome is unknown */
};

static void identity_look(struct sid_memory *m, const struct identity *k)
{
	if (k->removed)
		return;
	if (!k->sid || k->sid_size > SID_MAX) {
		m->unknown |= k->intended != 0;
	} else if (!m->sid.size) {
		memcpy(m->sid.bytes, k->sid, k->sid_size);
		m->sid.size = (uint8_t)k->sid_size;
	}
}

/* The SID on the server that client files name wins: its databases existed before the replicas did. */
static struct sid_memory sid_recall(
	const struct pass *p, const struct server *first, const char *login)
{
	struct sid_memory m = {0};

	for (size_t i = 0; i < p->identities.n; i++)
		if (streq(p->identities.items[i].server, first->name) &&
			names_equal(p->identities.items[i].login, login))
			identity_look(&m, &p->identities.items[i]);
	for (size_t i = 0; i < p->identities.n; i++)
		if (pass_are_replicas(p, p->identities.items[i].server, first->name) &&
			names_equal(p->identities.items[i].login, login))
			identity_look(&m, &p->identities.items[i]);
	return m;
}

/* The SID that this pass has chosen already, for another replica. */
static const struct sid *sid_chosen(
	const struct pass *p, const struct server_work *w, const char *login)
{
	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server_work *other = &p->servers[i];
		const struct wanted_login *l =
			other == w ? NULL
			: pass_are_replicas(p, other->server->name, w->server->name)
				? wanted_find(&other->sql.wanted, login)
				: NULL;
		if (l && l->sid.size)
			return &l->sid;
	}
	return NULL;
}

void pass_sids_choose(struct pass *p, struct server_work *w)
{
	struct wanted_server *wanted = &w->sql.wanted;
	const struct server *first = server_first(p->o.program, w->server);

	wanted->replicated = server_is_replicated(p->o.program, w->server);
	for (size_t i = 0; wanted->replicated && i < wanted->n_logins; i++) {
		struct wanted_login *l = &wanted->logins[i];
		struct sid_memory m = sid_recall(p, first, l->login);
		const struct sid *chosen = sid_chosen(p, w, l->login);

		if (chosen) {
			l->sid = *chosen;
		} else if (m.sid.size) {
			l->sid = m.sid;
		} else if (!m.unknown) {
			l->sid.size = LOGIN_SID_SIZE;
			randombytes_buf(l->sid.bytes, l->sid.size);
		}
	}
}

/* What the replicas of one database last verified of a login: when one gave it something, or could not tell, and when
 * another had nothing left. Its own record is among the first alone: it is the one that is asked about. */
struct replica_memory {
	bool given, nothing;
	instant_t given_at, nothing_at;
	const char *where;
};

static struct replica_memory replicas_recall(
	const struct pass *p, const char *server, const char *login, const char *database)
{
	struct replica_memory m = {0};

	for (size_t i = 0; i < p->o.program->n_servers; i++) {
		const char *name = p->o.program->servers[i].name;
		bool own = streq(name, server);
		const struct grant *g = own || pass_are_replicas(p, name, server)
						? pass_grant(p, name, login, database)
						: NULL;
		const struct grant_work *w = g ? &p->works[pass_grant_number(p, g)] : NULL;

		if (!w || !w->verified)
			continue;
		const struct verified *v = w->verified;
		if (v->level != LEVEL_NONE || v->result != VERIFICATION_VERIFIED) {
			m.given_at = m.given && m.given_at > v->at ? m.given_at : v->at;
			m.given = true;
		} else if (!own && (!m.nothing || v->at > m.nothing_at)) {
			m.nothing_at = v->at;
			m.nothing = true;
			m.where = name;
		}
	}
	return m;
}

/* A verification of absence counts only if it is newer than the last grant of access. */
bool pass_replica_proves(const char **where, const struct pass *p, const struct record *r)
{
	struct replica_memory m = replicas_recall(p, r->server, r->login, r->database);

	if (!m.nothing || (m.given && m.nothing_at <= m.given_at))
		return false;
	*where = m.where;
	return true;
}

void pass_replica_seen(struct pass *p, const struct grant *g)
{
	struct grant_work *w = &p->works[pass_grant_number(p, g)];

	if (!server_is_replicated(p->o.program, g->server) || !w->verified ||
		w->verified->level != LEVEL_NONE || w->verified->result != VERIFICATION_VERIFIED)
		return;
	struct replica_memory m =
		replicas_recall(p, g->server->name, g->user->login, g->database->name);
	if (!m.given || m.given_at < w->verified->at)
		return;
	if (pass_verified_keep(p, g, w->verified))
		w->to_save = p->o.mode == PASS_APPLY;
}

/* What another replica has verified since, where the database was read. NULL: nothing, or more than is scheduled. */
static const struct verified *read_elsewhere(
	const struct pass *p, const struct grant *g, instant_t since)
{
	for (size_t i = 0; i < p->o.program->n_servers; i++) {
		const char *name = p->o.program->servers[i].name;
		const struct grant *other =
			pass_are_replicas(p, name, g->server->name)
				? pass_grant(p, name, g->user->login, g->database->name)
				: NULL;
		const struct grant_work *w = other ? &p->works[pass_grant_number(p, other)] : NULL;

		if (w && w->seen && w->readable && !w->secondary && w->verified &&
			w->verified->at > since && pass_admission(other, (void *)p) == ADMIT)
			return w->verified;
	}
	return NULL;
}

/* A secondary replica is not narrowed, its primary is: what was verified here while it was the primary would count until
 * the next failover, and refuse the listener's address to whoever has on the primary what is scheduled. The level is taken
 * over, and no fingerprint: nobody is let in here before all of it is verified. What is known of the login's highest level
 * stays. A server that does not answer, or that shows anything else, keeps what was verified there. */
void pass_replicas_yield(struct pass *p)
{
	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];
		const struct grant_work *w = &p->works[i];
		const struct verified *old = w->verified,
				      *v = w->seen && w->secondary && w->login_shut && old &&
							   old->result == VERIFICATION_VERIFIED &&
							   old->level > g->level
						   ? read_elsewhere(p, g, old->at)
						   : NULL;
		struct verified taken;

		if (!v)
			continue;
		taken = *old;
		taken.level = v->level;
		*taken.fingerprint = '\0';
		pass_verified_note(p, g, &taken);
	}
}

/* Search for a former user on all replicas: a failover may have happened before a pass observed the user there. */
int pass_formers_spread(struct pass *p)
{
	size_t n = p->n_formers;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		for (size_t k = 0; k < p->o.program->n_servers && !rc; k++) {
			const struct former r = p->formers[i];
			const char *name = p->o.program->servers[k].name;

			if (r.database && pass_are_replicas(p, r.server, name) &&
				!pass_grant(p, name, r.login, r.database) &&
				!pass_is_former(p, name, r.login, r.database))
				rc = pass_former_add(p, name, r.login, r.database, LEVEL_NONE);
		}
	return rc;
}

/* Verified if one replica was read and has nothing left, and every other one is a secondary or has nothing left either. */
static bool former_is_proved(const struct pass *p, const struct former *m)
{
	bool found = false;

	for (size_t i = 0; i < p->n_formers; i++) {
		const struct former *k = &p->formers[i];

		if (k == m || !k->database || !names_equal(k->login, m->login) ||
			!names_equal(k->database, m->database) ||
			!pass_are_replicas(p, k->server, m->server))
			continue;
		if (!k->gone && !k->secondary)
			return false;
		found |= k->gone && !k->secondary;
	}
	return found;
}

void pass_replicas_settle(struct pass *p)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		struct former *m = &p->formers[i];

		if (m->secondary && !m->gone)
			m->gone = former_is_proved(p, m);
	}
}
