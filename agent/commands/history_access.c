/* Who had access at a time, as a table, as JSON, and for a spreadsheet; access past its end is in each of them. */
#include <jansson.h>

#include "commands/history_select.h"
#include "curfew/calendar.h"
#include "curfew/person.h"
#include "curfew/report.h"
#include "program/visible_text.h"

static void person_cells(struct table *t, const struct journal_entry *e)
{
	struct person p;

	person_parse(&p, e->before);
	table_cell(t, p.name);
	table_cell(t, p.email);
	table_cell(t, p.ticket);
	table_cell(t, p.approved_by);
	person_free(&p);
}

/* A person reads access past its end as sentences below the table; a program reads these two columns. */
static void past_cells(struct table *t, const struct history_past *past)
{
	char closed[INSTANT_TEXT_MAX];

	table_cell(t, past ? "yes" : NULL);
	table_cell(t, past && past->closed ? instant_format(closed, past->closed->at) : NULL);
}

static void access_row(struct table *t, const struct journal_entry *e)
{
	char since[INSTANT_TEXT_MAX], until[INSTANT_TEXT_MAX];
	_cleanup_free_ char *sql = access_text(access_sql_write, e);
	_cleanup_free_ char *network = access_text(access_network_write, e);

	table_row(t, access_is_plain(e) ? TONE_PLAIN : TONE_BAD);
	table_cell(t, e->client);
	table_cell(t, e->login);
	table_cell(t, e->server);
	table_cell(t, e->database);
	table_cell(t, sql);
	table_cell(t, network);
	table_cell(t, instant_format(since, e->at));
	table_cell(t, e->until ? instant_format(until, e->until) : NULL);
	person_cells(t, e);
}

struct pasts {
	struct history_past *items;
	size_t n;
};

/* The record that confirms an end may be of the login's next person, or left out by --limit: all are searched. */
static int pasts_find(struct pasts *out, const struct history_records *records,
	const struct history_choice *choice, instant_t at)
{
	struct history_past past;

	for (size_t i = 0; history_past_next(&past, &i, records, at);) {
		if (!history_is_chosen(past.access, choice))
			continue;
		struct history_past *more = ARRAY_MORE(out->items, out->n);
		if (!more)
			return EXIT_FAILED;
		*more = past;
	}
	const size_t skip = choice->limit && out->n > choice->limit ? out->n - choice->limit : 0;
	for (size_t i = skip; skip && i < out->n; i++)
		out->items[i - skip] = out->items[i];
	out->n -= skip;
	return 0;
}

/* Excess access is in effect whatever its end, and is not listed twice. */
static const struct history_past *past_of(const struct pasts *p, const struct journal_entry *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].access->id == e->id)
			return &p->items[i];
	return NULL;
}

static bool is_in_effect(const struct journal_entries *in_effect, const struct history_past *past)
{
	for (size_t i = 0; i < in_effect->n; i++)
		if (in_effect->items[i].id == past->access->id)
			return true;
	return false;
}

static int show_table(
	const struct cli *cli, const struct journal_entries *in_effect, const struct pasts *pasts)
{
	static const struct table_column columns[] = {{"CLIENT", 0}, {"LOGIN", 0}, {"SERVER", 0},
		{"DATABASE", 0}, {"SQL", TABLE_WRAP}, {"NETWORK", TABLE_WRAP}, {"SINCE", 0},
		{"UNTIL", 0}, {"PERSON", TABLE_WRAP}, {"E-MAIL", TABLE_WRAP},
		{"TICKET", TABLE_WRAP}, {"APPROVED BY", TABLE_WRAP}, {"PAST ITS END", 0},
		{"CONFIRMED CLOSED", 0}};
	struct table *t;

	if (table_new(&t, columns, ARRAY_SIZE(columns) - (cli->csv ? 0 : 2), stdout, 0))
		return EXIT_FAILED;
	for (size_t i = 0; i < in_effect->n; i++) {
		access_row(t, &in_effect->items[i]);
		if (cli->csv)
			past_cells(t, past_of(pasts, &in_effect->items[i]));
	}
	for (size_t i = 0; cli->csv && i < pasts->n; i++) {
		if (is_in_effect(in_effect, &pasts->items[i]))
			continue;
		access_row(t, pasts->items[i].access);
		past_cells(t, &pasts->items[i]);
	}
	int rc = cli->csv ? table_print_csv(t) : table_print(t);
	table_free(t);
	return rc ? EXIT_FAILED : EXIT_FINE;
}

static void pasts_print(const struct pasts *pasts)
{
	char end[INSTANT_TEXT_MAX], closed[INSTANT_TEXT_MAX], shut[INSTANT_TEXT_MAX];

	for (size_t i = 0; i < pasts->n; i++) {
		const struct history_past *k = &pasts->items[i];
		text_printf(stdout,
			"past its end: %s on %s / %s, %s until %s; not confirmed closed %s%s%s%s\n",
			k->access->login, k->access->server, k->access->database, k->access->level,
			instant_format(end, k->access->until), k->closed ? "until " : "so far",
			k->closed ? instant_format(closed, k->closed->at) : "",
			k->network ? "; network closed " : "",
			k->network ? instant_format(shut, k->network->at) : "");
	}
}

static json_t *access_json(const struct journal_entry *e, const struct history_past *past)
{
	json_t *j = entry_json(e);
	bool failed = !j || json_object_set_new(j, "past_its_end", json_boolean(past != NULL)) ||
		      json_object_set_new(j, "confirmed_closed",
			      past && past->closed ? instant_json(past->closed->at) : json_null());

	if (!failed)
		return j;
	json_decref(j);
	return NULL;
}

static int show_json(const struct journal_entries *in_effect, const struct pasts *pasts)
{
	json_t *list = json_array();
	bool failed = !list;

	for (size_t i = 0; i < in_effect->n && !failed; i++) {
		const struct journal_entry *e = &in_effect->items[i];
		failed = json_array_append_new(list, access_json(e, past_of(pasts, e)));
	}
	for (size_t i = 0; i < pasts->n && !failed; i++)
		if (!is_in_effect(in_effect, &pasts->items[i]))
			failed = json_array_append_new(
				list, access_json(pasts->items[i].access, &pasts->items[i]));
	if (!failed)
		return json_print(list, stdout) ? EXIT_FAILED : EXIT_FINE;
	json_decref(list);
	return EXIT_FAILED;
}

int history_access_show(const struct cli *cli, const struct journal_entries *in_effect,
	const struct history_records *records, const struct history_choice *choice, instant_t at)
{
	struct pasts pasts = {0};
	char when[INSTANT_TEXT_MAX];
	int code = pasts_find(&pasts, records, choice, at);

	/* Which moment was meant depends on a time zone. */
	if (!code && !cli->json && !cli->csv)
		printf("Access at %s\n\n", instant_format(when, at));
	if (!code && cli->json)
		code = show_json(in_effect, &pasts);
	else if (!code)
		code = show_table(cli, in_effect, &pasts);
	if (!code && !cli->json && !cli->csv) {
		pasts_print(&pasts);
		if (!pasts.n && !in_effect->n)
			puts("nobody had access");
	}
	free(pasts.items);
	return code;
}
