/* Names as bytes, and batches with names that contain unpaired surrogates. */
#include "sql/name.h"
#include "curfew/text.h"

#include <string.h>

static bool is_high(unsigned unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(unsigned unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

static unsigned unit_at(const char *bytes, size_t i)
{
	return (unsigned)(unsigned char)bytes[i] | (unsigned)(unsigned char)bytes[i + 1] << 8;
}

char *name_decode(const char *bytes, size_t size)
{
	/* A UTF-16 unit needs at most three bytes, a pair four. */
	char *text = bytes && size % 2 == 0 ? malloc(size / 2 * 3 + 1) : NULL;
	size_t used = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i += 2) {
		uint32_t code = unit_at(bytes, i);
		if (is_high(code) && i + 3 < size && is_low(unit_at(bytes, i + 2))) {
			code = 0x10000 + ((code - 0xd800) << 10) + (unit_at(bytes, i + 2) - 0xdc00);
			i += 2;
		}
		used += utf8_encode(text + used, code ? code : 0xfffd);
	}
	text[used] = '\0';
	return text;
}

/* The unpaired surrogate at the start of the text, or 0. */
static unsigned surrogate_at(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	return p[0] == 0xed && p[1] >= 0xa0 && (p[2] & 0xc0) == 0x80
		       ? 0xd000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu)
		       : 0;
}

bool name_is_whole(const char *text)
{
	for (; *text; text++)
		if (surrogate_at(text))
			return false;
	return true;
}

void batch_write_sendable(FILE *to, const char *batch, const char *given)
{
	if (name_is_whole(batch)) {
		fputs(batch, to);
		return;
	}
	fputs("DECLARE @batch nvarchar(max) = CAST(N'' AS nvarchar(max)) + N'", to);
	for (const char *c = batch; *c;) {
		unsigned unit = surrogate_at(c);
		if (unit) {
			fprintf(to, "' + CAST(0x%02X%02X AS nchar(1)) + N'", unit & 0xff,
				unit >> 8);
			c += 3;
			continue;
		}
		if (*c == '\'')
			putc('\'', to);
		putc(*c++, to);
	}
	fputs("'; EXEC sys.sp_executesql @batch", to);
	if (given)
		fprintf(to, ", N'%s int', %s", given, given);
	putc(';', to);
}
