/* Writes both texts in one canonical form, the first with the edit applied, and compares them. The order of settings
 * in a group and the kind of brackets have no meaning, so the form does not show them. */
#include "program/edit_check.h"
#include "curfew/source.h"
#include "curfew/text.h"

#include <errno.h>
#include <libconfig.h>
#include <string.h>

struct edit_writer {
	FILE *to;
	const struct edit *edit;	/* NULL: no edit */
	const config_setting_t *target; /* the group or the list to edit */
	const config_setting_t *value;	/* the new value, or NULL */
};

static void value_write(const struct edit_writer *w, const config_setting_t *s);

static void text_write(FILE *to, const char *text)
{
	/* The length comes first, so that no text can look like the end of another. */
	fprintf(to, "%zu:%s", strlen(text), text);
}

static void list_write(const struct edit_writer *w, const config_setting_t *s)
{
	const struct edit *e = s == w->target ? w->edit : NULL;
	int n = config_setting_length(s);

	fputc('(', w->to);
	for (int i = 0; i < n; i++) {
		bool at = e && e->index == (size_t)i;

		if (at && e->kind == EDIT_REMOVE)
			continue;
		value_write(w, at && e->kind == EDIT_REPLACE
				       ? w->value
				       : config_setting_get_elem(s, (unsigned)i));
	}
	if (e && e->kind == EDIT_ADD)
		value_write(w, w->value);
	fputc(')', w->to);
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void group_write(const struct edit_writer *w, const config_setting_t *s)
{
	const struct edit *e = s == w->target ? w->edit : NULL;
	int n = config_setting_length(s);
	_cleanup_free_ const char **names = calloc((size_t)n + 1, sizeof(*names));
	size_t k = 0;

	if (!names)
		return;
	for (int i = 0; i < n; i++) {
		const char *name = config_setting_name(config_setting_get_elem(s, (unsigned)i));

		if (!e || !streq(name, e->name))
			names[k++] = name;
	}
	if (e && e->kind == EDIT_SET)
		names[k++] = e->name;
	qsort(names, k, sizeof(*names), name_order);
	fputc('{', w->to);
	for (size_t i = 0; i < k; i++) {
		text_write(w->to, names[i]);
		value_write(w, e && streq(names[i], e->name)
				       ? w->value
				       : config_setting_get_member(s, names[i]));
	}
	fputc('}', w->to);
}

static void value_write(const struct edit_writer *w, const config_setting_t *s)
{
	if (!s)
		return;
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_GROUP:
		group_write(w, s);
		break;
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		list_write(w, s);
		break;
	case CONFIG_TYPE_STRING:
		text_write(w->to, config_setting_get_string(s));
		break;
	case CONFIG_TYPE_FLOAT:
		fprintf(w->to, "f%a;", config_setting_get_float(s));
		break;
	default:
		fprintf(w->to, "%d=%lld;", config_setting_type(s),
			config_setting_get_int64(s) + config_setting_get_bool(s));
	}
}

/* NULL without memory. */
static char *canonical_write(const struct edit_writer *w, const config_t *c)
{
	struct text text;
	struct edit_writer writer = *w;

	writer.to = text_begin(&text);
	if (!writer.to)
		return NULL;
	group_write(&writer, config_root_setting(c));
	return text_end(&text);
}

static int read_value(config_t *c, const struct edit *e)
{
	_cleanup_free_ char *line = NULL;

	if (!e->value)
		return 0;
	if (asprintf(&line, "value = %s;", e->value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return config_read_string(c, line) ? 0 : -EBADMSG;
}

static int configs_compare(
	const config_t *before, const config_t *after, const config_t *value, const struct edit *e)
{
	const struct edit_writer plain = {0};
	struct edit_writer intended = {.edit = e,
		.target = *e->path ? config_lookup(before, e->path) : config_root_setting(before),
		.value = e->value ? config_lookup(value, "value") : NULL};

	if (!intended.target || (e->value && !intended.value))
		return -EBADMSG;
	_cleanup_free_ char *a = canonical_write(&intended, before);
	_cleanup_free_ char *b = canonical_write(&plain, after);
	if (!a || !b)
		return -ENOMEM;
	return streq(a, b) ? 0 : -EBADMSG;
}

int edit_source_find(bool *temporary, const char *text, const char *path, const struct source *s)
{
	const config_setting_t *list;
	int found = -ENOENT;
	config_t c;

	config_init(&c);
	list = config_read_string(&c, text) ? config_lookup(&c, path) : NULL;
	for (int i = 0; list && i < config_setting_length(list) && found < 0; i++) {
		const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
		const char *address = config_setting_get_string(at);
		struct source other;

		*temporary = config_setting_is_group(at);
		if (*temporary)
			config_setting_lookup_string(at, "address", &address);
		if (address && source_parse(&other, address) == 0 && source_compare(&other, s) == 0)
			found = i;
	}
	config_destroy(&c);
	return found;
}

int edit_check(const char *before, const char *after, const struct edit *e)
{
	config_t a, b, value;

	config_init(&a);
	config_init(&b);
	config_init(&value);
	int rc = config_read_string(&a, before) && config_read_string(&b, after) ? 0 : -EBADMSG;
	if (!rc)
		rc = read_value(&value, e);
	if (!rc)
		rc = configs_compare(&a, &b, &value, e);
	config_destroy(&a);
	config_destroy(&b);
	config_destroy(&value);
	return rc;
}
