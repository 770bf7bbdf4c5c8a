/* Records and results of passes as JSON, by one table for both ways. */
#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>
#include "curfew/control.h"

enum field_kind { FIELD_U32, FIELD_I32, FIELD_I64, FIELD_U64, FIELD_TEXT };

static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset, size;
} fields[] = {
#define NUMBER(f, k)                                                                               \
	{                                                                                          \
#f, k, offsetof(struct record, f), 0                                               \
	}
#define TEXT(f)                                                                                    \
	{                                                                                          \
#f, FIELD_TEXT, offsetof(struct record, f), sizeof(((struct record *)0)->f)        \
	}
	NUMBER(kind, FIELD_U32),
	NUMBER(code, FIELD_I32),
	NUMBER(state, FIELD_U32),
	NUMBER(level, FIELD_U32),
	NUMBER(severity, FIELD_U32),
	NUMBER(opening, FIELD_U32),
	NUMBER(number, FIELD_U64),
	NUMBER(at, FIELD_I64),
	TEXT(server),
	TEXT(client),
	TEXT(login),
	TEXT(database),
	TEXT(action),
	TEXT(address),
	TEXT(program),
	TEXT(reason),
	TEXT(statement),
	TEXT(detail),
};

static int64_t field_number(const struct field *f, const void *p)
{
	switch (f->kind) {
	case FIELD_U32:
		return *(const uint32_t *)p;
	case FIELD_I32:
		return *(const int32_t *)p;
	case FIELD_I64:
		return *(const int64_t *)p;
	case FIELD_U64:
		return (int64_t) * (const uint64_t *)p;
	case FIELD_TEXT:
		break;
	}
	return 0;
}

/* False when the number does not fit: it is then none of ours. */
static bool field_set_number(const struct field *f, void *p, int64_t value)
{
	switch (f->kind) {
	case FIELD_U32:
		*(uint32_t *)p = (uint32_t)value;
		return value >= 0 && value <= UINT32_MAX;
	case FIELD_I32:
		*(int32_t *)p = (int32_t)value;
		return value >= INT32_MIN && value <= INT32_MAX;
	case FIELD_I64:
		*(int64_t *)p = value;
		return true;
	case FIELD_U64:
		*(uint64_t *)p = (uint64_t)value;
		return true;
	case FIELD_TEXT:
		break;
	}
	return false;
}

/* What is zero or empty is left out. */
json_t *control_record_json(const struct record *r)
{
	json_t *json = json_object();
	char hex[2 * SID_MAX + 1];
	int failed = json ? 0 : -1;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && failed == 0; i++) {
		const char *p = (const char *)r + fields[i].offset;
		if (fields[i].kind == FIELD_TEXT) {
			if (*p)
				failed = json_object_set_new(json, fields[i].name, json_string(p));
		} else if (field_number(&fields[i], p) != 0) {
			failed = json_object_set_new(
				json, fields[i].name, json_integer(field_number(&fields[i], p)));
		}
	}
	if (failed == 0 && r->sid_size > 0 && r->sid_size <= SID_MAX) {
		sodium_bin2hex(hex, sizeof(hex), r->sid, r->sid_size);
		failed = json_object_set_new(json, "sid", json_string(hex));
	}
	if (failed == 0)
		return json;
	json_decref(json);
	return NULL;
}

int control_record_parse(struct record *out, const json_t *json)
{
	struct record r = {0};

	if (!json_is_object(json))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const json_t *value = json_object_get(json, fields[i].name);
		char *p = (char *)&r + fields[i].offset;
		if (!value)
			continue;
		if (fields[i].kind == FIELD_TEXT) {
			if (!json_is_string(value))
				return -EBADMSG;
			record_set(p, fields[i].size, json_string_value(value));
		} else if (!json_is_integer(value) ||
			   !field_set_number(&fields[i], p, json_integer_value(value))) {
			return -EBADMSG;
		}
	}
	const char *hex = json_string_value(json_object_get(json, "sid"));
	size_t size = 0;
	if (hex && sodium_hex2bin(r.sid, sizeof(r.sid), hex, strlen(hex), NULL, &size, NULL) != 0)
		return -EBADMSG;
	r.sid_size = (uint8_t)size;
	if (record_check(&r))
		return -EBADMSG;
	*out = r;
	return 0;
}

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
	COUNT(servers),
	COUNT(unreachable),
	COUNT(overdue),
	COUNT(drift),
	COUNT(waiting),
	COUNT(unproved),
	COUNT(findings),
	COUNT(unproven),
	COUNT(round_trips),
};

json_t *control_result_json(const struct pass_result *r)
{
	json_t *json = json_pack("{s:b, s:b}", "network_failed", r->network_failed,
		"journal_failed", r->journal_failed);

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
		.journal_failed = json_is_true(json_object_get(json, "journal_failed"))};

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
		[PASS_AUDIT] = "audit"};

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
	int r = control_call(&end, runtime_directory, request, o->sink, o->context);
	if (r < 0)
		return r;
	const char *words = json_string_value(json_object_get(end, "error"));
	record_set(error, RECORD_TEXT_MAX, words);
	r = words ? -EREMOTEIO : control_result_parse(out, json_object_get(end, "result"));
	json_decref(end);
	return r;
}
