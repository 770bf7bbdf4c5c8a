/* Verification: the server reports the effective permissions of a login. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "proof/proof.h"
#include "sql/question.h"

/* Users in one round trip. */
#define CHUNK 64

struct target {
	const struct grant *grant;
	size_t number; /* of the grant */
	struct grant_place place;
	bool asked;
	bool held;
	bool unknown; /* the server did not answer for some permission */
	char evidence[RECORD_TEXT_MAX];
};

struct targets {
	struct target *items;
	size_t n;
};

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

/* Rows: held, number, class, permission, count, example, answer; and asked, number, user, whether CONNECT is held. */
static int answer_row(void *context, const struct sql_value *v, int n)
{
	struct targets *t = context;
	size_t i = n >= 4 && v[1].data ? (size_t)strtoull(v[1].data, NULL, 10) : t->n;

	if (i >= t->n || !v[0].data)
		return -EBADMSG;
	struct target *k = &t->items[i];
	if (streq(v[0].data, "asked")) {
		/* Counts only if the server answered as this user, and knows CONNECT. */
		k->asked = v[2].data && names_equal(v[2].data, k->place.user->name);
		if (!v[3].data || !streq(v[3].data, "1"))
			k->unknown = true;
		return 0;
	}
	if (n != 7 || !streq(v[0].data, "held"))
		return -EBADMSG;
	if (!v[6].data) {
		if (!k->unknown)
			evidence_add(k, "the server did not answer whether the user has %s on %s",
				text_of(&v[3]), text_of(&v[2]));
		k->unknown = true;
		return 0;
	}
	bool several = !streq(text_of(&v[4]), "1");
	evidence_add(k, "%s on %s %s%s%s%s", text_of(&v[3]), text_of(&v[2]), text_of(&v[5]),
		several ? " and others, " : "", several ? text_of(&v[4]) : "",
		several ? " in all" : "");
	k->held = true;
	return 0;
}

/* EXECUTE AS USER hides the server's permissions, so read them from the catalog: those of the login, and those that it has
 * by public and by MARK_ROLE. */
static void server_rights_add(const struct visit_run *run, struct target *k)
{
	const struct observed_server *o = &run->observed;
	const char *login = k->grant->user->login;
	char of_database[RECORD_TEXT_MAX];

	/* The server's come first, because evidence is cut to the size of a record. */
	snprintf(of_database, sizeof(of_database), "%s", k->evidence);
	k->evidence[0] = '\0';
	for (size_t i = 0; i < o->n_members; i++) {
		const struct observed_member *m = &o->members[i];
		bool its_own = names_equal(m->member, login);
		if (!its_own && !names_equal(m->member, MARK_ROLE))
			continue;
		evidence_add(
			k, "member of server role %s%s", m->role, its_own ? "" : ", by " MARK_ROLE);
		k->held = true;
	}
	for (size_t i = 0; i < o->n_permissions; i++) {
		const struct permission *p = &o->permissions[i];
		bool its_own = names_equal(p->grantee, login) && p->state != 'D' &&
			       strcmp(p->name, "CONNECT SQL") != 0;
		if (!its_own && !permission_is_everybodys(p))
			continue;
		evidence_add(k, "%s on the server%s%s", p->name, its_own ? "" : ", by ",
			its_own ? "" : p->grantee);
		k->held = true;
	}
	if (of_database[0])
		evidence_add(k, "%s", of_database);
}

static bool is_unreadable(const struct observed_server *o, const char *part)
{
	for (size_t i = 0; i < o->n_unreadable; i++)
		if (!strncmp(o->unreadable[i], part, strlen(part)))
			return true;
	return false;
}

/* Check the agent's permissions first. Without them the catalog hides rows, and an empty result means nothing. */
static const char *blindness(const struct observed_server *o)
{
	for (size_t i = 0; i < o->n_missing_rights; i++)
		if (strstr(o->missing_rights[i], "VIEW ANY DEFINITION"))
			return "the agent login lacks VIEW ANY DEFINITION, so the check is incomplete";
	if (is_unreadable(o, "the agent login's permissions"))
		return "the server did not answer which permissions the agent login has";
	if (is_unreadable(o, "server-member") || is_unreadable(o, "server-permission"))
		return "the server does not return server permissions";
	return NULL;
}

static void target_question_write(FILE *to, const struct target *t, size_t index)
{
	question_enter_write(to, t->place.database->name, t->place.database->id);
	fputs("EXECUTE AS USER = ", to);
	sql_write_string(to, t->place.user->name);
	fputs(";\n", to);
	question_write(to, proof_questions[t->grant->level], index, 0);
	fputs("REVERT;\n", to);
}

static int chunk_ask(
	struct visit_run *run, struct sql_error *error, struct targets *t, size_t from, size_t to)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (size_t i = from; i < to; i++)
		target_question_write(batch.to, &t->items[i], i);
	fputs("USE [master];\n", batch.to);
	return question_ask(run->session, error, &batch, answer_row, t);
}

/* After an error the session may still be impersonated: REVERT until it is not. */
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

/* The server does not know the syntax, so do not ask for other users. Other errors concern one user only. */
static bool is_syntax_error(int number)
{
	static const int numbers[] = {102, 156, 195, 40510, 40517, 33557097};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

static void target_cannot_tell(struct target *k, const struct sql_error *error)
{
	target_reset(k);
	snprintf(k->evidence, sizeof(k->evidence), "the permission query failed (%d: %.200s)",
		error->number, error->text);
}

static int targets_ask(struct visit_run *run, struct sql_error *error, struct targets *t)
{
	for (size_t from = 0; from < t->n; from += CHUNK) {
		size_t to = from + CHUNK < t->n ? from + CHUNK : t->n;
		int rc = run->cannot_tell ? SQL_SERVER_ERROR : chunk_ask(run, error, t, from, to);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		rc = impersonation_leave(run);
		/* Ask one by one, so that an error of one user does not leave all unverified. */
		for (size_t i = from; i < to && rc >= 0; i++) {
			if (run->cannot_tell) {
				target_cannot_tell(&t->items[i], error);
				continue;
			}
			target_reset(&t->items[i]);
			rc = chunk_ask(run, error, t, i, i + 1);
			if (rc <= 0)
				continue;
			/* Some errors do not end a batch, so later rows may have been answered as a different user. */
			target_cannot_tell(&t->items[i], error);
			run->cannot_tell = is_syntax_error(error->number);
			struct sql_error kept = *error;
			rc = impersonation_leave(run);
			*error = kept;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int targets_collect(struct targets *out, const struct visit_run *run, verify_filter filter)
{
	const struct wanted_server *w = &run->visit->wanted;
	struct targets t = {.items = calloc(w->n_grants + 1, sizeof(*t.items))};

	if (!t.items)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_grants; i++) {
		const struct grant *g = w->grants[i];
		struct grant_place place;
		if (g->level != LEVEL_NONE && pass_is_for(run->visit, g->client->name) &&
			grant_place(&place, run, g) && filter(run, g))
			t.items[t.n++] = (struct target){.grant = g, .number = i, .place = place};
	}
	*out = t;
	return 0;
}

/* The user has exactly the roles of its level, and no other permissions. */
static bool catalog_agrees(const struct visit_run *run, const struct target *k)
{
	bool exact;

	return observed_level(&exact, &run->observed, k->place.database, k->place.login,
		       run->visit->server) <= k->grant->level &&
	       exact;
}

static bool session_outlives(const struct observed_server *o, const struct observed_login *l)
{
	for (size_t i = 0; l->disabled && i < o->n_sessions; i++)
		if (observed_session_may_be_of(&o->sessions[i], l->name, &l->sid))
			return true;
	return false;
}

static void target_tell(struct visit_run *run, struct target *k, bool lost)
{
	const char *blind = blindness(&run->observed);
	enum verification result = VERIFICATION_UNVERIFIED;
	const char *words;

	server_rights_add(run, k);
	if (k->held) {
		result = VERIFICATION_EXCESS;
		words = k->evidence;
	} else if (observed_has_twins(
			   &run->observed, k->place.login->name, k->place.database->name)) {
		words = "another login or database has a name that differs only in case, and Curfew cannot tell them apart; "
			"rename it";
	} else if (session_outlives(&run->observed, k->place.login)) {
		words = "a session from before the login was disabled is still open, and its transactions may outlive the "
			"permissions";
	} else if (k->asked && !k->unknown && !blind) {
		result = VERIFICATION_VERIFIED;
		words = k->grant->level == LEVEL_WRITE
				? "impersonation check: cannot change any object, schema, or the database; cannot "
				  "grant; owns nothing"
			: k->grant->level == LEVEL_FULL
				? "impersonation check: cannot create objects, cannot grant, owns nothing"
				: "impersonation check: no write permission on any object, schema, or the database; "
				  "cannot grant";
	} else if (run->cannot_tell && !blind && run->visit->server->evidence_catalog &&
		   catalog_agrees(run, k)) {
		result = VERIFICATION_VERIFIED;
		words = "catalog check only: the server cannot verify more, and the configuration accepts that (evidence)";
	} else {
		words = k->evidence[0]		  ? k->evidence
			: k->asked && !k->unknown ? blind
			: k->asked ? "the server does not know the permissions by name"
			: lost	   ? "the connection was lost"
				   : "impersonation failed";
	}
	verdict_tell(run, k->number, &k->place, result, STATE_OK, words);
}

int verify_run(struct visit_run *run, struct sql_error *error, verify_filter filter)
{
	const struct wanted_server *w = &run->visit->wanted;
	struct targets t;
	int rc = targets_collect(&t, run, filter);

	if (rc)
		return rc;
	rc = targets_ask(run, error, &t);
	for (size_t i = 0; i < t.n; i++)
		target_tell(run, &t.items[i], rc < 0);
	free(t.items);
	for (size_t i = 0; i < w->n_grants && rc >= 0; i++)
		if (w->grants[i]->level == LEVEL_NONE && w->grants[i]->phase != PHASE_PENDING &&
			pass_is_for(run->visit, w->grants[i]->client->name) &&
			filter(run, w->grants[i]))
			gone_tell(run, i);
	return rc < 0 ? rc : 0;
}
