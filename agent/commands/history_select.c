/* Selects records of the journal, and summarizes them. */
#include "commands/history_select.h"

#include <errno.h>
#include <string.h>

#include "curfew/person.h"
#include "curfew/report.h"

int history_choose(struct history_choice *out, const struct cli *cli)
{
	char *end = NULL;
	long limit = cli->limit ? strtol(cli->limit, &end, 10) : 0;

	*out = (struct history_choice){.server = cli->server,
		.database = cli->database,
		.person = cli->person,
		.summary = !cli->at && !cli->json && (cli->summary || cli->csv)};
	if (cli->limit && (limit < 1 || !*cli->limit || *end))
		return cli_fail(cli, EXIT_USAGE,
			"invalid number '%s' for --limit; use a whole number from 1", cli->limit);
	out->limit = (size_t)limit;
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct journal_entry *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void history_sort(struct journal_entries *h)
{
	size_t kept = 0;

	if (h->n)
		qsort(h->items, h->n, sizeof(*h->items), entry_compare);
	for (size_t i = 0; i < h->n; i++) {
		if (kept && h->items[kept - 1].id == h->items[i].id)
			journal_entry_free(&h->items[i]);
		else
			h->items[kept++] = h->items[i];
	}
	h->n = kept;
}

/* A login may pass from one person to another. */
static bool is_of_another(const struct journal_entry *e, const char *email)
{
	struct person p;

	if (!email || e->kind != JOURNAL_ACCESS)
		return false;
	bool other = person_parse(&p, e->before) && p.email && !names_equal(p.email, email);
	person_free(&p);
	return other;
}

/* An outcome is selected together with its intent, which precedes it. */
static bool is_chosen(const struct journal_entry *e, const struct history_choice *c,
	const struct journal_entry *kept, size_t n)
{
	const struct journal_entry intent = {.id = e->intent};

	if (c->summary && e->kind != JOURNAL_ACCESS && e->kind != JOURNAL_EVENT)
		return false;
	if (e->kind == JOURNAL_OUTCOME && n &&
		bsearch(&intent, kept, n, sizeof(*kept), entry_compare))
		return true;
	if (c->client && e->kind == JOURNAL_ACCESS &&
		(!e->client || !names_equal(e->client, c->client)))
		return false;
	if (c->server && (!e->server || !names_equal(e->server, c->server)))
		return false;
	if (c->database && (!e->database || !names_equal(e->database, c->database)))
		return false;
	return (!c->people || logins_have(c->people, e->login)) && !is_of_another(e, c->person);
}

bool history_is_chosen(const struct journal_entry *access, const struct history_choice *c)
{
	return is_chosen(access, c, NULL, 0);
}

static int time_compare(const void *a, const void *b)
{
	const struct journal_entry *x = a, *y = b;
	int c = (x->at > y->at) - (x->at < y->at);

	return c ? c : (x->id > y->id) - (x->id < y->id);
}

void history_sort_by_time(struct journal_entries *h)
{
	if (h->n)
		qsort(h->items, h->n, sizeof(*h->items), time_compare);
}

void history_select(
	struct journal_entries *out, struct journal_entries *all, const struct history_choice *c)
{
	size_t kept = 0, skip;

	for (size_t i = 0; i < all->n; i++)
		if (is_chosen(&all->items[i], c, all->items, kept)) {
			/* Entries that are not selected are freed with the others. */
			struct journal_entry e = all->items[kept];
			all->items[kept++] = all->items[i];
			all->items[i] = e;
		}
	skip = c->limit && kept > c->limit ? kept - c->limit : 0;
	*out = (struct journal_entries){all->items + skip, kept - skip};
}

/* Access with what the server shows besides the level; an event with an outcome that is not as it should be. */
static void what_write(FILE *to, const struct journal_entry *e)
{
	if (e->kind == JOURNAL_ACCESS) {
		access_sql_write(to, e);
		return;
	}
	fputs(e->action ? e->action : journal_kind_name(e->kind), to);
	if (e->outcome && !streq(e->outcome, "done"))
		fprintf(to, ", %s", e->outcome);
}

int history_summary(const struct journal_entries *h, bool csv, FILE *to)
{
	static const struct table_column columns[] = {{"TIME", 0}, {"WHAT", 0}, {"CLIENT", 0},
		{"LOGIN", 0}, {"SERVER", 0}, {"DATABASE", 0}, {"ACTOR", TABLE_WRAP},
		{"REASON", TABLE_WRAP}};
	char at[INSTANT_TEXT_MAX];
	struct table *t;

	if (table_new(&t, columns, ARRAY_SIZE(columns), to, 0))
		return -ENOMEM;
	for (size_t i = 0; i < h->n; i++) {
		const struct journal_entry *e = &h->items[i];
		_cleanup_free_ char *what = access_text(what_write, e);
		table_row(t, TONE_PLAIN);
		table_cell(t, instant_format(at, e->at));
		table_cell(t, what);
		table_cell(t, e->client);
		table_cell(t, e->login);
		table_cell(t, e->server);
		table_cell(t, e->database);
		table_cell(t, e->actor);
		table_cell(t, e->reason);
	}
	int rc = csv ? table_print_csv(t) : table_print(t);
	table_free(t);
	return rc;
}
