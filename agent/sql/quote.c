/* Quotes T-SQL names and strings. */
#include "curfew/sql.h"

static void write_doubled(FILE *to, const char *text, char special)
{
	for (const char *p = text; *p; p++) {
		if (*p == special)
			putc(special, to);
		putc(*p, to);
	}
}

void sql_write_name(FILE *to, const char *name)
{
	putc('[', to);
	write_doubled(to, name, ']');
	putc(']', to);
}

void sql_write_string(FILE *to, const char *text)
{
	fputs("N'", to);
	write_doubled(to, text, '\'');
	putc('\'', to);
}
