/* The inventory made readable: for a terminal, a spreadsheet, a program, and a browser. Pure. */
#ifndef CURFEW_INVENTORY_REPORT_H
#define CURFEW_INVENTORY_REPORT_H

#include "curfew/inventory.h"

struct json_t; /* jansson's */

struct inventory_report {
	const struct inventory *inventory;
	const struct vendor *vendor; /* or NULL */
	const char *client, *zone;
	bool practice;
};

/* How many custom things have each color. */
void inventory_count(size_t counts[INVENTORY_COLORS], const struct inventory *v);
/* The names of an item's risks, with commas; "" for none. Owned; NULL without memory. */
char *inventory_risk_text(const struct inventory_item *i);

/* What is not the product's own, the state of each database first. 0 or negative errno. */
int inventory_print(const struct inventory_report *r, FILE *to);
/* The list that goes back and forth: what people write into its last columns comes back. */
int inventory_print_csv(const struct inventory_report *r, FILE *to);
struct json_t *inventory_json(const struct inventory_report *r);
/* One self-contained file: no script, nothing from elsewhere. */
int inventory_html(const struct inventory_report *r, FILE *to);

#endif
