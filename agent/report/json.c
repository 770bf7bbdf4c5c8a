/* JSON for programs: the same names everywhere, times in UTC, null for missing values. */
#include "curfew/person.h"
#include "curfew/report.h"
#include "curfew/text.h"

#include "program/visible_text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

struct json_t *text_json(const char *text)
{
	_cleanup_free_ char *repaired = NULL;
	json_t *json;
	char *to;
	uint32_t c;

	if (!text)
		return json_null();
	/* jansson escapes control characters but rejects invalid UTF-8. */
	json = json_string(text);
	if (json)
		return json;
	repaired = malloc(3 * strlen(text) + 1);
	if (!repaired)
		return NULL;
	for (to = repaired; (c = text_next(&text)) != 0;)
		to += utf8_encode(to, c);
	*to = '\0';
	return json_string(repaired);
}

struct json_t *instant_json(instant_t t)
{
	char text[INSTANT_TEXT_MAX];

	return json_string(instant_format(text, t));
}

struct json_t *instant_or_null(instant_t at)
{
	return at ? instant_json(at) : json_null();
}

/* Either the temporary sources, each as {address, until} (null if there are none), or the others as strings. */
static json_t *user_sources_json(const struct user *u, bool temporary)
{
	json_t *list = json_array();
	char text[SOURCE_TEXT_MAX];

	for (size_t i = 0; i < u->n_sources; i++) {
		instant_t end = user_source_end(u, i);

		if ((end != SOURCE_NO_END) != temporary)
			continue;
		source_format(text, &u->sources[i]);
		json_array_append_new(list, temporary ? json_pack("{s:s, s:o}", "address", text,
								"until", instant_json(end))
						      : json_string(text));
	}
	if (!temporary || json_array_size(list))
		return list;
	json_decref(list);
	return json_null();
}

struct json_t *grant_json(const struct grant *g)
{
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "%s%s%s", g->user->first, *g->user->last ? " " : "", g->user->last) <
		0) {
		name = NULL;
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:s?, s:o, s:o}",
		"client", text_json(g->client->name), "user", text_json(name), "login",
		text_json(g->user->login), "email", text_json(g->user->email), "server",
		text_json(g->server->name), "database", text_json(g->database->name), "role",
		database_role_name(g->database->role), "phase", phase_name(g->phase), "level",
		level_name(g->level), "from", instant_or_null(g->from), "until",
		instant_json(g->until), "next_level",
		g->next_level == g->level ? NULL : level_name(g->next_level), "sources",
		user_sources_json(g->user, false), "temporary_sources",
		user_sources_json(g->user, true));
}

struct json_t *grants_json(const struct grants *g)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < g->n; i++) {
		if (json_array_append_new(array, grant_json(&g->items[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* The user of a record of access; null for other kinds and for records of older versions. */
static json_t *entry_person_json(const struct journal_entry *e)
{
	struct person p;

	if (e->kind != JOURNAL_ACCESS || !person_parse(&p, e->before))
		return json_null();
	json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o}", "user", text_json(p.name), "email",
		text_json(p.email), "ticket", text_json(p.ticket), "approved_by",
		text_json(p.approved_by), "approved", instant_or_null(p.approved));
	person_free(&p);
	return json;
}

struct json_t *entry_json(const struct journal_entry *e)
{
	return json_pack(
		"{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o}",
		"id", (json_int_t)e->id, "at", instant_json(e->at), "kind",
		journal_kind_name(e->kind), "intent",
		e->kind == JOURNAL_OUTCOME ? json_integer(e->intent) : json_null(), "actor",
		text_json(e->actor), "reason", text_json(e->reason), "phase", text_json(e->phase),
		"client", text_json(e->client), "login", text_json(e->login), "server",
		text_json(e->server), "database", text_json(e->database), "action",
		text_json(e->action), "statement", text_json(e->statement), "before",
		text_json(e->kind == JOURNAL_ACCESS ? NULL : e->before), "after",
		text_json(e->after), "outcome", text_json(e->outcome), "detail",
		text_json(e->detail), "level", text_json(e->level), "sources",
		text_json(e->sources), "until",
		e->kind == JOURNAL_ACCESS && e->until ? instant_json(e->until) : json_null(),
		"configuration", text_json(e->configuration), "person", entry_person_json(e));
}

int json_print(struct json_t *json, FILE *to)
{
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	text_print_json(to, text);
	return fputc('\n', to) == EOF || ferror(to) ? -EIO : 0;
}
