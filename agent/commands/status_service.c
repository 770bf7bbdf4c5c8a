/* The state of the service and of passwords in `curfew status`. */
#include <jansson.h>
#include <string.h>

#include "commands/status_service.h"
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "program/visible_text.h"

static instant_t member(const struct cli *cli, const char *name)
{
	return json_integer_value(json_object_get(cli->service, name));
}

void status_service_print(const struct cli *cli, instant_t now, const char *zone, FILE *to)
{
	const char *reason = json_string_value(json_object_get(cli->service, "pass_reason"));
	char when[64], words[WORDS_MAX];
	instant_t since = member(cli, "since"), last = member(cli, "last_pass"),
		  next = member(cli, "next_transition"), behind = member(cli, "clock_behind");

	if (!cli->service) {
		fputs("service: not running; nobody ends or grants access until it is started\n\n",
			to);
		return;
	}
	/* Short lines fit on a terminal. */
	fprintf(to, "service: running since %s\n",
		instant_format_local(when, sizeof(when), since, zone));
	if (last)
		text_printf(to, "  last pass %s ago%s%s\n", duration_words(words, now - last),
			reason && *reason ? ": " : "", reason ? reason : "");
	else
		fputs("  no pass yet\n", to);
	if (next)
		fprintf(to, "  next change %s\n",
			instant_format_local(when, sizeof(when), next, zone));
	if (behind)
		fprintf(to, "  the system clock is %s behind\n", duration_words(words, behind));
	fputc('\n', to);
}

static json_t *instant_or_null(instant_t t)
{
	return t ? instant_json(t) : json_null();
}

struct json_t *status_service_json(const struct cli *cli)
{
	if (!cli->service)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:I}", "since",
		instant_or_null(member(cli, "since")), "last_pass",
		instant_or_null(member(cli, "last_pass")), "pass_reason",
		text_json(json_string_value(json_object_get(cli->service, "pass_reason"))),
		"next_transition", instant_or_null(member(cli, "next_transition")), "clock_behind",
		(json_int_t)member(cli, "clock_behind"));
}

static int handover_keep(void *handovers, const struct journal_entry *e)
{
	return e->action && streq(e->action, "handover") ? journal_entries_keep(handovers, e) : 0;
}

int status_handovers(struct journal_entries *out, bool *archived, struct journal *j)
{
	const struct journal_filter events = {.kind = JOURNAL_EVENT};
	uint8_t hash[JOURNAL_HASH_SIZE];
	int64_t before = 0;
	int rc = j ? journal_anchor(hash, &before, j) : 0;

	*archived = before != 0;
	return rc || !j ? rc : journal_read(j, &events, handover_keep, out);
}

static bool was_handed_over(const struct journal_entries *h, const char *login)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].login && names_equal(h->items[i].login, login))
			return true;
	return false;
}

const char *status_password(const struct records *k, const struct journal_entries *handovers,
	bool archived, const struct grant *g)
{
	const struct record *r = NULL;

	for (size_t i = 0; i < k->n && !r; i++)
		if (k->items[i].kind == RECORD_LOGIN &&
			streq(k->items[i].server, g->server->name) &&
			names_equal(k->items[i].login, g->user->login))
			r = &k->items[i];
	if (!r || r->identity.status == LOGIN_GONE)
		return NULL;
	if (r->identity.status == LOGIN_DISABLED)
		return "disabled";
	if (r->identity.locked == ANSWER_YES)
		return "locked";
	if (r->identity.expired == ANSWER_YES)
		return "expired";
	if (!was_handed_over(handovers, g->user->login))
		return archived ? NULL : "not handed over";
	return r->identity.must_change == ANSWER_YES ? "must change" : "set";
}
