/* Prints journal records for people: what happened to whom and where, then who asked and why, the statement, and its
 * result. An outcome is printed together with its intent. */
#include "curfew/report.h"
#include "curfew/text.h"

#include "program/visible_text.h"

#include <errno.h>
#include <string.h>
#include <wchar.h>

#define WIDTH_LEAST 60

struct page {
	FILE *to;
	size_t width;  /* TABLE_NO_LIMIT: no line breaks */
	size_t indent; /* of a record's lines after the first */
	int digits;    /* of the largest record number */
};

/* Returns the text up to the next space, escaped, and its width on the terminal. */
static size_t word_take(char **word, const char **text)
{
	const char *p = *text;
	size_t cells = 0;
	char *to = malloc(strcspn(p, " ") * TEXT_SHOWN_MAX + 1);

	*word = to;
	while (to && *p && *p != ' ') {
		uint32_t c = text_next(&p);
		size_t n = text_put_shown(to, c);
		int width = n > 4 ? (int)n : wcwidth((wchar_t)c);

		to += n;
		cells += width < 0 ? 1 : (size_t)width;
	}
	if (to)
		*to = '\0';
	*text = p;
	return cells;
}

/* Continues at `column` and breaks between words. A word that is longer than a line is left to the terminal. */
static int words_print(const struct page *page, const char *text, size_t column)
{
	bool first = true;

	while (*text) {
		_cleanup_free_ char *word = NULL;
		size_t spaces = strspn(text, " "), cells;

		text += spaces;
		cells = word_take(&word, &text);
		if (!word)
			return -ENOMEM;
		if (!first && column + spaces + cells > page->width) {
			fprintf(page->to, "\n%*s", (int)page->indent, "");
			column = page->indent;
			spaces = 0;
		}
		fprintf(page->to, "%*s%s", (int)spaces, "", word);
		column += spaces + cells;
		first = false;
	}
	return 0;
}

static int line_print(const struct page *page, const char *text)
{
	fprintf(page->to, "\n%*s", (int)page->indent, "");
	return words_print(page, text, page->indent);
}

/* The login, and the client if the login does not contain its name. */
static void subject_write(FILE *to, const struct journal_entry *e)
{
	bool state = e->kind == JOURNAL_ACCESS || e->kind == JOURNAL_PROOF;
	const char *who = e->login ? e->login : e->client;
	size_t n = e->client ? strlen(e->client) : 0;

	if (who)
		fprintf(to, "%s %s", state ? " for" : "", who);
	if (e->login && n && (strncmp(e->login, e->client, n) != 0 || e->login[n] != '.'))
		fprintf(to, " of %s", e->client);
	if (e->server)
		fprintf(to, " on %s%s%s", e->server, e->database ? " / " : "",
			e->database ? e->database : "");
}

static bool went_well(const char *outcome)
{
	return !outcome || streq(outcome, "done") || is_verified(outcome);
}

/* Network access, and what the server shows besides the level. */
static void access_way_write(FILE *to, const struct journal_entry *e)
{
	bool none = !e->level || streq(e->level, level_name(LEVEL_NONE));

	if (e->kind != JOURNAL_ACCESS || (none && (!e->outcome || is_verified(e->outcome))))
		return;
	if (e->outcome && !is_verified(e->outcome))
		fprintf(to, "; SQL: %s", e->outcome);
	fputs(access_is_plain(e) ? " from " : "; network: ", to);
	access_network_write(to, e);
}

static void headline_write(
	FILE *to, const struct journal_entry *e, const struct journal_entry *outcome)
{
	char until[INSTANT_TEXT_MAX];

	if (e->kind == JOURNAL_ACCESS || e->kind == JOURNAL_PROOF)
		fprintf(to, "%s: %s", journal_kind_name(e->kind), e->level ? e->level : "?");
	else
		fputs(e->action ? e->action : journal_kind_name(e->kind), to);
	subject_write(to, e);
	if (e->kind == JOURNAL_ACCESS && e->level && !streq(e->level, "none"))
		fprintf(to, " until %s", instant_format(until, e->until));
	access_way_write(to, e);
	if (outcome)
		fprintf(to, ": %s (%lld)", outcome->outcome ? outcome->outcome : "?",
			(long long)outcome->id);
	else if (e->outcome && e->kind != JOURNAL_ACCESS)
		fprintf(to, ": %s", e->outcome);
	else if (e->kind == JOURNAL_INTENT)
		fputs(": intended", to);
	if (outcome && outcome->at != e->at)
		fprintf(to, " at %s", instant_format(until, outcome->at));
}

/* "by root (uid 0): a laptop was stolen" */
static void why_write(FILE *to, const struct journal_entry *e, const struct journal_entry *outcome)
{
	(void)outcome; /* printed with the intent */
	if (e->actor)
		fprintf(to, "by %s", e->actor);
	if (e->reason)
		fprintf(to, "%s%s", e->actor ? ": " : "because: ", e->reason);
	if (e->kind != JOURNAL_ACCESS && (e->before || e->after))
		fprintf(to, "%sfrom %s to %s", e->actor || e->reason ? "; " : "",
			e->before ? e->before : "-", e->after ? e->after : "-");
}

typedef void (*write_fn)(FILE *to, const struct journal_entry *e, const struct journal_entry *o);

static int written(char **out, write_fn write, const struct journal_entry *e,
	const struct journal_entry *outcome)
{
	struct text text;

	if (text_begin(&text))
		write(text.to, e, outcome);
	*out = text_end(&text);
	return *out ? 0 : -ENOMEM;
}

static int entry_print(
	const struct page *page, const struct journal_entry *e, const struct journal_entry *outcome)
{
	_cleanup_free_ char *headline = NULL, *why = NULL;
	bool well = went_well(e->outcome) && (!outcome || went_well(outcome->outcome));
	bool color = style_wanted(page->to);
	char at[INSTANT_TEXT_MAX];
	int rc = written(&headline, headline_write, e, outcome);

	if (!rc)
		rc = written(&why, why_write, e, NULL);
	if (rc)
		return rc;
	fprintf(page->to, "%*lld  %s  ", page->digits, (long long)e->id, instant_format(at, e->at));
	fputs(style_begin(color, well ? TONE_BOLD : TONE_BAD), page->to);
	rc = words_print(page, headline, page->indent + strlen(at) + 2);
	fputs(style_end(color, well ? TONE_BOLD : TONE_BAD), page->to);
	if (!rc && *why)
		rc = line_print(page, why);
	if (!rc && e->statement)
		rc = line_print(page, e->statement);
	if (!rc && e->detail)
		rc = line_print(page, e->detail);
	if (!rc && outcome && outcome->detail && (!e->detail || !streq(outcome->detail, e->detail)))
		rc = line_print(page, outcome->detail);
	fputc('\n', page->to);
	return rc;
}

static int id_compare(const void *item, const void *id)
{
	const struct journal_entry *e = item;
	const int64_t *wanted = id;

	return (e->id > *wanted) - (e->id < *wanted);
}

/* The index of this outcome's intent in the list, which is sorted by number; SIZE_MAX: none. */
static size_t intent_find(
	const struct journal_entry *items, size_t n, const struct journal_entry *outcome)
{
	if (outcome->kind != JOURNAL_OUTCOME || !outcome->intent)
		return SIZE_MAX;
	size_t at = array_first(items, n, sizeof(*items), &outcome->intent, id_compare);
	return at < n && items[at].id == outcome->intent ? at : SIZE_MAX;
}

int entries_print(const struct journal_entry *items, size_t n, FILE *to, size_t width)
{
	struct page page = {.to = to, .width = width ? width : terminal_width(to)};
	_cleanup_free_ const struct journal_entry **outcomes = NULL;
	int rc = 0;

	if (!n)
		return 0;
	outcomes = calloc(n, sizeof(*outcomes));
	if (!outcomes)
		return -ENOMEM;
	if (!page.width)
		page.width = TABLE_NO_LIMIT;
	if (page.width < WIDTH_LEAST)
		page.width = WIDTH_LEAST;
	page.digits = snprintf(NULL, 0, "%lld", (long long)items[n - 1].id);
	page.indent = (size_t)page.digits + 2;
	for (size_t i = 0; i < n; i++) {
		size_t intent = intent_find(items, n, &items[i]);

		if (intent != SIZE_MAX)
			outcomes[intent] = &items[i];
	}
	for (size_t i = 0; i < n && !rc; i++)
		if (intent_find(items, n, &items[i]) == SIZE_MAX)
			rc = entry_print(&page, &items[i], outcomes[i]);
	return rc ? rc : ferror(to) ? -EIO : 0;
}
