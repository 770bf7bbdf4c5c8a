/* Reports the removals that come first after they were made. They were not announced, because nothing may delay them.
 * */
#include <errno.h>
#include <string.h>

#include "sql/session_settings.h"
#include "visit/closing_run.h"
#include "visit/visit.h"
#include "curfew/text.h"

const struct sid *closing_sid(const struct closing_run *c, size_t i)
{
	return c->closings[i].sid.size ? &c->closings[i].sid : &c->disables[i].sid;
}

static void closing_tell(const struct visit_run *run, const struct sql_closing *closing,
	enum change_kind kind, int code, const char *statement, const char *words)
{
	struct record r;

	record_of(&r, run->visit, RECORD_OUTCOME, closing->client, closing->login, NULL);
	r.code = code;
	r.state = code ? STATE_DRIFT : STATE_OK;
	r.change.kind = kind;
	RECORD_SET(&r, change.reason, closing->reason);
	RECORD_SET(&r, change.statement, statement);
	RECORD_SET(&r, detail, words);
	worker_tell(run->worker, &r);
}

static char *statement_of(const struct sql_closing *closing, const struct session_key *key)
{
	struct text text;
	FILE *to = text_begin(&text);

	if (!to)
		return NULL;
	if (key) {
		closing_kill_write(to, key);
	} else {
		fputs("ALTER LOGIN ", to);
		sql_write_name(to, closing->login);
		fputs(" DISABLE;", to);
	}
	return text_end(&text);
}

/* The agent login cannot disable a member of sysadmin or a holder of CONTROL SERVER. Only a DBA can. */
static void disable_tell(const struct visit_run *run, const struct sql_closing *closing,
	const struct disable *d, bool was_disabled)
{
	_cleanup_free_ char *statement = statement_of(closing, NULL);
	char words[RECORD_TEXT_MAX] = "";

	if (!statement || d->code == CLOSING_NOT_OURS || (!d->code && was_disabled))
		return;
	if (d->code == ERROR_LOCK_TIMEOUT)
		snprintf(words, sizeof(words),
			"an open transaction holds a lock on the login, so it cannot be disabled; its own sessions are ended, "
			"and every pass tries again");
	else if (d->code)
		snprintf(words, sizeof(words),
			"%s; every pass ends its sessions; if the login is a member of a fixed server role or has CONTROL "
			"SERVER, only a DBA can disable it",
			d->words[0] ? d->words : strerror(EIO));
	closing_tell(run, closing, CHANGE_LOGIN_DISABLE, d->code, statement, words);
}

static void kill_tell(
	const struct visit_run *run, const struct closing_run *c, const struct kill *k)
{
	const struct sql_closing *closing = &c->closings[k->closing];
	_cleanup_free_ char *statement = statement_of(closing, &k->key);

	if (statement && k->code != CLOSING_SESSION_GONE)
		closing_tell(run, closing, CHANGE_SESSION_KILL, k->code, statement, k->words);
}

/* Report a session once, with its last result. */
static bool is_told_later(const struct closing_run *c, size_t i)
{
	for (size_t k = i + 1; k < c->n_kills; k++)
		if (session_key_equal(&c->kills[k].key, &c->kills[i].key) &&
			c->kills[k].code != CLOSING_SESSION_GONE)
			return true;
	return false;
}

bool closing_was_disabled(const struct closing_run *c, size_t i)
{
	for (size_t k = 0; k < c->n_before; k++)
		if (sid_equal(&c->before[k], closing_sid(c, i)))
			return true;
	return false;
}

void disables_tell(const struct visit_run *run, struct closing_run *c, bool all)
{
	for (size_t i = 0; i < c->n; i++) {
		struct disable *d = &c->disables[i];

		/* A lock may be that of its own session: it is disabled again behind its end. */
		const bool open = d->code == NOT_TOLD_YET || d->code == CLOSING_LATER ||
				  d->code == ERROR_LOCK_TIMEOUT;

		if (d->told || (open && !all) || closing_keeps_login(&c->closings[i]))
			continue;
		d->told = true;
		disable_tell(run, &c->closings[i], d, closing_was_disabled(c, i));
	}
}

void kills_tell(const struct visit_run *run, const struct closing_run *c)
{
	for (size_t i = 0; i < c->n_kills; i++)
		if (!is_told_later(c, i))
			kill_tell(run, c, &c->kills[i]);
}

void closing_sessions_unread_tell(
	const struct visit_run *run, int rc, const struct sql_error *error)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, NULL);
	r.state = STATE_UNREAD;
	RECORD_PRINTF(&r, detail,
		"cannot read the open sessions, so none was ended (%d: %.200s): one that the packet filter does not cut stays "
		"open until a pass can read them",
		rc == SQL_SERVER_ERROR ? error->number : rc,
		rc == SQL_SERVER_ERROR ? error->text : strerror(-rc));
	worker_tell(run->worker, &r);
}
