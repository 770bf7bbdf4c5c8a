/* Access that no record has, and that a session has shown in a database that cannot be read: a copy of a client's database,
 * say, under a name that nobody configured. Then it is recorded, and is looked for until it is verified as gone. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

int pass_found_take(struct pass *p, const struct server_work *w, const struct record *r)
{
	char *login, *database;

	if (!w || r->state != STATE_UNREAD || r->grant.level == LEVEL_NONE)
		return 0;
	login = strdup(r->login);
	database = strdup(r->database);
	int rc = !login || !database
			 ? -ENOMEM
			 : pass_former_add(p, w->server->name, login, database, r->grant.level);
	if (rc) {
		free(login);
		free(database);
		return rc;
	}
	struct former *m = &p->formers[p->n_formers - 1];
	m->found_login = login;
	m->found_database = database;
	m->database_id = (int)r->grant.database_id;
	if (!m->client && r->client[0])
		m->client = strdup(r->client);
	pass_former_take(p, r);
	return 0;
}

static int found_save(struct pass *p, struct former *m)
{
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);
	const struct verified_level level = {.server = m->server,
		.login = m->login,
		.database = m->database,
		.level = m->level,
		.at = e.at};
	/* The level keeps it looked for until its removal is verified. This also has the id of its database, by which
	 * it is found under another name. */
	const struct verified seen = {.server = m->server,
		.login = m->login,
		.database = m->database,
		.sid = m->sid,
		.level = m->level,
		.result = VERIFICATION_UNVERIFIED,
		.database_id = m->database_id,
		.at = p->o.now};
	int rc = pass_journal_begin(p);

	e.client = m->client;
	e.login = m->login;
	e.server = m->server;
	e.database = m->database;
	e.phase = phase_name(PHASE_ENDED);
	e.level = level_name(m->level);
	/* None was scheduled, so it is past its end from the first. */
	e.until = p->o.now;
	e.outcome = verification_name(VERIFICATION_EXCESS);
	e.after = p->o.network || p->o.unfiltered ? ACCESS_CLOSED : ACCESS_UNFILTERED;
	e.detail = m->detail;
	e.reason = p->o.reason;
	if (!rc)
		rc = journal_write(NULL, p->o.journal, &e);
	if (!rc)
		rc = verified_level_save(p->o.journal, &level);
	if (!rc)
		rc = verified_save(p->o.journal, &seen);
	m->saved = !rc;
	return rc;
}

int pass_found_save(struct pass *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->n_formers && !rc; i++)
		if (p->formers[i].found_login && !p->formers[i].saved)
			rc = found_save(p, &p->formers[i]);
	return rc;
}
