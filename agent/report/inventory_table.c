/* The inventory on a terminal, and as the CSV that people edit. */
#include "curfew/inventory_report.h"
#include "curfew/report.h"

#include "program/visible_text.h"

#include <errno.h>

void inventory_count(size_t counts[INVENTORY_COLORS], const struct inventory *v)
{
	memset(counts, 0, INVENTORY_COLORS * sizeof(*counts));
	for (size_t i = 0; i < v->n; i++)
		if (inventory_is_custom(&v->items[i]))
			counts[v->items[i].color]++;
}

char *inventory_risk_text(const struct inventory_item *i)
{
	const char *comma = "";
	struct text text;

	if (!text_begin(&text))
		return NULL;
	for (int r = 0; r < CLOUD_RISKS; r++)
		if (i->risks & 1u << r) {
			fprintf(text.to, "%s%s", comma, cloud_risk_name((enum cloud_risk)r));
			comma = ", ";
		}
	return text_end(&text);
}

static enum tone color_tone(enum inventory_color c)
{
	return c == COLOR_GREEN	   ? TONE_GOOD
	       : c == COLOR_YELLOW ? TONE_WARN
	       : c == COLOR_RED	   ? TONE_BAD
				   : TONE_PLAIN;
}

static int shown_print(FILE *to, const char *text)
{
	_cleanup_free_ char *shown = text_shown(text);

	if (shown)
		fputs(shown, to);
	return shown ? 0 : -ENOMEM;
}

static int databases_print(const struct inventory *v, FILE *to)
{
	static const struct table_column columns[] = {{"database", 0}, {"reading", TABLE_WRAP},
		{"product", TABLE_RIGHT}, {"green", TABLE_RIGHT}, {"yellow", TABLE_RIGHT},
		{"red", TABLE_RIGHT}};
	struct table *t;
	int rc = table_new(&t, columns, ARRAY_SIZE(columns), to, 0);

	if (rc)
		return rc;
	for (size_t i = 0; i < v->n_databases && !rc; i++) {
		const struct inventory_database *d = &v->databases[i];
		size_t counts[INVENTORY_COLORS] = {0}, product = 0;
		for (size_t k = 0; k < v->n && d->read; k++) {
			const struct inventory_item *t2 = &v->items[k];
			if (!streq(t2->server, d->server) || !streq(t2->database, d->database))
				continue;
			product += t2->class == CLASS_PRODUCT;
			counts[t2->color] += inventory_is_custom(t2);
		}
		rc = table_row(t, d->read ? TONE_PLAIN : TONE_BAD);
		if (!rc)
			rc = table_cellf(t, "%s / %s", d->server, d->database);
		if (!rc)
			rc = d->read ? table_cell(t, "read") : table_cellf(t, "unread: %s", d->why);
		/* Databases that could not be read have no known objects, which does not mean that they have none. */
		if (!rc)
			rc = d->read ? table_cellf(t, "%zu", product) : table_cell(t, NULL);
		for (int c = COLOR_GREEN; c <= COLOR_RED && !rc; c++)
			rc = d->read ? table_cellf(t, "%zu", counts[c]) : table_cell(t, NULL);
	}
	if (!rc)
		rc = table_print(t);
	table_free(t);
	return rc;
}

static int item_row(struct table *t, const struct inventory_item *i)
{
	_cleanup_free_ char *risks = inventory_risk_text(i);
	int rc = risks ? table_row(t, color_tone(i->color)) : -ENOMEM;

	if (!rc)
		rc = table_cell(t, inventory_color_name(i->color));
	if (!rc)
		rc = table_cell(t, inventory_class_name(i->class));
	if (!rc)
		rc = table_cell(t, i->type);
	if (!rc)
		rc = table_cellf(t, "%s%s%s", i->database, *i->database ? ": " : "", i->full);
	if (!rc)
		rc = table_cell(t, i->decision);
	if (!rc)
		rc = i->round ? table_cellf(t, "%zu", i->round) : table_cell(t, NULL);
	if (!rc)
		rc = table_cellf(t, "%s%s%s", i->reason, *risks ? "; cloud: " : "", risks);
	return rc;
}

static int items_print(const struct inventory *v, FILE *to)
{
	static const struct table_column columns[] = {{"color", 0}, {"class", 0}, {"type", 0},
		{"object", TABLE_WRAP}, {"decision", 0}, {"round", TABLE_RIGHT},
		{"evidence", TABLE_WRAP}};
	struct table *t;
	int rc = table_new(&t, columns, ARRAY_SIZE(columns), to, 0);

	if (rc)
		return rc;
	for (int c = COLOR_RED; c >= COLOR_NONE && !rc; c--)
		for (size_t i = 0; i < v->n && !rc; i++)
			if ((int)v->items[i].color == c && inventory_is_custom(&v->items[i]))
				rc = item_row(t, &v->items[i]);
	if (!rc)
		rc = table_print(t);
	table_free(t);
	return rc;
}

static int progress_part_print(const struct inventory_report *r, FILE *to)
{
	const struct sample_tally *last = r->progress ? progress_last(r->progress) : NULL;
	char words[TALLY_WORDS_MAX];

	if (!last)
		return 0;
	fprintf(to, "%s\n", tally_words(words, last, r->about, r->inventory->at));
	if (r->progress->n < 2)
		return 0;
	fputc('\n', to);
	return progress_print(r->progress, to, 6);
}

int inventory_print(const struct inventory_report *r, FILE *to)
{
	const struct inventory *v = r->inventory;
	size_t counts[INVENTORY_COLORS];
	int rc = shown_print(to, r->client);

	inventory_count(counts, v);
	fprintf(to, ": %zu objects are not the product's own: %zu green, %zu yellow, %zu red\n",
		counts[COLOR_GREEN] + counts[COLOR_YELLOW] + counts[COLOR_RED], counts[COLOR_GREEN],
		counts[COLOR_YELLOW], counts[COLOR_RED]);
	if (!r->vendor || !r->vendor->n_lists)
		fputs("No vendor list is configured, so objects cannot be attributed to the product or the client; see `inventory` in curfew.conf(5)\n",
			to);
	for (size_t i = 0; i < r->inventory->n_notices && !rc; i++) {
		fputs("decisions: ", to);
		rc = shown_print(to, r->inventory->notices[i]);
		fputc('\n', to);
	}
	if (!rc)
		rc = progress_part_print(r, to);
	fputc('\n', to);
	if (!rc)
		rc = databases_print(v, to);
	fputc('\n', to);
	if (!rc)
		rc = items_print(v, to);
	fputs("\nNo server records dynamic SQL or the queries of applications; ask the owner of each object before it is dropped.\n",
		to);
	return rc ? rc : ferror(to) ? -EIO : 0;
}

static int instant_cell(struct table *t, instant_t at)
{
	char text[INSTANT_TEXT_MAX];

	return table_cell(t, at ? instant_format(text, at) : NULL);
}

static int csv_row(struct table *t, const struct inventory_item *i)
{
	_cleanup_free_ char *risks = inventory_risk_text(i);
	const char *const start[] = {i->server, i->database, i->type, i->full,
		inventory_class_name(i->class), inventory_color_name(i->color), i->reason};
	const char *const end[] = {i->decision, i->replacement, i->owner, i->due, i->note};
	int rc = risks ? table_row(t, TONE_PLAIN) : -ENOMEM;

	for (size_t k = 0; k < ARRAY_SIZE(start) && !rc; k++)
		rc = table_cell(t, start[k]);
	if (!rc)
		rc = instant_cell(t, i->last);
	if (!rc)
		rc = instant_cell(t, i->watched);
	if (!rc)
		rc = instant_cell(t, i->created);
	if (!rc)
		rc = instant_cell(t, i->modified);
	if (!rc)
		rc = table_cellf(t, "%llu", (unsigned long long)i->rows);
	if (!rc)
		rc = table_cellf(t, "%llu", (unsigned long long)i->bytes);
	if (!rc)
		rc = table_cell(t, risks);
	if (!rc)
		rc = i->round ? table_cellf(t, "%zu", i->round) : table_cell(t, NULL);
	if (!rc)
		rc = i->cycle ? table_cellf(t, "%zu", i->cycle) : table_cell(t, NULL);
	for (size_t k = 0; k < ARRAY_SIZE(end) && !rc; k++)
		rc = table_cell(t, end[k]);
	return rc;
}

int inventory_print_csv(const struct inventory_report *r, FILE *to)
{
	static const struct table_column columns[] = {{"server", 0}, {"database", 0}, {"type", 0},
		{"object", 0}, {"class", 0}, {"color", 0}, {"evidence", 0}, {"last used", 0},
		{"watched since", 0}, {"created", 0}, {"modified", 0}, {"rows", 0}, {"bytes", 0},
		{"cloud", 0}, {"round", 0}, {"cycle", 0}, {"decision", 0}, {"replacement", 0},
		{"owner", 0}, {"due", 0}, {"note", 0}};
	const struct inventory *v = r->inventory;
	struct table *t;
	int rc = table_new(&t, columns, ARRAY_SIZE(columns), to, TABLE_NO_LIMIT);

	if (rc)
		return rc;
	for (size_t i = 0; i < v->n && !rc; i++)
		if (inventory_is_custom(&v->items[i]))
			rc = csv_row(t, &v->items[i]);
	if (!rc)
		rc = table_print_csv(t);
	table_free(t);
	return rc;
}
