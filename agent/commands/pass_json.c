/* The result of a pass as JSON: the same members for plan, apply, revoke, and reinstate. */
#include "commands/pass_json.h"

#include <jansson.h>

#include "commands/plan_shut.h"
#include "curfew/report.h"

struct json_t *pass_json(const struct pass_result *r, const struct records *k, instant_t now)
{
	json_t *records = json_array();

	for (size_t i = 0; i < k->n; i++)
		json_array_append_new(records, record_json(&k->items[i]));
	return json_pack(
		"{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:o}",
		"at", instant_json(now), "loses_access", plan_shut_json(k->items, k->n), "planned",
		(json_int_t)r->planned, "done", (json_int_t)r->done, "failed",
		(json_int_t)r->failed, "unreachable", (json_int_t)r->unreachable, "overdue",
		(json_int_t)r->overdue, "drift", (json_int_t)r->drift, "waiting",
		(json_int_t)r->waiting, "unverified", (json_int_t)r->unverified, "unread",
		(json_int_t)r->unread, "excess", (json_int_t)r->excess, "round_trips",
		(json_int_t)r->round_trips, "network_failed", r->network_failed, "journal_failed",
		r->journal_failed, "time_failed", r->time_failed, "held", r->held, "records",
		records);
}
