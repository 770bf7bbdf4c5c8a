/* Placeholders of templates, and checks of a template. */
#include "curfew/notice_template.h"

#include "curfew/text.h"
#include "program/suggest.h"

#define SUBJECT "Subject: "
/* Mail programs truncate longer subjects, so a longer one is a mistake. */
#define SUBJECT_MAX 200

static const char *const kinds[] = {
	[NOTICE_OPENED] = "opened",
	[NOTICE_READ_ONLY_7] = "read-only-in-7-days",
	[NOTICE_READ_ONLY_1] = "read-only-in-1-day",
	[NOTICE_READ_ONLY] = "read-only",
	[NOTICE_STAGING_ENDS_7] = "staging-ends-in-7-days",
	[NOTICE_STAGING_ENDS_1] = "staging-ends-in-1-day",
	[NOTICE_ENDS_7] = "ends-in-7-days",
	[NOTICE_ENDS_1] = "ends-in-1-day",
	[NOTICE_ENDED] = "ended",
	[NOTICE_ADDRESS_CHANGED] = "address-changed",
	[NOTICE_DATES_MOVED] = "dates-moved",
	[NOTICE_REVOKED] = "revoked",
	[NOTICE_SHEET] = "sheet",
	[NOTICE_DIGEST] = "digest",
	[NOTICE_CUSTOM] = "customizations",
	[NOTICE_ALARM] = "alarm",
	[NOTICE_PREFLIGHT] = "preflight",
	[NOTICE_TEST] = "test",
};

static const char *const values[] = {
	[VALUE_CLIENT] = "client",
	[VALUE_TICKET] = "ticket",
	[VALUE_NAME] = "name",
	[VALUE_FIRST] = "first",
	[VALUE_LAST] = "last",
	[VALUE_LOGIN] = "login",
	[VALUE_DATABASES] = "databases",
	[VALUE_SOURCES] = "sources",
	[VALUE_DATE] = "date",
	[VALUE_IN] = "in",
	[VALUE_DATES] = "dates",
	[VALUE_CONNECTION] = "connection",
	[VALUE_REASON] = "reason",
	[VALUE_LIST] = "list",
	[VALUE_HOST] = "host",
	[VALUE_CONTACT] = "contact",
};

const char *notice_kind_name(enum notice_kind k)
{
	return (size_t)k < ARRAY_SIZE(kinds) ? kinds[k] : "?";
}

bool notice_kind_parse(enum notice_kind *out, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(name, kinds[i])) {
			*out = (enum notice_kind)i;
			return true;
		}
	return false;
}

static bool value_find(enum notice_value *out, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strlen(values[i]) == n && memcmp(values[i], name, n) == 0) {
			*out = (enum notice_value)i;
			return true;
		}
	return false;
}

bool template_next(struct template_piece *out, const char **p)
{
	const char *s = *p;
	size_t n = strcspn(s, "{");

	if (!*s)
		return false;
	if (n || s[1] == '{') {
		*out = (struct template_piece){PIECE_TEXT, n ? s : s + 1, n ? n : 1, 0};
		*p = s + (n ? n : 2);
		return true;
	}
	n = strcspn(s, "}\n");
	*out = (struct template_piece){PIECE_FAULT, s, n, 0};
	if (s[n] == '}') {
		out->length = ++n;
		if (value_find(&out->value, s + 1, n - 2))
			out->type = PIECE_VALUE;
	}
	*p = s + n;
	return true;
}

const char *template_body(const char *text)
{
	const char *end = strchr(text, '\n');

	return end && end[1] == '\n' ? end + 2 : "";
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static const char *placeholder_fault(char why[512], const struct template_piece *p)
{
	char name[64], known[256];
	size_t used = 0;

	if (p->text[p->length - 1] != '}') {
		snprintf(why, 512, "a { without its }; write {{ for a brace");
		return why;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(p->length - 2), p->text + 1);
	const char *near = nearest_word(name, values, ARRAY_SIZE(values));
	if (near) {
		snprintf(why, 512, "unknown placeholder {%s}; did you mean {%s}?", name, near);
		return why;
	}
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		used += (size_t)snprintf(
			known + used, sizeof(known) - used, "%s{%s}", i ? " " : "", values[i]);
	snprintf(why, 512, "unknown placeholder {%s}; use one of %s, or {{ for a brace", name,
		known);
	return why;
}

static const char *subject_fault(char why[512], const char *text)
{
	const char *end = strchr(text, '\n');

	if (strncmp(text, SUBJECT, strlen(SUBJECT)) != 0)
		snprintf(why, 512,
			"the subject is missing; begin with \"" SUBJECT "...\" and a blank line");
	else if (!end || end[1] != '\n' || !end[2])
		snprintf(why, 512, "the second line must be blank, with the text below it");
	else if ((size_t)(end - text) > strlen(SUBJECT) + SUBJECT_MAX)
		snprintf(why, 512, "the subject is longer than %d bytes; shorten it", SUBJECT_MAX);
	else
		return NULL;
	return why;
}

const char *template_fault(char why[512], int *line, const char *text, bool html)
{
	struct template_piece piece;
	const char *p = text;

	*line = 1;
	if (!utf8_is_valid(text)) {
		snprintf(why, 512, "the file is not UTF-8; save it as UTF-8");
		return why;
	}
	if (strchr(text, '\r')) {
		snprintf(why, 512, "the file has carriage returns; save it with plain line ends");
		return why;
	}
	if (!html && subject_fault(why, text))
		return why;
	while (template_next(&piece, &p))
		if (piece.type == PIECE_FAULT) {
			*line = line_of(text, piece.text);
			return placeholder_fault(why, &piece);
		}
	return NULL;
}
