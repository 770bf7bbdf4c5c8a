/* What a pass that changes access reports: counted, logged, and told to whoever asked for it. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

/* No change is scheduled in an interval pass, so this change corrects drift. */
static bool is_drift(const struct service *s)
{
	return s->passes.reasons == REASON_INTERVAL;
}

static enum log_message made_message(const struct service *s)
{
	return is_drift(s) ? LOG_DRIFT_SQL : LOG_CHANGE;
}

static void outcome_log(struct service *s, const struct record *r)
{
	struct log_fields f = {.client = r->client,
		.login = r->login,
		.server = r->server,
		.database = r->database,
		.reason = r->change.reason[0] ? r->change.reason : s->passes.text,
		.actor = lane_pass(s->passes.lane)->actor};
	const char *action = change_name(r->change.kind);

	if (r->state != STATE_OK)
		log_send(LOG_CHANGE_FAILED, &f, "%s: %s %s failed: %s", r->server, action,
			r->database[0] ? r->database : r->login, r->detail);
	else
		log_send(made_message(s), &f, "%s: %s %s%s%s%s%s", r->server, action,
			r->login[0] ? r->login : r->change.statement, r->database[0] ? " on " : "",
			r->database, r->detail[0] ? ": " : "", r->detail);
}

static void network_log(struct service *s, const struct record *r)
{
	struct log_fields f = {.server = r->server,
		.reason = s->passes.text,
		.actor = lane_pass(s->passes.lane)->actor};
	const char *action = firewall_change_name(r->network.kind);
	char text[NETWORK_CHANGE_MAX];

	network_change_text(text, &r->network);
	if (r->state != STATE_OK)
		log_send(LOG_CHANGE_FAILED, &f, "%s: %s %s failed", r->server, action, text);
	else
		log_send(made_message(s), &f, "%s: %s %s", r->server, action, text);
}

static void change_count(struct service *s, const struct record *r)
{
	if (r->state != STATE_OK) {
		s->metrics.changes_failed++;
		return;
	}
	s->metrics.changes++;
	s->metrics.drift_sql += r->kind == RECORD_OUTCOME && is_drift(s);
}

static void change_take(struct service *s, const struct record *r)
{
	change_count(s, r);
	if (!change_log_take(&s->passes.changes, r))
		return;
	if (r->kind == RECORD_OUTCOME)
		outcome_log(s, r);
	else
		network_log(s, r);
}

void passes_changes_end(struct service *s)
{
	const struct passes *p = &s->passes;
	struct log_fields f = {
		.reason = p->text, .actor = p->has_request ? p->request.actor : "service"};

	change_log_end(&s->passes.changes, made_message(s), &f);
}

int passes_record(void *context, const struct record *r)
{
	struct service *s = context;
	const struct lane *lane = s->passes.lane;
	instant_t now = lane_pass(lane)->now;

	if (s->passes.has_request)
		control_tell(s->passes.request.call, r);
	switch (r->kind) {
	case RECORD_SERVER:
		retries_answered(s->retries, r->server, r->state, r->code,
			lane_age(lane, r->server) >= 0, now);
		break;
	case RECORD_END:
		s->passes.cut |= r->code == -ECANCELED;
		retries_quiet(s->retries, r->server,
			maintenance_covers(s->loaded.program, r->server, NULL, now));
		retries_ended(s->retries, r->server, r->code, r->detail, !lane_pass(lane)->client,
			r->end.round_trips, now);
		break;
	case RECORD_GRANT:
		if (r->state != STATE_UNREAD ||
			!maintenance_covers(s->loaded.program, r->server, r->database, now))
			retries_grant(s->retries, r->server, r->state);
		break;
	case RECORD_OUTCOME:
	case RECORD_NETWORK_OUTCOME:
		change_take(s, r);
		break;
	case RECORD_NOTE:
		if (r->state >= STATE_DRIFT && r->code < 0)
			log_send(LOG_PASS_FAILED, &(struct log_fields){.server = r->server},
				"%s: %s", r->server, r->detail);
		break;
	default:
		break;
	}
	return 0;
}

void passes_result_log(struct service *s, const struct pass_result *r)
{
	const struct passes *p = &s->passes;
	struct log_fields f = {
		.reason = p->text, .actor = p->has_request ? p->request.actor : "service"};
	bool failed = pass_is_incomplete(r);

	if (r->journal_failed)
		log_send(LOG_JOURNAL_FAILED, &f,
			"cannot write the journal; no access was granted, and removals did not wait for it");
	if (failed)
		log_send(LOG_PASS_FAILED, &f,
			"pass incomplete: %zu of %zu changes failed%s; %zu verifications found more than is scheduled (%s)",
			r->failed, r->planned, r->network_failed ? ", and the packet filter" : "",
			r->refuted, p->text);
	else if (r->done)
		log_send(LOG_PASS, &f, "%zu changes made on %zu servers (%s)", r->done, r->servers,
			p->text);
}
