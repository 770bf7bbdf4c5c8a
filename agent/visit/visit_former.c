/* Looks for access that was granted once and is no longer configured, by name and SID. Unread does not mean removed. */
#include <string.h>

#include "proof/proof.h"
#include "visit/visit.h"

/* By the login's current SID, by its former SIDs, or by its name, because a restore may have changed any of them. */
static const struct observed_user *user_left(const struct observed_server *o,
	const struct observed_database *d, const struct sql_former *m)
{
	const struct observed_login *l = observed_find_login(o, m->login);

	for (size_t i = 0; i < d->n_users; i++) {
		const struct observed_user *u = &d->users[i];
		if (u->type == 'R')
			continue;
		if (sid_equal(&u->sid, &m->sid) || (l && l->ours && sid_equal(&u->sid, &l->sid)) ||
			(!m->sid.size && names_equal(u->name, m->login)))
			return u;
	}
	return NULL;
}

void tell_formers(const struct visit_run *run)
{
	for (size_t i = 0; i < run->visit->n_formers; i++) {
		const struct sql_former *m = &run->visit->formers[i];
		const struct observed_database *d =
			observed_find_database(&run->observed, m->database);
		const struct observed_user *u =
			d && d->read ? user_left(&run->observed, d, m) : NULL;
		const struct observed_login *l = observed_find_login(&run->observed, m->login);
		char words[RECORD_TEXT_MAX];
		const char *hidden;
		bool exact;
		struct record r;

		if (!pass_is_for(run->visit, m->client))
			continue;
		record_of(&r, run->visit, RECORD_GRANT, m->client, m->login, m->database);
		r.grant.admission = ADMIT_NOBODY;
		r.grant.seen = d && (d->absent || d->read) ? ANSWER_YES : ANSWER_NO;
		if (d && d->absent) {
			r.grant.admission = ADMIT_NOT_YET;
			RECORD_PRINTF(&r, detail, "the server has no database [%s] any more",
				m->database);
		} else if (!d || !d->read) {
			r.state = STATE_UNREAD;
			r.grant.secondary = run->visit->wanted.replicated && d && d->secondary && !l
						    ? ANSWER_YES
						    : ANSWER_NO;
			RECORD_PRINTF(&r, detail, "cannot read database [%s]: %s", m->database,
				d && d->unread ? d->unread : "the server returned no row for it");
		} else if (u) {
			r.state = STATE_OVERDUE;
			r.grant.level = l && l->ours ? observed_level(&exact, &run->observed, d, l,
							       run->visit->server)
						     : LEVEL_FULL;
			RECORD_PRINTF(&r, detail, "user [%s] still exists in database [%s]",
				u->name, d->name);
		} else if ((hidden = hidden_words(words, run, d, NULL)) != NULL) {
			r.state = STATE_UNVERIFIED;
			r.grant.seen = ANSWER_NO;
			RECORD_SET(&r, detail, hidden);
		} else {
			r.grant.admission = ADMIT_NOT_YET;
		}
		worker_tell(run->worker, &r);
	}
}
