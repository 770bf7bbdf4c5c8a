/* Verification: the server reports the effective permissions of a login. */
#include "proof/proof_targets.h"

#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"

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
		bool its_own = names_equal(p->grantee, login) && permission_is_right(p) &&
			       !permission_is_entry(p);
		if (!its_own && !permission_is_everybodys(p))
			continue;
		evidence_add(k, "%s on the server%s%s", p->name, its_own ? "" : ", by ",
			its_own ? "" : p->grantee);
		k->held = true;
	}
	for (size_t i = 0; i < o->n_owned; i++)
		if (owned_is_of(&o->owned[i], login)) {
			evidence_add(k, "owner of %s %s", o->owned[i].kind, o->owned[i].name);
			k->held = true;
		}
	if (of_database[0])
		evidence_add(k, "%s", of_database);
}

static bool is_unreadable(const struct observed_server *o, const char *part)
{
	for (size_t i = 0; i < o->n_unreadable; i++)
		if (begins_with(o->unreadable[i].text, part))
			return true;
	return false;
}

/* Check the agent's permissions first. Without them the catalog hides rows, and an empty result means nothing. */
static const char *blindness(const struct observed_server *o)
{
	for (size_t i = 0; i < o->n_missing_rights; i++)
		if (strstr(o->missing_rights[i], "VIEW ANY DEFINITION"))
			return "the agent login lacks VIEW ANY DEFINITION, so the check is incomplete";
	/* A server role that is hidden may have anybody as a member, and give anything. */
	for (size_t i = 0; i < o->n_unseen; i++)
		if (!o->unseen[i].login)
			return o->unseen[i].text;
	if (is_unreadable(o, "server-denial"))
		return "the server does not tell whether something is hidden from the agent login";
	if (is_unreadable(o, "the agent login's permissions"))
		return "the server did not answer which permissions the agent login has";
	if (is_unreadable(o, "server-member") || is_unreadable(o, "server-permission") ||
		is_unreadable(o, "endpoint"))
		return "the server does not return server permissions";
	return NULL;
}

/* Users of one database stand together. */
static int target_order(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	int c = (x->place.database > y->place.database) - (x->place.database < y->place.database);

	return c ? c : (x->number > y->number) - (x->number < y->number);
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
	array_sort(t.items, t.n, sizeof(*t.items), target_order);
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
	if (l->disabled && !o->sessions_visible)
		return true;
	for (size_t i = 0; l->disabled && i < o->n_sessions; i++)
		if (observed_session_may_be_of(&o->sessions[i], l->name, &l->sid))
			return true;
	return false;
}

static void target_tell(struct visit_run *run, struct target *k, bool lost)
{
	char hidden[RECORD_TEXT_MAX];
	const char *blind = blindness(&run->observed);
	enum verification result = VERIFICATION_UNVERIFIED;
	const char *words;

	if (!blind)
		blind = hidden_words(hidden, run, k->place.database, &k->place);
	server_rights_add(run, k);
	if (k->waited && !k->held)
		snprintf(k->evidence, sizeof(k->evidence),
			"the permission query met a lock: %s (%d)", database_error_words(k->waited),
			k->waited);
	if (k->held) {
		result = VERIFICATION_EXCESS;
		words = k->evidence;
	} else if (observed_has_twins(
			   &run->observed, k->place.login->name, k->place.database->name)) {
		words = "another login or database has a name that differs only in case, and Curfew cannot tell them apart; "
			"rename it";
	} else if (session_outlives(&run->observed, k->place.login)) {
		words = run->observed.sessions_visible
				? "a session from before the login was disabled is still open, and its transactions "
				  "may outlive the permissions"
				: "the login is disabled, and the server does not tell whether an older session of it "
				  "is still open";
	} else if (k->asked && !k->waited && !k->unknown && !blind) {
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
			: k->asked ? "the server does not tell the permissions of the user"
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
	rc = entered_leave(run, targets_ask(run, error, &t));
	for (size_t i = 0; i < t.n && !entered_goes_again(run, rc); i++)
		target_tell(run, &t.items[i], rc < 0);
	free(t.items);
	for (size_t i = 0; i < w->n_grants && rc >= 0; i++)
		if (w->grants[i]->level == LEVEL_NONE && w->grants[i]->phase != PHASE_PENDING &&
			pass_is_for(run->visit, w->grants[i]->client->name) &&
			filter(run, w->grants[i]))
			gone_tell(run, i);
	return rc < 0 ? rc : 0;
}
