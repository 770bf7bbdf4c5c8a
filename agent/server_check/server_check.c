/* Checks a server: one line for each thing tried. Changes nothing. After a failure the other checks still run, as long
 * as there is a session. */
#include "server_check/server_check.h"

#include <errno.h>

#include <sodium.h>

/* Seconds after an end in which its removal may still be tried, and read back. */

int server_check_prepare(void *context)
{
	struct server_check *c = context;

	return sql_visit_prepare(&c->visit);
}

static int check_all(struct worker *w, const struct server_check *check)
{
	struct check_run c = {.worker = w, .check = check};
	int rc = check_session_open(&c);

	if (rc)
		return rc;
	rc = check_facts(&c);
	if (!rc && !check->brief)
		rc = check_ways(&c);
	if (!rc && !check->brief)
		rc = check_reads(&c);
	for (size_t i = 0; i < check->n_databases && !rc; i++)
		rc = check_database(&c, i);
	if (rc) {
		char words[RECORD_TEXT_MAX];
		c.database = NULL;
		check_tell(&c, CHECK_FAIL, "connection",
			"look at the server's error log, then check again", "lost: %s",
			check_said(words, &c));
	}
	sql_session_close(c.session);
	return 0;
}

int server_check_run(struct worker *w, void *context)
{
	struct server_check *check = context;
	int rc = check_all(w, check);

	sodium_free(check->visit.password);
	check->visit.password = NULL;
	return rc;
}

/* ---- before access is reduced or ends ---- */

static bool is_listed(const struct server_check *c, const char *database)
{
	for (size_t i = 0; i < c->n_databases; i++)
		if (names_equal(c->databases[i], database))
			return true;
	return false;
}

int sql_preflight_run(struct worker *w, void *context)
{
	struct sql_visit *v = context;
	_cleanup_free_ char **databases = calloc(v->wanted.n_grants + 1, sizeof(*databases));
	struct server_check check = {
		.shown = v->server->name, .databases = databases, .brief = true, .visit = *v};

	if (!databases)
		return -ENOMEM;
	for (size_t i = 0; i < v->wanted.n_grants; i++) {
		const struct grant *g = v->wanted.grants[i];

		if ((v->only_client && !streq(v->only_client, g->client->name)) || g->end <= v->now)
			continue;
		if (g->end + DAY > check.needed_until)
			check.needed_until = g->end + DAY;
		if (!is_listed(&check, g->database->name))
			databases[check.n_databases++] = g->database->name;
	}
	/* What it could not read, the reading says as well, for each grant. */
	check_all(w, &check);
	return sql_visit_run(w, v);
}
