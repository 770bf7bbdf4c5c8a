/* The inventory as JSON. */
#include "curfew/inventory_report.h"
#include "curfew/report.h"

#include <jansson.h>

static json_t *risks_json(const struct inventory_item *i)
{
	json_t *list = json_array();

	for (int r = 0; r < CLOUD_RISKS && list; r++)
		if (i->risks & 1u << r)
			json_array_append_new(
				list, json_string(cloud_risk_name((enum cloud_risk)r)));
	return list;
}

static json_t *number_or_null(size_t n)
{
	return n ? json_integer((json_int_t)n) : json_null();
}

static json_t *item_json(const struct inventory_item *i)
{
	return json_pack(
		"{s:o, s:o, s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:o, s:o, s:o}",
		"server", text_json(i->server), "database",
		text_json(*i->database ? i->database : NULL), "type", i->type, "name",
		text_json(i->full), "class", inventory_class_name(i->class), "version",
		text_json(i->version), "color", inventory_color_name(i->color), "evidence",
		text_json(i->reason), "last_used", instant_or_null(i->last), "seen_by",
		text_json(i->seen_by), "watched_since", instant_or_null(i->watched), "created",
		instant_or_null(i->created), "modified", instant_or_null(i->modified), "uses",
		(json_int_t)i->uses, "rows", (json_int_t)i->rows, "bytes", (json_int_t)i->bytes,
		"cloud", risks_json(i), "referrers", (json_int_t)i->referrers, "round",
		number_or_null(i->round), "cycle", number_or_null(i->cycle), "decision",
		text_json(i->decision));
}

static json_t *databases_json(const struct inventory *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_databases && list; i++) {
		const struct inventory_database *d = &v->databases[i];
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:b, s:o}", "server", text_json(d->server),
				      "database", text_json(d->database), "read", d->read, "detail",
				      text_json(d->read ? NULL : d->why)));
	}
	return list;
}

/* Parts that could not be read, which make the results less certain. */
static json_t *unread_json(const struct inventory *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_coverage && list; i++) {
		const struct inventory_coverage *c = &v->coverage[i];
		if (c->seen == ANSWER_UNKNOWN)
			json_array_append_new(list,
				json_pack("{s:o, s:o, s:s, s:o}", "server", text_json(c->server),
					"database", text_json(*c->database ? c->database : NULL),
					"part", c->part, "detail", text_json(c->detail)));
	}
	return list;
}

struct json_t *inventory_json(const struct inventory_report *r)
{
	const struct inventory *v = r->inventory;
	json_t *items = json_array(), *notices = json_array(), *colors = json_object();
	size_t counts[INVENTORY_COLORS];

	inventory_count(counts, v);
	for (int c = COLOR_GREEN; c <= COLOR_RED && colors; c++)
		json_object_set_new(colors, inventory_color_name((enum inventory_color)c),
			json_integer((json_int_t)counts[c]));
	for (size_t i = 0; i < v->n && items; i++)
		if (inventory_is_custom(&v->items[i]))
			json_array_append_new(items, item_json(&v->items[i]));
	for (size_t i = 0; i < r->inventory->n_notices && notices; i++)
		json_array_append_new(notices, text_json(r->inventory->notices[i]));
	return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "client",
		text_json(r->client), "at", instant_json(v->at), "unused_days", (json_int_t)v->days,
		"round_trips", (json_int_t)v->round_trips, "colors", colors, "databases",
		databases_json(v), "unread", unread_json(v), "objects", items, "decisions", notices,
		"progress", r->progress ? progress_json(r->progress) : json_array());
}
