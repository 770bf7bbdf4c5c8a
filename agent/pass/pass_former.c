/* Former access: granted once, and no longer configured. Every pass looks for it until it is verified as removed, or an
 * operator runs `curfew forget`. Unread does not mean removed. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

int pass_former_add(struct pass *p, const char *server, const char *login, const char *database,
	enum level level)
{
	struct former *r = ARRAY_MORE(p->formers, p->n_formers);

	if (!r)
		return -ENOMEM;
	*r = (struct former){
		.server = server, .login = login, .database = database, .level = level};
	for (size_t i = 0; i < p->identities.n; i++) {
		const struct identity *k = &p->identities.items[i];
		if (!streq(k->server, server) || !names_equal(k->login, login) || !k->sid ||
			k->sid_size > SID_MAX)
			continue;
		memcpy(r->sid.bytes, k->sid, k->sid_size);
		r->sid.size = (uint8_t)k->sid_size;
		if (!k->removed)
			break;
	}
	/* Whose it was is for the reports alone. */
	if (p->o.journal)
		journal_client_of(&r->client, p->o.journal, server, login, database);
	return 0;
}

bool pass_former_may_be_of(const struct former *m, const char *client)
{
	return !client || !m->client || names_equal(m->client, client);
}

bool pass_is_former(
	const struct pass *p, const char *server, const char *login, const char *database)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		const struct former *r = &p->formers[i];
		if (streq(r->server, server) && names_equal(r->login, login) &&
			(!database || (r->database && names_equal(r->database, database))))
			return true;
	}
	return false;
}

static int former_find(struct pass *p, const char *server, const char *login, const char *database,
	enum level level)
{
	if (level == LEVEL_NONE || pass_is_former(p, server, login, database))
		return 0;
	return pass_former_add(p, server, login, database, level);
}

int pass_formers_build(struct pass *p)
{
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < p->verified.n && !rc; i++) {
		const struct verified *v = &p->verified.items[i];
		if (!pass_grant_next(&at, p, v))
			rc = former_find(p, v->server, v->login, v->database, v->level);
	}
	for (size_t i = 0; i < p->levels.n && !rc; i++) {
		const struct verified_level *k = &p->levels.items[i];
		if (!pass_grant(p, k->server, k->login, k->database))
			rc = former_find(p, k->server, k->login, k->database, k->level);
	}
	for (size_t i = 0; i < p->identities.n && !rc; i++) {
		const struct identity *k = &p->identities.items[i];
		if (!k->removed && !pass_is_former(p, k->server, k->login, NULL) &&
			!pass_login_is_named(p, k->server, k->login))
			rc = pass_former_add(p, k->server, k->login, NULL, LEVEL_NONE);
	}
	return rc;
}

void pass_formers_free(struct pass *p)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		free(p->formers[i].client);
		free(p->formers[i].found_login);
		free(p->formers[i].found_database);
	}
	free(p->formers);
}

int pass_formers_ask(struct pass *p, struct server_work *w)
{
	w->formers = calloc(p->n_formers + 1, sizeof(*w->formers));
	if (!w->formers)
		return -ENOMEM;
	w->sql.formers = w->formers;
	for (size_t i = 0; i < p->n_formers; i++) {
		const struct former *r = &p->formers[i];
		if (streq(r->server, w->server->name) && r->database)
			w->formers[w->sql.n_formers++] = (struct sql_former){.login = r->login,
				.database = r->database,
				.sid = r->sid,
				.client = r->client};
	}
	return 0;
}

bool pass_former_is_left(const struct pass *p, const struct grant *g)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		const struct former *r = &p->formers[i];
		if (!r->gone && r->database && streq(r->server, g->server->name) &&
			names_equal(r->login, g->user->login))
			return true;
	}
	return false;
}

bool pass_former_take(struct pass *p, const struct record *r)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		struct former *m = &p->formers[i];
		if (!m->database || !streq(m->server, r->server) ||
			!names_equal(m->login, r->login) || !names_equal(m->database, r->database))
			continue;
		m->told = true;
		m->state = r->state;
		m->held = r->grant.level;
		m->secondary = r->grant.secondary == ANSWER_YES;
		snprintf(m->detail, sizeof(m->detail), "%.*s", (int)sizeof(m->detail) - 1,
			r->detail);
		m->gone = r->state == STATE_OK && r->grant.level == LEVEL_NONE;
		return true;
	}
	return false;
}

void pass_former_login_gone(struct pass *p, const char *server, const char *login)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		struct former *m = &p->formers[i];
		if (!m->database && streq(m->server, server) && names_equal(m->login, login))
			m->gone = true;
	}
}

static const struct server_work *work_of(const struct pass *p, const char *server)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (streq(p->servers[i].server->name, server))
			return &p->servers[i];
	return NULL;
}

/* Edited files no longer name it, and the same plan removes it. */
static void coming_tell(struct pass *p, const struct former *m, struct record *r)
{
	r->state = m->told && m->state == STATE_UNREAD ? STATE_UNREAD : STATE_EXCESS;
	RECORD_PRINTF(r, detail, "the edited files no longer name it: %s",
		m->detail[0] ? m->detail : "it still exists");
	if (r->state == STATE_UNREAD)
		p->result.unread++;
	else
		p->result.excess++;
	pass_tell(p, r);
}

static void former_tell(struct pass *p, const struct former *m, const struct server_work *w)
{
	bool configured = program_server(p->o.program, m->server) != NULL,
	     reached = w && w->reached;
	struct record r = {.kind = RECORD_GRANT, .state = STATE_OVERDUE, .grant.level = m->level};

	RECORD_SET(&r, server, m->server);
	RECORD_SET(&r, client, m->client ? m->client : "");
	RECORD_SET(&r, login, m->login);
	RECORD_SET(&r, database, m->database ? m->database : "");
	r.grant.origin = GRANT_RESIDUAL;
	r.grant.admission = ADMIT_NOBODY;
	r.grant.seen = m->told && m->state == STATE_OVERDUE ? ANSWER_YES : ANSWER_NO;
	if (configured && reached &&
		pass_is_in_force(p, m->server, m->login, m->database, m->held)) {
		coming_tell(p, m, &r);
		return;
	}
	RECORD_PRINTF(&r, detail,
		"the configuration no longer names it, and its removal is not verified: %s%s",
		!configured
			? "the server was removed from curfew.conf; add it again, or run `curfew forget SERVER --reason TEXT`"
		: !reached		  ? "cannot reach the server"
		: m->told && m->detail[0] ? m->detail
					  : "it still exists",
		m->database && configured && reached && m->state == STATE_UNREAD ? " (unread)"
										 : "");
	p->result.overdue++;
	pass_tell(p, &r);
}

void pass_formers_tell(struct pass *p)
{
	for (size_t i = 0; i < p->n_formers; i++) {
		const struct former *m = &p->formers[i];
		const struct server_work *w = work_of(p, m->server);

		if (m->gone || !pass_former_may_be_of(m, p->o.client))
			continue;
		/* A pass for other servers: this one is not asked. */
		if (!w && program_server(p->o.program, m->server))
			continue;
		former_tell(p, m, w);
	}
}
