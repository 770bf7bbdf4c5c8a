/* UTF-8 in small steps: what a server or a user sent is shown, never obeyed. */
#include "text.h"

#include <string.h>

uint32_t text_next(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	size_t more;
	uint32_t c;

	if (!s[0])
		return 0;
	*p += 1;
	if (s[0] < 0x80)
		return s[0];
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return TEXT_REPLACEMENT;
	more = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	c = s[0] & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		/* Also stops at the terminator. */
		if ((s[i] & 0xc0) != 0x80)
			return TEXT_REPLACEMENT;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return TEXT_REPLACEMENT;
	*p += more;
	return c;
}

size_t text_put(char out[4], uint32_t c)
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

bool text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

bool text_is_direction(uint32_t c)
{
	return c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

uint32_t text_picture(uint32_t c)
{
	return c < 0x20 ? 0x2400 + c : c == 0x7f ? 0x2421 : TEXT_REPLACEMENT;
}

char *text_clean(const char *text)
{
	/* A byte becomes at most the three of a picture. */
	char *copy = malloc(strlen(text) * 3 + 1), *to = copy;
	uint32_t c;

	if (!copy)
		return NULL;
	while ((c = text_next(&text)) != 0)
		to += text_put(
			to, text_is_control(c) && c != '\n' && c != '\t' ? text_picture(c) : c);
	*to = '\0';
	return copy;
}
