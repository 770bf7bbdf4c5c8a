/* The list of characters that look like others. */
#include "program/odd_characters.h"

#include "curfew/text.h"

#define PLAIN_SPACE "use a plain space"
#define NOTHING	    "remove it"
#define QUOTE	    "use a plain quotation mark"

static const struct odd_character ODD[] = {
	{0x00a0, "no-break space", PLAIN_SPACE, false},
	{0x2007, "figure space", PLAIN_SPACE, false},
	{0x202f, "narrow no-break space", PLAIN_SPACE, false},
	{0x3000, "ideographic space", PLAIN_SPACE, true},
	{0x00ad, "soft hyphen", NOTHING, false},
	{0x200b, "zero-width space", NOTHING, false},
	{0x200c, "zero-width non-joiner", NOTHING, false},
	{0x200d, "zero-width joiner", NOTHING, false},
	{0x200e, "left-to-right mark", NOTHING, false},
	{0x200f, "right-to-left mark", NOTHING, false},
	{0x2060, "word joiner", NOTHING, false},
	{0xfeff, "byte order mark", NOTHING, false},
	{0x2018, "curly quotation mark", QUOTE, true},
	{0x2019, "curly quotation mark", QUOTE, true},
	{0x201c, "curly quotation mark", QUOTE, true},
	{0x201d, "curly quotation mark", QUOTE, true},
	{0x201e, "low quotation mark", QUOTE, true},
	{0x00ab, "angle quotation mark", QUOTE, true},
	{0x00bb, "angle quotation mark", QUOTE, true},
	{0x2013, "dash", "use a plain hyphen", true},
};

const struct odd_character *odd_character_find(const char *text, size_t size)
{
	for (const char *s = text; s < text + size && *s;) {
		uint32_t c;
		size_t n = utf8_decode(&c, s);

		for (size_t i = 0; n > 0 && i < ARRAY_SIZE(ODD); i++)
			if (ODD[i].code == c)
				return &ODD[i];
		s += n ? n : 1;
	}
	return NULL;
}
