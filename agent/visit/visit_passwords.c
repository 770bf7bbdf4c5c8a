/* Warns of passwords that expire before the access does. */
#include "visit/visit.h"

/* As Windows begins to warn of its own passwords. */
#define PASSWORD_WARNING_DAYS 14

/* When the last level of any grant of the login here ends. */
static instant_t access_end(const struct visit_run *run, const char *login)
{
	instant_t end = 0;

	for (size_t i = 0; i < run->visit->wanted.n_grants; i++) {
		const struct grant *g = run->visit->wanted.grants[i];
		if (names_equal(g->user->login, login) && g->end > end)
			end = g->end;
	}
	return end;
}

/* MUST_CHANGE wants CHECK_EXPIRATION, so the password that a user has set grows old by the server's own policy. Then the
 * server refuses the login (18487) until the user sets another one, which only some programs ask for. */
void tell_passwords(const struct visit_run *run)
{
	const struct sql_visit *p = run->visit;

	for (size_t i = 0; i < run->observed.n_logins; i++) {
		const struct observed_login *l = &run->observed.logins[i];
		const struct wanted_login *w = wanted_find(&p->wanted, l->name);
		int days = l->expired == 1 ? 0 : l->days_until_expiration;
		bool known = l->ours && w && pass_is_for(p, w->client) && l->must_change != 1;
		struct record r;
		if (!known || days < 0 || days > PASSWORD_WARNING_DAYS ||
			p->now + days * DAY >= access_end(run, l->name))
			continue;
		char when[32] = "today";
		if (days)
			snprintf(when, sizeof(when), "in %d day%s", days, days > 1 ? "s" : "");
		record_of(&r, p, RECORD_NOTE, w->client, l->name, NULL);
		RECORD_PRINTF(&r, detail,
			"the password of %s %s%s, before the access ends (18487); the user sets a new one when SSMS asks for "
			"it, or run `curfew handover %s %s`",
			l->name, l->expired == 1 ? "has expired" : "expires ",
			l->expired == 1 ? "" : when, w->client, l->name);
		worker_tell(run->worker, &r);
	}
}
