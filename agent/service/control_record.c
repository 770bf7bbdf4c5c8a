/* Requests and results of passes as JSON, written and read by one table. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "curfew/control.h"

static const struct {
	const char *name;
	size_t offset;
} counts[] = {
#define COUNT(f)                                                                                   \
	{                                                                                          \
#f, offsetof(struct pass_result, f)                                                \
	}
	COUNT(planned),
	COUNT(done),
	COUNT(failed),
	COUNT(refuted),
	COUNT(servers),
	COUNT(unreachable),
	COUNT(overdue),
	COUNT(drift),
	COUNT(waiting),
	COUNT(unverified),
	COUNT(unread),
	COUNT(excess),
	COUNT(findings),
	COUNT(not_verified),
	COUNT(round_trips),
};

json_t *control_result_json(const struct pass_result *r)
{
	json_t *json = json_pack("{s:b, s:b, s:b, s:b, s:b}", "network_failed", r->network_failed,
		"journal_failed", r->journal_failed, "held", r->held, "unfiltered", r->unfiltered,
		"time_failed", r->time_failed);

	for (size_t i = 0; json && i < ARRAY_SIZE(counts); i++)
		json_object_set_new(json, counts[i].name,
			json_integer((json_int_t) *
				     (const size_t *)((const char *)r + counts[i].offset)));
	return json;
}

int control_result_parse(struct pass_result *out, const json_t *json)
{
	struct pass_result r = {
		.network_failed = json_is_true(json_object_get(json, "network_failed")),
		.journal_failed = json_is_true(json_object_get(json, "journal_failed")),
		.held = json_is_true(json_object_get(json, "held")),
		.unfiltered = json_is_true(json_object_get(json, "unfiltered")),
		.time_failed = json_is_true(json_object_get(json, "time_failed"))};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		const json_t *value = json_object_get(json, counts[i].name);
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return -EBADMSG;
		*(size_t *)((char *)&r + counts[i].offset) = (size_t)json_integer_value(value);
	}
	*out = r;
	return 0;
}

static const char *mode_name(enum pass_mode m)
{
	static const char *const names[] = {[PASS_PLAN] = "plan",
		[PASS_APPLY] = "apply",
		[PASS_STATUS] = "status",
		[PASS_AUDIT] = "audit",
		[PASS_PREFLIGHT] = "preflight"};

	return (size_t)m < ARRAY_SIZE(names) ? names[m] : NULL;
}

int control_pass(struct pass_result *out, char error[RECORD_TEXT_MAX],
	const char *runtime_directory, const struct pass_options *o)
{
	json_t *request = json_object(), *end;

	if (!request || !mode_name(o->mode)) {
		json_decref(request);
		return -EINVAL;
	}
	json_object_set_new(request, "command", json_string(mode_name(o->mode)));
	if (o->client)
		json_object_set_new(request, "client", json_string(o->client));
	if (o->reason)
		json_object_set_new(request, "reason", json_string(o->reason));
	int rc = control_call(&end, runtime_directory, request, o->sink, o->context);
	if (rc < 0)
		return rc;
	const char *words = json_string_value(json_object_get(end, "error"));
	record_set(error, RECORD_TEXT_MAX, words);
	rc = words ? -EREMOTEIO : control_result_parse(out, json_object_get(end, "result"));
	json_decref(end);
	return rc;
}
