/* Times of which records are missing. An event says where they end, and where they begin if that was seen. Journals of
 * older versions have only the event that accepts the loss. */
#include "curfew/lost_records.h"

#include <errno.h>
#include <jansson.h>

#include "curfew/calendar.h"
#include "program/visible_text.h"
#include "report/html.h"

#define CONSEQUENCE "access that only they name is not listed"

static bool is_named(const struct journal_entry *e, const char *action)
{
	return e->action && streq(e->action, action);
}

/* An archive leaves the event in both files: each is one span. */
static void span_add(struct lost_records *l, const struct journal_entry *e)
{
	/* RFC 3339; no zone is asked. */
	struct lost_span s = {.to = e->at, .until = INT64_MAX};

	s.has_from = is_named(e, LOSS_NOTICED) && e->before &&
		     !instant_parse(&s.from, e->before, "UTC", e->at);
	/* The clock was set back in between, so nobody can tell where it begins. */
	if (s.has_from && s.from > s.to) {
		s.to = s.from;
		s.has_from = false;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].to == s.to)
			return;
	l->items[l->n++] = s;
}

/* Whoever accepts a loss accepts all that was noticed. Journals of older versions have no notice. */
static void spans_accept(struct lost_records *l, const struct journal_entry *e)
{
	bool noticed = false;

	for (size_t i = 0; i < l->n; i++)
		noticed |= l->items[i].until == INT64_MAX || l->items[i].until == e->at;
	if (!noticed)
		span_add(l, e);
	for (size_t i = 0; i < l->n; i++) {
		struct lost_span *s = &l->items[i];
		if (s->until != INT64_MAX)
			continue;
		s->actor = e->actor;
		s->reason = e->reason;
		s->until = e->at > s->to ? e->at : s->to;
	}
}

static bool is_within(const struct lost_span *s, instant_t from, instant_t to)
{
	return s->until >= from && (!s->has_from || s->from <= to);
}

int lost_records_find(struct lost_records *l, instant_t from, instant_t to)
{
	size_t kept = 0;

	l->items = calloc(l->events.n + 1, sizeof(*l->items));
	if (!l->items)
		return -ENOMEM;
	for (size_t i = 0; i < l->events.n; i++) {
		const struct journal_entry *e = &l->events.items[i];

		if (is_named(e, LOSS_NOTICED))
			span_add(l, e);
		else if (is_named(e, LOSS_ACCEPTED))
			spans_accept(l, e);
	}
	for (size_t i = 0; i < l->n; i++)
		if (is_within(&l->items[i], from, to))
			l->items[kept++] = l->items[i];
	l->n = kept;
	return 0;
}

int lost_records_add(
	struct lost_records *l, const struct lost_span *s, instant_t from, instant_t to)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->items[i].actor)
			return 0;
	return is_within(s, from, to) ? ARRAY_ADD(l->items, l->n, *s) : 0;
}

void lost_records_free(struct lost_records *l)
{
	free(l->items);
	journal_entries_free(&l->events);
	*l = (struct lost_records){0};
}

char *lost_span_text(const struct lost_span *s)
{
	char from[INSTANT_TEXT_MAX], to[INSTANT_TEXT_MAX], *text = NULL;
	int n = asprintf(&text, "records %s%s%s%s %s missing; %s%s%s%s",
		s->has_from ? "between " : "from before ",
		s->has_from ? instant_format(from, s->from) : "", s->has_from ? " and " : "",
		instant_format(to, s->to), s->has_from ? "are" : "may be",
		s->actor ? "accepted by " : "not accepted so far", s->actor ? s->actor : "",
		s->actor && s->reason ? ": " : "", s->actor && s->reason ? s->reason : "");

	return n < 0 ? NULL : text;
}

int lost_records_print(const struct lost_records *l, FILE *to)
{
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *text = lost_span_text(&l->items[i]);
		if (!text)
			return -ENOMEM;
		text_printf(to, "Not known: %s; " CONSEQUENCE "\n", text);
	}
	return 0;
}

void lost_records_html(const struct lost_records *l, FILE *to)
{
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *text = lost_span_text(&l->items[i]);
		html_printf(to,
			"<section class=\"state warn\"><b>not known</b><span>%s; " CONSEQUENCE
			".</span></section>\n",
			text ? text : "records are missing");
	}
}

struct json_t *lost_records_json(const struct lost_records *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct lost_span *s = &l->items[i];
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o}", "from",
				      s->has_from ? instant_json(s->from) : json_null(), "to",
				      instant_json(s->to), "accepted_by", text_json(s->actor),
				      "reason", text_json(s->reason)));
	}
	return list;
}
