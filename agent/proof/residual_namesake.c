/* Findings of users that bear the name of a login of Curfew's and were never its user. Nobody enters as them by that
 * login, and Curfew does not remove them: whoever administers the database made them. */
#include "proof/residual.h"

#include "curfew/text.h"

static bool is_namesake(const struct visit_run *run, const struct observed_database *d,
	const struct observed_user *u)
{
	const struct wanted_server *w = &run->visit->wanted;

	for (size_t i = 0; i < w->n_grants; i++) {
		const struct login_of_client who = {
			w->grants[i]->client, w->grants[i]->user->login};
		if (names_equal(who.login, u->name))
			return user_is_namesake(&run->observed, w, &run->claims, d, u, &who);
	}
	return false;
}

static void namesake_tell(const struct visit_run *run, const struct observed_database *d,
	const struct observed_user *u)
{
	char owner[DATABASE_OWNER_MAX];
	struct text text;
	struct record r;

	record_of(&r, run->visit, RECORD_FINDING, NULL, NULL, d->name);
	r.finding.severity = FINDING_MEDIUM;
	RECORD_SET(&r, finding.name, "namesake-user");
	RECORD_SET(&r, finding.reason,
		"a user that bears the name of a login of Curfew's, and was never its user");
	database_owner_words(owner, &run->observed, d);
	RECORD_PRINTF(&r, detail,
		"%s: not the login's user, by the SID; an administrator of this database made it, %s",
		u->name, owner);
	if (text_begin(&text)) {
		fputs("USE ", text.to);
		sql_write_name(text.to, d->name);
		fputs("; DROP USER ", text.to);
		sql_write_name(text.to, u->name);
		putc(';', text.to);
		_cleanup_free_ char *remedy = text_end(&text);
		RECORD_SET(&r, finding.remedy, remedy ? remedy : "");
	}
	worker_tell(run->worker, &r);
}

void namesakes_tell(const struct visit_run *run)
{
	for (size_t i = 0; i < run->observed.n_databases; i++) {
		const struct observed_database *d = &run->observed.databases[i];
		for (size_t k = 0; d->read && k < d->n_users; k++)
			if (is_namesake(run, d, &d->users[k]))
				namesake_tell(run, d, &d->users[k]);
	}
}
