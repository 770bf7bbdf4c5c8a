/* Reads typed settings from one file with libconfig, and explains its errors. */
#include "program/config_reader.h"

#include "program/names.h"
#include "program/odd_characters.h"
#include "program/suggest.h"
#include "program/problems.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void reading_add(
	struct reading *r, enum severity severity, int line, const char *format, va_list args)
{
	if (r->harmless && severity == SEVERITY_ERROR)
		severity = SEVERITY_WARNING;
	int result = problems_add(r->problems, severity, r->file, line, format, args);

	if (result < 0)
		r->failure = result;
	r->errors += severity == SEVERITY_ERROR;
}

void reading_say(struct reading *r, enum severity severity, const config_setting_t *at,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reading_add(r, severity, at ? (int)config_setting_source_line(at) : 0, format, args);
	va_end(args);
}

void reading_say_line(struct reading *r, enum severity severity, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reading_add(r, severity, line, format, args);
	va_end(args);
}

char *reading_copy(struct reading *r, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		r->failure = -ENOMEM;
	return copy;
}

void *reading_array(struct reading *r, size_t n, size_t size)
{
	/* calloc() may return NULL for size 0. */
	void *array = calloc(n ? n : 1, size);

	if (!array)
		r->failure = -ENOMEM;
	return array;
}

/* libconfig would open the file without our checks of owner and mode. */
static bool text_has_include(struct reading *r, const char *text)
{
	bool found = false;
	int line = 1;

	for (const char *s = text; s; line++) {
		s += strspn(s, " \t");
		if (strncmp(s, "@include", 8) == 0) {
			reading_say_line(r, SEVERITY_ERROR, line,
				"@include is not allowed, because the included file would not be checked; "
				"write its settings here");
			found = true;
		}
		s = strchr(s, '\n');
		s = s ? s + 1 : NULL;
	}
	return found;
}

static bool text_is_readable(struct reading *r, const char *text, size_t size)
{
	int line = 1;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0) {
		reading_say_line(r, SEVERITY_ERROR, 1,
			"the file starts with a byte order mark (BOM); save it as UTF-8 without BOM");
		return false;
	}
	for (const char *s = text; s < text + size;) {
		uint32_t c;
		size_t n = utf8_decode(&c, s);

		if (n == 0) {
			reading_say_line(r, SEVERITY_ERROR, line,
				*s ? "this line is not UTF-8; save the file as UTF-8"
				   : "this line contains a zero byte; save the file as plain UTF-8 text");
			return false;
		}
		line += c == '\n';
		s += n;
	}
	/* libconfig would silently end the string there. */
	if (strstr(text, "\\x00")) {
		reading_say(
			r, SEVERITY_ERROR, NULL, "a string contains the escape \\x00; remove it");
		return false;
	}
	return !text_has_include(r, text);
}

static const char *syntax_words(const char *error)
{
	if (streq(error, "duplicate setting name"))
		return "duplicate setting; remove one";
	if (streq(error, "mismatched element type in array"))
		return "the elements of [ ] have different types; write them all as strings";
	return "syntax error; check this line and the one before for a missing quote, bracket, brace, "
	       "or semicolon";
}

static const char *line_begin(const char *text, int line)
{
	while (line-- > 1) {
		const char *end = strchr(text, '\n');

		if (!end)
			break;
		text = end + 1;
	}
	return text;
}

/* Explains an error better than libconfig: an invisible character, or the name of a duplicate setting. */
static bool syntax_explain(struct reading *r, const char *text, int line, const char *error)
{
	struct duplicate d;
	const struct odd_character *odd = NULL;

	if (streq(error, "duplicate setting name") && duplicate_find(&d, text)) {
		reading_say_line(r, SEVERITY_ERROR, d.second,
			"duplicate setting \"%.*s\" (first at line %d); remove one", (int)d.length,
			d.name, d.first);
		return true;
	}
	/* libconfig may report the line after the error. */
	for (int at = line; at >= 1 && at >= line - 1 && !odd; at--) {
		const char *begin = line_begin(text, at);

		odd = odd_character_find(begin, strcspn(begin, "\n"));
		line = at;
	}
	if (odd)
		reading_say_line(r, SEVERITY_ERROR, line,
			"syntax error: this line contains a %s (U+%04X); %s", odd->name,
			(unsigned)odd->code, odd->instead);
	return odd;
}

/* Two names can look the same and differ in one character. */
static void text_look(struct reading *r, const config_setting_t *s, const char *text)
{
	const struct odd_character *odd = odd_character_find(text, strlen(text));

	if (odd && !odd->in_names)
		reading_warning(r, s, "\"%s\" contains a %s (U+%04X); %s unless it is meant", text,
			odd->name, (unsigned)odd->code, odd->instead);
}

/* `what` begins the message: the setting or the element. */
static void text_fault(
	struct reading *r, const config_setting_t *s, const char *what, const char *text)
{
	const struct odd_character *odd = odd_character_find(text, strlen(text));

	if (odd && !odd->in_names)
		reading_error(r, s, "%s contains a %s (U+%04X); %s", what, odd->name,
			(unsigned)odd->code, odd->instead);
	else
		reading_error(
			r, s, "%s %s; use 1 to 128 visible characters", what, name_fault(text));
}

bool reading_parse(struct reading *r, config_t *out, const char *text, size_t size)
{
	if (!text_is_readable(r, text, size))
		return false;
	if (config_read_string(out, text))
		return true;
	const char *error = config_error_text(out) ? config_error_text(out) : "";
	if (!syntax_explain(r, text, config_error_line(out), error))
		reading_say_line(
			r, SEVERITY_ERROR, config_error_line(out), "%s", syntax_words(error));
	return false;
}

void reading_known(struct reading *r, const config_setting_t *group, const char *what,
	const char *const *names, size_t n)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(s), *near;
		size_t known = 0;

		while (known < n && !streq(name, names[known]))
			known++;
		if (known < n)
			continue;
		near = nearest_word(name, names, n);
		if (near)
			reading_error(r, s, "unknown setting \"%s\" in %s; did you mean \"%s\"?",
				name, what, near);
		else
			reading_error(r, s,
				"unknown setting \"%s\" in %s; remove it, or see curfew.conf(5)",
				name, what);
	}
}

config_setting_t *reading_member(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	config_setting_t *s = group ? config_setting_get_member(group, name) : NULL;

	if (!s && group && example)
		reading_error(r, config_setting_is_root(group) ? NULL : group,
			"\"%s\" is missing; add %s = %s;", name, name, example);
	return s;
}

config_setting_t *reading_group(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	config_setting_t *s = reading_member(r, group, name, example);

	if (!s || config_setting_is_group(s))
		return s;
	reading_error(r, s, "\"%s\" must be a group; use %s = { ... };", name, name);
	return NULL;
}

config_setting_t *reading_groups(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	config_setting_t *s = reading_member(r, group, name, example);

	if (!s)
		return NULL;
	/* [ ] cannot hold groups, but an empty one means an empty list. */
	if (!config_setting_is_list(s) && !config_setting_is_array(s)) {
		reading_error(r, s, "\"%s\" must be a list; use %s = ( { ... } );", name, name);
		return NULL;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned)i);

		if (!config_setting_is_group(element))
			reading_error(r, element,
				"element %d of \"%s\" must be a group; use { ... }", i + 1, name);
	}
	if (config_setting_length(s) == 0 && example)
		reading_error(
			r, s, "\"%s\" is empty; add at least one: %s = %s;", name, name, example);
	return s;
}

config_setting_t *reading_list(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	config_setting_t *s = reading_member(r, group, name, example);

	if (!s || config_setting_is_list(s) || config_setting_is_array(s))
		return s;
	reading_error(r, s, "\"%s\" must be a list; use %s = ( \"...\" );", name, name);
	return NULL;
}

const char *reading_item(struct reading *r, const config_setting_t *list, int index)
{
	const config_setting_t *s = config_setting_get_elem(list, (unsigned)index);
	const char *text = config_setting_get_string(s);
	char what[256];

	if (!text) {
		reading_error(r, s, "element %d of \"%s\" must be a string; put it in quotes",
			index + 1, config_setting_name(list));
		return NULL;
	}
	if (name_fault(text)) {
		snprintf(what, sizeof(what), "element %d of \"%s\"", index + 1,
			config_setting_name(list));
		text_fault(r, s, what, text);
		return NULL;
	}
	text_look(r, s, text);
	return text;
}

const char *reading_text(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	const config_setting_t *s = reading_member(r, group, name, example);
	const char *text;
	char what[256];

	if (!s)
		return NULL;
	text = config_setting_get_string(s);
	if (!text) {
		reading_error(r, s, "\"%s\" must be a string; use %s = \"...\";", name, name);
		return NULL;
	}
	if (name_fault(text)) {
		snprintf(what, sizeof(what), "\"%s\"", name);
		text_fault(r, s, what, text);
		return NULL;
	}
	text_look(r, s, text);
	return text;
}

const char *reading_path(struct reading *r, const config_setting_t *group, const char *name,
	const char *example, size_t max)
{
	const config_setting_t *s = reading_member(r, group, name, example);
	const char *text = s ? config_setting_get_string(s) : NULL;

	if (!s)
		return NULL;
	if (!text) {
		reading_error(r, s, "\"%s\" must be a string; use %s = \"/...\";", name, name);
		return NULL;
	}
	if (text[0] != '/') {
		reading_error(r, s, "\"%s\" must be an absolute path, not \"%s\"; start it with /",
			name, text);
		return NULL;
	}
	if (strlen(text) > max) {
		reading_error(
			r, s, "\"%s\" is longer than %zu bytes; use a shorter path", name, max);
		return NULL;
	}
	for (const char *p = text; *p;) {
		uint32_t c;
		size_t n = utf8_decode(&c, p);

		if (n == 0 || character_is_hidden(c)) {
			reading_error(r, s, "\"%s\" contains a control character; use a plain path",
				name);
			return NULL;
		}
		p += n;
	}
	return text;
}

bool reading_bool(struct reading *r, const config_setting_t *group, const char *name, bool usual)
{
	const config_setting_t *s = reading_member(r, group, name, NULL);

	if (!s)
		return usual;
	if (config_setting_type(s) != CONFIG_TYPE_BOOL) {
		reading_error(r, s, "\"%s\" must be true or false; use %s = %s; (without quotes)",
			name, name, usual ? "true" : "false");
		return usual;
	}
	return config_setting_get_bool(s) != 0;
}

int reading_number(struct reading *r, const config_setting_t *group, const char *name, int usual,
	int min, int max, const char *unit)
{
	const config_setting_t *s = reading_member(r, group, name, NULL);

	if (!s)
		return usual;
	if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < min ||
		config_setting_get_int(s) > max) {
		reading_error(r, s, "invalid value for \"%s\"; use an integer from %d to %d (%s)",
			name, min, max, unit);
		return usual;
	}
	return config_setting_get_int(s);
}
