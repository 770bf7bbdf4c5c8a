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

void sid_write(FILE *to, const struct sid *s)
{
	fputs("0x", to);
	for (size_t i = 0; i < s->size; i++)
		fprintf(to, "%02X", s->bytes[i]);
}

void sids_write(FILE *to, const struct sid *sids, size_t n)
{
	/* Not 0x: it equals 0x00, the SID of guest, as zero bytes at the end do not count. */
	if (!n)
		fputs("NULL", to);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ",\n  " : "", to);
		sid_write(to, &sids[i]);
	}
}
