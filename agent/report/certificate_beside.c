/* A certificate is about the users that Curfew made. Somebody with full access may have made others, whom Curfew leaves
 * alone: a user with its own password still signs in after the end. So the certificate names what the audit found. */
#include "report/certificate_beside.h"

#include "curfew/text.h"
#include "program/visible_text.h"
#include "report/html.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define TITLE	 "Not covered: access of others, by the audit that this certificate made"
#define NONE	 "None was found."
#define NOT_READ "not read: "
#define NOT_SEARCHED                                                                               \
	"not searched for access of others: the database is no longer in the configuration"

/* Checks that find a principal which signs in by itself, one as whom any later login may sign in, or permissions that one
 * holds; and what runs on the server as a sysadmin, or as whoever comes by, for that may let anybody in. Code in the
 * client's databases is a matter of the audit: applications have such code of their own. */
static const char *const checks[] = {"contained-user", "application-role", "guest-connect",
	"orphaned-user", "adopted-user", "new-owner", "changed-login", "changed-password",
	"changed-setting", "linked-login", "new-linked-login", "startup-procedure",
	"server-trigger", "new-server-module", "changed-server-module", "agent-job", "new-job",
	"changed-job", "new-alert", "changed-alert", "changed-proxy", "new-endpoint",
	"changed-endpoint", "new-credential", "changed-credential", "new-principal",
	"replaced-principal", "renamed-user", "new-member", "new-permission", "new-login",
	"new-server-member", "new-server-permission", "server-grant", "server-role-nested",
	"server-role-member", "server-permission", "database-owner", "extra-role",
	"extra-permission", "stale-user", "stale-login", "hiding-denial", AUDIT_NOT_SHOWN};

/* `also` has the other checks that found the same: "new-principal, new-member". */
static bool list_has(const char *list, const char *name)
{
	for (size_t n; list && *list; list += n + strspn(list + n, ", ")) {
		n = strcspn(list, ",");
		if (n == strlen(name) && strncmp(list, name, n) == 0)
			return true;
	}
	return false;
}

static bool is_not_read(const struct audit_finding *f)
{
	return streq(f->name, AUDIT_NOT_SHOWN);
}

static bool is_beside(const struct audit_finding *f)
{
	/* Of the packet filter and of single users the certificate has items of its own. */
	if (is_not_read(f) && (f->login || !f->server || streq(f->server, JOURNAL_NETWORK)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (list_has(f->name, checks[i]) || list_has(f->also, checks[i]))
			return true;
	return false;
}

/* As in an audit, low ones are shown and fail nothing: logins of others are common on a server. */
static bool is_open(const struct audit_finding *f)
{
	return is_beside(f) && !f->accepted && (f->severity > FINDING_LOW || is_not_read(f));
}

size_t certificate_beside(const struct certificate *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_findings; i++)
		n += is_open(&c->findings[i]);
	return n;
}

bool certificate_beside_is_unread(const struct certificate *c)
{
	for (size_t i = 0; i < c->n_findings; i++)
		if (is_open(&c->findings[i]) && is_not_read(&c->findings[i]))
			return true;
	return false;
}

static const struct audit_finding *finding_next(const struct certificate *c, size_t *i)
{
	while (*i < c->n_findings)
		if (is_beside(&c->findings[(*i)++]))
			return &c->findings[*i - 1];
	return NULL;
}

/* A place that only the journal names: no audit looks there for anybody else. */
static bool is_unsearched(const struct certificate *c, size_t i)
{
	const struct certificate_item *item = &c->items[i];

	if (!c->program || !item->server || !item->database ||
		client_names_database(c->program, c->client, item->server, item->database))
		return false;
	for (size_t k = 0; k < i; k++)
		if (c->items[k].database && streq(c->items[k].server, item->server) &&
			names_equal(c->items[k].database, item->database))
			return false;
	return true;
}

static const struct certificate_item *unsearched_next(const struct certificate *c, size_t *i)
{
	while (*i < c->n)
		if (is_unsearched(c, (*i)++))
			return &c->items[*i - 1];
	return NULL;
}

static const char *evidence_of(const struct audit_finding *f)
{
	return f->evidence ? f->evidence : "-";
}

static void place_print(FILE *to, const char *server, const char *database)
{
	text_printf(to, "  %s%s%s", server ? server : "-", database ? "/" : "",
		database ? database : "");
}

static int finding_print(const struct audit_finding *f, FILE *to, size_t width)
{
	int rc;

	place_print(to, f->server, f->database);
	text_printf(to, ": %s%s%s (%s, %s)\n", f->name, f->also ? ", " : "", f->also ? f->also : "",
		finding_severity_name(f->severity), f->id);
	rc = text_print_broken(
		to, is_not_read(f) ? "    " NOT_READ : "    ", evidence_of(f), width);
	if (!rc && f->accepted)
		text_printf(to, "    accepted until %s by %s: %s\n", f->accepted->after,
			f->accepted->actor ? f->accepted->actor : "?",
			f->accepted->reason ? f->accepted->reason : "?");
	return rc;
}

int beside_print(const struct certificate *c, FILE *to, size_t width)
{
	const struct certificate_item *item;
	const struct audit_finding *f;
	size_t n = 0;
	int rc = 0;

	fputs("\n" TITLE ":\n", to);
	for (size_t i = 0; !rc && (f = finding_next(c, &i)); n++)
		rc = finding_print(f, to, width);
	for (size_t i = 0; !rc && (item = unsearched_next(c, &i)); n++) {
		place_print(to, item->server, item->database);
		fputs(":\n", to);
		rc = text_print_broken(to, "    ", NOT_SEARCHED, width);
	}
	if (!n)
		fputs("  " NONE "\n", to);
	if (certificate_beside(c))
		text_printf(to, "  What removes it: `curfew audit %s`\n", c->client->name);
	return rc;
}

static void finding_html(const struct audit_finding *f, FILE *to)
{
	html_printf(to, "<li><bdi>%s</bdi>%s<bdi>%s</bdi>: %s%s%s (%s, %s): %s<bdi>%s</bdi>",
		f->server, f->database ? " / " : "", f->database, f->name, f->also ? ", " : "",
		f->also, finding_severity_name(f->severity), f->id, is_not_read(f) ? NOT_READ : "",
		evidence_of(f));
	if (f->accepted)
		html_printf(to, "<br><b>accepted</b> until %s by <bdi>%s</bdi>: <bdi>%s</bdi>",
			f->accepted->after, f->accepted->actor, f->accepted->reason);
	fputs("</li>\n", to);
}

void beside_html(const struct certificate *c, FILE *to)
{
	const struct certificate_item *item;
	const struct audit_finding *f;
	size_t n = 0;

	fputs("<h2>" TITLE "</h2>\n<ul>\n", to);
	for (size_t i = 0; (f = finding_next(c, &i)); n++)
		finding_html(f, to);
	for (size_t i = 0; (item = unsearched_next(c, &i)); n++)
		html_printf(to, "<li><bdi>%s</bdi> / <bdi>%s</bdi>: " NOT_SEARCHED "</li>\n",
			item->server, item->database);
	if (!n)
		fputs("<li>" NONE "</li>\n", to);
	fputs("</ul>\n", to);
	if (certificate_beside(c))
		html_printf(to, "<p>What removes it: <code>curfew audit <bdi>%s</bdi></code></p>\n",
			c->client->name);
}

static json_t *finding_json(const struct audit_finding *f)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		text_json(f->name), "also", text_json(f->also), "severity",
		text_json(finding_severity_name(f->severity)), "server", text_json(f->server),
		"database", text_json(f->database), "evidence", text_json(f->evidence), "remedy",
		text_json(f->remedy), "id", text_json(f->id), "accepted_until",
		text_json(f->accepted ? f->accepted->after : NULL), "accepted_by",
		text_json(f->accepted ? f->accepted->actor : NULL), "accepted_because",
		text_json(f->accepted ? f->accepted->reason : NULL));
}

json_t *beside_json(const struct certificate *c)
{
	json_t *all = json_array(), *places = json_array();
	const struct certificate_item *item;
	const struct audit_finding *f;
	bool failed = !all || !places;

	for (size_t i = 0; !failed && (f = finding_next(c, &i));)
		failed = json_array_append_new(all, finding_json(f));
	for (size_t i = 0; !failed && (item = unsearched_next(c, &i));)
		failed = json_array_append_new(
			places, json_pack("{s:o, s:o}", "server", text_json(item->server),
					"database", text_json(item->database)));
	if (failed) {
		json_decref(all);
		json_decref(places);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "found", all, "not_searched", places);
}
