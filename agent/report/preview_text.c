/* Shows what edited files would change, before they are loaded: by client, removals first. */
#include "curfew/preview.h"
#include "curfew/report.h"

#include "program/visible_text.h"

#include <errno.h>
#include <jansson.h>

static const struct grant *either(const struct preview_change *c)
{
	return c->after ? c->after : c->before;
}

/* "full until Mon 2026-11-23 09:00 CST, all access ends Wed 2026-12-23 09:00 CST"; "no access". */
static void course_write(FILE *to, const struct grant *g)
{
	char when[64];

	if (!g || (g->level == LEVEL_NONE && g->next_level == LEVEL_NONE)) {
		fputs("no access", to);
		return;
	}
	if (g->phase == PHASE_REVOKED)
		fputs("revoked", to);
	else if (g->level == LEVEL_NONE)
		fprintf(to, "%s from %s", level_name(g->next_level),
			instant_format_local(when, sizeof(when), g->until, g->client->timezone));
	else
		fprintf(to, "%s until %s", level_name(g->level),
			instant_format_local(when, sizeof(when), g->until, g->client->timezone));
	if (g->end != g->until || g->level == LEVEL_NONE)
		fprintf(to, ", access ends %s",
			instant_format_local(when, sizeof(when), g->end, g->client->timezone));
}

static bool is_same_course(const struct grant *a, const struct grant *b)
{
	return a && b && a->level == b->level && a->next_level == b->next_level &&
	       a->until == b->until && a->end == b->end;
}

static const char *sign_of(const struct preview_change *c)
{
	return c->effect == PREVIEW_GIVES ? "+" : c->effect == PREVIEW_TAKES ? "-" : "~";
}

static void sources_write(
	FILE *to, const char *what, const struct user *had, const struct user *has)
{
	const struct source *s = source_gained(had, has);
	char text[SOURCE_TEXT_MAX];

	if (s)
		fprintf(to, "; %s %s", what, source_format(text, s));
}

static void change_print(const struct preview_change *c, FILE *to, bool color)
{
	const struct grant *g = either(c);
	enum tone tone = c->effect == PREVIEW_GIVES ? TONE_GOOD : TONE_WARN;

	fprintf(to, "  %s%s ", style_begin(color, tone), sign_of(c));
	text_printf(to, "%s on %s / %s: ", g->user->login, g->server->name, g->database->name);
	course_write(to, c->after);
	if (!is_same_course(c->before, c->after) && c->before) {
		fputs("; now: ", to);
		course_write(to, c->before);
	}
	if (c->before && c->after) {
		sources_write(to, "new source", c->before->user, c->after->user);
		sources_write(to, "source removed or shortened:", c->after->user, c->before->user);
	}
	fprintf(to, "%s\n", style_end(color, tone));
}

static void client_print(const struct preview *p, const char *name, FILE *to, bool color)
{
	bool had = p->from && program_client(p->from, name), has = program_client(p->to, name);

	fprintf(to, "%s", style_begin(color, TONE_BOLD));
	text_printf(to, "%s", name);
	fprintf(to, "%s%s\n", style_end(color, TONE_BOLD),
		had && has ? ""
		: has	   ? ": new"
			   : ": has no file any more; all its access ends");
}

int preview_print(const struct preview *p, FILE *to)
{
	bool color = style_wanted(to);
	const char *last = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const char *name = either(&p->items[i])->client->name;

		if (!last || !names_equal(last, name))
			client_print(p, name, to, color);
		last = name;
		change_print(&p->items[i], to, color);
	}
	if (p->n)
		fprintf(to, "Files: %zu of %zu changes of access take, %zu give.\n", p->takes, p->n,
			p->gives);
	else
		fputs("Files: nobody loses or gains access or time.\n", to);
	return ferror(to) ? -EIO : 0;
}

static json_t *course_json(const struct grant *g)
{
	return g ? grant_json(g) : json_null();
}

struct json_t *preview_json(const struct preview *p)
{
	static const char *const effects[] = {[PREVIEW_TAKES] = "takes",
		[PREVIEW_GIVES] = "gives",
		[PREVIEW_TAKES | PREVIEW_GIVES] = "both"};
	json_t *array = json_array();

	for (size_t i = 0; array && i < p->n; i++) {
		const struct preview_change *c = &p->items[i];
		json_t *o = json_pack("{s:s, s:o, s:o}", "effect", effects[c->effect], "before",
			course_json(c->before), "after", course_json(c->after));

		if (!o || json_array_append_new(array, o)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}
