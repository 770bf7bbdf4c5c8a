/* The inventory as text, CSV, JSON, and HTML. Pure. */
#ifndef CURFEW_INVENTORY_REPORT_H
#define CURFEW_INVENTORY_REPORT_H

#include "curfew/inventory.h"
#include "curfew/progress.h"

struct json_t; /* jansson's */

struct inventory_report {
	const struct inventory *inventory;
	const struct vendor *vendor; /* or NULL */
	const char *client, *zone;
	const struct client *about;	 /* whose go-live counts; or NULL */
	const struct progress *progress; /* or NULL */
	bool practice;
};

/* Numbers of custom objects by color. */
void inventory_count(size_t counts[INVENTORY_COLORS], const struct inventory *v);
/* Names of an item's risks, separated by commas; "" if none. Owned; NULL without memory. */
char *inventory_risk_text(const struct inventory_item *i);

/* Objects that are not the product's own; the state of each database first. 0 or negative errno. */
int inventory_print(const struct inventory_report *r, FILE *to);
/* The list for people's decisions: inventory_decide() reads its last columns back. */
int inventory_print_csv(const struct inventory_report *r, FILE *to);
struct json_t *inventory_json(const struct inventory_report *r);
/* One self-contained file, without scripts or external references. */
int inventory_html(const struct inventory_report *r, FILE *to);

#endif
