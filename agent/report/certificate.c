/* The certificate of an end: each item of a client's access, verified as removed. */
#include "report/audit.h"
#include "curfew/progress.h"
#include "report/certificate_beside.h"
#include "report/certificate_custom.h"
#include "report/certificate_forgotten.h"
#include "report/certificate_waived.h"
#include "report/html.h"

#include "program/visible_text.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

/* Columns of a terminal and of a sheet of paper. */
#define PAGE 80

static const char *const kinds[] = {"login", "user", "session", "element"};
static const char *const kind_titles[] = {
	"Logins", "Database users", "Sessions", "Allowlist entries"};

static size_t kind_count(const struct certificate *c, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += streq(c->items[i].what, what);
	return n;
}

#define UNFILTERED "none; this host filters nothing"

/* Nothing was looked at, so nothing was verified. */
static bool is_unfiltered(const struct certificate *c, const char *what)
{
	return streq(what, "element") && !c->program->settings.firewall.enabled &&
	       !kind_count(c, what);
}

static const char *observation_of(const struct certificate_item *i)
{
	return i->observation ? i->observation : "-";
}

static const char *evidence_of(const struct certificate_item *i)
{
	return i->evidence ? i->evidence : "observed now";
}

static bool is_alike(const struct certificate_item *a, const struct certificate_item *b)
{
	return streq(a->what, b->what) && streq(observation_of(a), observation_of(b));
}

static int rows_print(const struct certificate *c, FILE *to, const struct certificate_item *first)
{
	static const struct table_column columns[] = {
		{"  NAME", 0}, {"WHERE", 0}, {"VERIFIED AT", 0}, {"RECORD", TABLE_RIGHT}};
	struct table *t;
	int rc = table_new(&t, columns, ARRAY_SIZE(columns), to, TABLE_NO_LIMIT);

	if (rc)
		return rc;
	for (size_t i = 0; i < c->n && !rc; i++) {
		const struct certificate_item *item = &c->items[i];
		char when[INSTANT_TEXT_MAX];

		if (!is_alike(item, first))
			continue;
		rc = table_row(t, TONE_PLAIN);
		if (!rc)
			rc = table_cellf(t, "  %s", item->name);
		if (!rc)
			rc = item->server && item->database
				     ? table_cellf(t, "%s/%s", item->server, item->database)
				     : table_cell(t, item->server);
		if (!rc)
			rc = table_cell(t, instant_format(when, item->at));
		if (!rc)
			rc = item->record ? table_cellf(t, "%lld", (long long)item->record)
					  : table_cell(t, evidence_of(item));
	}
	if (!rc)
		rc = table_print(t);
	table_free(t);
	return rc;
}

/* Groups items below the observation that verified them: a column for it would be too wide. */
static int kind_print(const struct certificate *c, FILE *to, const char *what)
{
	int rc = 0;

	for (size_t i = 0; i < c->n && !rc; i++) {
		bool told = !streq(c->items[i].what, what);

		for (size_t k = 0; k < i && !told; k++)
			told = is_alike(&c->items[k], &c->items[i]);
		if (told)
			continue;
		rc = text_print_broken(to, "  by: ", observation_of(&c->items[i]), PAGE);
		if (!rc)
			rc = rows_print(c, to, &c->items[i]);
	}
	return rc;
}

/* The hash gets a line of its own, because it is too long for the record's line. */
static void head_print(const struct certificate *c, FILE *to)
{
	char head[128], *hash;

	head_words(head, c->head, c->head_hash);
	hash = strchr(head, ' ') ? strrchr(head, ' ') : NULL;
	if (hash)
		*hash++ = '\0';
	fprintf(to, "journal head:   %s\n", head);
	if (hash)
		fprintf(to, "                %s\n", hash);
}

/* The client or user, and who approved the access. */
static void facts_print(const struct certificate *c, FILE *to)
{
	if (c->user)
		text_printf(to, "person:         %s%s%s <%s>\n", c->user->first,
			*c->user->last ? " " : "", c->user->last, c->user->email);
	if (c->login)
		text_printf(to, "login:          %s%s\n", c->login,
			c->user ? "" : " (no longer in the client's file)");
	text_printf(to, "ticket:         %s\n", c->client->ticket ? c->client->ticket : "-");
	text_printf(
		to, "approved by:    %s\n", c->client->approved_by ? c->client->approved_by : "-");
}

static const char *ended_text(char *buf, size_t size, const struct certificate *c)
{
	return c->ended ? instant_format_local(buf, size, c->ended, c->client->timezone)
			: "no record of access";
}

int certificate_print(const struct certificate *c, FILE *to)
{
	_cleanup_free_ char *name = text_shown(c->client->name);
	char when[64];
	int rc = 0;

	if (!name)
		return -ENOMEM;
	if (c->practice)
		fputs(PRACTICE_MARK "\n\n", to);
	fputs("CERTIFICATE OF ENDED SQL ACCESS\n\n", to);
	fprintf(to, "client:         %s\n", name);
	facts_print(c, to);
	fprintf(to, "scheduled end:  %s\n",
		instant_format_local(when, sizeof(when), c->scheduled_end, c->client->timezone));
	fprintf(to, "end confirmed:  %s\n", ended_text(when, sizeof(when), c));
	fprintf(to, "certified:      %s\n",
		instant_format_local(when, sizeof(when), c->at, c->client->timezone));
	if (c->host)
		text_printf(to, "by host:        %s\n", c->host);
	head_print(c, to);
	fprintf(to, "configuration:  %s\n", c->configuration ? c->configuration : "-");
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !rc; i++) {
		size_t n = kind_count(c, kinds[i]);

		if (is_unfiltered(c, kinds[i]))
			fprintf(to, "\n%s: " UNFILTERED "\n", kind_titles[i]);
		else
			fprintf(to, "\n%s verified as removed: %zu\n", kind_titles[i], n);
		if (n)
			rc = kind_print(c, to, kinds[i]);
	}
	if (!rc)
		rc = forgotten_print(c, to, PAGE);
	if (!rc)
		rc = beside_print(c, to, PAGE);
	if (!rc)
		rc = waived_print(c, to, PAGE);
	if (!rc)
		rc = custom_left_print(c, to, PAGE);
	if (!rc && c->lost.n) {
		fputc('\n', to);
		rc = lost_records_print(&c->lost, to);
	}
	return rc ? rc : ferror(to) ? -EIO : 0;
}

static void item_print(const struct certificate *c, const struct certificate_item *item, FILE *to)
{
	fputs("<tr>", to);
	html_cell(to, NULL, item->name);
	html_printf(to, "<td><bdi>%s</bdi>%s<bdi>%s</bdi></td>",
		item->server ? item->server : "\xe2\x80\x93", item->database ? " / " : "",
		item->database);
	html_instant_cell(to, item->at, c->client->timezone);
	html_cell(to, NULL, item->observation);
	if (item->record)
		html_printf(to, "<td class=\"n\">%lld</td></tr>\n", (long long)item->record);
	else
		html_printf(to, "<td>%s</td></tr>\n", evidence_of(item));
}

static void fact_print(FILE *to, const char *name, const char *value)
{
	html_printf(to, "<tr><th scope=\"row\">%s</th><td><bdi>%s</bdi></td></tr>\n", name, value);
}

/* The result in a few words. What was not looked for is never counted among what was checked. */
static void state_print(const struct certificate *c, FILE *to)
{
	size_t forgotten = forgotten_count(c), beside = certificate_beside(c);

	html_printf(to,
		"<section class=\"state %s\"><b>ended%s%s</b><span>All %zu logins, database users, %s of %s were checked after access ended. None exists.",
		beside || forgotten || c->lost.n ? "warn" : "good",
		beside ? ", not covered: access of others" : "",
		forgotten ? ", not looked for: forgotten places" : "", c->n - forgotten,
		is_unfiltered(c, "element") ? "and sessions" : "sessions, and allowlist entries",
		c->login ? c->login : "this client");
	if (forgotten)
		html_printf(to,
			" %zu more %s not looked for any more, by an operator's decision; see below.",
			forgotten, forgotten == 1 ? "is" : "are");
	if (beside)
		fputs(" Access of others was found beside it, and is not covered; see below.", to);
	fputs("</span></section>\n", to);
	lost_records_html(&c->lost, to);
	fputs("<table>\n", to);
}

int certificate_html(const struct certificate *c, FILE *to)
{
	const struct client *client = c->client;
	char when[64], head[128];

	html_begin(to, c->practice ? "PRACTICE: Certificate of ended SQL access"
				   : "Certificate of ended SQL access");
	/* position: fixed makes browsers print the mark on every page. */
	if (c->practice)
		fputs("<p class=\"practice\">" PRACTICE_MARK "</p>\n", to);
	html_printf(to,
		"<header><p class=\"soft\">Certificate of ended SQL access</p><h1><bdi>%s</bdi></h1></header>\n",
		client->name);
	state_print(c, to);
	fact_print(to, "Scheduled end",
		instant_format_local(when, sizeof(when), c->scheduled_end, client->timezone));
	fact_print(to, "End confirmed", ended_text(when, sizeof(when), c));
	fact_print(
		to, "Certified", instant_format_local(when, sizeof(when), c->at, client->timezone));
	if (c->user)
		html_printf(to,
			"<tr><th scope=\"row\">Person</th><td><bdi>%s%s%s</bdi>, <bdi>%s</bdi></td></tr>\n",
			c->user->first, *c->user->last ? " " : "", c->user->last, c->user->email);
	if (c->login)
		fact_print(to, "Login", c->login);
	fact_print(to, "Ticket", client->ticket);
	fact_print(to, "Approved by", client->approved_by);
	if (c->host)
		fact_print(to, "By host", c->host);
	fact_print(to, "Journal head", head_words(head, c->head, c->head_hash));
	fact_print(to, "Configuration", c->configuration);
	fputs("</table>\n", to);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n = kind_count(c, kinds[k]);

		if (is_unfiltered(c, kinds[k]))
			html_printf(to, "<h2>%s: " UNFILTERED "</h2>\n", kind_titles[k]);
		else
			html_printf(
				to, "<h2>%s verified as removed: %zu</h2>\n", kind_titles[k], n);
		if (!n)
			continue;
		fputs("<div class=\"wide\"><table><thead><tr><th>name</th><th>where</th><th>verified at</th>"
		      "<th>method</th><th class=\"n\">record</th></tr></thead><tbody>\n",
			to);
		for (size_t i = 0; i < c->n; i++)
			if (streq(c->items[i].what, kinds[k]))
				item_print(c, &c->items[i], to);
		fputs("</tbody></table></div>\n", to);
	}
	forgotten_html(c, to);
	beside_html(c, to);
	waived_html(c, to);
	custom_left_html(c, to);
	html_printf(to,
		"<footer><p>Made by Curfew %s. <code>record</code> is the journal record number. The head hash "
		"covers every record up to the head.</p></footer>\n",
		CURFEW_VERSION);
	return html_end(to);
}

static json_t *item_json(const struct certificate *c, const struct certificate_item *i)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "what",
		text_json(i->what), "name", text_json(i->name), "server", text_json(i->server),
		"database", text_json(i->database), "at", instant_json(i->at), "method",
		text_json(i->observation), "record",
		i->record ? json_integer(i->record) : json_null(), "evidence",
		i->record ? json_string("journal record") : text_json(evidence_of(i)), "practice",
		c->practice);
}

struct json_t *certificate_json(const struct certificate *c)
{
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	json_t *items = json_array();
	char name[512] = "";

	if (c->user)
		snprintf(name, sizeof(name), "%s%s%s", c->user->first, *c->user->last ? " " : "",
			c->user->last);
	for (size_t i = 0; items && i < c->n; i++) {
		if (json_array_append_new(items, item_json(c, &c->items[i]))) {
			json_decref(items);
			return NULL;
		}
	}
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:s}}",
		"client", text_json(c->client->name), "login", text_json(c->login), "user",
		text_json(c->user ? name : NULL), "email",
		text_json(c->user ? c->user->email : NULL), "ticket", text_json(c->client->ticket),
		"approved_by", text_json(c->client->approved_by), "practice", c->practice,
		"filtered", c->program->settings.firewall.enabled, "ended",
		c->ended ? instant_json(c->ended) : json_null(), "scheduled_end",
		instant_json(c->scheduled_end), "at", instant_json(c->at), "host",
		text_json(c->host), "configuration", text_json(c->configuration), "items", items,
		"equal_to_db_owner", waived_json(c), "not_covered", beside_json(c),
		"customizations", tally_json(c->custom), "missing", lost_records_json(&c->lost),
		"journal", "head", (json_int_t)c->head, "hash",
		sodium_bin2hex(hex, sizeof(hex), c->head_hash, JOURNAL_HASH_SIZE));
}
