/* A client's file was renamed while its users' logins are written in it: the access is the same, and its records are under
 * the client's former name. Reports ask by that name, so the records end there and go on under the new one. */
#include <errno.h>

#include "curfew/person.h"
#include "pass/pass_internal.h"

static bool is_open(const struct left_access *l, const struct grant *g)
{
	return l->moved_to == g && !l->on_record;
}

/* Asked for each grant, and mostly none has moved. */
bool pass_has_moved(const struct pass *p, const struct grant *g)
{
	for (size_t i = 0; p->n_moved && i < p->n_lefts; i++)
		if (is_open(&p->lefts[i], g))
			return true;
	return false;
}

/* One time for both records: a report finds what goes on by it. */
static int moved_write(struct pass *p, struct left_access *l, const struct journal_entry *next)
{
	struct journal_entry e = pass_access_entry(p, l->moved_to);
	_cleanup_free_ char *detail = NULL;

	if (asprintf(&detail, "the configuration has this access under client %s now%s", e.client,
		    is_another_person(l->person, next->before)
			    ? ", as another person's: the login and its password stay"
			    : "") < 0) {
		detail = NULL;
		return -ENOMEM;
	}
	e.at = next->at;
	e.client = l->client;
	e.login = l->login;
	e.database = l->database;
	e.phase = phase_name(PHASE_ENDED);
	e.level = level_name(LEVEL_NONE);
	e.before = l->person;
	e.outcome = verification_name(VERIFICATION_VERIFIED);
	e.after = p->o.network || p->o.unfiltered ? ACCESS_CLOSED : ACCESS_UNFILTERED;
	e.detail = detail;
	e.reason = p->o.reason;
	int rc = journal_write(NULL, p->o.journal, &e);
	if (!rc) {
		l->on_record = true;
		p->n_moved--;
	}
	return rc;
}

int pass_moved_save(struct pass *p, const struct grant *g, const struct journal_entry *next)
{
	int rc = 0;

	for (size_t i = 0; p->n_moved && i < p->n_lefts && !rc; i++)
		if (is_open(&p->lefts[i], g))
			rc = moved_write(p, &p->lefts[i], next);
	return rc;
}
