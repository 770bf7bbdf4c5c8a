/* Records: the names of their enumerations, and their texts, cut and cleaned. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "curfew/calendar.h"
#include "curfew/text.h"
#include "record/fields.h"

const char *state_name(enum state s)
{
	static const char *const names[STATES] = {
		[STATE_OK] = "ok",
		[STATE_WAITING] = "waiting",
		[STATE_DRIFT] = "drift",
		[STATE_UNVERIFIED] = "unverified",
		[STATE_UNREAD] = "unread",
		[STATE_UNREACHABLE] = "unreachable",
		[STATE_EXCESS] = "excess",
		[STATE_OVERDUE] = "overdue",
	};
	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

const char *finding_severity_name(enum finding_severity s)
{
	static const char *const names[FINDING_SEVERITIES] = {
		[FINDING_INFO] = "info",
		[FINDING_LOW] = "low",
		[FINDING_MEDIUM] = "medium",
		[FINDING_HIGH] = "high",
		[FINDING_CRITICAL] = "critical",
	};
	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

const char *check_result_name(enum check_result r)
{
	static const char *const names[CHECK_RESULTS] = {
		[CHECK_OK] = "ok", [CHECK_SKIP] = "skip", [CHECK_FAIL] = "FAIL"};

	return (size_t)r < ARRAY_SIZE(names) ? names[r] : "unknown";
}

const char *login_status_name(enum login_status s)
{
	static const char *const names[LOGIN_STATUSES] = {
		[LOGIN_ENABLED] = "enabled", [LOGIN_DISABLED] = "disabled", [LOGIN_GONE] = "gone"};

	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

const char *answer_name(enum answer a)
{
	static const char *const names[ANSWERS] = {
		[ANSWER_UNKNOWN] = "unknown", [ANSWER_NO] = "no", [ANSWER_YES] = "yes"};

	return (size_t)a < ARRAY_SIZE(names) ? names[a] : "unknown";
}

/* `before`: the word of journals written by 1.0. */
static const struct {
	const char *name, *before;
} verifications[VERIFICATIONS] = {
	[VERIFICATION_UNVERIFIED] = {"unverified", "unproved"},
	[VERIFICATION_VERIFIED] = {"verified", "proved"},
	[VERIFICATION_EXCESS] = {"excess", "refuted"},
};

const char *verification_name(enum verification v)
{
	return (size_t)v < ARRAY_SIZE(verifications) ? verifications[v].name : "unknown";
}

bool verification_parse(enum verification *out, const char *word)
{
	for (size_t i = 0; word && i < ARRAY_SIZE(verifications); i++)
		if (streq(word, verifications[i].name) || streq(word, verifications[i].before)) {
			*out = (enum verification)i;
			return true;
		}
	return false;
}

bool is_verified(const char *word)
{
	enum verification v;

	return verification_parse(&v, word) && v == VERIFICATION_VERIFIED;
}

bool sid_equal(const struct sid *a, const struct sid *b)
{
	return a->size && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

const char *network_text(char buf[NETWORK_TEXT_MAX], enum firewall_change_kind kind,
	const struct source *source, const struct endpoint *endpoint)
{
	char from[SOURCE_TEXT_MAX], to[ENDPOINT_TEXT_MAX];

	if (kind == FIREWALL_TABLE)
		snprintf(buf, NETWORK_TEXT_MAX, "table inet curfew");
	else if (kind == FIREWALL_GUARD_ADD || kind == FIREWALL_GUARD_REMOVE)
		snprintf(buf, NETWORK_TEXT_MAX, "guard %s", endpoint_format(to, endpoint));
	else
		snprintf(buf, NETWORK_TEXT_MAX, "%s -> %s", source_format(from, source),
			endpoint_format(to, endpoint));
	return buf;
}

const char *network_change_text(char buf[NETWORK_CHANGE_MAX], const struct record_network *n)
{
	char text[NETWORK_TEXT_MAX], until[INSTANT_TEXT_MAX];

	snprintf(buf, NETWORK_CHANGE_MAX, "%s%s%s%s%s%s",
		network_text(text, n->kind, &n->source, &n->endpoint), n->until ? " until " : "",
		n->until ? instant_format(until, n->until) : "", n->names[0] ? " \"" : "", n->names,
		n->names[0] ? "\"" : "");
	return buf;
}

void record_set(char *field, size_t size, const char *text)
{
	const char *p = text ? text : "";
	size_t used = 0;

	while (*p) {
		uint32_t c;
		size_t n = (unsigned char)*p < 0x80 ? 1 : utf8_decode(&c, p);
		/* A server's broken text must not make its whole record unacceptable. */
		bool broken = n == 0;
		if (broken)
			n = 1;
		if (used + n >= size)
			break;
		if (broken)
			field[used] = '?';
		else
			memcpy(field + used, p, n);
		used += n;
		p += n;
	}
	/* The rest too: nothing of an earlier text travels along. */
	memset(field + used, 0, size - used);
}

void record_printf(char *field, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	record_set(field, size, text);
}
