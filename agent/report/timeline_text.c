/* The timeline on a terminal: one line a database, letters for marks, readable without color. */
#include "report/timeline.h"

#include "program/visible_text.h"

#include <errno.h>
#include <string.h>
#include <wchar.h>

#define WIDTH_LEAST   60
#define WIDTH_DEFAULT 80
#define WIDTH_MOST    160 /* wider lines are not easier to read */
#define LABEL_MOST    34

static const char *const glyphs[] = {
	[LEVEL_NONE] = "\xc2\xb7",
	[LEVEL_READ_ONLY] = "\xe2\x96\x92",
	[LEVEL_WRITE] = "\xe2\x96\x93",
	[LEVEL_FULL] = "\xe2\x96\x88",
};
static const enum tone bar_tones[] = {
	[LEVEL_NONE] = TONE_DIM,
	[LEVEL_READ_ONLY] = TONE_PLAIN,
	[LEVEL_WRITE] = TONE_PLAIN,
	[LEVEL_FULL] = TONE_BOLD,
};

/* Prints at most `most` cells of the text; returns their number. */
static size_t cells_print(FILE *to, const char *text, size_t most)
{
	size_t used = 0;
	uint32_t c;

	while ((c = text_next(&text)) != 0) {
		char shown[TEXT_SHOWN_MAX + 1];
		size_t n = text_put_shown(shown, c);
		int width = n > 4 ? (int)n : wcwidth((wchar_t)c);
		size_t cells = width < 0 ? 1 : (size_t)width;

		if (used + cells > most - (*text ? 1 : 0)) {
			fputs("\xe2\x80\xa6", to);
			return used + 1;
		}
		fwrite(shown, 1, n, to);
		used += cells;
	}
	return used;
}

static void pad(FILE *to, size_t used, size_t width)
{
	for (; used < width; used++)
		fputc(' ', to);
}

static size_t column(const struct timeline *t, instant_t at, size_t width)
{
	size_t c = (size_t)timeline_place(t, at, (double)width);

	return c < width ? c : width - 1;
}

static void months_print(const struct timeline *t, FILE *to, size_t label, size_t width)
{
	struct local_time l;
	instant_t at;
	size_t used = 0;
	int year = 0;

	pad(to, 0, label);
	for (int n = 0; timeline_month(&at, &l, t, n); n++) {
		char text[24];
		size_t place = column(t, at, width), length;

		length = (size_t)snprintf(text, sizeof(text), "%s", month_name(l.month));
		if (l.year != year)
			length = (size_t)snprintf(
				text, sizeof(text), "%s %d", month_name(l.month), l.year);
		if (place < used + (used ? 1 : 0) || place + length > width)
			continue;
		year = l.year;
		pad(to, used, place);
		fputs(text, to);
		used = place + length;
	}
	fputc('\n', to);
}

static void database_print(
	const struct timeline *t, FILE *to, size_t database, size_t label, size_t width, bool color)
{
	const struct database *d = &t->client->databases[database];
	const char *role = database_role_name(d->role);
	size_t used = 2;
	enum level last = LEVEL_NONE;

	fputs("  ", to);
	used += cells_print(to, d->name, label - strlen(role) - 4);
	pad(to, used, label - strlen(role) - 1);
	fprintf(to, "%s ", role);
	fputs(style_begin(color, bar_tones[last]), to);
	for (size_t c = 0; c < width; c++) {
		/* Test the middle of the cell, so that the ends of a bar are rounded. */
		instant_t at = t->from + (instant_t)(((double)c + 0.5) *
						     (double)(t->until - t->from) / (double)width);
		enum level level = timeline_level(t, database, at);

		if (level != last) {
			fputs(style_end(color, bar_tones[last]), to);
			fputs(style_begin(color, bar_tones[level]), to);
			last = level;
		}
		fputs(glyphs[level], to);
	}
	fputs(style_end(color, bar_tones[last]), to);
	fputc('\n', to);
}

static void marks_print(const struct timeline *t, FILE *to, size_t label, size_t width, bool color)
{
	char line[WIDTH_MOST + 1];
	char when[64], distance[WORDS_MAX];

	memset(line, ' ', width);
	line[width] = '\0';
	if (timeline_shows_now(t))
		line[column(t, t->now, width)] = '^';
	for (size_t i = 0; i < t->n_marks; i++) {
		size_t c = column(t, t->marks[i].at, width);

		/* Move right if two marks are in one cell. */
		while (c + 1 < width && line[c] != ' ')
			c++;
		line[c] = (char)('a' + i);
	}
	for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
		line[n - 1] = '\0';
	pad(to, 0, label);
	fprintf(to, "%s\n", line);
	for (size_t i = 0; i < t->n_marks; i++) {
		const struct timeline_mark *m = &t->marks[i];
		enum tone tone = m->at <= t->now ? TONE_DIM : TONE_PLAIN;

		fprintf(to, "  %s%c  %-13s  %s  %s%s\n", style_begin(color, tone), (char)('a' + i),
			timeline_mark_name(m->kind),
			instant_format_local(when, sizeof(when), m->at, t->client->timezone),
			distance_words(distance, m->at, t->now), style_end(color, tone));
	}
	fprintf(to, "  %s full", glyphs[LEVEL_FULL]);
	if (timeline_shows_write(t))
		fprintf(to, "  %s write", glyphs[LEVEL_WRITE]);
	fprintf(to, "  %s read-only  %s none", glyphs[LEVEL_READ_ONLY], glyphs[LEVEL_NONE]);
	if (timeline_shows_now(t))
		fprintf(to, "  ^ today, %s",
			instant_format_local(when, sizeof(when), t->now, t->client->timezone));
	fputs("\n", to);
}

int timeline_print(const struct timeline *t, FILE *to, size_t width)
{
	size_t label = 0, total = width ? width : terminal_width(to);
	bool color = style_wanted(to);
	char words[2 * WORDS_MAX];

	total = !total ? WIDTH_DEFAULT : total;
	total = total < WIDTH_LEAST ? WIDTH_LEAST : total > WIDTH_MOST ? WIDTH_MOST : total;
	for (size_t i = 0; i < t->client->n_databases; i++) {
		const struct database *d = &t->client->databases[i];
		size_t n = strlen(d->name) + strlen(database_role_name(d->role)) + 4;

		label = n > label ? n : label;
	}
	label = label < 18 ? 18 : label > LABEL_MOST ? LABEL_MOST : label;
	fputs(style_begin(color, TONE_BOLD), to);
	cells_print(to, t->client->name, total / 2);
	fputs(style_end(color, TONE_BOLD), to);
	fprintf(to, ": %s\n", timeline_words(words, t));
	months_print(t, to, label, total - label);
	for (size_t i = 0; i < t->client->n_databases; i++)
		database_print(t, to, i, label, total - label, color);
	marks_print(t, to, label, total - label, color);
	return ferror(to) ? -EIO : 0;
}
