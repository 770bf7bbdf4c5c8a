/* Progress as a picture: what is left by color, one on the other, red undermost. Each color has a pattern and its word, so
 * that it reads the same in black and white. Only attributes: a page's policy lets no style in a picture through. */
#include "curfew/progress.h"
#include "curfew/report.h"

#include <string.h>

#define FONT "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"

struct chart {
	const struct progress *p;
	double left, top, width, height;
	uint64_t most;
	const char *
		id; /* of patterns: pages have one picture of each kind, or all patterns are alike */
};

enum { BAND_RED, BAND_YELLOW, BAND_GREEN, BANDS };
static const struct {
	const char *name, *color, *pattern;
} bands[BANDS] = {
	{"red", "#9c1c1c", "<path d=\"M0 6L6 0\" stroke=\"#9c1c1c\" stroke-width=\"1.6\"/>"},
	{"yellow", "#8a5a00", "<circle cx=\"2\" cy=\"2\" r=\"1.1\" fill=\"#8a5a00\"/>"},
	{"green", "#1d6b3a", "<path d=\"M0 3H6\" stroke=\"#1d6b3a\" stroke-width=\"1\"/>"},
};

static uint64_t band_of(const struct sample_tally *t, int band)
{
	return band == BAND_RED ? t->red : band == BAND_YELLOW ? t->yellow : t->green;
}

/* Height of everything below the band's upper edge. */
static uint64_t edge_of(const struct sample_tally *t, int band)
{
	uint64_t sum = 0;

	for (int b = 0; b <= band; b++)
		sum += band_of(t, b);
	return sum;
}

static double y_of(const struct chart *c, uint64_t n)
{
	return c->top + c->height - c->height * (double)n / (double)(c->most ? c->most : 1);
}

/* One reading alone is drawn as a day that has not ended. */
static size_t points_of(const struct chart *c)
{
	return c->p->n > 1 ? c->p->n : 2;
}

static double point_x(const struct chart *c, size_t i)
{
	const struct sample_tally *items = c->p->items;
	double span = (double)(items[c->p->n - 1].at - items[0].at);

	return c->left +
	       c->width * (c->p->n > 1 ? (double)(items[i].at - items[0].at) / span : (double)i);
}

static const struct sample_tally *point(const struct chart *c, size_t i)
{
	return &c->p->items[c->p->n > 1 ? i : 0];
}

static void band_print(FILE *to, const struct chart *c, int band)
{
	size_t n = points_of(c);

	fprintf(to, "<path fill=\"url(#%s-%s)\" stroke=\"%s\" d=\"M", c->id, bands[band].name,
		bands[band].color);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%.1f %.1f ", point_x(c, i), y_of(c, edge_of(point(c, i), band)));
	for (size_t i = n; i-- > 0;)
		fprintf(to, "%.1f %.1f ", point_x(c, i),
			y_of(c, band ? edge_of(point(c, i), band - 1) : 0));
	fputs("Z\"/>\n", to);
}

static void left_print(FILE *to, const struct chart *c)
{
	fputs("<path fill=\"none\" stroke=\"#17202b\" stroke-width=\"2\" d=\"M", to);
	for (size_t i = 0; i < points_of(c); i++)
		fprintf(to, "%.1f %.1f ", point_x(c, i), y_of(c, point(c, i)->left));
	fputs("\"/>\n", to);
}

static void text_at(FILE *to, double x, double y, const char *anchor, const char *text)
{
	fprintf(to,
		"<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" fill=\"#17202b\" text-anchor=\"%s\">%s</text>\n",
		x, y, anchor, text);
}

static void words_print(FILE *to, const struct chart *c)
{
	const struct sample_tally *last = progress_last(c->p);
	double right = c->left + c->width + 8, y = c->top + c->height;
	char text[64], day[INSTANT_TEXT_MAX];

	for (int b = 0; b < BANDS; b++) {
		snprintf(text, sizeof(text), "%s %llu", bands[b].name,
			(unsigned long long)band_of(last, b));
		fprintf(to,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"url(#%s-%s)\" stroke=\"%s\"/>\n",
			right, y - 11, c->id, bands[b].name, bands[b].color);
		text_at(to, right + 18, y, "start", text);
		y -= 20;
	}
	snprintf(text, sizeof(text), "left %llu", (unsigned long long)last->left);
	fprintf(to, "<path d=\"M%.1f %.1fh12\" stroke=\"#17202b\" stroke-width=\"2\"/>\n", right,
		y - 4);
	text_at(to, right + 18, y, "start", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)c->most);
	text_at(to, c->left - 6, c->top + 10, "end", text);
	text_at(to, c->left - 6, c->top + c->height, "end", "0");
	instant_format(day, c->p->items[0].at);
	day[strcspn(day, "T")] = '\0';
	text_at(to, c->left, c->top + c->height + 18, "start", day);
	instant_format(day, last->at);
	day[strcspn(day, "T")] = '\0';
	if (c->p->n > 1)
		text_at(to, c->left + c->width, c->top + c->height + 18, "end", day);
}

void progress_svg(const struct progress *p, FILE *to, bool small)
{
	const struct sample_tally *last = progress_last(p);
	struct chart c = {.p = p,
		.left = small ? 1 : 46,
		.top = small ? 1 : 8,
		.width = small ? 158 : 540,
		.height = small ? 34 : 150,
		.id = small ? "small" : "chart"};
	int width = small ? 160 : 700, height = small ? 36 : 184;

	if (!last)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (tally_all(&p->items[i]) > c.most)
			c.most = tally_all(&p->items[i]);
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" font-family=\"" FONT
		"\" aria-label=\"%llu of %llu objects left; %llu red, %llu yellow, %llu green\">\n<defs>",
		width, height, width, (unsigned long long)last->left,
		(unsigned long long)tally_all(last), (unsigned long long)last->red,
		(unsigned long long)last->yellow, (unsigned long long)last->green);
	for (int b = 0; b < BANDS; b++)
		fprintf(to,
			"<pattern id=\"%s-%s\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">%s</pattern>",
			c.id, bands[b].name, bands[b].pattern);
	fputs("</defs>\n", to);
	for (int b = 0; b < BANDS; b++)
		band_print(to, &c, b);
	left_print(to, &c);
	if (!small)
		words_print(to, &c);
	fputs("</svg>\n", to);
}
