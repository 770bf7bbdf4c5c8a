/* Texts that a report makes of others and keeps. */
#include <stdarg.h>

#include "report/audit_build.h"

const char *audit_text_keep(struct build *b, char *text)
{
	if (!text)
		b->no_memory = true;
	else
		b->texts[b->n_texts++] = text;
	return text;
}

const char *audit_text(struct build *b, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return audit_text_keep(b, n < 0 ? NULL : text);
}
