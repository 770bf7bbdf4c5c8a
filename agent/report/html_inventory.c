/* The inventory as one page: state first, then every object, filtered by color and class without scripts. */
#include "curfew/inventory_report.h"
#include "report/html.h"

#include <errno.h>

/* Of rows that need nothing more: kept by decision, and not red. */
#define KEPT "kept"
#define SHOWS(id)                                                                                  \
	"#" id ":checked~.filters label[for=" id                                                   \
	"]{background:var(--tint);border-color:var(--ink)}"                                        \
	"#" id ":not(:checked)~.wide tr." id "{display:none}"
#define FILTERS                                                                                    \
	SHOWS("red")                                                                               \
	SHOWS("yellow")                                                                            \
	SHOWS("green") SHOWS("client") SHOWS("changed") SHOWS("unknown") SHOWS(KEPT)

/* Filters are check boxes before the list, with style rules that hide rows. Each color also has its name and a
 * pattern (stripes, dots, a solid edge). Fixed columns, because the layout of tens of thousands of rows would take
 * minutes otherwise. */
static const char style[] =
	".filter{position:absolute;opacity:0}"
	".filters{display:flex;flex-wrap:wrap;gap:.5rem;margin:.6rem 0 1rem}"
	".filters label{border:1px solid var(--line);border-radius:1rem;padding:.15rem .8rem;cursor:pointer}"
	".filter:focus-visible~.filters{outline:2px solid var(--ink)}" FILTERS
	".rows{content-visibility:auto;contain-intrinsic-size:auto 40rem}.list{table-layout:fixed}.list th:nth-child(1){width:6rem}.list th:nth-child(2){width:5.5rem}"
	".list th:nth-child(3){width:7rem}.list th:nth-child(5){width:32%}.list th:nth-child(6){width:4rem}.list td{min-width:0}"
	"tr.red td:first-child{border-left:.45rem solid var(--bad);padding-left:.5rem}"
	"tr.yellow td:first-child{border-left:.45rem dashed var(--warn);padding-left:.5rem}"
	"tr.green td:first-child{border-left:.45rem dotted var(--good);padding-left:.5rem}"
	".badge.bad{background-image:repeating-linear-gradient(45deg,transparent 0 4px,#9c1c1c22 4px 6px)}"
	".badge.warn{background-image:radial-gradient(#7a4a0033 1px,transparent 1.5px);background-size:6px 6px}"
	".progress{margin:.6rem 0}.progress svg{max-width:100%;height:auto}"
	".risk{display:inline-block;border:1px solid var(--line);border-radius:.3rem;padding:0 .35rem;"
	"margin:.1rem .2rem .1rem 0;font-size:.78rem}"
	"@media screen and (max-width:44rem){body{padding:1rem .8rem}.progress{overflow-x:auto}.progress svg{max-width:none;width:40rem}.list,.list tbody,.list tr,.list td{display:block}"
	".list thead{display:none}.list tr{border-bottom:2px solid var(--line);padding:.4rem 0}"
	".list td:empty{display:none}.list td{border:0;padding:.1rem .4rem}.list td.n{text-align:left}"
	".list td[data-name]::before{content:attr(data-name) \": \";color:var(--soft)}}"
	"@media print{.filters{display:none}.list tr{break-inside:avoid}.list thead{display:table-header-group}"
	".list th:nth-child(1){width:42pt}.list th:nth-child(2){width:52pt}.list th:nth-child(3){width:52pt}"
	".list th:nth-child(5){width:27%}.list th:nth-child(6){width:32pt}.list th:nth-child(7){width:78pt}"
	".list td{padding-left:3pt;padding-right:3pt}}";

static enum tone tone_of(enum inventory_color c)
{
	return c == COLOR_GREEN	   ? TONE_GOOD
	       : c == COLOR_YELLOW ? TONE_WARN
	       : c == COLOR_RED	   ? TONE_BAD
				   : TONE_PLAIN;
}

static void figure(FILE *to, const char *name, size_t n)
{
	html_printf(to, "<div><dt>%s</dt><dd>%zu</dd></div>", name, n);
}

static size_t unread_count(const struct inventory *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_databases; i++)
		n += !v->databases[i].read;
	return n;
}

static void state_print(const struct inventory_report *r, FILE *to)
{
	const struct inventory *v = r->inventory;
	size_t counts[INVENTORY_COLORS], unread = unread_count(v), risky = 0;
	char when[64], utc[INSTANT_TEXT_MAX];

	inventory_count(counts, v);
	for (size_t i = 0; i < v->n; i++)
		risky += inventory_is_custom(&v->items[i]) && v->items[i].risks;
	size_t all = counts[COLOR_GREEN] + counts[COLOR_YELLOW] + counts[COLOR_RED];
	html_printf(to, "<header><h1>Customizations: <bdi>%s</bdi></h1>\n", r->client);
	html_printf(to,
		"<p class=\"soft\">As of <time datetime=\"%s\">%s</time> (%s)</p></header>\n",
		instant_format(utc, v->at),
		instant_format_local(when, sizeof(when), v->at, r->zone), utc);
	if (unread)
		html_printf(to,
			"<section class=\"state bad\"><b>unread</b><span>%zu of %zu databases could not be read: this list is not whole.</span></section>\n",
			unread, v->n_databases);
	else if (all)
		html_printf(to,
			"<section class=\"state warn\"><b>%zu custom</b><span>objects in these databases are not the product's own.</span></section>\n",
			all);
	else
		html_printf(to,
			"<section class=\"state good\"><b>none</b><span>All that was read is the product's own.</span></section>\n");
	fputs("<dl class=\"figures\">", to);
	figure(to, "red: unused", counts[COLOR_RED]);
	figure(to, "yellow: unsure", counts[COLOR_YELLOW]);
	figure(to, "green: in use", counts[COLOR_GREEN]);
	figure(to, "with a cloud risk", risky);
	figure(to, "cycles", v->cycles);
	fputs("</dl>\n", to);
	if (!r->vendor || !r->vendor->n_lists)
		fputs("<p>No vendor list is configured, so objects cannot be attributed to the product or the client.</p>\n",
			to);
	for (size_t i = 0; i < r->inventory->n_notices; i++)
		html_printf(to, "<p>Decisions: <bdi>%s</bdi></p>\n", r->inventory->notices[i]);
}

static void progress_part_print(const struct inventory_report *r, FILE *to)
{
	const struct sample_tally *last = r->progress ? progress_last(r->progress) : NULL;
	char words[TALLY_WORDS_MAX];

	if (!last)
		return;
	html_printf(to, "<h2>Progress</h2>\n<p>%s.</p>\n",
		tally_words(words, last, r->about, r->inventory->at));
	fputs("<figure class=\"progress\">", to);
	progress_svg(r->progress, to, false);
	fputs("<figcaption class=\"soft\">Custom objects by color. The line is what is left: all but what is kept and not "
	      "red.</figcaption></figure>\n",
		to);
}

static void readings_print(const struct inventory *v, FILE *to)
{
	fputs("<h2>What was read</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">server</th><th "
	      "scope=\"col\">database</th><th scope=\"col\">reading</th></tr></thead>\n<tbody>\n",
		to);
	for (size_t i = 0; i < v->n_databases; i++) {
		const struct inventory_database *d = &v->databases[i];
		fputs("<tr>", to);
		html_cell(to, NULL, d->server);
		html_cell(to, NULL, d->database);
		fputs("<td>", to);
		html_badge(to, d->read ? TONE_GOOD : TONE_BAD, d->read ? "read" : "unread");
		html_printf(to, " <bdi>%s</bdi></td></tr>\n", d->read ? "" : d->why);
	}
	for (size_t i = 0; i < v->n_coverage; i++) {
		const struct inventory_coverage *c = &v->coverage[i];
		if (c->seen != ANSWER_UNKNOWN || streq(c->part, "whole"))
			continue;
		fputs("<tr>", to);
		html_cell(to, NULL, c->server);
		html_cell(to, NULL, *c->database ? c->database : NULL);
		fputs("<td>", to);
		html_badge(to, TONE_WARN, "part unread");
		html_printf(to, " %s: <bdi>%s</bdi></td></tr>\n", c->part, c->detail);
	}
	fputs("</tbody></table></div>\n<p class=\"soft\">Not seen by any server: dynamic SQL, and what applications ask for. "
	      "The use of views, table-valued functions, synonyms, types, sequences, columns, and memory-optimized tables is not recorded, nor that of modules without a query of their own, and on other replicas.</p>\n",
		to);
}

static void risks_cell(FILE *to, const struct inventory_item *i)
{
	fputs("<td data-name=\"cloud\">", to);
	for (int k = 0; k < CLOUD_RISKS; k++)
		if (i->risks & 1u << k)
			html_printf(to, "<span class=\"risk\" title=\"%s\">%s</span>",
				cloud_risk_words((enum cloud_risk)k),
				cloud_risk_name((enum cloud_risk)k));
	fputs("</td>", to);
}

static void item_print(const struct inventory_item *i, FILE *to)
{
	char day[INSTANT_TEXT_MAX];

	html_printf(to, "<tr class=\"%s %s%s\"><td>", inventory_color_name(i->color),
		inventory_class_name(i->class), inventory_is_left(i) ? "" : " " KEPT);
	html_badge(to, tone_of(i->color), inventory_color_name(i->color));
	html_printf(to, "</td><td data-name=\"class\">%s</td><td data-name=\"type\">%s</td>",
		inventory_class_name(i->class), i->type);
	html_printf(to,
		"<td><bdi><b>%s</b></bdi><br><span class=\"soft\"><bdi>%s</bdi></span></td>",
		i->full, *i->database ? i->database : i->server);
	html_printf(to, "<td data-name=\"evidence\"><bdi>%s</bdi>", i->reason);
	if (i->watched && i->color != COLOR_RED) {
		day[strcspn(instant_format(day, i->watched), "T")] = '\0';
		html_printf(to, "<br><span class=\"soft\">watched since %s</span>", day);
	}
	if (i->decision)
		html_printf(to, "<br>Decision: <bdi>%s</bdi>", i->decision);
	if (i->cycle)
		html_printf(to, "<br>Cycle %zu: refers to itself through others", i->cycle);
	fputs("</td><td class=\"n\" data-name=\"round\">", to);
	if (i->round)
		html_printf(to, "%zu", i->round);
	else
		fputs("\xe2\x80\x93", to);
	fputs("</td>", to);
	risks_cell(to, i);
	fputs("</tr>\n", to);
}

/* A browser lays out only the tables that are near the window: one of tens of thousands of rows takes it many seconds. */
#define ROWS_AT_ONCE 250
#define TABLE_END    "</tbody></table></div>\n"

static void table_begin(FILE *to)
{
	static const char *const titles[] = {
		"color", "class", "type", "object", "evidence", "round", "cloud"};

	fputs("<div class=\"wide rows\"><table class=\"list\"><thead><tr>", to);
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		html_printf(to, "<th scope=\"col\">%s</th>", titles[i]);
	fputs("</tr></thead>\n<tbody>\n", to);
}

/* After the go-live the certificates name this page for what remains: what is kept is hidden until it is asked for. */
static bool is_live(const struct inventory_report *r)
{
	return r->about && r->about->has_go_live && r->about->go_live <= r->inventory->at;
}

static void list_print(const struct inventory_report *r, FILE *to)
{
	static const char *const filters[] = {
		"red", "yellow", "green", "client", "changed", "unknown", KEPT};
	const struct inventory *v = r->inventory;
	bool live = is_live(r);
	size_t n = 0;

	fputs(live ? "<h2>Objects that remain after go-live</h2>\n" : "<h2>Objects</h2>\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		html_printf(to, "<input class=\"filter\" type=\"checkbox\" id=\"%s\"%s>",
			filters[i], live && streq(filters[i], KEPT) ? "" : " checked");
	fputs("<div class=\"filters\">Show: ", to);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		html_printf(to, "<label for=\"%s\">%s</label>", filters[i], filters[i]);
	fputs("</div>\n", to);
	table_begin(to);
	for (int c = COLOR_RED; c > COLOR_NONE; c--)
		for (size_t i = 0; i < v->n; i++) {
			if ((int)v->items[i].color != c || !inventory_is_custom(&v->items[i]))
				continue;
			if (n && n % ROWS_AT_ONCE == 0) {
				fputs(TABLE_END, to);
				table_begin(to);
			}
			n++;
			item_print(&v->items[i], to);
		}
	fputs(TABLE_END
		"<p class=\"soft\">Round: in which it can be dropped when all of the rounds before are gone. None: the product "
		"refers to it. Curfew itself drops nothing.</p>\n",
		to);
}

int inventory_html(const struct inventory_report *r, FILE *to)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fprintf(text.to, "Customizations: %s", r->client);
	_cleanup_free_ char *title = text_end(&text);
	if (!title)
		return -ENOMEM;
	html_begin_styled(to, title, style);
	if (r->practice)
		fputs("<p class=\"practice\">" PRACTICE_MARK "</p>\n", to);
	state_print(r, to);
	progress_part_print(r, to);
	list_print(r, to);
	readings_print(r->inventory, to);
	html_printf(to, "<footer><p>Made by Curfew %s.</p></footer>\n", CURFEW_VERSION);
	return html_end(to);
}
