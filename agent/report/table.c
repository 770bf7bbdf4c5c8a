/* Tables, by libsmartcols. */
#include "curfew/report.h"
#include "curfew/text.h"

#include "program/visible_text.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

#define GAP 2 /* between columns */
/* A column that may wrap is not made narrower than this. */
#define WRAP_LEAST 12

struct table {
	struct libscols_table *table;
	struct libscols_line *line;
	size_t columns, cell; /* next cell of the row */
	size_t limit;	      /* of the terminal; TABLE_NO_LIMIT: none */
	struct column_shape {
		size_t width; /* of the longest cell */
		bool wraps;
	} * shapes;
	bool color, cuts;
};

static size_t cells_of(const char *text)
{
	size_t cells = 0;
	uint32_t c;

	while ((c = text_next(&text)) != 0) {
		int width = wcwidth((wchar_t)c);

		cells += width < 0 ? 1 : (size_t)width;
	}
	return cells;
}

void text_break(char *text, size_t width)
{
	char *line = text, *last = NULL;

	for (char *space = strchr(text, ' '); space; space = strchr(space + 1, ' ')) {
		*space = '\0';
		if (last && cells_of(line) > width) {
			*last = '\n';
			line = last + 1;
		}
		*space = ' ';
		last = space;
	}
	if (last && cells_of(line) > width)
		*last = '\n';
}

int text_print_broken(FILE *to, const char *start, const char *text, size_t width)
{
	_cleanup_free_ char *lines = strdup(text);

	if (!lines)
		return -ENOMEM;
	for (char *rest = lines; rest;) {
		_cleanup_free_ char *shown = text_shown(strsep(&rest, "\n"));
		const char *before = start;

		if (!shown)
			return -ENOMEM;
		text_break(shown, width - strlen(start));
		for (char *line = shown; line; before = "      ")
			fprintf(to, "%s%s\n", before, strsep(&line, "\n"));
	}
	return 0;
}

/* Repeatedly narrows the widest column that may wrap. If that is not enough, the terminal wraps the line, because
 * libsmartcols would truncate names. Returns the width. */
static size_t widths_fit(struct table *t)
{
	size_t total = 0;

	for (size_t i = 0; i < t->columns; i++)
		total += t->shapes[i].width + (i ? GAP : 0);
	for (; total > t->limit; total--) {
		struct column_shape *widest = NULL;

		for (size_t i = 0; i < t->columns; i++) {
			struct column_shape *s = &t->shapes[i];

			if (s->wraps && s->width > WRAP_LEAST &&
				(!widest || s->width > widest->width))
				widest = s;
		}
		if (!widest)
			break;
		widest->width--;
	}
	return total;
}

static int lines_break(struct table *t)
{
	struct libscols_iter *i = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	if (!i)
		return -ENOMEM;
	size_t width = widths_fit(t);
	if (width > t->limit && !t->cuts) {
		scols_table_set_termforce(t->table, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(t->table, width);
	}
	while (scols_table_next_line(t->table, i, &line) == 0)
		for (size_t c = 0; c < t->columns; c++)
			if (t->shapes[c].wraps)
				/* libsmartcols breaks lines within words. Newlines tell it where to break; cells
				 * contain none of their own. */
				text_break((char *)(uintptr_t)scols_cell_get_data(
						   scols_line_get_cell(line, c)),
					t->shapes[c].width);
	scols_free_iter(i);
	return 0;
}

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
	if (scols_table_enable_colors(t->table, t->color) ||
		scols_table_set_column_separator(t->table, "  "))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int flags = 0;

		if (columns[i].flags & TABLE_RIGHT)
			flags |= SCOLS_FL_RIGHT;
		if (columns[i].flags & TABLE_CUT) {
			flags |= SCOLS_FL_TRUNC;
			t->cuts = true;
		}
		if (columns[i].flags & TABLE_WRAP)
			flags |= SCOLS_FL_WRAP;
		struct libscols_column *c =
			scols_table_new_column(t->table, columns[i].title, 0, flags);
		if (!c)
			return -ENOMEM;
		t->shapes[i].width = cells_of(columns[i].title);
		t->shapes[i].wraps = columns[i].flags & TABLE_WRAP;
		if (t->shapes[i].wraps &&
			(scols_column_set_safechars(c, "\n") ||
				scols_column_set_wrapfunc(
					c, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL)))
			return -ENOMEM;
	}
	return 0;
}

int table_new(
	struct table **out, const struct table_column *columns, size_t n, FILE *to, size_t width)
{
	struct table *t = calloc(1, sizeof(*t));
	int rc = -ENOMEM;

	if (t) {
		t->table = scols_new_table();
		t->shapes = calloc(n + 1, sizeof(*t->shapes));
	}
	if (t && t->table && t->shapes) {
		t->limit = width ? width : terminal_width(to);
		if (!t->limit)
			t->limit = TABLE_NO_LIMIT;
		t->columns = n;
		t->cell = n;
		t->color = style_wanted(to);
		rc = table_shape(t, columns, n, to, width);
	}
	if (rc) {
		table_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

int table_row(struct table *t, enum tone tone)
{
	/* A row with missing cells is a bug of the caller; it would show values in the wrong columns. */
	if (t->cell != t->columns)
		return -EINVAL;
	t->line = scols_table_new_line(t->table, NULL);
	if (!t->line)
		return -ENOMEM;
	t->cell = 0;
	if (t->color && tone != TONE_PLAIN &&
		scols_line_set_color(t->line, style_begin(true, tone)))
		return -ENOMEM;
	return 0;
}

int table_cell(struct table *t, const char *text)
{
	char *shown;
	size_t cells;
	int rc;

	if (!t->line || t->cell >= t->columns)
		return -EINVAL;
	shown = text_shown(text ? text : "-");
	if (!shown)
		return -ENOMEM;
	cells = cells_of(shown);
	if (cells > t->shapes[t->cell].width)
		t->shapes[t->cell].width = cells;
	rc = scols_line_refer_data(t->line, t->cell, shown);
	if (rc) {
		free(shown);
		return -ENOMEM;
	}
	t->cell++;
	return 0;
}

int table_cellf(struct table *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	return text ? table_cell(t, text) : -ENOMEM;
}

int table_print(struct table *t)
{
	if (t->cell != t->columns)
		return -EINVAL;
	if (!scols_table_get_nlines(t->table))
		return 0;
	int rc = lines_break(t);
	return rc ? rc : scols_print_table(t->table) ? -EIO : 0;
}

static void csv_cell(FILE *to, const char *text, bool first)
{
	const char *shown = text && !streq(text, "-") ? text : "";

	csv_write_cell(to, shown + strspn(shown, " "), first);
}

int table_print_csv(struct table *t)
{
	struct libscols_iter *i = scols_new_iter(SCOLS_ITER_FORWARD);
	FILE *to = scols_table_get_stream(t->table);
	struct libscols_line *line;

	if (!i || t->cell != t->columns) {
		scols_free_iter(i);
		return i ? -EINVAL : -ENOMEM;
	}
	for (size_t c = 0; c < t->columns; c++)
		csv_cell(to,
			scols_cell_get_data(
				scols_column_get_header(scols_table_get_column(t->table, c))),
			c == 0);
	fputs("\r\n", to);
	while (scols_table_next_line(t->table, i, &line) == 0) {
		for (size_t c = 0; c < t->columns; c++)
			csv_cell(to, scols_cell_get_data(scols_line_get_cell(line, c)), c == 0);
		fputs("\r\n", to);
	}
	scols_free_iter(i);
	return ferror(to) ? -EIO : 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	scols_unref_table(t->table);
	free(t->shapes);
	free(t);
}
