/* Reports what came of a change. A removal that the server refused with error 15151 names what is not there, or what
 * the agent may not see; a KILL that it refused with 6106, a session that is not there. Removals wait for no other
 * agent, so two of them may send the same statement, and the later one gets this error. Only the next reading tells
 * which it was: such an outcome is reported behind it. The number alone proves nothing: a DDL trigger can raise it
 * (https://learn.microsoft.com/sql/t-sql/language-elements/raiserror-transact-sql), and a denial can hide from that
 * reading what is there. */
#include <errno.h>
#include <string.h>

#include "proof/residual.h"
#include "sql/closing.h"
#include "visit/visit.h"

/* "Cannot drop the user 'x', because it does not exist or you do not have permission." */
enum { ERROR_GONE_OR_HIDDEN = 15151 };

/* What the server would not remove may be gone; the next reading tells. */
static bool may_be_gone(enum change_kind kind, int number)
{
	return kind == CHANGE_SESSION_KILL ? number == ERROR_NO_SUCH_SESSION
					   : change_closes(kind) && number == ERROR_GONE_OR_HIDDEN;
}

/* What keeps a user in its database though it has no right there any more: code that runs as it, or an event
 * notification that it made. Whether either is still wanted only a person knows
 * (https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors). */
static bool a_dba_frees_the_user(const struct record *r, const struct sql_error *error)
{
	enum { RUNS_AS_IT = 15136, OWNS_IT = 15154 };

	return r->change.kind == CHANGE_USER_DROP &&
	       (error->number == RUNS_AS_IT || error->number == OWNS_IT);
}

void outcome_tell(const struct visit_run *run, struct record *r, int rc,
	const struct sql_error *error, bool moot)
{
	r->kind = RECORD_OUTCOME;
	r->code = rc == SQL_SERVER_ERROR ? error->number : rc;
	r->state = rc || moot ? STATE_DRIFT : STATE_OK;
	if (moot)
		RECORD_SET(r, detail,
			run->unrecorded ? OUTCOME_SKIPPED "cannot record it first"
					: OUTCOME_SKIPPED "an earlier change failed");
	else if (rc == -ENOTSUP)
		RECORD_SET(r, detail, "unsupported object type; a DBA must make this change");
	else if (rc == SQL_SERVER_ERROR && a_dba_frees_the_user(r, error))
		RECORD_PRINTF(r, detail,
			"%.200s; the user has no right left there, and stays until a DBA runs the statement that `curfew audit` "
			"shows for what keeps it",
			error->text);
	else if (rc)
		RECORD_PRINTF(r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, r);
}

bool doubt_keep(
	struct visit_run *run, const struct record *plan, int rc, const struct sql_error *error)
{
	struct doubts *d = &run->doubts;

	if (rc != SQL_SERVER_ERROR || !may_be_gone(plan->change.kind, error->number))
		return false;
	struct record *more = reallocarray(d->items, d->n + 1, sizeof(*more));
	if (!more)
		return false;
	struct record *kept = &more[d->n];
	*kept = *plan;
	kept->code = error->number;
	RECORD_SET(kept, detail, error->text);
	*d = (struct doubts){.items = more, .n = d->n + 1};
	return true;
}

/* The changes that are asked for now, in the order of what they are about: of one user there may be very many. */
struct asked_changes {
	const struct change **items;
	size_t n;
};

static int about_compare(const struct change *x, const struct change *y)
{
	int c = (x->kind > y->kind) - (x->kind < y->kind);

	if (!c)
		c = names_compare(x->login ? x->login : "", y->login ? y->login : "");
	return c ? c
		 : names_compare(x->database ? x->database : "", y->database ? y->database : "");
}

static int asked_compare(const void *a, const void *b)
{
	return about_compare(*(const struct change *const *)a, *(const struct change *const *)b);
}

static int asked_key_compare(const void *item, const void *key)
{
	return about_compare(*(const struct change *const *)item, key);
}

/* Without memory nothing is known to be gone. */
static void asked_build(struct asked_changes *a, const struct difference *d)
{
	a->items = calloc(d->n_changes + 1, sizeof(const struct change *));
	if (!a->items)
		return;
	for (; a->n < d->n_changes; a->n++)
		a->items[a->n] = &d->changes[a->n];
	array_sort(a->items, a->n, sizeof(const struct change *), asked_compare);
}

static bool is_asked_again(const struct asked_changes *a, struct record *r)
{
	const struct change key = {
		.kind = r->change.kind, .login = r->login, .database = r->database};

	if (!a->items)
		return true;
	size_t i =
		array_first(a->items, a->n, sizeof(const struct change *), &key, asked_key_compare);
	return i < a->n && !about_compare(a->items[i], &key);
}

/* Of a login of the inventory that no row shows, the reading asks by its SID. */
static bool sid_was_asked(const struct visit_run *run, const char *login)
{
	for (size_t i = 0; i < run->claims.n; i++) {
		const struct claim *c = &run->claims.items[i];
		if (c->living && c->sid.size && streq(c->server, run->visit->server->name) &&
			names_equal(c->login, login))
			return true;
	}
	return false;
}

/* Whether the reading could have shown it: what is not seen is otherwise not known to be gone. */
static bool was_readable(const struct visit_run *run, const struct record *r)
{
	const struct observed_server *o = &run->observed;

	const struct login_of_client who = {
		program_client(run->visit->program, r->client), r->login};

	if (observed_is_partial(o) || unreadable_for(o, &run->visit->wanted, &run->claims, &who))
		return false;
	/* The login was there when it was to be disabled. Nothing but the server's word about its SID says that it is gone. */
	if (r->change.kind == CHANGE_LOGIN_DISABLE && !observed_find_login(o, r->login) &&
		!sid_was_asked(run, r->login))
		return false;
	const struct observed_database *d =
		r->database[0] ? observed_find_database(o, r->database) : NULL;
	return !r->database[0] ||
	       (d && d->read && !database_is_partial(o, d) && !database_hides(run, d));
}

void doubts_settle(struct visit_run *run, bool was_read)
{
	struct doubts *d = &run->doubts;
	struct asked_changes asked = {0};

	if (d->n)
		asked_build(&asked, &run->difference);
	for (size_t i = 0; i < d->n; i++) {
		struct record *r = &d->items[i];
		bool gone = was_read && !is_asked_again(&asked, r) && was_readable(run, r);
		struct sql_error error = {.number = r->code};
		record_set(error.text, sizeof(error.text), r->detail);
		RECORD_SET(r, detail, gone ? "it was gone already: somebody else removed it" : "");
		outcome_tell(run, r, gone ? 0 : SQL_SERVER_ERROR, &error, false);
	}
	free(asked.items);
	free(d->items);
	*d = (struct doubts){0};
}
