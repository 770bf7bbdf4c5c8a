/* All clients by phase, and the next date of each. */
#include "curfew/board.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "report/html.h"

static const enum phase order[] = {
	PHASE_PENDING, PHASE_TESTING, PHASE_LIVE, PHASE_ENDED, PHASE_LAPSED, PHASE_REVOKED};

static size_t rank(enum phase p)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(order) - 1 && order[i] != p)
		i++;
	return i;
}

static int card_order(const void *a, const void *b)
{
	const struct board_card *x = a, *y = b;

	if (x->phase != y->phase)
		return rank(x->phase) < rank(y->phase) ? -1 : 1;
	if (x->has_next != y->has_next)
		return x->has_next ? -1 : 1;
	if (x->has_next && x->next != y->next)
		return x->next < y->next ? -1 : 1;
	return strcmp(x->client->name, y->client->name);
}

static void card_make(struct board_card *out, const struct client *c, const struct grants *g,
	const struct overrides *o, bool accounts, instant_t now)
{
	*out = (struct board_card){
		.client = c, .phase = client_phase(c, o, now), .counts = c->has_milestones};
	client_milestones(out->milestones, c, accounts, now);
	out->late = milestones_late(out->milestones, now);
	bool some = false;
	for (size_t i = 0; i < g->n; i++) {
		const struct grant *k = &g->items[i];

		if (k->client != c)
			continue;
		/* The grants know which dates have passed and which users are revoked: the client is if all are. */
		if (k->phase != PHASE_REVOKED || !some)
			out->phase = k->phase;
		some = some || k->phase != PHASE_REVOKED;
		if (k->next_level == k->level || k->until <= now ||
			(out->has_next && out->next <= k->until))
			continue;
		out->has_next = true;
		out->next = k->until;
		out->next_level = k->next_level;
	}
}

int board_make(struct board *out, const struct program *p, const struct grants *g,
	const struct overrides *o, const bool *accounts, instant_t now)
{
	struct board b = {.cards = calloc(p->n_clients + 1, sizeof(*b.cards)), .now = now};

	if (!b.cards)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_clients; i++)
		card_make(&b.cards[b.n++], &p->clients[i], g, o, accounts[i], now);
	qsort(b.cards, b.n, sizeof(*b.cards), card_order);
	*out = b;
	return 0;
}

void board_free(struct board *b)
{
	for (size_t i = 0; i < b->n; i++)
		progress_free(&b->cards[i].progress);
	free(b->cards);
	*b = (struct board){0};
}

bool milestone_sentence(char buf[160], const struct board_card *c, instant_t now)
{
	const struct milestone_state *m = c->counts ? milestone_next(c->milestones) : NULL;
	char when[64];

	if (!m)
		return false;
	if (!m->due)
		snprintf(buf, 160, "%s", milestone_words(m->which));
	else
		snprintf(buf, 160, "%s %s %s", milestone_words(m->which),
			m->due <= now ? "was due" : "is due",
			instant_format_local(when, sizeof(when), m->due, c->client->timezone));
	return true;
}

/* "read-only Mon 2027-01-11 09:00 CST" */
static const char *next_words(char buf[160], const struct board_card *c)
{
	char when[64];

	if (!c->has_next)
		return NULL;
	snprintf(buf, 160, "%s %s",
		c->next_level == LEVEL_NONE ? "ends" : level_name(c->next_level),
		instant_format_local(when, sizeof(when), c->next, c->client->timezone));
	return buf;
}

/* "30 of 42"; NULL: its databases were not sampled. */
static const char *left_words(char buf[64], const struct board_card *c)
{
	const struct sample_tally *last = progress_last(&c->progress);

	if (!last)
		return NULL;
	snprintf(buf, 64, "%llu of %llu", (unsigned long long)last->left,
		(unsigned long long)tally_all(last));
	return buf;
}

int board_print(const struct board *b, FILE *to)
{
	static const struct table_column columns[] = {{"PHASE", 0}, {"CLIENT", 0},
		{"NEXT CHANGE OF ACCESS", 0}, {"NEXT MILESTONE", TABLE_WRAP}, {"LATE", TABLE_RIGHT},
		{"CUSTOM LEFT", TABLE_RIGHT}};
	char next[160], due[160], left[64];
	struct table *t;
	int rc = table_new(&t, columns, ARRAY_SIZE(columns), to, 0);

	for (size_t i = 0; i < b->n && !rc; i++) {
		const struct board_card *c = &b->cards[i];
		bool first = i == 0 || b->cards[i - 1].phase != c->phase;

		table_row(t, c->counts && c->late ? TONE_WARN : TONE_PLAIN);
		table_cell(t, first ? phase_name(c->phase) : "");
		table_cell(t, c->client->name);
		table_cell(t, next_words(next, c));
		table_cell(t, milestone_sentence(due, c, b->now) ? due : NULL);
		if (c->counts)
			rc = table_cellf(t, "%zu", c->late);
		else
			rc = table_cell(t, NULL);
		if (!rc)
			rc = table_cell(t, left_words(left, c));
	}
	if (!rc)
		rc = table_print(t);
	table_free(t);
	return rc;
}

static json_t *card_json(const struct board_card *c, instant_t now)
{
	json_t *milestones = json_array();

	for (size_t m = 0; c->counts && m < MILESTONES; m++) {
		const struct milestone_state *s = &c->milestones[m];

		json_array_append_new(milestones,
			json_pack("{s:s, s:b, s:o, s:o, s:b}", "name", milestone_name(s->which),
				"done", s->done, "written", text_json(c->client->milestones[m]),
				"due", instant_or_null(s->due), "late",
				!s->done && s->due && s->due <= now));
	}
	const struct milestone_state *next = c->counts ? milestone_next(c->milestones) : NULL;

	return json_pack("{s:o, s:s, s:o, s:s?, s:s?, s:o, s:o, s:o, s:o}", "client",
		text_json(c->client->name), "phase", phase_name(c->phase), "next",
		c->has_next ? instant_json(c->next) : json_null(), "next_level",
		c->has_next ? level_name(c->next_level) : NULL, "next_milestone",
		next ? milestone_name(next->which) : NULL, "next_due",
		instant_or_null(next ? next->due : 0), "late",
		c->counts ? json_integer((json_int_t)c->late) : json_null(), "milestones",
		milestones, "customizations", tally_json(progress_last(&c->progress)));
}

struct json_t *board_json(const struct board *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(all, card_json(&b->cards[i], b->now));
	return all;
}

int board_html(const struct board *b, bool practice, FILE *to)
{
	char text[160];

	html_begin(to, practice ? "PRACTICE: Clients by phase" : "Clients by phase");
	if (practice)
		fputs("<p class=\"practice\">" PRACTICE_MARK "</p>\n", to);
	html_printf(to,
		"<header><h1>Clients by phase</h1><p>As of %s. The next date first.</p></header>\n",
		instant_format(text, b->now));
	if (!b->n)
		fputs("<p>No clients are configured.</p>\n", to);
	for (size_t i = 0; i < b->n; i++) {
		const struct board_card *c = &b->cards[i];

		if (i == 0 || b->cards[i - 1].phase != c->phase)
			html_printf(to,
				"<h2>%s</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">Client</th><th "
				"scope=\"col\">Next change of access</th><th scope=\"col\">Next milestone</th><th "
				"scope=\"col\">Late</th><th scope=\"col\">Custom objects left</th></tr></thead><tbody>\n",
				phase_name(c->phase));
		fputs("<tr>", to);
		html_cell(to, NULL, c->client->name);
		html_cell(to, NULL, next_words(text, c));
		html_cell(to, NULL, milestone_sentence(text, c, b->now) ? text : NULL);
		if (c->counts && c->late)
			html_printf(to, "<td>%zu</td>", c->late);
		else
			html_cell(to, NULL, c->counts ? "0" : NULL);
		if (left_words(text, c)) {
			html_printf(to, "<td>%s<br>", text);
			progress_svg(&c->progress, to, true);
			fputs("</td>", to);
		} else {
			html_cell(to, NULL, NULL);
		}
		fputs("</tr>\n", to);
		if (i + 1 == b->n || b->cards[i + 1].phase != c->phase)
			fputs("</tbody></table></div>\n", to);
	}
	return html_end(to);
}
