/* Tables, by libsmartcols. */
#include "curfew/report.h"

#include "journal/text.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdarg.h>

struct table {
	struct libscols_table *table;
	struct libscols_line *line;
	size_t columns, cell; /* the next cell of the line */
	bool colour;
};

static int table_shape(
	struct table *t, const struct table_column *columns, size_t n, FILE *to, size_t width)
{
	scols_table_set_stream(t->table, to);
	if (width == TABLE_NO_LIMIT) {
		scols_table_set_termforce(t->table, SCOLS_TERMFORCE_NEVER);
	} else if (width) {
		scols_table_set_termforce(t->table, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(t->table, width);
	}
	if (scols_table_enable_colors(t->table, t->colour) ||
		scols_table_set_column_separator(t->table, "  "))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int flags = 0;

		if (columns[i].flags & TABLE_RIGHT)
			flags |= SCOLS_FL_RIGHT;
		if (columns[i].flags & TABLE_CUT)
			flags |= SCOLS_FL_TRUNC;
		if (columns[i].flags & TABLE_WRAP)
			flags |= SCOLS_FL_WRAP;
		if (!scols_table_new_column(t->table, columns[i].title, 0, flags))
			return -ENOMEM;
	}
	return 0;
}

int table_new(
	struct table **out, const struct table_column *columns, size_t n, FILE *to, size_t width)
{
	struct table *t = calloc(1, sizeof(*t));
	int r = -ENOMEM;

	if (t)
		t->table = scols_new_table();
	if (t && t->table) {
		t->columns = n;
		t->cell = n;
		t->colour = style_wanted(to);
		r = table_shape(t, columns, n, to, width);
	}
	if (r) {
		table_free(t);
		return r;
	}
	*out = t;
	return 0;
}

int table_row(struct table *t, enum tone tone)
{
	/* A row that lacks cells is a fault of the caller's, and would shift nothing: it would lie. */
	if (t->cell != t->columns)
		return -EINVAL;
	t->line = scols_table_new_line(t->table, NULL);
	if (!t->line)
		return -ENOMEM;
	t->cell = 0;
	if (t->colour && tone != TONE_PLAIN &&
		scols_line_set_color(t->line, style_begin(true, tone)))
		return -ENOMEM;
	return 0;
}

int table_cell(struct table *t, const char *text)
{
	char *shown;
	int r;

	if (!t->line || t->cell >= t->columns)
		return -EINVAL;
	shown = text_shown(text ? text : "-");
	if (!shown)
		return -ENOMEM;
	r = scols_line_refer_data(t->line, t->cell, shown);
	if (r) {
		free(shown);
		return -ENOMEM;
	}
	t->cell++;
	return 0;
}

int table_cellf(struct table *t, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return table_cell(t, text);
}

int table_print(struct table *t)
{
	if (t->cell != t->columns)
		return -EINVAL;
	if (!scols_table_get_nlines(t->table))
		return 0;
	return scols_print_table(t->table) ? -EIO : 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	scols_unref_table(t->table);
	free(t);
}
