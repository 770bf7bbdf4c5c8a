/* Full access that equals db_owner can leave more behind than it was granted. The certificate names these databases,
 * who accepted that, and the reasons. */
#include "report/certificate_waived.h"

#include "curfew/text.h"
#include "program/visible_text.h"
#include "report/html.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define TITLE "Databases where full access equaled db_owner, as was accepted"

static bool is_reason(
	const struct certificate *c, const struct database *d, const struct audit_finding *f)
{
	static const char *const checks[] = {"execute-as-closure", "queue-activation",
		"policy-unbound", "shared-owner", "job-closure", "trustworthy"};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (streq(f->name, checks[i]))
			return f->server && f->database && names_equal(f->database, d->name) &&
			       client_names_database(c->program, c->client, f->server, f->database);
	return false;
}

static const struct database *waived_next(const struct certificate *c, size_t *i)
{
	while (*i < c->client->n_databases) {
		const struct database *d = &c->client->databases[(*i)++];
		if (d->full_waiver.approved_by && d->server < c->program->n_servers)
			return d;
	}
	return NULL;
}

int waived_print(const struct certificate *c, FILE *to, size_t width)
{
	const struct database *d;
	int rc = 0;

	for (size_t i = 0, n = 0; !rc && (d = waived_next(c, &i)); n++) {
		if (!n)
			fprintf(to, "\n" TITLE ":\n");
		text_printf(to, "  %s/%s by %s (%s)\n", c->program->servers[d->server].name,
			d->name, d->full_waiver.approved_by, d->full_waiver.ticket);
		for (size_t k = 0; k < c->n_findings && !rc; k++)
			if (is_reason(c, d, &c->findings[k]))
				rc = text_print_broken(
					to, "    because: ", c->findings[k].evidence, width);
	}
	return rc;
}

void waived_html(const struct certificate *c, FILE *to)
{
	const struct database *d;
	size_t n = 0;

	for (size_t i = 0; (d = waived_next(c, &i)); n++) {
		if (!n)
			fputs("<h2>" TITLE "</h2>\n<ul>\n", to);
		html_printf(to,
			"<li><bdi>%s</bdi> / <bdi>%s</bdi> by <bdi>%s</bdi> (<bdi>%s</bdi>)",
			c->program->servers[d->server].name, d->name, d->full_waiver.approved_by,
			d->full_waiver.ticket);
		for (size_t k = 0; k < c->n_findings; k++)
			if (is_reason(c, d, &c->findings[k]))
				html_printf(
					to, "<br>because: <bdi>%s</bdi>", c->findings[k].evidence);
		fputs("</li>\n", to);
	}
	if (n)
		fputs("</ul>\n", to);
}

static json_t *reasons_json(const struct certificate *c, const struct database *d)
{
	json_t *reasons = json_array();

	for (size_t k = 0; reasons && k < c->n_findings; k++)
		if (is_reason(c, d, &c->findings[k]) &&
			json_array_append_new(reasons, text_json(c->findings[k].evidence))) {
			json_decref(reasons);
			return NULL;
		}
	return reasons;
}

json_t *waived_json(const struct certificate *c)
{
	json_t *all = json_array();
	const struct database *d;

	for (size_t i = 0; all && (d = waived_next(c, &i));)
		if (json_array_append_new(
			    all, json_pack("{s:o, s:o, s:o, s:o, s:o}", "server",
					 text_json(c->program->servers[d->server].name), "database",
					 text_json(d->name), "approved_by",
					 text_json(d->full_waiver.approved_by), "ticket",
					 text_json(d->full_waiver.ticket), "because",
					 reasons_json(c, d)))) {
			json_decref(all);
			return NULL;
		}
	return all;
}
