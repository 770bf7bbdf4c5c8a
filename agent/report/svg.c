/* The timeline as a picture. Full is solid, read-only is hatched, no access is an empty line, and each bar has its
 * level as text, so that the picture is readable in black and white and without color vision. It uses only
 * attributes, because the page's policy would block a style sheet. */
#include "report/html.h"
#include "report/timeline.h"

#include <errno.h>
#include <string.h>

#define WIDTH  960
#define LEFT   190 /* for names */
#define RIGHT  24
#define CHART  (WIDTH - LEFT - RIGHT)
#define TOP    114 /* for title, months, marks */
#define MONTHS 50
#define MARKS  92
#define RAISED 69 /* for a mark that is close to the one before */
#define ROW    40
#define BAR    24
#define LEGEND 24  /* height of one of its lines */
#define NAMES  130 /* wider than the longest name of a mark in usual fonts */
#define APART  24  /* marks closer than this are put into two rows, or side by side */
#define FONT   "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"

static double place(const struct timeline *t, instant_t at)
{
	return LEFT + timeline_place(t, at, CHART);
}

static int picture_height(const struct timeline *t)
{
	size_t lines = t->n_marks + 1;

	return TOP + ROW * (int)t->client->n_databases + 26 + LEGEND * (int)lines + 8;
}

/* A name in the left column, clipped before the picture starts. The tooltip has the whole name. */
static void name_print(FILE *to, double y, const char *name, const char *role)
{
	fprintf(to, "<svg x=\"16\" y=\"%.1f\" width=\"%d\" height=\"%d\">", y, LEFT - 28, ROW);
	html_printf(to,
		"<text x=\"0\" y=\"14\" font-weight=\"600\" fill=\"#17202b\"><title>%s</title>%s</text>"
		"<text x=\"0\" y=\"30\" font-size=\"12\" fill=\"#5a6675\">%s</text></svg>\n",
		name, name, role);
}

static void months_print(const struct timeline *t, FILE *to, double bottom)
{
	struct local_time l;
	double last = -100;
	instant_t at;

	for (int n = 0; timeline_month(&at, &l, t, n); n++) {
		double x = place(t, at);

		fprintf(to,
			"<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#d8dee6\"/>\n",
			x, MONTHS + 6, x, bottom);
		if (x - last < 64 || x > WIDTH - RIGHT - 50)
			continue;
		last = x;
		fprintf(to,
			"<text x=\"%.1f\" y=\"%d\" font-size=\"12\" fill=\"#5a6675\">%s %d</text>\n",
			x + 4, MONTHS, month_name(l.month), l.year);
	}
}

/* The level's name in its bar, beside the line of today if that would cross it. On hatching it gets a plain
 * background. */
static void word_print(const struct timeline *t, const struct timeline_bar *b, FILE *to, double x,
	double y, double width)
{
	bool full = b->level == LEVEL_FULL;
	double room = full			? 24
		      : b->level == LEVEL_WRITE ? 32
						: 62,
	       at = x + 8, now = place(t, t->now);

	if (timeline_shows_now(t) && now > at - 6 && now < at + room + 6)
		at = now + 8;
	if (at + room > x + width - 4)
		return;
	if (!full)
		fprintf(to,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"16\" rx=\"3\" fill=\"#fff\"/>\n",
			at - 4, y + 4, room + 4);
	fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" fill=\"%s\">%s</text>\n", at,
		y + 16.5, full ? "#fff" : "#17202b", level_name(b->level));
}

static void bar_print(
	const struct timeline *t, FILE *to, const struct timeline_bar *b, unsigned serial)
{
	double x = place(t, b->from), width = place(t, b->until) - x;
	double y = TOP + ROW * (double)b->database + (ROW - BAR) / 2.0;
	bool full = b->level == LEVEL_FULL;

	if (full)
		fprintf(to,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\" fill=\"#1f4e8c\"/>\n",
			x, y, width, BAR);
	else if (b->level == LEVEL_WRITE)
		fprintf(to,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\" fill=\"#9db8da\""
			" stroke=\"#1f4e8c\"/>\n",
			x, y, width, BAR);
	else
		fprintf(to,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\" fill=\"url(#read-only-%u)\""
			" stroke=\"#1f4e8c\"/>\n",
			x, y, width, BAR, serial);
	word_print(t, b, to, x, y, width);
}

/* Each mark is above its time if there is room. A close neighbor is raised; if neither row is free, it moves to the
 * right, with a line back. Lines are drawn first, so that none crosses a number. */
static void marks_print(const struct timeline *t, FILE *to, double bottom)
{
	static const int rows[] = {MARKS, RAISED};
	double last[] = {-100, -100}, at[TIMELINE_MARKS_MAX];
	int y[TIMELINE_MARKS_MAX];

	for (size_t i = 0; i < t->n_marks; i++) {
		double x = place(t, t->marks[i].at);
		size_t row = x - last[0] < APART && last[1] < last[0] ? 1 : 0;

		at[i] = last[row] = x - last[row] < APART ? last[row] + APART : x;
		y[i] = rows[row];
		fprintf(to,
			"<polyline points=\"%.1f,%d %.1f,%d %.1f,%.1f\" fill=\"none\" stroke=\"#17202b\"/>\n",
			at[i], y[i], x, TOP, x, bottom);
	}
	for (size_t i = 0; i < t->n_marks; i++)
		fprintf(to,
			"<circle cx=\"%.1f\" cy=\"%d\" r=\"10\" fill=\"#17202b\"/>"
			"<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" font-weight=\"600\" text-anchor=\"middle\""
			" fill=\"#fff\">%zu</text>\n",
			at[i], y[i], at[i], y[i] + 4.3, i + 1);
}

static void now_print(const struct timeline *t, FILE *to, double bottom)
{
	double x = place(t, t->now);
	/* Keeps the word inside the picture. */
	double word = x > WIDTH - RIGHT - 24 ? WIDTH - RIGHT - 24 : x;

	if (!timeline_shows_now(t))
		return;
	fprintf(to,
		"<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#9c1c1c\" stroke-width=\"2.5\""
		" stroke-dasharray=\"6 4\"/>"
		"<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" font-weight=\"700\" text-anchor=\"middle\""
		" fill=\"#9c1c1c\">today</text>\n",
		x, MONTHS + 10, x, bottom, word, bottom + 14);
}

/* Each mark has its own line, because the lengths of durations and zones vary. */
static void legend_print(const struct timeline *t, FILE *to, double top, unsigned serial)
{
	char when[64], distance[WORDS_MAX];

	for (size_t i = 0; i < t->n_marks; i++) {
		const struct timeline_mark *m = &t->marks[i];

		fprintf(to,
			"<circle cx=\"25\" cy=\"%.1f\" r=\"9\" fill=\"#17202b\"/><text x=\"25\" y=\"%.1f\" font-size=\"11\""
			" font-weight=\"600\" text-anchor=\"middle\" fill=\"#fff\">%zu</text>",
			top, top + 4, i + 1);
		fprintf(to,
			"<text x=\"42\" y=\"%.1f\" font-weight=\"600\" fill=\"#17202b\">%s</text>"
			"<text x=\"%d\" y=\"%.1f\" fill=\"#17202b\">",
			top + 4.5, timeline_mark_name(m->kind), 42 + NAMES, top + 4.5);
		html_printf(to, "%s <tspan fill=\"#5a6675\">(%s)</tspan></text>\n",
			instant_format_local(when, sizeof(when), m->at, t->client->timezone),
			distance_words(distance, m->at, t->now));
		top += LEGEND;
	}
	fprintf(to,
		"<rect x=\"16\" y=\"%.1f\" width=\"28\" height=\"12\" rx=\"3\" fill=\"#1f4e8c\"/>"
		"<text x=\"50\" y=\"%.1f\" fill=\"#5a6675\">full</text>"
		"<rect x=\"96\" y=\"%.1f\" width=\"28\" height=\"12\" rx=\"3\" fill=\"url(#read-only-%u)\""
		" stroke=\"#1f4e8c\"/><text x=\"130\" y=\"%.1f\" fill=\"#5a6675\">read-only</text>"
		"<line x1=\"212\" y1=\"%.1f\" x2=\"240\" y2=\"%.1f\" stroke=\"#aab4c0\" stroke-width=\"1.5\"/>"
		"<text x=\"246\" y=\"%.1f\" fill=\"#5a6675\">no access</text>\n",
		top - 6, top + 4.5, top - 6, serial, top + 4.5, top, top, top + 4.5);
	if (timeline_shows_write(t))
		fprintf(to,
			"<rect x=\"330\" y=\"%.1f\" width=\"28\" height=\"12\" rx=\"3\" fill=\"#9db8da\""
			" stroke=\"#1f4e8c\"/><text x=\"364\" y=\"%.1f\" fill=\"#5a6675\">write</text>\n",
			top - 6, top + 4.5);
}

int timeline_svg(const struct timeline *t, FILE *to, unsigned serial)
{
	double bottom = TOP + ROW * (double)t->client->n_databases + 4;
	char words[2 * WORDS_MAX];

	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\""
		" font-family=\"" FONT "\" font-size=\"13\">\n",
		WIDTH, picture_height(t), WIDTH, picture_height(t));
	html_printf(to, "<title>Timeline of %s</title><desc>%s</desc>\n", t->client->name,
		timeline_words(words, t));
	fprintf(to,
		"<defs><pattern id=\"read-only-%u\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\""
		" patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" fill=\"#e7eef8\"/>"
		"<rect width=\"2.2\" height=\"7\" fill=\"#5f88be\"/></pattern></defs>\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
		serial, WIDTH, picture_height(t));
	fprintf(to, "<svg x=\"16\" y=\"8\" width=\"%d\" height=\"24\">", WIDTH - 32);
	html_printf(to,
		"<text x=\"0\" y=\"15\" font-size=\"15\" fill=\"#17202b\"><tspan font-weight=\"700\">%s</tspan>"
		"<tspan fill=\"#5a6675\" font-size=\"13\" dx=\"10\">%s</tspan></text></svg>\n",
		t->client->name, words);
	months_print(t, to, bottom);
	for (size_t i = 0; i < t->client->n_databases; i++) {
		const struct database *d = &t->client->databases[i];
		double y = TOP + ROW * (double)i;

		name_print(to, y + 2, d->name, database_role_name(d->role));
		fprintf(to,
			"<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#aab4c0\" stroke-width=\"1.5\"/>\n",
			LEFT, y + ROW / 2.0, WIDTH - RIGHT, y + ROW / 2.0);
	}
	/* Marks are below the bars whose ends they name; today is above everything. */
	marks_print(t, to, bottom);
	for (size_t i = 0; i < t->n_bars; i++)
		bar_print(t, to, &t->bars[i], serial);
	now_print(t, to, bottom);
	legend_print(t, to, bottom + 36, serial);
	fputs("</svg>\n", to);
	return ferror(to) ? -EIO : 0;
}

int timelines_svg(const struct timeline *all, size_t n, FILE *to)
{
	int height = 0, y = 0, rc = 0;

	for (size_t i = 0; i < n; i++)
		height += picture_height(&all[i]);
	fprintf(to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n",
		WIDTH, height, WIDTH, height);
	for (size_t i = 0; i < n && !rc; i++) {
		fprintf(to, "<g transform=\"translate(0 %d)\">\n", y);
		rc = timeline_svg(&all[i], to, (unsigned)i);
		fputs("</g>\n", to);
		y += picture_height(&all[i]);
	}
	fputs("</svg>\n", to);
	return rc ? rc : ferror(to) ? -EIO : 0;
}
