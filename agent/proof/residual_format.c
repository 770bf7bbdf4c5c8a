/* Builds the texts of findings from plain columns. The server cannot build them, because its views use several
 * collations that must not meet in one expression, and names may contain invalid UTF-16. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "sql/name.h"
#include "proof/residual.h"
#include "sql/rows.h"
#include "curfew/text.h"

struct columns {
	const struct sql_value *v;
	size_t n;
	int result; /* the result so far */
};

static const struct sql_value *column(const struct columns *c, size_t number)
{
	static const struct sql_value none;

	return number && number <= c->n ? &c->v[number - 1] : &none;
}

static void hex_write(FILE *to, const struct sql_value *v)
{
	for (size_t i = 0; v->data && i < v->size; i++)
		fprintf(to, "%02X", (unsigned char)v->data[i]);
}

static int name_write(FILE *to, struct columns *c, size_t number, char how)
{
	_cleanup_free_ char *name = NULL;

	if (!row_name(&name, column(c, number)))
		return -EBADMSG;
	if (!name_is_whole(name))
		c->result = WORDS_UNWRITABLE;
	if (how == 'n')
		fputs(name, to);
	else if (how == 'q')
		sql_write_name(to, name);
	else
		sql_write_string(to, name);
	return 0;
}

static int two_part_write(FILE *to, struct columns *c, size_t number)
{
	int rc = name_write(to, c, number, 'q');

	putc('.', to);
	return rc ? rc : name_write(to, c, number + 1, 'q');
}

/* Columns class, kind, schema, name, column, id (SECURABLE in residual.h) as " ON SCHEMA::[dbo]"; empty for the
 * database or the server itself. */
static int securable_write(FILE *to, struct columns *c, size_t number)
{
	int64_t class = row_number(column(c, number));
	_cleanup_free_ char *kind = row_text(column(c, number + 1));
	int rc = 0;

	if (class == 0 || class == 100)
		return 0;
	if (!kind || !column(c, number + 3)->data) {
		if (!c->result)
			c->result = WORDS_UNNAMED;
		fprintf(to, " on id %jd of class %jd", (intmax_t)row_number(column(c, number + 5)),
			(intmax_t) class);
		return 0;
	}
	fprintf(to, " ON %s::", kind);
	rc = column(c, number + 2)->data ? two_part_write(to, c, number + 2)
					 : name_write(to, c, number + 3, 'q');
	if (!rc && column(c, number + 4)->data) {
		fputs(" (", to);
		rc = name_write(to, c, number + 4, 'q');
		putc(')', to);
	}
	return rc;
}

static int place_write(FILE *to, struct columns *c, size_t number, char how)
{
	_cleanup_free_ char *text = NULL;

	switch (how) {
	case 't':
		text = row_text(column(c, number));
		fputs(text ? text : "", to);
		return 0;
	case 'x':
		hex_write(to, column(c, number));
		return 0;
	case 'u':
		if (!column(c, number)->data) {
			fputs("NULL", to);
			return 0;
		}
		return name_write(to, c, number, 's');
	case 'n':
	case 'q':
	case 's':
		return name_write(to, c, number, how);
	case 'w':
		return two_part_write(to, c, number);
	case 'o':
		return securable_write(to, c, number);
	default:
		return -EINVAL;
	}
}

/* "%KL", see residual.h. */
static int column_write(FILE *to, const char *at, void *columns)
{
	if (!isdigit((unsigned char)at[0]) || !at[1])
		return -EINVAL;
	int rc = place_write(to, columns, (size_t)(at[0] - '0'), at[1]);
	return rc ? rc : 2;
}

int words_write(FILE *to, const char *form, const struct sql_value *v, int n)
{
	struct columns c = {.v = v, .n = n > 0 ? (size_t)n : 0};
	int rc = template_write(to, form, column_write, &c);

	return rc ? rc : c.result;
}

int words_make(char **out, const char *form, const struct sql_value *v, int n)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	int rc = words_write(text.to, form, v, n);
	*out = text_end(&text);
	return *out ? rc : -ENOMEM;
}
