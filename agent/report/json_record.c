/* Records of a pass as JSON: each kind with the members that mean something for it. */
#include "curfew/report.h"

#include <jansson.h>

static const char *kind_word(uint32_t kind)
{
	static const char *const words[] = {
		[RECORD_SERVER] = "server",
		[RECORD_PLAN] = "plan",
		[RECORD_INTENT] = "intent",
		[RECORD_OUTCOME] = "outcome",
		[RECORD_GRANT] = "grant",
		[RECORD_LOGIN] = "login",
		[RECORD_SESSION] = "session",
		[RECORD_PROOF] = "proof",
		[RECORD_FINDING] = "finding",
		[RECORD_NOTE] = "note",
		[RECORD_END] = "end",
	};

	return kind < ARRAY_SIZE(words) && words[kind] ? words[kind] : "unknown";
}

/* Members of each kind, one letter each; see member_add(). */
static const char *kind_members(uint32_t kind)
{
	static const char *const members[] = {
		[RECORD_SERVER] = "sScpnd",
		[RECORD_PLAN] = "sCLDalortd",
		[RECORD_INTENT] = "sCLDanortd",
		[RECORD_OUTCOME] = "sCLDancotd",
		[RECORD_GRANT] = "sCLDSlrd",
		[RECORD_LOGIN] = "sCLiAd",
		[RECORD_SESSION] = "sCLDnmpAd",
		[RECORD_PROOF] = "sCLDSlad",
		[RECORD_FINDING] = "sCLDavtrd",
		[RECORD_NOTE] = "sCLDacrd",
		[RECORD_END] = "scnd",
	};

	return kind < ARRAY_SIZE(members) && members[kind] ? members[kind] : "sCLDacrtd";
}

static json_t *text_or_null(const char *text)
{
	return *text ? text_json(text) : json_null();
}

static json_t *sid_json(const struct record *r)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[2 * SID_MAX + 3] = "0x";
	size_t n = r->sid_size <= SID_MAX ? r->sid_size : SID_MAX;

	if (!n)
		return json_null();
	for (size_t i = 0; i < n; i++) {
		text[2 + 2 * i] = digits[r->sid[i] >> 4];
		text[3 + 2 * i] = digits[r->sid[i] & 15];
	}
	text[2 + 2 * n] = '\0';
	return json_string(text);
}

static int member_add(json_t *o, char member, const struct record *r)
{
	bool server = r->kind == RECORD_SERVER, finding = r->kind == RECORD_FINDING;
	bool trips = server || r->kind == RECORD_END;

	switch (member) {
	case 's':
		return json_object_set_new(o, "server", text_or_null(r->server));
	case 'C':
		return json_object_set_new(o, "client", text_or_null(r->client));
	case 'L':
		return json_object_set_new(o, "login", text_or_null(r->login));
	case 'D':
		return json_object_set_new(o, "database", text_or_null(r->database));
	case 'S':
		return json_object_set_new(
			o, "state", json_string(state_name((enum state)r->state)));
	case 'l':
		return json_object_set_new(o, "level",
			r->level <= LEVEL_FULL ? json_string(level_name((enum level)r->level))
					       : json_null());
	case 'a':
		return json_object_set_new(o, finding ? "name" : "action", text_or_null(r->action));
	case 'v':
		return json_object_set_new(o, "severity",
			json_string(finding_severity_name((enum finding_severity)r->severity)));
	case 'o':
		return json_object_set_new(o, "opening", json_boolean(r->opening));
	case 'c':
		return json_object_set_new(o, "code", json_integer(r->code));
	case 'n':
		return json_object_set_new(
			o, trips ? "round_trips" : "number", json_integer((json_int_t)r->number));
	case 'A':
		return json_object_set_new(o, r->kind == RECORD_LOGIN ? "created" : "since",
			r->at ? instant_json(r->at) : json_null());
	case 'i':
		return json_object_set_new(o, "sid", sid_json(r));
	case 'm':
		return json_object_set_new(o, "address", text_or_null(r->address));
	case 'p':
		return json_object_set_new(
			o, server ? "version" : "program", text_or_null(r->program));
	case 'r':
		return json_object_set_new(o, "reason", text_or_null(r->reason));
	case 't':
		return json_object_set_new(
			o, finding ? "remedy" : "statement", text_or_null(r->statement));
	case 'd':
		return json_object_set_new(
			o, finding ? "evidence" : "detail", text_or_null(r->detail));
	default:
		return -1;
	}
}

struct json_t *record_json(const struct record *r)
{
	json_t *o = json_object();

	if (!o || json_object_set_new(o, "kind", json_string(kind_word(r->kind)))) {
		json_decref(o);
		return NULL;
	}
	for (const char *m = kind_members(r->kind); *m; m++) {
		if (member_add(o, *m, r)) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}
