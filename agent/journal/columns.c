/* The columns of a record: one table for writing, reading, and hashing. */
#include "journal/database.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TEXT(field)                                                                                \
	{                                                                                          \
#field, COLUMN_TEXT, offsetof(struct journal_entry, field)                         \
	}
const struct record_column record_columns[] = {
	{"id", COLUMN_ID, offsetof(struct journal_entry, id)},
	{"kind", COLUMN_KIND, offsetof(struct journal_entry, kind)},
	{"at", COLUMN_INSTANT, offsetof(struct journal_entry, at)},
	{"intent", COLUMN_ID, offsetof(struct journal_entry, intent)},
	TEXT(actor),
	TEXT(reason),
	TEXT(phase),
	TEXT(client),
	TEXT(login),
	TEXT(server),
	TEXT(database),
	TEXT(action),
	TEXT(statement),
	TEXT(before),
	TEXT(after),
	TEXT(outcome),
	TEXT(detail),
	TEXT(level),
	TEXT(sources),
	{"until", COLUMN_INSTANT, offsetof(struct journal_entry, until)},
	TEXT(configuration),
};
const size_t n_record_columns = ARRAY_SIZE(record_columns);

static char **text_field(struct journal_entry *e, size_t column)
{
	return record_columns[column].type == COLUMN_TEXT
		       ? (char **)(void *)((char *)e + record_columns[column].offset)
		       : NULL;
}

void journal_entry_free(struct journal_entry *e)
{
	for (size_t i = 0; i < n_record_columns; i++)
		if (text_field(e, i))
			free(*text_field(e, i));
	*e = (struct journal_entry){0};
}

int journal_entry_copy(struct journal_entry *out, const struct journal_entry *e)
{
	struct journal_entry copy = *e;
	bool failed = false;

	for (size_t i = 0; i < n_record_columns; i++) {
		char **field = text_field(&copy, i);
		if (!field || !*field)
			continue;
		*field = strdup(*field);
		failed |= !*field;
	}
	if (failed) {
		journal_entry_free(&copy);
		return -ENOMEM;
	}
	*out = copy;
	return 0;
}
