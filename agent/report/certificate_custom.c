/* What remains of the customizations after access has ended: a certificate gives the numbers, and names the report that
 * lists the objects. */
#include "report/certificate_custom.h"
#include "curfew/progress.h"
#include "program/visible_text.h"
#include "report/html.h"

#define TITLE "Customizations that remain"

int custom_left_print(const struct certificate *c, FILE *to, size_t width)
{
	char words[TALLY_WORDS_MAX], when[INSTANT_TEXT_MAX], text[TALLY_WORDS_MAX + 128];

	if (!c->custom)
		return 0;
	snprintf(text, sizeof(text), "%s (sampled %s)",
		tally_words(words, c->custom, c->client, c->at),
		instant_format(when, c->custom->at));
	text_break(text, width - 2);
	fputs("\n" TITLE ":\n", to);
	for (char *line = text, *start = text; line; start = line) {
		strsep(&line, "\n");
		fprintf(to, "  %s\n", start);
	}
	text_printf(to, "  The objects: `curfew inventory %s --html FILE`\n", c->client->name);
	return 0;
}

void custom_left_html(const struct certificate *c, FILE *to)
{
	char words[TALLY_WORDS_MAX];

	if (!c->custom)
		return;
	html_printf(to, "<h2>" TITLE "</h2>\n<p>%s. Sampled ",
		tally_words(words, c->custom, c->client, c->at));
	html_printf(to,
		"%s; the objects are listed by <code>curfew inventory <bdi>%s</bdi> --html</code>.</p>\n",
		instant_format(words, c->custom->at), c->client->name);
}
