/* Texts: built piece by piece, and read character by character. */
#include "curfew/text.h"

/* The stream writes into the struct itself, which must stay where it is. */
FILE *text_begin(struct text *t)
{
	*t = (struct text){0};
	t->to = open_memstream(&t->bytes, &t->size);
	return t->to;
}

char *text_end(struct text *t)
{
	char *text = NULL;

	if (t->to && !fclose(t->to))
		text = t->bytes;
	else
		free(t->bytes);
	t->to = NULL;
	t->bytes = NULL;
	return text;
}

void text_drop(struct text *t)
{
	free(text_end(t));
}

char *text_vformat(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

int template_write(FILE *to, const char *template, placeholder_fn write, void *context)
{
	for (const char *c = template; *c; c++) {
		int n = 0;

		if (*c != '%')
			putc(*c, to);
		else if ((n = write(to, c + 1, context)) < 0)
			return n;
		c += n;
	}
	return 0;
}

size_t utf8_decode(uint32_t *out, const char *text)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c = s[0];

	if (length == 0 || s[0] > 0xf4 || s[0] == 0)
		return 0;
	if (length > 1)
		c &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return length;
}

size_t utf8_encode(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool utf8_is_valid(const char *text)
{
	uint32_t c;

	for (size_t n; *text; text += n) {
		n = utf8_decode(&c, text);
		if (n == 0)
			return false;
	}
	return true;
}
