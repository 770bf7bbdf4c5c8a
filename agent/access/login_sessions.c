/* What one login's sessions need, and when it is disabled and enabled. */
#include <string.h>

#include "access/difference.h"

/* Tolerance between Curfew's clock and the age of a session by the server's clock, in seconds. */
#define SESSION_AGE_SLACK 2

void sessions_kill(struct builder *b, struct change_list *to, const struct login_work *work,
	uint64_t older_than, const char *reason)
{
	for (size_t i = 0; i < b->o->n_sessions; i++) {
		const struct observed_session *s = &b->o->sessions[i];
		/* A session that rolls back was ended already. */
		if (!work->observed || !observed_session_is_of(s, &work->observed->sid) ||
			s->age < older_than || s->ending || b->doomed[i])
			continue;
		b->doomed[i] = to == &b->closings;
		change_push(b, to, CHANGE_SESSION_KILL, work->client, work->login, NULL, reason)
			->session = s->key;
	}
}

/* An older session keeps what its login had when it began, so a login is enabled only where none is left: not knowing its
 * sessions is not having none. */
static bool sessions_are_unknown(struct builder *b, const struct login_work *work)
{
	if (b->o->sessions_visible)
		return false;
	obstacle_push(b, STATE_UNREAD, work->login, NULL,
		"the server does not tell whose sessions are open: login [%s] stays disabled until it does, because an older "
		"session may have more access",
		work->login);
	if (b->n_obstacles)
		b->obstacles[b->n_obstacles - 1].shuts = true;
	return true;
}

static bool login_has_session(const struct builder *b, const struct observed_login *l)
{
	for (size_t i = 0; i < b->o->n_sessions; i++)
		if (observed_session_may_be_of(&b->o->sessions[i], l->name, &l->sid))
			return true;
	return false;
}

void login_disable_first(struct builder *b, struct change_list *in, size_t at,
	const struct login_work *work, const char *reason, const char *sessions)
{
	size_t from = in->n;

	if (!work->observed || work->observed->disabled)
		return;
	change_push(b, in, CHANGE_LOGIN_DISABLE, work->client, work->login, NULL, reason);
	if (sessions)
		sessions_kill(b, in, work, 0, sessions);
	size_t n = in->n - from;
	struct change *added = n ? calloc(n, sizeof(*added)) : NULL;
	if (!added) {
		b->no_memory = true;
		return;
	}
	memcpy(added, &in->items[from], n * sizeof(*added));
	for (size_t i = 0; i < n; i++)
		added[i].before_opening = in == &b->openings;
	memmove(&in->items[at + n], &in->items[at], (from - at) * sizeof(*added));
	memcpy(&in->items[at], added, n * sizeof(*added));
	free(added);
}

void sessions_plan(struct builder *b, struct login_work *work, const struct wanted_login *l,
	const char *reason)
{
	bool disabled = work->observed && work->observed->disabled;

	/* After a reduction in any database the user must start a new session. */
	if (work->narrowed) {
		login_disable_first(b, &b->closings, work->closings_before, work,
			"disable the login until its sessions have ended and its permissions match the schedule",
			NULL);
		sessions_kill(b, &b->closings, work, 0,
			"end the session: it started before access was reduced");
		return;
	}
	if (additions_are_moot(b, work, l)) {
		additions_name(b, work);
		additions_drop(b, work->openings_before);
		work->widened = false;
	}
	/* Among what gives access, and not among what takes it away: where none is given the login stays as it is. */
	if (work->widened && work->observed && !disabled) {
		login_disable_first(b, &b->openings, work->openings_before, work,
			"disable the login until what it gets in addition is verified",
			"end the session: it would use what is not verified yet");
		return;
	}
	/* A session may have started before the login was disabled, so end it whatever else is missing. */
	if (disabled && login_has_session(b, work->observed)) {
		sessions_kill(b, &b->closings, work, 0, "end the session: the login is disabled");
		return;
	}
	if (disabled && sessions_are_unknown(b, work))
		return;
	if (l->narrowed && l->narrowed <= b->now)
		sessions_kill(b, &b->closings, work,
			(uint64_t)(b->now - l->narrowed) + SESSION_AGE_SLACK,
			"end the session: it started before the last reduction of this login's access");
	if (disabled && work->holder && work->reachable)
		obstacle_push(b, STATE_UNREAD, work->login, NULL,
			"login [%s] stays disabled until database [%s] is read: it may give more than is scheduled",
			work->login, work->holder);
	if (disabled && !work->pending && !work->widened && !work->blocked && work->reachable)
		change_push(b, &b->openings, CHANGE_LOGIN_ENABLE, l->client, l->login, NULL, reason)
			->sid = work->observed->sid;
}
