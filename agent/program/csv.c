/* Reads CSV as spreadsheets write it. */
#include "program/csv.h"
#include "program/names.h"
#include "curfew/program.h"
#include "curfew/text.h"

#include <string.h>

void csv_clear(struct csv *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->fields[i]);
	c->n = 0;
}

void csv_begin(struct csv *c, const char *text)
{
	text += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	size_t first = strcspn(text, ",;\t\n");

	*c = (struct csv){.at = text,
		.line = 1,
		.separator = text[first] && text[first] != '\n' ? text[first] : ','};
}

/* By RFC 4180: within quotes, separators and newlines are text, and two quotes mean one. NULL: out of memory, or the
 * closing quote is missing. */
static char *field_take(struct csv *c)
{
	bool quoted = *c->at == '"';
	struct text text;

	if (!text_begin(&text))
		return NULL;
	c->at += quoted;
	while (*c->at) {
		if (quoted && *c->at == '"' && c->at[1] != '"')
			break;
		if (!quoted && (*c->at == c->separator || *c->at == '\n' || *c->at == '\r'))
			break;
		c->at += quoted && *c->at == '"';
		c->line += *c->at == '\n';
		fputc(*c->at++, text.to);
	}
	if (quoted && *c->at != '"') {
		text_drop(&text);
		return NULL;
	}
	c->at += quoted;
	return text_end(&text);
}

bool csv_row(struct csv *c, char why[256])
{
	c->row = c->line;
	csv_clear(c);
	if (!*c->at)
		return false;
	do {
		c->at += c->n > 0;
		if (c->n == CSV_FIELDS_MAX - 1) {
			snprintf(why, 256, "line %d: more fields than a table may have columns",
				c->row);
			return false;
		}
		c->fields[c->n] = field_take(c);
		if (!c->fields[c->n]) {
			snprintf(why, 256,
				"line %d: a field begins with a quote and has no closing one; add it, and write a quote within a "
				"field twice",
				c->row);
			return false;
		}
		c->n++;
	} while (*c->at == c->separator);
	c->at += *c->at == '\r';
	if (*c->at && *c->at != '\n') {
		snprintf(why, 256,
			"line %d: text behind closing quotes; write a quote within a field twice",
			c->row);
		return false;
	}
	c->line += *c->at == '\n';
	c->at += *c->at == '\n';
	return true;
}

bool csv_row_is_empty(const struct csv *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (*c->fields[i])
			return false;
	return true;
}

int csv_column(const struct csv *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (names_equal(c->fields[i] + strspn(c->fields[i], " "), name))
			return (int)i;
	return -1;
}

const char *csv_cell(const struct csv *c, int column)
{
	return column >= 0 && (size_t)column < c->n ? c->fields[column] : "";
}
