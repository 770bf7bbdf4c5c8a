/* After `curfew forget` nobody looks at a place again, so nobody knows what is left there. The certificate says so,
 * with the reason, and counts none of it among what is verified. */
#include "report/certificate_forgotten.h"

#include "curfew/calendar.h"
#include "curfew/text.h"
#include "program/visible_text.h"
#include "report/html.h"

#include <string.h>

#define TITLE "Not looked for any more, by `curfew forget`, and not verified as removed"

static const struct certificate_item *forgotten_next(const struct certificate *c, size_t *i)
{
	while (*i < c->n)
		if (streq(c->items[(*i)++].what, CERTIFICATE_FORGOTTEN))
			return &c->items[*i - 1];
	return NULL;
}

size_t forgotten_count(const struct certificate *c)
{
	size_t n = 0;

	for (size_t i = 0; forgotten_next(c, &i);)
		n++;
	return n;
}

int forgotten_print(const struct certificate *c, FILE *to, size_t width)
{
	const struct certificate_item *item;
	char when[INSTANT_TEXT_MAX];
	int rc = 0;

	if (forgotten_count(c))
		fprintf(to, "\n" TITLE ": %zu\n", forgotten_count(c));
	for (size_t i = 0; !rc && (item = forgotten_next(c, &i));) {
		text_printf(to, "  %s on %s%s%s\n", item->name, item->server,
			item->database ? "/" : "", item->database ? item->database : "");
		text_printf(to, "    %s, %s\n", instant_format(when, item->at), item->evidence);
		rc = text_print_broken(to, "    because: ", item->observation, width);
	}
	return rc;
}

void forgotten_html(const struct certificate *c, FILE *to)
{
	const struct certificate_item *item;
	char when[64];

	if (!forgotten_count(c))
		return;
	html_printf(to, "<h2>" TITLE ": %zu</h2>\n<ul>\n", forgotten_count(c));
	for (size_t i = 0; (item = forgotten_next(c, &i));)
		html_printf(to,
			"<li><bdi>%s</bdi> on <bdi>%s</bdi>%s<bdi>%s</bdi>: %s, <bdi>%s</bdi>, because: "
			"<bdi>%s</bdi></li>\n",
			item->name, item->server, item->database ? " / " : "", item->database,
			instant_format_local(when, sizeof(when), item->at, c->client->timezone),
			item->evidence, item->observation);
	fputs("</ul>\n", to);
}
