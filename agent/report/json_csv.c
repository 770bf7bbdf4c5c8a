/* What a command has as JSON, for a spreadsheet: a line for each object, a column for each member. */
#include "curfew/report.h"
#include "program/visible_text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

void csv_write_cell(FILE *to, const char *text, bool first)
{
	fputs(first ? "\"" : ",\"", to);
	/* A spreadsheet takes it for a formula. */
	if (*text && strchr("=+-@\t\r", *text))
		fputc('\'', to);
	for (uint32_t c; (c = text_next(&text)) != 0;) {
		char shown[TEXT_SHOWN_MAX] = "\n";
		size_t size = c == '\n' ? 1 : text_put_shown(shown, c);

		if (c == '"')
			fputc('"', to);
		fwrite(shown, 1, size, to);
	}
	fputc('"', to);
}

static void value_write(FILE *to, const json_t *value)
{
	const char *key, *before = "";
	size_t i;
	json_t *item;

	if (json_is_string(value))
		fputs(json_string_value(value), to);
	else if (json_is_integer(value))
		fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", to);
	json_array_foreach(value, i, item)
	{
		fputs(i ? ", " : "", to);
		value_write(to, item);
	}
	/* Its first member needs no name: "198.51.100.9 until 2026-11-10T00:00:00Z". */
	json_object_foreach((json_t *)value, key, item)
	{
		fprintf(to, "%s%s%s", before, *before ? key : "", before);
		value_write(to, item);
		before = " ";
	}
}

static int cell_write(FILE *to, const json_t *value, bool first)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return -ENOMEM;
	value_write(memory, value);
	if (fclose(memory) || !text)
		return -ENOMEM;
	csv_write_cell(to, text, first);
	return 0;
}

int json_member_csv(struct json_t *whole, const char *member, const char *const *members, FILE *to)
{
	int rc = json_print_csv(json_incref(json_object_get(whole, member)), members, to);

	json_decref(whole);
	return rc;
}

int json_print_csv(struct json_t *rows, const char *const *members, FILE *to)
{
	int rc = rows ? 0 : -ENOMEM;
	size_t i;
	json_t *row;

	for (size_t m = 0; members[m] && !rc; m++)
		csv_write_cell(to, members[m], m == 0);
	fputs("\r\n", to);
	json_array_foreach(rows, i, row)
	{
		for (size_t m = 0; members[m] && !rc; m++)
			rc = cell_write(to, json_object_get(row, members[m]), m == 0);
		fputs("\r\n", to);
	}
	json_decref(rows);
	return rc ? rc : ferror(to) ? -EIO : 0;
}
