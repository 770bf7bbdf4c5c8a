/* Owns the texts that an audit composes, until the audit is freed. */
#include <stdarg.h>

#include "report/audit_build.h"
#include "curfew/text.h"

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

	va_start(args, format);
	char *text = text_vformat(format, args);
	va_end(args);
	return audit_text_keep(b, text);
}
