/* Records: names of states, texts cut and cleaned, and the check of what came from a worker. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "curfew/record.h"

const char *state_name(enum state s)
{
	static const char *const names[] = {
		[STATE_OK] = "ok",
		[STATE_WAITING] = "waiting",
		[STATE_DRIFT] = "drift",
		[STATE_UNPROVED] = "unproved",
		[STATE_UNREACHABLE] = "unreachable",
		[STATE_OVERDUE] = "overdue",
	};
	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

const char *finding_severity_name(enum finding_severity s)
{
	static const char *const names[] = {
		[FINDING_INFO] = "info",
		[FINDING_LOW] = "low",
		[FINDING_MEDIUM] = "medium",
		[FINDING_HIGH] = "high",
		[FINDING_CRITICAL] = "critical",
	};
	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

/* Bytes of the valid UTF-8 character that begins at p, or 0. Shortest form only, no surrogates. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {
		{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		if ((p[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (f + 1 > left)
			return 0;
		uint32_t code = p[0] & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i <= f; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[i] & 0x3f);
		}
		if (code < forms[f].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return 0;
		return f + 1;
	}
	return 0;
}

void record_set(char *field, size_t size, const char *text)
{
	const unsigned char *p = (const unsigned char *)(text ? text : "");
	size_t left = strlen((const char *)p), used = 0;

	while (left) {
		size_t n = utf8_length(p, left);
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
		left -= n;
	}
	/* The rest too: nothing of an earlier text travels along. */
	memset(field + used, 0, size - used);
}

void record_printf(char *field, size_t size, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		text = NULL;
	record_set(field, size, text);
}

static bool text_is_sound(char *field, size_t size)
{
	const unsigned char *p = (const unsigned char *)field;
	size_t length = strnlen(field, size);

	if (length == size)
		return false;
	for (size_t i = 0, n; i < length; i += n) {
		n = utf8_length(p + i, length - i);
		if (n == 0)
			return false;
	}
	memset(field + length, 0, size - length);
	return true;
}

const char *record_check(struct record *r)
{
	const struct {
		const char *name;
		char *field;
		size_t size;
	} texts[] = {
		{"server", r->server, sizeof(r->server)},
		{"client", r->client, sizeof(r->client)},
		{"login", r->login, sizeof(r->login)},
		{"database", r->database, sizeof(r->database)},
		{"action", r->action, sizeof(r->action)},
		{"address", r->address, sizeof(r->address)},
		{"program", r->program, sizeof(r->program)},
		{"reason", r->reason, sizeof(r->reason)},
		{"statement", r->statement, sizeof(r->statement)},
		{"detail", r->detail, sizeof(r->detail)},
	};

	if (r->kind < RECORD_SERVER || r->kind > RECORD_END)
		return "kind";
	if (r->state > STATE_OVERDUE)
		return "state";
	if (r->level > LEVEL_FULL)
		return "level";
	if (r->severity > FINDING_CRITICAL)
		return "severity";
	if (r->opening > 1)
		return "opening";
	if (r->sid_size > SID_MAX)
		return "sid_size";
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!text_is_sound(texts[i].field, texts[i].size))
			return texts[i].name;
	return NULL;
}
