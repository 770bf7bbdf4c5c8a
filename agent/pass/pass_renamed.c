/* Revocations and ended access apply under a new name too. If the files no longer name a revoked client or user, or a
 * client whose access has ended, the revocation or the end applies to a new login on the same databases: new means that
 * it never existed before. If the new users are different people, an operator reinstates them, or gives a new approval
 * as after every passed end. What applies under the new name is recorded, and from then on no longer depends on the old
 * one. */
#include <errno.h>
#include <string.h>

#include "curfew/person.h"
#include "pass/pass_internal.h"
#include "program/names.h"

/* The note of a pass that cannot read who is revoked. */
#define FORGOTTEN                                                                                  \
	"cannot read in the journal who is revoked under another name (%s); no access is granted"

bool pass_revoked_names_somebody(const struct program *program, const struct override *o)
{
	if (!o->login)
		return program_client(program, o->client);
	for (size_t i = 0; i < program->n_clients; i++)
		if (client_user(&program->clients[i], o->login))
			return true;
	return false;
}

static bool login_is_known(const struct pass *p, const char *server, const char *login)
{
	for (size_t i = 0; i < p->identities.n; i++) {
		const struct identity *k = &p->identities.items[i];
		if ((!server || streq(k->server, server)) && names_equal(k->login, login))
			return true;
	}
	return false;
}

static bool is_newcomer(const struct pass *p, const struct grant *g)
{
	return g->level != LEVEL_NONE && !p->works[pass_grant_number(p, g)].verified &&
	       !login_is_known(p, g->server->name, g->user->login);
}

static bool client_is_newcomer(const struct pass *p, const struct client *c)
{
	for (size_t i = 0; i < c->n_users; i++)
		if (login_is_known(p, NULL, c->users[i].login))
			return false;
	return true;
}

static bool is_place_of(const struct verified *v, const struct grant *g)
{
	return streq(g->server->name, v->server) && names_equal(g->database->name, v->database);
}

/* Whether the journal says that the login of `v` was the client's there. 1, 0, or negative errno. */
static int was_of(const struct pass *p, const char *client, const struct verified *v)
{
	_cleanup_free_ char *found = NULL;
	int rc = journal_client_of(&found, p->o.journal, v->server, v->login, v->database);

	return rc ? rc : found && names_equal(found, client);
}

/* Compares email addresses, the old one from the journal. 1, 0, or negative errno. */
static int is_same_person(const struct pass *p, const struct verified *v, const struct user *u)
{
	_cleanup_free_ char *text = NULL;
	struct person person = {0};
	int rc = journal_person_of(&text, p->o.journal, v->server, v->login);

	if (rc || !person_parse(&person, text))
		return rc;
	bool same = person.email && u->email && names_equal(person.email, u->email);
	person_free(&person);
	return same;
}

/* The login that the person would have had under the client's former name. 1, 0, or -ENOMEM. */
static int is_same_login(const struct override *o, const struct user *u)
{
	_cleanup_free_ char *login = NULL;
	int rc = login_make(&login, o->client, u->first, u->last);

	return rc == -ENOMEM ? rc : !rc && names_equal(login, o->login);
}

enum held { HELD_NOT, HELD_LOGIN, HELD_CLIENT };

/* Whom the revocation applies to, if `v` is access that it ended: nobody, this login, or the whole client. Negative: errno. */
static int held_by(const struct pass *p, const struct override *o, const struct verified *v,
	const struct grant *g)
{
	int rc = o->login ? names_equal(v->login, o->login) : was_of(p, o->client, v);

	if (rc <= 0)
		return rc;
	if (!o->login && client_is_newcomer(p, g->client))
		return HELD_CLIENT;
	rc = o->login ? is_same_login(o, g->user) : 0;
	if (!rc)
		rc = is_same_person(p, v, g->user);
	return rc < 0 ? rc : rc ? HELD_LOGIN : HELD_NOT;
}

/* A revocation of what no file names, and what is judged by it. */
struct judging {
	struct pass *p;
	size_t revocation;
	const struct client *back;   /* was reinstated as a whole, found last */
	struct verified_list places; /* of a revoked client: only the names */
};

/* Whether an operator has reinstated them under the new name. 1, 0, or negative errno. */
static int was_reinstated(struct judging *k, const struct grant *g)
{
	const struct override *o = &k->p->overrides.items[k->revocation];
	bool client = k->back == g->client, login = false;
	int rc = client ? 0
			: override_was_reinstated(
				  &client, k->p->o.journal, o, g->client->name, NULL);

	if (!rc && client)
		k->back = g->client;
	else if (!rc)
		rc = override_was_reinstated(
			&login, k->p->o.journal, o, g->client->name, g->user->login);
	return rc ? rc : client || login;
}

static bool is_revoked(const struct pass *p, const char *client, const char *login)
{
	for (size_t i = 0; i < p->overrides.n; i++)
		if (override_is_same(p->overrides.items[i].client, p->overrides.items[i].login,
			    client, login))
			return true;
	return false;
}

/* The journal is searched for a reinstatement only where a revocation would be added: in a large one that takes time, which
 * closings would wait for. */
static int hold(struct judging *k, const struct grant *g, enum held held)
{
	struct pass *p = k->p;
	const char *login = held == HELD_LOGIN ? g->user->login : NULL;
	char reason[RECORD_TEXT_MAX];

	if (!held || is_revoked(p, g->client->name, NULL) || is_revoked(p, g->client->name, login))
		return 0;
	int rc = was_reinstated(k, g);
	if (rc)
		return rc < 0 ? rc : 0;
	const struct override *o = &p->overrides.items[k->revocation];
	snprintf(reason, sizeof(reason), "revoked as %s%s%s, which no file names now: %s",
		o->client, o->login ? " / " : "", o->login ? o->login : "", o->reason);
	rc = overrides_add(&p->overrides, g->client->name, login, p->o.now, reason);
	p->n_inherited += !rc;
	return rc;
}

static int newcomer_judge(struct judging *k, const struct grant *g)
{
	const struct pass *p = k->p;
	enum held most = HELD_NOT;

	if (is_revoked(p, g->client->name, NULL))
		return 0;
	for (size_t i = 0; i < p->verified.n; i++) {
		if (!is_place_of(&p->verified.items[i], g))
			continue;
		int rc = held_by(p, &p->overrides.items[k->revocation], &p->verified.items[i], g);
		if (rc < 0)
			return rc;
		if (rc > (int)most)
			most = (enum held)rc;
	}
	return hold(k, g, most);
}

/* ---- logins that are written in the file, and stayed when it was renamed ---- */

static int place_take(void *context, const char *server, const char *login, const char *database)
{
	struct verified_list *l = context;
	struct verified *v = ARRAY_MORE(l->items, l->n);

	if (!v)
		return -ENOMEM;
	*v = (struct verified){.server = pool_text(&l->texts, server),
		.login = pool_text(&l->texts, login),
		.database = pool_text(&l->texts, database)};
	return v->server && v->login && v->database ? 0 : -ENOMEM;
}

/* None of the client's logins existed before but as the revoked client's: a login may be of a person who works for many. */
static bool has_only_these(const struct judging *k, const struct client *c)
{
	for (size_t i = 0; i < c->n_users; i++) {
		bool found = !login_is_known(k->p, NULL, c->users[i].login);

		for (size_t n = 0; n < k->places.n && !found; n++)
			found = names_equal(k->places.items[n].login, c->users[i].login);
		if (!found)
			return false;
	}
	return true;
}

/* Whoever got access under the new name before the revocation is not a client's that it concerns. */
static int kept_login_judge(struct judging *k, const struct grant *g)
{
	bool known = false;

	if (is_revoked(k->p, g->client->name, NULL))
		return 0;
	int rc = journal_has_client(&known, k->p->o.journal, g->client->name);
	if (rc)
		return rc;
	return hold(k, g, known || !has_only_these(k, g->client) ? HELD_LOGIN : HELD_CLIENT);
}

static int kept_logins_judge(struct judging *k)
{
	int rc = journal_client_places(k->p->o.journal, k->p->overrides.items[k->revocation].client,
		place_take, &k->places);

	for (size_t i = 0; i < k->places.n && !rc; i++) {
		const struct verified *v = &k->places.items[i];
		size_t n;
		const struct grant *const *grants = pass_grants_of(&n, k->p, v->server, v->login);

		for (size_t g = 0; g < n && !rc; g++)
			if (is_place_of(v, grants[g]))
				rc = kept_login_judge(k, grants[g]);
	}
	verified_list_free(&k->places);
	return rc;
}

static int revocations_inherit(struct pass *p)
{
	size_t n = p->overrides.n;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		struct judging k = {.p = p, .revocation = i};
		if (pass_revoked_names_somebody(p->o.program, &p->overrides.items[i]))
			continue;
		if (!p->overrides.items[i].login)
			rc = kept_logins_judge(&k);
		for (size_t g = 0; g < p->grants.n && !rc; g++)
			if (is_newcomer(p, &p->grants.items[g]))
				rc = newcomer_judge(&k, &p->grants.items[g]);
	}
	return rc;
}

/* ---- ends that have passed ---- */

static bool has_passed(const struct pass *p, const char *client)
{
	return passed_first(&p->overrides, client) < p->overrides.n_passed;
}

/* Whether a database of the client was the former one's. 1, 0, or negative errno. */
static int has_its_place(const struct pass *p, const struct client *c, const char *former)
{
	for (size_t i = 0; i < p->grants.n; i++)
		for (size_t k = 0; p->grants.items[i].client == c && k < p->verified.n; k++) {
			int rc = is_place_of(&p->verified.items[k], &p->grants.items[i])
					 ? was_of(p, former, &p->verified.items[k])
					 : 0;
			if (rc)
				return rc;
		}
	return 0;
}

static int ends_take(struct pass *p, const struct client *c, const char *former)
{
	size_t n = p->overrides.n_passed;
	struct passed *items =
		reallocarray(p->passed, 2 * n + 1, sizeof(*items)); /* their strings are others' */

	if (!items)
		return -ENOMEM;
	if (!p->passed && n)
		memcpy(items, p->overrides.passed, n * sizeof(*items));
	p->overrides.passed = p->passed = items;
	/* With the ends of its staging databases. */
	for (size_t i = 0; i < n; i++) {
		if (!names_equal(items[i].client, former))
			continue;
		items[p->overrides.n_passed] = items[i];
		items[p->overrides.n_passed++].client = c->name;
		p->n_passed++;
	}
	return 0;
}

static int ends_inherit_from(struct pass *p, const struct client *c)
{
	for (size_t i = 0; i < p->kept.n_passed; i++) {
		const char *former = p->kept.passed[i].client;
		int rc = program_client(p->o.program, former) ? 0 : has_its_place(p, c, former);
		if (rc)
			return rc < 0 ? rc : ends_take(p, c, former);
	}
	return 0;
}

static bool any_client_left(const struct pass *p)
{
	for (size_t i = 0; i < p->kept.n_passed; i++)
		if (!program_client(p->o.program, p->kept.passed[i].client))
			return true;
	return false;
}

static int ends_inherit(struct pass *p)
{
	int rc = 0;

	if (!any_client_left(p))
		return 0;
	for (size_t i = 0; i < p->o.program->n_clients && !rc; i++) {
		const struct client *c = &p->o.program->clients[i];
		bool known = has_passed(p, c->name);
		if (!known)
			rc = journal_has_client(&known, p->o.journal, c->name);
		if (!rc && !known)
			rc = ends_inherit_from(p, c);
	}
	return rc;
}

/* The same grants in the same order, at their new levels. */
static int grants_again(struct pass *p)
{
	struct grants again;
	int rc = schedule_at(&again, p->o.program, &p->overrides, p->o.now);

	if (rc)
		return rc;
	memcpy(p->grants.items, again.items, again.n * sizeof(*again.items));
	grants_free(&again);
	return 0;
}

int pass_renamed_hold(struct pass *p)
{
	if (!p->o.journal || p->memory_failed)
		return 0;
	int rc = revocations_inherit(p);
	if (!rc)
		rc = ends_inherit(p);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		pass_hold(p, FORGOTTEN, journal_problem(rc));
	return p->n_inherited || p->n_passed ? grants_again(p) : 0;
}

int pass_renamed_save(struct pass *p)
{
	size_t n = p->overrides.n, ends = p->overrides.n_passed;
	int rc = p->n_inherited || p->n_passed ? pass_journal_begin(p) : 0;

	for (size_t i = n - p->n_inherited; i < n && !rc; i++) {
		const struct override *o = &p->overrides.items[i];
		rc = override_add(
			p->o.journal, o->client, o->login, p->o.now, p->o.actor, o->reason);
	}
	for (size_t i = ends - p->n_passed; i < ends && !rc; i++)
		rc = passed_put(p->o.journal, &p->overrides.passed[i]);
	p->result.overrides_saved = rc ? 0 : p->n_inherited + p->n_passed;
	return rc;
}

void pass_renamed_tell(struct pass *p)
{
	for (size_t i = p->overrides.n - p->n_inherited; i < p->overrides.n; i++) {
		const struct override *o = &p->overrides.items[i];
		struct record note = {.kind = RECORD_NOTE, .state = STATE_OK};

		if (p->o.client && !names_equal(p->o.client, o->client))
			continue;
		RECORD_SET(&note, client, o->client);
		RECORD_PRINTF(&note, detail,
			"%s%s%s: no access is given: %s; if these are other people, run `curfew reinstate %s%s%s --reason TEXT`",
			o->client, o->login ? " / " : "", o->login ? o->login : "", o->reason,
			o->client, o->login ? " " : "", o->login ? o->login : "");
		pass_tell(p, &note);
	}
}
