/* Whether full access equals db_owner in a database. Full access allows altering every module and table of the user
 * schemas. If a module there runs with other permissions than its caller's, altering what it uses gives these
 * permissions too.
 *
 * A module that uses nothing is safe, because altering it removes its EXECUTE AS. Checking one step is
 * enough: whatever it uses in a user schema can be altered, or given a trigger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/difference.h"
#include "curfew/text.h"

/* Reasons that are named one by one. */
#define REASONS_SHOWN 3
/* master, tempdb, model, msdb */
#define LAST_SYSTEM_DATABASE 4

static void runner_reason(char buf[FITNESS_REASON_MAX], const struct observed_runner *r)
{
	static const char *const what[] = {[RUNNER_MODULE] = "",
		[RUNNER_ASSEMBLY] = "CLR module ",
		[RUNNER_QUEUE] = "queue ",
		[RUNNER_POLICY] = "security policy ",
		[RUNNER_DDL_TRIGGER] = "DDL trigger "};
	static const char *const does[] = {[RUNNER_MODULE] = "uses other objects and runs as ",
		[RUNNER_ASSEMBLY] = "runs as ",
		[RUNNER_QUEUE] = "runs a procedure as ",
		[RUNNER_POLICY] = "uses a function that is not schema-bound",
		[RUNNER_DDL_TRIGGER] = "uses other objects and runs as "};
	const char *as = r->kind == RUNNER_POLICY ? "" : r->as_owner ? "its owner" : "another user";
	bool in_schema = r->kind != RUNNER_DDL_TRIGGER;

	snprintf(buf, FITNESS_REASON_MAX, "%s%s%s%s[%s] %s%s", what[r->kind], in_schema ? "[" : "",
		r->schema, in_schema ? "]." : "", r->name, does[r->kind], as);
}

/* Ownership chains go on in databases of the same owner, if both allow it. */
static bool chains_reach(const struct observed_server *o, const struct observed_database *d,
	const struct observed_database *other)
{
	return other->id != d->id && (o->chaining || (d->chaining && other->chaining)) &&
	       d->owner.size && sid_equal(&other->owner, &d->owner);
}

/* A client's database says more than one of the product's own. */
static bool chains_reason(char buf[FITNESS_REASON_MAX], const struct observed_server *o,
	const struct observed_database *d)
{
	const struct observed_database *named = NULL;
	size_t n = 0;

	for (size_t i = 0; i < o->n_databases; i++) {
		const struct observed_database *other = &o->databases[i];
		if (!chains_reach(o, d, other))
			continue;
		n++;
		if (!named || named->id <= LAST_SYSTEM_DATABASE)
			named = other;
	}
	if (n == 1)
		snprintf(buf, FITNESS_REASON_MAX,
			"ownership chains reach database [%s], which has the same owner",
			named->name);
	else if (n)
		snprintf(buf, FITNESS_REASON_MAX,
			"ownership chains reach %zu databases of the same owner, among them [%s]",
			n, named->name);
	return n > 0;
}

/* The n-th job that runs there; if there are fewer, *n is less by them. */
static enum unfit jobs_reason(char buf[FITNESS_REASON_MAX], const struct observed_server *o,
	const struct observed_database *d, size_t *n)
{
	if (o->jobs_unknown && !(*n)--) {
		snprintf(buf, FITNESS_REASON_MAX,
			"what Agent jobs of a sysadmin run there cannot be read");
		return UNFIT_UNREAD_JOB;
	}
	for (size_t i = 0; d->id && i < o->n_jobs; i++)
		if (o->jobs[i].database == d->id && !(*n)--) {
			snprintf(buf, FITNESS_REASON_MAX, "Agent job [%s] runs there as a sysadmin",
				o->jobs[i].name);
			return UNFIT_JOB;
		}
	return UNFIT_NONE;
}

enum unfit fitness_reason(char buf[FITNESS_REASON_MAX], const struct observed_server *o,
	const struct observed_database *d, size_t n)
{
	static const enum unfit of[] = {[RUNNER_MODULE] = UNFIT_MODULE,
		[RUNNER_ASSEMBLY] = UNFIT_MODULE,
		[RUNNER_QUEUE] = UNFIT_QUEUE,
		[RUNNER_POLICY] = UNFIT_POLICY,
		[RUNNER_DDL_TRIGGER] = UNFIT_MODULE};

	if (d->runners_unknown && !n--) {
		snprintf(buf, FITNESS_REASON_MAX, "what runs there as another user cannot be read");
		return UNFIT_UNREAD_MODULE;
	}
	if (d->trustworthy && !n--) {
		snprintf(buf, FITNESS_REASON_MAX, "the database is TRUSTWORTHY");
		return UNFIT_TRUSTWORTHY;
	}
	if (n < d->n_runners) {
		runner_reason(buf, &d->runners[n]);
		return of[d->runners[n].kind];
	}
	n -= d->n_runners;
	enum unfit job = jobs_reason(buf, o, d, &n);
	if (job)
		return job;
	return n == 0 && chains_reason(buf, o, d) ? UNFIT_OWNER : UNFIT_NONE;
}

char *fitness_text(const struct observed_server *o, const struct observed_database *d)
{
	char reason[FITNESS_REASON_MAX];
	struct text text;
	size_t n = 0;

	if (!text_begin(&text))
		return NULL;
	for (; fitness_reason(reason, o, d, n); n++)
		if (n < REASONS_SHOWN)
			fprintf(text.to, "%s%s", n ? "; " : "", reason);
	if (n > REASONS_SHOWN)
		fprintf(text.to, "; and %zu more", n - REASONS_SHOWN);
	return text_end(&text);
}

/* A managed login has full access there already, so this is not the first grant. */
static bool full_is_given(const struct builder *b, const struct observed_database *d)
{
	struct database_index *x = &b->indexes[d - b->o->databases];

	/* Asked for each grant there, and the database may have any number of users. */
	for (size_t i = 0; !x->full_known && i < b->o->n_logins; i++) {
		const struct observed_login *l = &b->o->logins[i];
		bool exact;
		x->full_given =
			l->ours && observed_level(&exact, b->o, d, l, b->w->server) == LEVEL_FULL;
		x->full_known = x->full_given;
	}
	x->full_known = true;
	return x->full_given;
}

/* Whether some reason is only that something was not read, which the rights of the bootstrap end; or some is none of these. */
static bool reasons_have(
	const struct observed_server *o, const struct observed_database *d, bool unread)
{
	char reason[FITNESS_REASON_MAX];
	enum unfit unfit;

	for (size_t n = 0; (unfit = fitness_reason(reason, o, d, n)); n++)
		if ((unfit == UNFIT_UNREAD_MODULE || unfit == UNFIT_UNREAD_JOB) == unread)
			return true;
	return false;
}

bool full_is_refused(struct builder *b, const struct grant *g, const struct observed_database *d)
{
	if (g->level != LEVEL_FULL || g->database->full_waiver.approved_by)
		return false;
	_cleanup_free_ char *why = fitness_text(b->o, d);
	if (!why)
		b->no_memory = true;
	if (!why || !*why)
		return !why;
	bool given = full_is_given(b, d);
	bool known = reasons_have(b->o, d, false), unread = reasons_have(b->o, d, true);
	obstacle_push(b, STATE_UNVERIFIED, g->user->login, d->name,
		"%s database [%s], where it %s db_owner: %s%s%s%suse before_go_live = \"write\"%s with full_waiver = { "
		"approved_by = \"NAME\"; ticket = \"TICKET\"; }; beside the database: %s",
		given ? "full access was given to" : "full access is not given to", d->name,
		known ? "equals" : "may equal",
		unread ? "a DBA must run the output of `curfew bootstrap " : "",
		unread ? b->w->server->name : "", unread ? "` again; " : "",
		unread ? known ? "beside that " : "until then " : "",
		known ? ", change what is named here, or accept it" : ", or accept the risk", why);
	return !given;
}

/* The first of the client's in that database speaks for all of them. */
static bool is_first(const struct wanted_server *w, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (w->grants[i]->database == w->grants[number]->database &&
			w->grants[i]->level != LEVEL_NONE)
			return false;
	return w->grants[number]->level != LEVEL_NONE;
}

void waivers_name(struct builder *b)
{
	for (size_t i = 0; i < b->w->n_grants; i++) {
		const struct grant *g = b->w->grants[i];
		const struct observed_database *d = observed_find_database(b->o, g->database->name);
		if (!g->database->full_waiver.approved_by || !d || !d->read || !is_first(b->w, i))
			continue;
		_cleanup_free_ char *why = fitness_text(b->o, d);
		if (why && *why)
			obstacle_push(b, STATE_OK, g->user->login, d->name,
				"full access %s db_owner in database [%s], accepted by %s (%s), because %s",
				reasons_have(b->o, d, false) ? "equals" : "may equal", d->name,
				g->database->full_waiver.approved_by,
				g->database->full_waiver.ticket, why);
	}
}
