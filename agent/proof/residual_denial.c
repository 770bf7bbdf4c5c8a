/* Findings of denials in a database that keep things from the agent login. Whoever controls a database hides by one of
 * them what they left there, and it works all the same; one's own denials are always shown. The rest of the search then
 * finds only what is left to be seen, so it is said not to be whole. */
#include "proof/residual.h"

#include "curfew/text.h"

int denials_find(const struct permission ***out, size_t *n, const struct visit_run *run,
	const struct observed_database *d)
{
	/* In a database of nobody's here, it is users alone that are looked for. */
	const bool users = !d->managed && !sql_is_server_baseline(d->name);

	return observed_denials(
		out, n, d, observed_user_of_agent(&run->observed, d, run->visit->server), users);
}

bool database_hides(const struct visit_run *run, const struct observed_database *d)
{
	_cleanup_free_ const struct permission **all = NULL;
	size_t n;

	return denials_find(&all, &n, run, d) || n;
}

static void securable_name(char buf[RECORD_TEXT_MAX], const struct permission *p)
{
	bool named = p->schema || p->object;

	buf[0] = '\0';
	if (p->class == CLASS_DATABASE)
		return;
	if (named)
		snprintf(buf, RECORD_TEXT_MAX, " on %s%.128s%s%.128s",
			p->class == CLASS_SCHEMA ? "SCHEMA " : "", p->schema ? p->schema : "",
			!p->schema || !p->object   ? ""
			: p->class == CLASS_OBJECT ? "."
						   : " ",
			p->object ? p->object : "");
	else
		snprintf(buf, RECORD_TEXT_MAX, " on id %d of class %d, which is hidden", p->id,
			p->class);
}

static void denial_tell(
	const struct visit_run *run, const struct observed_database *d, const struct permission *p)
{
	char securable[RECORD_TEXT_MAX];
	struct text text;
	struct record r;

	securable_name(securable, p);
	record_of(&r, run->visit, RECORD_FINDING, NULL, NULL, d->name);
	r.finding.severity = FINDING_HIGH;
	RECORD_SET(&r, finding.name, "hiding-denial");
	RECORD_SET(&r, finding.reason,
		"a denial hides something of the database from Curfew, so that this search does not find it");
	RECORD_PRINTF(&r, detail, "%s: denied %s%s", p->grantee, p->name, securable);
	if (text_begin(&text)) {
		sql_write_undenied(text.to, d->name, p);
		_cleanup_free_ char *remedy = text_end(&text);
		RECORD_SET(&r, finding.remedy, remedy ? remedy : "");
	}
	worker_tell(run->worker, &r);
}

static void unread_tell(const struct visit_run *run, const struct observed_database *d, size_t n)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, d->name);
	r.state = STATE_UNVERIFIED;
	if (n)
		RECORD_PRINTF(&r, detail,
			"whatever %zu denial%s there hide%s from the agent login: what is left there, and what is new or "
			"changed; hiding-denial has the REVOKE of each",
			n, n == 1 ? "" : "s", n == 1 ? "s" : "");
	else
		RECORD_SET(&r, detail,
			"not enough memory to see whether something is hidden from the agent login");
	worker_tell(run->worker, &r);
}

void denials_tell(const struct visit_run *run)
{
	for (size_t i = 0; i < run->observed.n_databases; i++) {
		const struct observed_database *d = &run->observed.databases[i];
		_cleanup_free_ const struct permission **all = NULL;
		size_t n = 0;
		int rc = d->read ? denials_find(&all, &n, run, d) : 0;

		for (size_t k = 0; k < n; k++)
			denial_tell(run, d, all[k]);
		if (n || rc)
			unread_tell(run, d, n);
	}
}
