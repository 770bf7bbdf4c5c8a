/* Converts the rows of an inventory into records, column by column; inventory_read.h lists the letters of a form. */
#include <errno.h>
#include <string.h>

#include "visit/inventory_read.h"
#include "sql/name.h"
#include "sql/rows.h"

#define PAGE_BYTES 8192
/* The bytes of a hash, as text. */
#define HASH_BYTES_MAX 64

static const char *kind_word(const struct sql_value *v)
{
	static const struct {
		const char *code, *word;
	} kinds[] = {{"U", "table"}, {"V", "view"}, {"P", "procedure"}, {"FN", "function"},
		{"IF", "function"}, {"TF", "function"}, {"TR", "trigger"}, {"SO", "sequence"},
		{"SN", "synonym"}, {"SQ", "queue"}, {"PC", "procedure"}, {"FS", "function"},
		{"FT", "function"}, {"TA", "trigger"}, {"AF", "aggregate"},
		{"X", "extended-procedure"}};
	_cleanup_free_ char *code = row_text(v);

	for (size_t i = 0; code && i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].code, code))
			return kinds[i].word;
	return NULL;
}

/* Of assemblies (CLR), and of functions whose use the server counts: only scalar ones. */
static const char *kind_facts(const struct sql_value *v)
{
	_cleanup_free_ char *code = row_text(v);

	if (!code)
		return "";
	if (streq(code, "PC") || streq(code, "FS") || streq(code, "FT") || streq(code, "TA") ||
		streq(code, "AF"))
		return " clr";
	return streq(code, "IF") || streq(code, "TF") ? " table-valued" : "";
}

static void text_append(char *field, size_t size, const char *more)
{
	size_t used = strnlen(field, size);

	record_set(field + used, size - used, more);
}
#define APPEND(r, field, text) text_append((r)->field, sizeof((r)->field), (text))

/* Adds one word, whatever spaces the column has around it. */
static void facts_add(char *field, size_t size, const char *words)
{
	while (*words == ' ')
		words++;
	if (*words && *field)
		text_append(field, size, " ");
	text_append(field, size, words);
}

/* Two names that differ by halves of surrogates alone would look the same: the bytes tell them apart. */
static int name_set(char *field, size_t size, bool *whole, const struct sql_value *v)
{
	_cleanup_free_ char *name = NULL;

	if (!row_name(&name, v))
		return v->size % 2 ? -EBADMSG : -ENOMEM;
	record_set(field, size, name);
	if (name_is_whole(name))
		return 0;
	*whole = false;
	text_append(field, size, " 0x");
	for (size_t i = 0; i < v->size; i++) {
		char digits[3];
		snprintf(digits, sizeof(digits), "%02X", (unsigned char)v->data[i]);
		text_append(field, size, digits);
	}
	return 0;
}
#define NAME_SET(field, whole, v) name_set((field), sizeof(field), (whole), (v))

static instant_t ago(instant_t now, const struct sql_value *v)
{
	int64_t age = row_number(v);

	if (!v->data || age > now)
		return 0;
	return age < 0 ? now : now - age;
}

static void hash_append(struct record *r, const struct sql_value *v)
{
	for (size_t i = 0; v->data && i < v->size && i < HASH_BYTES_MAX; i++) {
		char digits[3];
		snprintf(digits, sizeof(digits), "%02X", (unsigned char)v->data[i]);
		APPEND(r, item.hash, digits);
	}
}

static uint64_t count_of(const struct sql_value *v)
{
	int64_t n = row_number(v);

	return n < 0 ? 0 : (uint64_t)n;
}

static int item_letter(
	struct record *r, char letter, bool *whole, instant_t now, const struct sql_value *v)
{
	_cleanup_free_ char *text = strchr("Ha", letter) ? row_text(v) : NULL;
	const char *word;

	switch (letter) {
	case 'i':
		r->item.id = count_of(v);
		return 0;
	case 'p':
		r->item.parent = count_of(v);
		return 0;
	case 'x': /* an index is told from others of its table by its own number */
		r->item.id = count_of(v);
		return 0;
	case 'o':
		r->item.refers = count_of(v);
		return 0;
	case 'S':
		return NAME_SET(r->item.schema, whole, v);
	case 'N':
		return NAME_SET(r->item.name, whole, v);
	case 't':
		return NAME_SET(r->item.target, whole, v);
	case 'k':
		word = kind_word(v);
		if (!word)
			return -EBADMSG;
		RECORD_SET(r, item.type, word);
		facts_add(r->item.facts, sizeof(r->item.facts), kind_facts(v));
		return 0;
	case 'h':
		hash_append(r, v);
		return 0;
	case 'H':
		if (text && *text)
			facts_add(r->item.hash, sizeof(r->item.hash), text);
		return 0;
	case 'a':
		facts_add(r->item.facts, sizeof(r->item.facts), text ? text : "");
		return 0;
	case 'c':
		r->item.created = ago(now, v);
		return 0;
	case 'm':
		r->item.modified = ago(now, v);
		return 0;
	default:
		return -EINVAL;
	}
}

static int use_letter(struct record *r, char letter, instant_t now, const struct sql_value *v)
{
	instant_t at;

	switch (letter) {
	case 'i':
		r->use.id = count_of(v);
		return 0;
	case 'x':
		r->use.index = count_of(v);
		return 0;
	case 'u':
		r->use.count = count_of(v);
		return 0;
	case 'l':
		at = ago(now, v);
		r->use.last = at > r->use.last ? at : r->use.last;
		return 0;
	case 'w':
		r->use.written = ago(now, v);
		return 0;
	case 'r':
		r->use.rows = count_of(v);
		return 0;
	case 'b':
		r->use.bytes = count_of(v) * PAGE_BYTES;
		return 0;
	default:
		return -EINVAL;
	}
}

static int reference_letter(struct record *r, char letter, const struct sql_value *v)
{
	struct record_reference *f = &r->reference;
	bool whole;

	switch (letter) {
	case 'i':
		f->from = count_of(v);
		return 0;
	case 'o':
		f->to = count_of(v);
		return 0;
	case 'W':
		return NAME_SET(f->server, &whole, v);
	case 'D':
		return NAME_SET(f->database, &whole, v);
	case 'S':
		return NAME_SET(f->schema, &whole, v);
	case 'N':
		return NAME_SET(f->name, &whole, v);
	case 'a': {
		_cleanup_free_ char *text = row_text(v);
		facts_add(f->facts, sizeof(f->facts), text ? text : "");
		return 0;
	}
	default:
		return -EINVAL;
	}
}

static int coverage_letter(struct record *r, char letter, instant_t now, const struct sql_value *v)
{
	instant_t *since = &r->coverage.since, at = letter == 's' ? 0 : ago(now, v);

	switch (letter) {
	case 's':
		r->coverage.seen = count_of(v) ? ANSWER_YES : ANSWER_NO;
		return 0;
	case 'g':
		*since = at;
		return 0;
	case 'e':
		*since = at && (!*since || at < *since) ? at : *since;
		return 0;
	case 'b':
		*since = *since && at > *since ? at : *since;
		return 0;
	default:
		return -EINVAL;
	}
}

int inventory_row_take(struct record *r, const struct inventory_question *q, instant_t now,
	const struct sql_value *v, int n)
{
	bool whole = true;
	int rc = 0;

	if (n != (int)strlen(q->form))
		return -EBADMSG;
	r->kind = q->makes;
	if (q->makes == RECORD_ITEM)
		RECORD_SET(r, item.type, q->name);
	else if (q->makes == RECORD_USE)
		RECORD_SET(r, use.source, q->name);
	else if (q->makes == RECORD_REFERENCE)
		RECORD_SET(r, reference.how, q->name);
	else
		RECORD_SET(r, coverage.part, q->name);
	for (int i = 0; i < n && !rc; i++) {
		char letter = q->form[i];
		rc = q->makes == RECORD_ITEM	    ? item_letter(r, letter, &whole, now, &v[i])
		     : q->makes == RECORD_USE	    ? use_letter(r, letter, now, &v[i])
		     : q->makes == RECORD_REFERENCE ? reference_letter(r, letter, &v[i])
						    : coverage_letter(r, letter, now, &v[i]);
	}
	if (q->makes == RECORD_ITEM)
		r->item.writable = whole ? ANSWER_YES : ANSWER_NO;
	return rc;
}
