/* Two parts of `check-server --life` that a pass does not have: a user who connects, and the removal of everything. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "curfew/text.h"
#include "sql/closing.h"
#include "sql/rows.h"
#include "server_check/server_check.h"

/* Pause between two queries by which a session notices that it was ended. */
#define HOLD_PAUSE_MS 200

/* ---- a user who connects ---- */

static int open_as(struct check_run *c, const char *login, const char *password)
{
	const struct sql_visit *v = &c->check->visit;
	const struct sql_session_options o = {.host = v->server->host,
		.port = v->server->port,
		.ca_file = v->server->ca_file,
		.login = login,
		.password = password,
		.connect_timeout = v->program->settings.connect_timeout,
		.read_timeout = v->program->settings.server_deadline};

	return sql_session_open(&c->session, &c->error, &o);
}

static int database_enter(struct check_run *c, const char *database)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fputs("USE ", text.to);
	sql_write_name(text.to, database);
	fputs(";\n", text.to);
	_cleanup_free_ char *batch = text_end(&text);
	return batch ? check_ask(c, batch, NULL, NULL) : -ENOMEM;
}

/* Runs until the server ends the session. The caller stops it after a timeout. */
static void end_wait(struct check_run *c)
{
	int rc = 0;

	while (rc >= 0) {
		pause_ms(HOLD_PAUSE_MS);
		rc = check_ask(c, "SELECT N'here' AS [part];\n", NULL, NULL);
	}
	check_tell(c, CHECK_OK, "life.kill", NULL,
		"the server ended the session when access was reduced");
}

int server_probe_run(struct worker *w, void *context)
{
	struct server_probe *p = context;
	struct check_run c = {.worker = w, .check = p->check};
	char words[RECORD_TEXT_MAX];
	int rc = open_as(&c, p->login, p->password);

	if (rc && p->refused && c.error.number == p->refused)
		check_tell(&c, CHECK_OK, p->line, NULL, "refused as expected: error %d",
			c.error.number);
	else if (rc)
		check_tell(&c, CHECK_FAIL, p->line, "look at the server's error log for the reason",
			"%s", check_said(words, &c));
	else if (p->refused)
		check_tell(&c, CHECK_FAIL, p->line, "a DBA must check this login at once",
			"logged in, but should have been refused with error %d", p->refused);
	else if (database_enter(&c, p->database))
		check_tell(&c, CHECK_FAIL, p->line, "a DBA must check the scratch database", "%s",
			check_said(words, &c));
	else {
		check_tell(&c, CHECK_OK, p->line, NULL, "logged in, and entered the database");
		if (p->hold)
			end_wait(&c);
	}
	sql_session_close(c.session);
	return 0;
}

/* ---- removal ---- */

static int change_run(struct check_run *c, const struct change *change)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	int rc = sql_write_change(text.to, change, NULL, NULL);
	_cleanup_free_ char *batch = text_end(&text);
	if (rc || !batch)
		return rc ? rc : -ENOMEM;
	rc = check_ask(c, batch, NULL, NULL);
	/* If the object did not exist, the last query shows it. */
	return rc < 0 ? rc : 0;
}

struct sessions {
	struct session_key *items;
	size_t n;
};

static int session_take(void *sessions, const struct sql_value *v, int n)
{
	struct sessions *list = sessions;
	struct observed_session s;
	int rc = row_session(&s, v, n);

	if (!rc) {
		struct session_key *k = ARRAY_MORE(list->items, list->n);
		if (k)
			*k = s.key;
		else
			rc = -ENOMEM;
	}
	session_free(&s);
	return rc;
}

static int sessions_kill(struct check_run *c, const char *login)
{
	struct sessions list = {0};
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fprintf(text.to, "%sWHERE s.original_security_id = SUSER_SID(", session_select);
	sql_write_string(text.to, login);
	fputs(");\n", text.to);
	_cleanup_free_ char *batch = text_end(&text);
	int rc = batch ? check_ask(c, batch, session_take, &list) : -ENOMEM;
	if (!rc && list.n && text_begin(&text)) {
		closing_kills_write(text.to, list.items, list.n);
		_cleanup_free_ char *kills = text_end(&text);
		rc = kills ? check_ask(c, kills, NULL, NULL) : -ENOMEM;
		pause_ms(HOLD_PAUSE_MS);
	}
	free(list.items);
	return rc < 0 ? rc : 0;
}

static int role_drop(struct check_run *c, const char *database, const char *role)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fputs("USE ", text.to);
	sql_write_name(text.to, database);
	fputs("; IF DB_NAME() = ", text.to);
	sql_write_string(text.to, database);
	fputs(" DROP ROLE ", text.to);
	sql_write_name(text.to, role);
	fputs(";\n", text.to);
	_cleanup_free_ char *batch = text_end(&text);
	int rc = batch ? check_ask(c, batch, NULL, NULL) : -ENOMEM;
	return rc < 0 ? rc : 0;
}

static int all_drop(struct check_run *c, const struct server_sweep *s)
{
	struct change change = {.login = (char *)(uintptr_t)s->login};
	int rc;

	change.kind = CHANGE_LOGIN_DISABLE;
	rc = change_run(c, &change);
	if (!rc)
		rc = sessions_kill(c, s->login);
	change.kind = CHANGE_USER_DROP;
	change.database = (char *)(uintptr_t)s->database;
	change.principal = change.login;
	if (!rc)
		rc = change_run(c, &change);
	for (size_t i = 0; i < ARRAY_SIZE(s->roles) && !rc; i++)
		if (s->roles[i])
			rc = role_drop(c, s->database, s->roles[i]);
	if (!rc)
		rc = check_ask(c, "USE [master];\n", NULL, NULL);
	change.database = change.principal = NULL;
	change.kind = CHANGE_LOGIN_DROP;
	return rc < 0 ? rc : change_run(c, &change);
}

struct left {
	bool told;
	int64_t logins, sessions, principals;
};

static int left_row(void *left, const struct sql_value *v, int n)
{
	struct left *l = left;

	if (n != 4)
		return -EBADMSG;
	*l = (struct left){true, row_number(&v[1]), row_number(&v[2]), row_number(&v[3])};
	return 0;
}

static char *left_question(const struct server_sweep *s)
{
	struct text text;

	if (!text_begin(&text))
		return NULL;
	fputs("USE ", text.to);
	sql_write_name(text.to, s->database);
	fputs(";\nSELECT N'left' AS [part], (SELECT COUNT(*) FROM sys.server_principals AS p WHERE p.name = ",
		text.to);
	sql_write_string(text.to, s->login);
	fputs("),\n  (SELECT COUNT(*) FROM sys.dm_exec_sessions AS x WHERE x.original_login_name = ",
		text.to);
	sql_write_string(text.to, s->login);
	fputs("),\n  (SELECT COUNT(*) FROM sys.database_principals AS p WHERE p.name IN (",
		text.to);
	sql_write_string(text.to, s->login);
	for (size_t i = 0; i < ARRAY_SIZE(s->roles); i++)
		if (s->roles[i]) {
			fputs(", ", text.to);
			sql_write_string(text.to, s->roles[i]);
		}
	fputs(")) WHERE DB_NAME() = ", text.to);
	sql_write_string(text.to, s->database);
	fputs(";\n", text.to);
	return text_end(&text);
}

static void left_tell(struct check_run *c, const struct server_sweep *s)
{
	_cleanup_free_ char *batch = left_question(s);
	char words[RECORD_TEXT_MAX], fix[RECORD_TEXT_MAX];
	struct left left = {0};
	int rc = batch && c->session ? check_ask(c, batch, left_row, &left) : -ENOTCONN;

	snprintf(fix, sizeof(fix),
		"a DBA must drop login [%s] and its users and roles in the database", s->login);
	if (rc || !left.told)
		check_tell(c, CHECK_FAIL, "life.nothing-left", fix, "cannot be checked: %s",
			check_said(words, c));
	else if (left.logins || left.sessions || left.principals)
		check_tell(c, CHECK_FAIL, "life.nothing-left", fix,
			"left: %lld login, %lld sessions, %lld users and roles",
			(long long)left.logins, (long long)left.sessions,
			(long long)left.principals);
	else
		check_tell(c, CHECK_OK, "life.nothing-left", NULL,
			"no login, session, user, or role of the check exists");
}

int server_sweep_prepare(void *context)
{
	struct server_sweep *s = context;

	return server_check_prepare(&s->check);
}

int server_sweep_run(struct worker *w, void *context)
{
	struct server_sweep *s = context;
	struct check_run c = {.worker = w, .check = &s->check};
	int rc = open_as(&c, s->check.visit.server->login, s->check.visit.password);

	sodium_free(s->check.visit.password);
	s->check.visit.password = NULL;
	/* If something could not be dropped, the last query reports it. */
	if (!rc)
		(void)all_drop(&c, s);
	left_tell(&c, s);
	sql_session_close(c.session);
	return 0;
}
