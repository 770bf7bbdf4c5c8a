/* The one table of the records' fields: what crosses the worker's channel and the control socket, what JSON shows, and
 * within which bounds. */
#include <ctype.h>
#include <sodium.h>

#include "curfew/text.h"
#include "record/fields.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): the names of a function and of an enum */
#define WORDS(function, type)                                                                      \
	static const char *function##_word(unsigned value)                                         \
	{                                                                                          \
		return function((enum type)value);                                                 \
	}
/* NOLINTEND(bugprone-macro-parentheses) */
WORDS(state_name, state)
WORDS(finding_severity_name, finding_severity)
WORDS(verification_name, verification)
WORDS(login_status_name, login_status)
WORDS(answer_name, answer)
WORDS(level_name, level)
WORDS(check_result_name, check_result)
WORDS(change_name, change_kind)
WORDS(firewall_change_name, firewall_change_kind)

static const char *admission_word(unsigned value)
{
	static const char *const names[ADMISSIONS] = {
		[ADMIT_NOT_YET] = "pending", [ADMIT] = "allow", [ADMIT_NOBODY] = "block"};

	return value < ARRAY_SIZE(names) ? names[value] : "unknown";
}

static const char *origin_word(unsigned value)
{
	static const char *const names[GRANT_ORIGINS] = {
		[GRANT_SCHEDULED] = "scheduled", [GRANT_RESIDUAL] = "residual"};

	return value < ARRAY_SIZE(names) ? names[value] : "unknown";
}

static const char *mark_word(unsigned value)
{
	static const char *const names[BASELINE_MARKS] = {
		[BASELINE_ITEM] = "item", [BASELINE_BEGIN] = "begin", [BASELINE_WHOLE] = "whole"};

	return value < ARRAY_SIZE(names) ? names[value] : "unknown";
}

#define AT(member) offsetof(struct record, member), sizeof(((struct record *)0)->member)
#define TEXT(name, member)                                                                         \
	{                                                                                          \
		name, FIELD_TEXT, AT(member), NULL, 0                                              \
	}
#define OF(type, name, member)                                                                     \
	{                                                                                          \
		name, FIELD_##type, AT(member), NULL, 0                                            \
	}
#define WORD(name, member, words, count)                                                           \
	{                                                                                          \
		name, FIELD_WORD, AT(member), words, (count)-1                                     \
	}

#define SERVER	      TEXT("server", server)
#define WHO	      SERVER, TEXT("client", client), TEXT("login", login), TEXT("database", database)
#define CODE	      OF(CODE, "code", code)
#define STATE	      WORD("state", state, state_name_word, STATES)
#define DETAIL	      TEXT("detail", detail)
#define LEVEL(member) WORD("level", member, level_name_word, LEVEL_FULL + 1)
#define LAST                                                                                       \
	{                                                                                          \
		0                                                                                  \
	}

static const struct field server_fields[] = {SERVER, STATE, CODE, TEXT("version", about.version),
	OF(COUNT, "round_trips", about.round_trips), DETAIL, LAST};

#define CHANGE                                                                                     \
	WHO, WORD("action", change.kind, change_name_word, CHANGE_KINDS),                          \
		OF(COUNT, "number", change.number), TEXT("reason", change.reason),                 \
		TEXT("statement", change.statement), DETAIL
static const struct field plan_fields[] = {CHANGE, LAST};
static const struct field outcome_fields[] = {CHANGE, STATE, CODE, LAST};

#define NETWORK                                                                                    \
	SERVER, WORD("action", network.kind, firewall_change_name_word, FIREWALL_CHANGE_KINDS),    \
		OF(SOURCE, "source", network.source), OF(ENDPOINT, "endpoint", network.endpoint),  \
		OF(INSTANT, "until", network.until), TEXT("names", network.names), DETAIL
static const struct field network_plan_fields[] = {NETWORK, LAST};
static const struct field network_outcome_fields[] = {NETWORK, STATE, CODE, LAST};

static const struct field intent_fields[] = {
	SERVER, OF(COUNT, "number", intent.number), OF(INSTANT, "clock", intent.clock), LAST};

static const struct field grant_fields[] = {WHO, STATE,
	WORD("origin", grant.origin, origin_word, GRANT_ORIGINS), LEVEL(grant.level),
	WORD("seen", grant.seen, answer_name_word, ANSWERS),
	WORD("secondary", grant.secondary, answer_name_word, ANSWERS),
	WORD("shut", grant.shut, answer_name_word, ANSWERS),
	WORD("admission", grant.admission, admission_word, ADMISSIONS),
	OF(COUNT, "database_id", grant.database_id), DETAIL, LAST};

static const struct field login_fields[] = {WHO,
	WORD("status", identity.status, login_status_name_word, LOGIN_STATUSES),
	WORD("locked", identity.locked, answer_name_word, ANSWERS),
	WORD("expired", identity.expired, answer_name_word, ANSWERS),
	WORD("must_change", identity.must_change, answer_name_word, ANSWERS),
	OF(INSTANT, "created", identity.created), OF(SID, "sid", identity.sid), LAST};

static const struct field session_fields[] = {WHO, OF(COUNT, "number", session.number),
	TEXT("address", session.address), TEXT("program", session.program),
	OF(INSTANT, "since", session.since), DETAIL, LAST};

static const struct field verification_fields[] = {WHO, STATE, LEVEL(verification.level),
	WORD("result", verification.result, verification_name_word, VERIFICATIONS),
	OF(INSTANT, "at", verification.at), OF(SID, "sid", verification.sid),
	TEXT("fingerprint", verification.fingerprint),
	OF(COUNT, "database_id", verification.database_id),
	TEXT("database_made", verification.made), DETAIL, LAST};

static const struct field finding_fields[] = {WHO, TEXT("name", finding.name),
	WORD("severity", finding.severity, finding_severity_name_word, FINDING_SEVERITIES),
	TEXT("remedy", finding.remedy), TEXT("reason", finding.reason), TEXT("evidence", detail),
	LAST};

static const struct field baseline_fields[] = {SERVER, TEXT("database", database),
	WORD("mark", baseline.mark, mark_word, BASELINE_MARKS), TEXT("type", baseline.kind),
	TEXT("name", baseline.name), TEXT("hash", baseline.hash), LAST};

static const struct field note_fields[] = {WHO, STATE, CODE, DETAIL, LAST};

static const struct field check_fields[] = {SERVER, TEXT("database", database),
	TEXT("name", check.name),
	WORD("result", check.result, check_result_name_word, CHECK_RESULTS), DETAIL,
	TEXT("fix", check.fix), OF(COUNT, "milliseconds", check.milliseconds),
	OF(COUNT, "rows", check.rows), LAST};

static const struct field item_fields[] = {SERVER, TEXT("database", database),
	TEXT("type", item.type), OF(COUNT, "id", item.id), OF(COUNT, "parent", item.parent),
	OF(COUNT, "refers", item.refers),
	WORD("writable", item.writable, answer_name_word, ANSWERS), TEXT("schema", item.schema),
	TEXT("name", item.name), TEXT("hash", item.hash), TEXT("facts", item.facts),
	TEXT("target", item.target), OF(INSTANT, "created", item.created),
	OF(INSTANT, "modified", item.modified), LAST};

static const struct field use_fields[] = {SERVER, TEXT("database", database),
	TEXT("source", use.source), OF(COUNT, "id", use.id), OF(COUNT, "index", use.index),
	OF(COUNT, "count", use.count), OF(INSTANT, "last", use.last),
	OF(INSTANT, "written", use.written), OF(COUNT, "rows", use.rows),
	OF(COUNT, "bytes", use.bytes), LAST};

static const struct field reference_fields[] = {SERVER, TEXT("database", database),
	TEXT("how", reference.how), OF(COUNT, "from", reference.from),
	OF(COUNT, "to", reference.to), TEXT("to_server", reference.server),
	TEXT("to_database", reference.database), TEXT("to_schema", reference.schema),
	TEXT("to_name", reference.name), TEXT("facts", reference.facts), LAST};

static const struct field coverage_fields[] = {SERVER, TEXT("database", database),
	TEXT("part", coverage.part), WORD("seen", coverage.seen, answer_name_word, ANSWERS),
	OF(INSTANT, "since", coverage.since), CODE, DETAIL, LAST};

static const struct field seen_fields[] = {SERVER, TEXT("database", database),
	TEXT("type", used.type), TEXT("name", used.name), TEXT("source", used.source),
	OF(INSTANT, "last", used.last), LAST};

static const struct field watch_fields[] = {SERVER, TEXT("database", database),
	TEXT("part", watch.part), OF(INSTANT, "since", watch.since),
	OF(INSTANT, "until", watch.until), OF(COUNT, "gap", watch.gap), LAST};

static const struct field tally_fields[] = {SERVER, TEXT("database", database),
	OF(COUNT, "red", tally.red), OF(COUNT, "yellow", tally.yellow),
	OF(COUNT, "green", tally.green), OF(COUNT, "undecided", tally.undecided),
	OF(COUNT, "keep", tally.keep), OF(COUNT, "replace", tally.replace),
	OF(COUNT, "drop", tally.drop), OF(COUNT, "left", tally.left), LAST};

static const struct field entry_fields[] = {
	SERVER, OF(SID, "sid", entry.sid), OF(COUNT, "database_id", entry.database_id), LAST};

static const struct field end_fields[] = {SERVER, TEXT("database", database), STATE, CODE,
	OF(COUNT, "round_trips", end.round_trips), DETAIL, LAST};

static const struct record_type types[RECORD_KINDS] = {
	[RECORD_SERVER] = {"server", server_fields},
	[RECORD_PLAN] = {"plan", plan_fields},
	[RECORD_INTENT] = {"intent", intent_fields},
	[RECORD_OUTCOME] = {"outcome", outcome_fields},
	[RECORD_NETWORK_PLAN] = {"network-plan", network_plan_fields},
	[RECORD_NETWORK_OUTCOME] = {"network-outcome", network_outcome_fields},
	[RECORD_GRANT] = {"grant", grant_fields},
	[RECORD_LOGIN] = {"login", login_fields},
	[RECORD_SESSION] = {"session", session_fields},
	[RECORD_VERIFICATION] = {"verification", verification_fields},
	[RECORD_FINDING] = {"finding", finding_fields},
	[RECORD_BASELINE] = {"baseline", baseline_fields},
	[RECORD_NOTE] = {"note", note_fields},
	[RECORD_CHECK] = {"check", check_fields},
	[RECORD_ITEM] = {"item", item_fields},
	[RECORD_USE] = {"use", use_fields},
	[RECORD_REFERENCE] = {"reference", reference_fields},
	[RECORD_COVERAGE] = {"coverage", coverage_fields},
	[RECORD_SEEN] = {"seen", seen_fields},
	[RECORD_WATCH] = {"watch", watch_fields},
	[RECORD_TALLY] = {"tally", tally_fields},
	[RECORD_ENTRY] = {"entry", entry_fields},
	[RECORD_END] = {"end", end_fields},
};

const struct record_type *record_type(enum record_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(types) && types[kind].name ? &types[kind] : NULL;
}

bool field_is_text(const struct field *f)
{
	return f->type >= FIELD_TEXT;
}

int64_t field_number(const struct field *f, const struct record *r)
{
	const void *p = (const char *)r + f->offset;

	switch (f->type) {
	case FIELD_WORD:
		return *(const unsigned *)p;
	case FIELD_CODE:
		return *(const int32_t *)p;
	case FIELD_COUNT:
		return (int64_t) * (const uint64_t *)p;
	default:
		return *(const instant_t *)p;
	}
}

bool field_set_number(const struct field *f, struct record *r, int64_t value)
{
	void *p = (char *)r + f->offset;

	switch (f->type) {
	case FIELD_WORD:
		if (value < 0 || value > f->last)
			return false;
		*(unsigned *)p = (unsigned)value;
		return true;
	case FIELD_CODE:
		if (value < INT32_MIN || value > INT32_MAX)
			return false;
		*(int32_t *)p = (int32_t)value;
		return true;
	case FIELD_COUNT:
		if (value < 0)
			return false;
		*(uint64_t *)p = (uint64_t)value;
		return true;
	default:
		if (value < 0 || value > INSTANT_LAST)
			return false;
		*(instant_t *)p = value;
		return true;
	}
}

const char *field_text(const struct field *f, const struct record *r, char buf[FIELD_TEXT_MAX])
{
	const void *p = (const char *)r + f->offset;
	const struct sid *sid = p;
	const struct source *source = p;
	const struct endpoint *endpoint = p;

	*buf = '\0';
	switch (f->type) {
	case FIELD_SID:
		if (sid->size > 0 && sid->size <= SID_MAX) {
			buf[0] = '0';
			buf[1] = 'x';
			sodium_bin2hex(buf + 2, FIELD_TEXT_MAX - 2, sid->bytes, sid->size);
			for (char *c = buf + 2; *c; c++)
				*c = (char)toupper((unsigned char)*c);
		}
		return buf;
	case FIELD_SOURCE:
		return source->family ? source_format(buf, source) : buf;
	case FIELD_ENDPOINT:
		return endpoint->family ? endpoint_format(buf, endpoint) : buf;
	default:
		return p;
	}
}

static bool sid_parse(struct sid *out, const char *text)
{
	size_t size = 0;

	if (strncmp(text, "0x", 2) != 0 || sodium_hex2bin(out->bytes, SID_MAX, text + 2,
						   strlen(text + 2), NULL, &size, NULL) != 0)
		return false;
	out->size = (uint8_t)size;
	return size > 0;
}

bool field_set_text(const struct field *f, struct record *r, const char *text, size_t size)
{
	char *p = (char *)r + f->offset, copy[256];

	if (f->type == FIELD_TEXT) {
		if (size >= f->size || memchr(text, '\0', size))
			return false;
		memcpy(p, text, size);
		memset(p + size, 0, f->size - size);
		return utf8_is_valid(p);
	}
	memset(p, 0, f->size);
	if (size >= sizeof(copy) || memchr(text, '\0', size))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (size == 0)
		return true;
	if (f->type == FIELD_SID)
		return sid_parse((struct sid *)p, copy);
	return f->type == FIELD_SOURCE ? !source_parse((struct source *)p, copy)
				       : !endpoint_parse((struct endpoint *)p, copy);
}
