/* Who a record of access was about, as one line of JSON. */
#include "curfew/person.h"

#include <jansson.h>
#include <string.h>

char *person_text(const struct grant *g)
{
	const struct client *c = g->client;
	char name[512];

	snprintf(name, sizeof(name), "%s%s%s", g->user->first ? g->user->first : "",
		g->user->last && *g->user->last ? " " : "", g->user->last ? g->user->last : "");
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "user", name, "email",
		g->user->email ? g->user->email : "", "ticket", c->ticket ? c->ticket : "",
		"approved_by", c->approved_by ? c->approved_by : "", "approved",
		(json_int_t)c->approved, "end", (json_int_t)g->end);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static char *member(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text && *text ? strdup(text) : NULL;
}

bool person_parse(struct person *out, const char *text)
{
	json_t *json = text && *text == '{' ? json_loads(text, 0, NULL) : NULL;

	*out = (struct person){0};
	if (!json)
		return false;
	*out = (struct person){.name = member(json, "user"),
		.email = member(json, "email"),
		.ticket = member(json, "ticket"),
		.approved_by = member(json, "approved_by"),
		.approved = json_integer_value(json_object_get(json, "approved")),
		.end = json_integer_value(json_object_get(json, "end"))};
	json_decref(json);
	return true;
}

bool is_another_person(const char *a, const char *b)
{
	struct person x, y;
	bool known = person_parse(&x, a), both = person_parse(&y, b) && known;
	bool other = both && names_compare(x.email ? x.email : "", y.email ? y.email : "");

	person_free(&x);
	person_free(&y);
	return other;
}

void person_free(struct person *p)
{
	free(p->name);
	free(p->email);
	free(p->ticket);
	free(p->approved_by);
	*p = (struct person){0};
}
