/* Escapes text from a server or a user, so that it is displayed and never interpreted. */
#include "program/visible_text.h"

#include "curfew/text.h"
#include "program/names.h"

#include <string.h>

uint32_t text_next(const char **p)
{
	uint32_t c;
	size_t n;

	if (!**p)
		return 0;
	n = utf8_decode(&c, *p);
	*p += n ? n : 1;
	return n ? c : TEXT_REPLACEMENT;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static uint32_t picture(uint32_t c)
{
	return c < 0x20 ? 0x2400 + c : c == 0x7f ? 0x2421 : TEXT_REPLACEMENT;
}

char *text_clean(const char *text)
{
	/* One byte becomes at most the three bytes of a control picture. */
	char *copy = malloc(strlen(text) * 3 + 1), *to = copy;
	uint32_t c;

	if (!copy)
		return NULL;
	while ((c = text_next(&text)) != 0)
		to += utf8_encode(to, is_control(c) && c != '\n' && c != '\t' ? picture(c) : c);
	*to = '\0';
	return copy;
}

size_t text_put_shown(char out[TEXT_SHOWN_MAX], uint32_t c)
{
	if (is_control(c))
		return utf8_encode(out, picture(c));
	if (character_is_hidden(c))
		return (size_t)snprintf(out, TEXT_SHOWN_MAX, "<U+%04X>", c);
	return utf8_encode(out, c);
}

char *text_shown(const char *text)
{
	char *copy = malloc(strlen(text) * TEXT_SHOWN_MAX + 1), *to = copy;
	uint32_t c;

	if (!copy)
		return NULL;
	while ((c = text_next(&text)) != 0)
		to += text_put_shown(to, c);
	*to = '\0';
	return copy;
}

void text_vprintf(FILE *to, const char *format, va_list args)
{
	_cleanup_free_ char *text = text_vformat(format, args);
	size_t size = strlen(format);
	bool ends = size && format[size - 1] == '\n';

	if (!text)
		return;
	size = strlen(text);
	if (ends && size)
		text[size - 1] = '\0';
	_cleanup_free_ char *shown = text_shown(text);
	fputs(shown ? shown : "", to);
	if (ends)
		fputc('\n', to);
}

void text_printf(FILE *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vprintf(to, format, args);
	va_end(args);
}

/* Outside of strings JSON has only ASCII and line feeds; inside, these are what jansson does not escape. */
void text_print_json(FILE *to, const char *json)
{
	char bytes[TEXT_SHOWN_MAX] = "";
	uint32_t c;

	while ((c = text_next(&json)) != 0) {
		size_t n = utf8_encode(bytes, c);

		if (c < 0x7f || (!is_control(c) && !character_is_hidden(c)))
			fwrite(bytes, 1, n, to);
		else if (c < 0x10000)
			fprintf(to, "\\u%04X", c);
		else
			fprintf(to, "\\u%04X\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
				0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}
