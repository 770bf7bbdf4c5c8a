/* The timeline for a program: its marks, and the level of each database from when until when. */
#include "curfew/report.h"

#include <jansson.h>

static json_t *bar_json(const struct timeline *t, const struct timeline_bar *b)
{
	const struct database *d = &t->client->databases[b->database];

	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o}", "server",
		text_json(t->program->servers[d->server].name), "database", text_json(d->name),
		"role", database_role_name(d->role), "level", level_name(b->level), "from",
		instant_json(b->from), "until", instant_json(b->until));
}

static json_t *timeline_json(const struct timeline *t)
{
	json_t *marks = json_array(), *bars = json_array();

	for (size_t i = 0; i < t->n_marks; i++)
		json_array_append_new(
			marks, json_pack("{s:s, s:o}", "what", timeline_mark_name(t->marks[i].kind),
				       "at", instant_json(t->marks[i].at)));
	for (size_t i = 0; i < t->n_bars; i++)
		json_array_append_new(bars, bar_json(t, &t->bars[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "client", text_json(t->client->name),
		"timezone", text_json(t->client->timezone), "from", instant_json(t->from), "until",
		instant_json(t->until), "marks", marks, "bars", bars);
}

struct json_t *timelines_json(const struct timeline *all, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, timeline_json(&all[i]));
	return list;
}
