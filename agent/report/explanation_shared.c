/* Helpers for causes of all kinds. */
#include "report/explanation.h"

#include <stdarg.h>

bool explain_say(char *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, EXPLAIN_TEXT_MAX, format, args);
	va_end(args);
	return true;
}

const char *explain_or(const char *text, const char *other)
{
	return text && *text ? text : other;
}

bool explain_is_scheduled(const struct explain_facts *f, const struct server *s)
{
	for (size_t i = 0; i < f->n_databases; i++)
		if (f->databases[i].grant->level != LEVEL_NONE &&
			(!s || f->databases[i].grant->server == s))
			return true;
	return false;
}
