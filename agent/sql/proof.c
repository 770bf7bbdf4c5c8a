/* Proofs by effective permissions, after a narrowing or a removal and for the audit. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "sql/proof.h"

/* Users asked about in one round trip. */
#define CHUNK 64

struct target {
	const struct grant *grant;
	const struct observed_database *database;
	const char *user;
	bool asked;
	bool held;
	bool unknown; /* some permission that the server does not say anything about */
	char evidence[RECORD_TEXT_MAX];
};

struct targets {
	struct target *items;
	size_t n;
};

static bool is_touched(const struct touched *t, const char *login)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (names_equal(t->logins[i], login))
			return true;
	return !t;
}

static void proof_tell(const struct visit_run *run, const struct grant *g, enum verification result,
	const char *evidence)
{
	struct record r;

	record_of(&r, run->visit, RECORD_VERIFICATION, g->client->name, g->user->login,
		g->database->name);
	r.verification = (struct record_verification){
		.level = g->level, .result = result, .at = run->visit->now};
	RECORD_SET(&r, detail, evidence);
	worker_tell(run->worker, &r);
}

__attribute__((format(printf, 2, 3))) static void evidence_add(
	struct target *k, const char *format, ...)
{
	size_t used = strlen(k->evidence);
	va_list args;

	if (used + 2 >= sizeof(k->evidence))
		return;
	if (used)
		used += (size_t)snprintf(k->evidence + used, sizeof(k->evidence) - used, "; ");
	va_start(args, format);
	vsnprintf(k->evidence + used, sizeof(k->evidence) - used, format, args);
	va_end(args);
}

static const char *text_of(const struct sql_value *v)
{
	return v->data ? v->data : "?";
}

/* Rows: held, number, class, permission, count, an example, answer; asked, number, user, whether CONNECT is held. */
static int answer_row(void *context, const struct sql_value *v, int n)
{
	struct targets *t = context;
	size_t i = n >= 4 && v[1].data ? (size_t)strtoull(v[1].data, NULL, 10) : t->n;

	if (i >= t->n || !v[0].data)
		return -EBADMSG;
	struct target *k = &t->items[i];
	if (!strcmp(v[0].data, "asked")) {
		/* Only what was answered as that user, and in terms that the server knows, proves anything. */
		k->asked = v[2].data && names_equal(v[2].data, k->user);
		if (!v[3].data || strcmp(v[3].data, "1") != 0)
			k->unknown = true;
		return 0;
	}
	if (n != 7 || strcmp(v[0].data, "held") != 0)
		return -EBADMSG;
	if (!v[6].data) {
		if (!k->unknown)
			evidence_add(k, "the server does not say whether %s on %s is held",
				text_of(&v[3]), text_of(&v[2]));
		k->unknown = true;
		return 0;
	}
	bool several = strcmp(text_of(&v[4]), "1") != 0;
	evidence_add(k, "%s on %s %s%s%s%s", text_of(&v[3]), text_of(&v[2]), text_of(&v[5]),
		several ? " and others, " : "", several ? text_of(&v[4]) : "",
		several ? " in all" : "");
	k->held = true;
	return 0;
}

/* EXECUTE AS USER hides what its login may do on the server: that is read from the catalogue. */
static void server_rights_add(const struct visit_run *run, struct target *k)
{
	const struct observed_server *o = &run->observed;
	const char *login = k->grant->user->login;

	for (size_t i = 0; i < o->n_members; i++)
		if (names_equal(o->members[i].member, login)) {
			evidence_add(k, "member of the server role %s", o->members[i].role);
			k->held = true;
		}
	for (size_t i = 0; i < o->n_permissions; i++) {
		const struct permission *p = &o->permissions[i];
		if (!names_equal(p->grantee, login) || p->state == 'D' ||
			!strcmp(p->name, "CONNECT SQL"))
			continue;
		evidence_add(k, "%s on the server", p->name);
		k->held = true;
	}
}

static bool is_unreadable(const struct observed_server *o, const char *part)
{
	for (size_t i = 0; i < o->n_unreadable; i++)
		if (!strncmp(o->unreadable[i], part, strlen(part)))
			return true;
	return false;
}

/* The agent's own rights are asserted before silence is believed: too few show as fewer rows. */
static const char *blindness(const struct observed_server *o)
{
	for (size_t i = 0; i < o->n_missing_rights; i++)
		if (strstr(o->missing_rights[i], "VIEW ANY DEFINITION"))
			return "the agent's own login lacks VIEW ANY DEFINITION: what it does not see proves nothing";
	if (is_unreadable(o, "the agent's own rights"))
		return "the server does not say what the agent's own login may see";
	if (is_unreadable(o, "server-member") || is_unreadable(o, "server-permission"))
		return "the server does not show rights on the server itself";
	return NULL;
}

static void question_write(FILE *to, const struct target *t, size_t index)
{
	fputs("USE ", to);
	sql_write_name(to, t->database->name);
	fputs(";\nEXECUTE AS USER = ", to);
	sql_write_string(to, t->user);
	fputs(";\n", to);
	for (const char *c = proof_questions[t->grant->level]; *c; c++)
		if (!strncmp(c, "%zu", 3)) {
			fprintf(to, "%zu", index);
			c += 2;
		} else {
			putc(*c, to);
		}
	fputs("REVERT;\n", to);
}

static int chunk_ask(
	struct visit_run *run, struct sql_error *error, struct targets *t, size_t from, size_t to)
{
	char *batch = NULL;
	size_t size;
	FILE *f = open_memstream(&batch, &size);

	if (!f)
		return -ENOMEM;
	for (size_t i = from; i < to; i++)
		question_write(f, &t->items[i], i);
	fputs("USE [master];\n", f);
	if (fclose(f)) {
		free(batch);
		return -ENOMEM;
	}
	int rc = sql_session_run(run->session, error, batch, answer_row, t);
	free(batch);
	return rc;
}

/* After an error the session may still be somebody else: the way back is asked for until there is none. */
static int impersonation_leave(struct visit_run *run)
{
	struct sql_error ignored;

	return sql_session_run(run->session, &ignored, "REVERT;\nUSE [master];\n", NULL, NULL);
}

static void target_reset(struct target *k)
{
	k->asked = k->held = k->unknown = false;
	k->evidence[0] = '\0';
}

static int targets_ask(struct visit_run *run, struct sql_error *error, struct targets *t)
{
	for (size_t from = 0; from < t->n; from += CHUNK) {
		size_t to = from + CHUNK < t->n ? from + CHUNK : t->n;
		int rc = chunk_ask(run, error, t, from, to);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		rc = impersonation_leave(run);
		/* One by one, so that what cannot be asked of one user is not unproved of all. */
		for (size_t i = from; i < to && rc >= 0; i++) {
			target_reset(&t->items[i]);
			rc = chunk_ask(run, error, t, i, i + 1);
			if (rc <= 0)
				continue;
			/* A batch goes on after some errors: what came then was answered as somebody else, perhaps. */
			target_reset(&t->items[i]);
			snprintf(t->items[i].evidence, sizeof(t->items[i].evidence),
				"the server cannot tell (%d: %.200s)", error->number, error->text);
			rc = impersonation_leave(run);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int targets_collect(
	struct targets *out, const struct visit_run *run, const struct touched *touched)
{
	const struct wanted_server *w = &run->visit->wanted;
	struct targets t = {.items = calloc(w->n_grants + 1, sizeof(*t.items))};

	if (!t.items)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_grants; i++) {
		const struct grant *g = w->grants[i];
		const struct observed_login *l =
			observed_find_login(&run->observed, g->user->login);
		const struct observed_database *d =
			observed_find_database(&run->observed, g->database->name);
		const struct observed_user *u = d && l ? observed_user_of(d, l) : NULL;
		if (g->level == LEVEL_NONE || !u || !l->ours ||
			!is_touched(touched, g->user->login) ||
			!pass_is_for(run->visit, g->client->name))
			continue;
		t.items[t.n++] = (struct target){.grant = g, .database = d, .user = u->name};
	}
	*out = t;
	return 0;
}

static size_t databases_unread(const struct observed_server *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_databases; i++)
		n += !o->databases[i].read && !o->databases[i].system && !o->databases[i].absent;
	return n;
}

static bool is_sid_of(const struct visit_run *run, const char *login, const struct sid *sid)
{
	for (size_t i = 0; i < run->claims.n; i++) {
		const struct claim *c = &run->claims.items[i];
		if (!strcmp(c->server, run->visit->server->name) && !strcasecmp(c->login, login) &&
			sid_equal(&c->sid, sid))
			return true;
	}
	return false;
}

/* By name, and by the SIDs that the login has had: a renamed or restored user is found too. */
static const struct observed_user *user_left(
	const struct visit_run *run, const char *login, const char **where)
{
	const struct observed_server *o = &run->observed;

	for (size_t i = 0; i < o->n_databases; i++)
		for (size_t k = 0; k < o->databases[i].n_users; k++) {
			const struct observed_user *u = &o->databases[i].users[k];
			if (u->type == 'R' || (strcasecmp(u->name, login) != 0 &&
						      !is_sid_of(run, login, &u->sid)))
				continue;
			*where = o->databases[i].name;
			return u;
		}
	return NULL;
}

static bool session_is_left(const struct observed_server *o, const char *login)
{
	for (size_t i = 0; i < o->n_sessions; i++)
		if (names_equal(o->sessions[i].login, login))
			return true;
	return false;
}

/* Nothing is to be there: what was read says whether it is so. */
static void gone_tell(const struct visit_run *run, const struct grant *g)
{
	const struct observed_server *o = &run->observed;
	const struct observed_login *l = observed_find_login(o, g->user->login);
	const struct observed_database *d = observed_find_database(o, g->database->name);
	char evidence[RECORD_TEXT_MAX];
	const struct observed_user *u;
	const char *where;

	if (wanted_find(&run->visit->wanted, g->user->login)) {
		/* Still there for another database: gone from this one. */
		if (d && observed_user_of(d, l))
			proof_tell(
				run, g, VERIFICATION_EXCESS, "the user is still in the database");
		else if (d && !d->absent && !d->read)
			proof_tell(run, g, VERIFICATION_UNVERIFIED, "the database cannot be read");
		else
			proof_tell(run, g, VERIFICATION_VERIFIED,
				"sys.database_principals read: no user with the login's SID");
		return;
	}
	if (l)
		proof_tell(run, g, VERIFICATION_EXCESS, "the login is still there");
	else if (session_is_left(o, g->user->login))
		proof_tell(run, g, VERIFICATION_EXCESS, "a session of the login is still there");
	else if ((u = user_left(run, g->user->login, &where))) {
		snprintf(evidence, sizeof(evidence), "its user [%.128s] is still in [%.128s]",
			u->name, where);
		proof_tell(run, g, VERIFICATION_EXCESS, evidence);
	} else if (o->n_missing_rights || o->n_unreadable || databases_unread(o)) {
		snprintf(evidence, sizeof(evidence),
			"no login, session or user found, but the server does not show everything: %zu database(s) unread, %zu "
			"part(s) of the catalogue unreadable, %zu right(s) missing",
			databases_unread(o), o->n_unreadable, o->n_missing_rights);
		proof_tell(run, g, VERIFICATION_UNVERIFIED, evidence);
	} else {
		snprintf(evidence, sizeof(evidence),
			"sys.server_principals, sys.dm_exec_sessions and sys.database_principals of %zu databases read: no login, "
			"no session, no user",
			o->n_databases);
		proof_tell(run, g, VERIFICATION_VERIFIED, evidence);
	}
}

static void target_tell(const struct visit_run *run, struct target *k, bool lost)
{
	const char *blind = blindness(&run->observed);

	server_rights_add(run, k);
	if (k->held)
		proof_tell(run, k->grant, VERIFICATION_EXCESS, k->evidence);
	else if (k->asked && !k->unknown && !blind)
		proof_tell(run, k->grant, VERIFICATION_VERIFIED,
			k->grant->level == LEVEL_WRITE
				? "impersonated: changes no object, schema or the database, hands nothing on, owns nothing"
			: k->grant->level == LEVEL_FULL
				? "impersonated: makes nothing, hands nothing on, owns nothing"
				: "impersonated: changes nothing on any object, schema or the database, grants nothing");
	else
		proof_tell(run, k->grant, VERIFICATION_UNVERIFIED,
			k->evidence[0]		  ? k->evidence
			: k->asked && !k->unknown ? blind
			: k->asked ? "the server does not know the permissions by name"
			: lost	   ? "the connection was lost"
				   : "the server did not answer as that user");
}

int proofs_tell(struct visit_run *run, struct sql_error *error, const struct touched *touched)
{
	struct targets t;
	int rc = targets_collect(&t, run, touched);

	if (rc)
		return rc;
	rc = targets_ask(run, error, &t);
	for (size_t i = 0; i < t.n; i++)
		target_tell(run, &t.items[i], rc < 0);
	free(t.items);
	for (size_t i = 0; i < run->visit->wanted.n_grants && rc >= 0; i++) {
		const struct grant *g = run->visit->wanted.grants[i];
		if (g->level == LEVEL_NONE && g->phase != PHASE_PENDING &&
			is_touched(touched, g->user->login) &&
			pass_is_for(run->visit, g->client->name))
			gone_tell(run, g);
	}
	return rc < 0 ? rc : 0;
}
