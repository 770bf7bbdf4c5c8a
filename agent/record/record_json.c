/* Records as JSON, both ways, by the same table that packs them. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "curfew/calendar.h"
#include "record/fields.h"

static json_t *field_json(const struct field *f, const struct record *r)
{
	char buf[FIELD_TEXT_MAX];

	if (field_is_text(f)) {
		const char *text = field_text(f, r, buf);
		return *text ? json_string(text) : json_null();
	}
	int64_t number = field_number(f, r);
	switch (f->type) {
	case FIELD_WORD:
		return json_string(f->word((unsigned)number));
	case FIELD_INSTANT:
		return number ? json_string(instant_format(buf, number)) : json_null();
	default:
		return json_integer(number);
	}
}

json_t *record_json(const struct record *r)
{
	const struct record_type *type = record_type(r->kind);
	json_t *json = json_pack("{s:s}", "kind", type ? type->name : "unknown");

	for (const struct field *f = type ? type->fields : NULL; json && f && f->name; f++)
		if (json_object_set_new(json, f->name, field_json(f, r))) {
			json_decref(json);
			return NULL;
		}
	return json;
}

static char *put_quoted(char *to, const char *text)
{
	*to++ = '"';
	for (; *text; text++) {
		if ((unsigned char)*text < ' ') {
			to += snprintf(to, sizeof("\\u0000"), "\\u%04X", (unsigned)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to++ = '"';
	return to;
}

static char *field_put(char *to, const struct field *f, const struct record *r)
{
	char buf[FIELD_TEXT_MAX];

	if (field_is_text(f)) {
		const char *text = field_text(f, r, buf);
		return *text ? put_quoted(to, text) : stpcpy(to, "null");
	}
	int64_t number = field_number(f, r);
	switch (f->type) {
	case FIELD_WORD:
		return put_quoted(to, f->word((unsigned)number));
	case FIELD_INSTANT:
		return number ? put_quoted(to, instant_format(buf, number)) : stpcpy(to, "null");
	default:
		return to + snprintf(to, sizeof("-9223372036854775808"), "%" PRIi64, number);
	}
}

size_t record_json_text(char out[RECORD_JSON_MAX], const struct record *r)
{
	const struct record_type *type = record_type(r->kind);
	char *to = put_quoted(stpcpy(out, "{\"kind\":"), type ? type->name : "unknown");

	for (const struct field *f = type ? type->fields : NULL; f && f->name; f++)
		to = field_put(stpcpy(put_quoted(stpcpy(to, ","), f->name), ":"), f, r);
	*to++ = '}';
	*to = '\0';
	return (size_t)(to - out);
}

static bool word_parse(const struct field *f, struct record *r, const char *word)
{
	for (unsigned v = 0; word && v <= f->last; v++)
		if (streq(word, f->word(v)))
			return field_set_number(f, r, v);
	return false;
}

static bool field_parse(const struct field *f, struct record *r, const json_t *value)
{
	const char *text = json_string_value(value);
	instant_t at;

	if (field_is_text(f))
		return text && field_set_text(f, r, text, json_string_length(value));
	switch (f->type) {
	case FIELD_WORD:
		return word_parse(f, r, text);
	case FIELD_INSTANT:
		return text && !instant_parse(&at, text, "UTC", 0) && field_set_number(f, r, at);
	default:
		return json_is_integer(value) && field_set_number(f, r, json_integer_value(value));
	}
}

static enum record_kind kind_parse(const char *name)
{
	for (unsigned k = 0; name && k < RECORD_KINDS; k++) {
		const struct record_type *type = record_type((enum record_kind)k);
		if (type && streq(name, type->name))
			return (enum record_kind)k;
	}
	return RECORD_KINDS;
}

int record_parse(struct record *out, const json_t *json)
{
	enum record_kind kind = kind_parse(json_string_value(json_object_get(json, "kind")));
	const struct record_type *type = record_type(kind);

	memset(out, 0, sizeof(*out));
	if (!type)
		return -EBADMSG;
	out->kind = kind;
	for (const struct field *f = type->fields; f->name; f++) {
		const json_t *value = json_object_get(json, f->name);
		if (value && !json_is_null(value) && !field_parse(f, out, value))
			return -EBADMSG;
	}
	return 0;
}
