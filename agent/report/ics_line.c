/* Content lines of RFC 5545: CRLF, at most 75 octets, folded between characters. */
#include "report/ics_line.h"

#include "curfew/calendar.h"
#include "program/visible_text.h"

#define LINE_MAX_OCTETS 75

static void line_put(struct ics_line *l, const char *bytes, size_t n)
{
	if (l->octets + n > LINE_MAX_OCTETS) {
		fputs("\r\n ", l->to);
		l->octets = 1;
	}
	fwrite(bytes, 1, n, l->to);
	l->octets += n;
}

void ics_raw(struct ics_line *l, const char *text)
{
	for (; *text; text++)
		line_put(l, text, 1);
}

void ics_text(struct ics_line *l, const char *text)
{
	uint32_t c;

	while ((c = text_next(&text)) != 0) {
		char out[TEXT_SHOWN_MAX];
		size_t n = text_put_shown(out, c);

		if (c == '\n')
			line_put(l, "\\n", 2);
		else if (c == '\\' || c == ';' || c == ',')
			line_put(l, (char[]){'\\', (char)c}, 2);
		else
			line_put(l, out, n);
	}
}

void ics_end(struct ics_line *l)
{
	fputs("\r\n", l->to);
	l->octets = 0;
}

void ics_property(FILE *to, const char *name, const char *value)
{
	struct ics_line l = {.to = to};

	ics_raw(&l, name);
	ics_raw(&l, ":");
	ics_text(&l, value);
	ics_end(&l);
}

/* "20261123T150000Z" */
void ics_instant(FILE *to, const char *name, instant_t at)
{
	char text[INSTANT_TEXT_MAX], basic[INSTANT_TEXT_MAX];
	char *p = basic;

	for (const char *s = instant_format(text, at); *s; s++)
		if (*s != '-' && *s != ':')
			*p++ = *s;
	*p = '\0';
	fprintf(to, "%s:%s\r\n", name, basic);
}
