/* The last failure of each login that does not have its scheduled access, from the journal. */
#include "commands/status_failures.h"

#include <jansson.h>
#include <string.h>

#include "commands/last_failure.h"
#include "curfew/report.h"
#include "program/visible_text.h"

/* Access is as scheduled, the database does not exist yet, or the server's own line explains why nothing is known. */
static bool has_no_failure_to_show(const struct record *r)
{
	return !r || r->state == STATE_OK || r->state == STATE_WAITING ||
	       r->state == STATE_UNREACHABLE;
}

static void change_print(
	const struct journal_entries *changes, const struct record *r, const struct context *c)
{
	const struct journal_entry *failed = last_failure(changes, r->server);
	const struct client *client = program_client(c->program, r->client);
	char when[64];

	if (!failed)
		return;
	_cleanup_free_ char *remedy = last_failure_statements(changes, r->server);
	text_printf(stdout, "  last change for %s on %s failed %s: %s\n", r->login, r->server,
		instant_format_local(when, sizeof(when), failed->at,
			client ? client->timezone : c->program->settings.timezone),
		failed->detail ? failed->detail : "no detail");
	if (remedy)
		text_printf(stdout,
			"    if the agent login lacks the right, a DBA must run the output of `curfew bootstrap %s`, or: %s\n",
			r->server, remedy);
}

/* What the server could not tell. What it told, more than is scheduled, is in the state's own detail. */
static const char *doubt_of(const struct journal_entries *changes, const struct record *r)
{
	const struct journal_entry *e =
		r->state == STATE_UNVERIFIED ? last_doubt(changes, r->server, r->database) : NULL;
	enum verification v;

	return e && verification_parse(&v, e->outcome) && v == VERIFICATION_UNVERIFIED ? e->detail
										       : NULL;
}

static void doubt_print(const struct journal_entries *changes, const struct record *r)
{
	const char *why = doubt_of(changes, r);

	if (why)
		text_printf(stdout, "  %s on %s / %s is not verified: %s\n", r->login, r->server,
			r->database, why);
}

/* `again`: the same login and server were shown before. */
static void failure_print(const struct record *r, const struct context *c, bool again)
{
	struct journal_entries changes = {0};

	if (!login_changes_read(&changes, c->journal, *r->client ? r->client : NULL, r->login)) {
		if (!again)
			change_print(&changes, r, c);
		doubt_print(&changes, r);
	}
	journal_entries_free(&changes);
}

static bool is_alike(const struct record *a, const struct record *b)
{
	return !has_no_failure_to_show(a) && streq(a->server, b->server) &&
	       streq(a->login, b->login);
}

void status_failures_print(const struct grant *items, size_t n, const struct status_view *seen)
{
	for (size_t i = 0; i < n && seen->context->journal; i++) {
		const struct record *r = status_record(&seen->records, &items[i]);
		bool again = false;

		if (has_no_failure_to_show(r))
			continue;
		for (size_t k = 0; k < i && !again; k++) {
			const struct record *other = status_record(&seen->records, &items[k]);
			again = other && is_alike(other, r);
		}
		failure_print(r, seen->context, again);
	}
}

void status_residual_failures_print(const struct status_view *seen)
{
	const struct records *k = &seen->records;

	for (size_t i = 0; i < k->n && seen->context->journal; i++) {
		bool again = false;

		if (!status_is_residual(&k->items[i]) || has_no_failure_to_show(&k->items[i]))
			continue;
		for (size_t m = 0; m < i && !again; m++)
			again = status_is_residual(&k->items[m]) &&
				is_alike(&k->items[m], &k->items[i]);
		failure_print(&k->items[i], seen->context, again);
	}
}

void status_failure_json(
	struct json_t *object, const struct grant *g, const struct status_view *seen)
{
	const struct record *r = status_record(&seen->records, g);
	struct journal_entries changes = {0};
	_cleanup_free_ char *remedy = NULL;
	const char *why = NULL;

	if (!has_no_failure_to_show(r) && seen->context->journal &&
		!login_changes_read(
			&changes, seen->context->journal, g->client->name, g->user->login)) {
		const struct journal_entry *failed = last_failure(&changes, g->server->name);
		why = failed ? failed->detail : doubt_of(&changes, r);
		remedy = last_failure_statements(&changes, g->server->name);
	}
	json_object_set_new(object, "last_failure", text_json(why));
	json_object_set_new(object, "remedy", text_json(remedy));
	journal_entries_free(&changes);
}
