/* Notes about revocations whose client or login no file names now, because it was renamed or removed. A login that is newer
 * than the revocation and has access to the same database may be the same person. pass_renamed.c blocks those that
 * certainly are. */
#include <string.h>

#include "curfew/calendar.h"
#include "pass/pass_internal.h"

static bool was_known_before(const struct pass *p, const struct grant *g, instant_t at)
{
	for (size_t i = 0; i < p->identities.n; i++) {
		const struct identity *known = &p->identities.items[i];
		if (streq(known->server, g->server->name) &&
			names_equal(known->login, g->user->login) && known->created < at)
			return true;
	}
	return false;
}

static bool was_of(const struct pass *p, const struct override *o, const struct verified *v)
{
	_cleanup_free_ char *client = NULL;

	if (o->login)
		return names_equal(v->login, o->login);
	return p->o.journal &&
	       !journal_client_of(&client, p->o.journal, v->server, v->login, v->database) &&
	       client && names_equal(client, o->client);
}

static bool is_let_into(const struct grant *g, const struct verified *v)
{
	return g->level != LEVEL_NONE && streq(g->server->name, v->server) &&
	       names_equal(g->database->name, v->database);
}

/* A grant of a newer login on a database of the revoked one, or NULL. */
static const struct grant *newcomer_find(const struct pass *p, const struct override *o)
{
	for (size_t i = 0; i < p->verified.n; i++) {
		const struct verified *v = &p->verified.items[i];
		if (!was_of(p, o, v))
			continue;
		for (size_t k = 0; k < p->grants.n; k++)
			if (is_let_into(&p->grants.items[k], v) &&
				!was_known_before(p, &p->grants.items[k], o->at))
				return &p->grants.items[k];
	}
	return NULL;
}

void pass_revoked_tell(struct pass *p)
{
	for (size_t i = 0; i < p->overrides.n; i++) {
		const struct override *o = &p->overrides.items[i];
		const struct grant *g =
			pass_revoked_names_somebody(p->o.program, o) ? NULL : newcomer_find(p, o);
		struct record note = {.kind = RECORD_NOTE, .state = STATE_OK};
		char since[INSTANT_TEXT_MAX];

		if (!g || (p->o.client && !streq(p->o.client, g->client->name)))
			continue;
		RECORD_SET(&note, client, g->client->name);
		RECORD_PRINTF(&note, detail,
			"%s%s%s is revoked since %s, but no file names it now, and %s has access to its database [%s]; if these "
			"are the same people under another name, revoke it again",
			o->client, o->login ? " / " : "", o->login ? o->login : "",
			instant_format(since, o->at), g->user->login, g->database->name);
		pass_tell(p, &note);
	}
}
