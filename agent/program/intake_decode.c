/* The bytes of an intake form become text in UTF-8, or a reason that says how to save the form. */
#include "program/intake.h"
#include "curfew/text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

static bool begins(const char *bytes, size_t n, const char *mark, size_t length)
{
	return n >= length && memcmp(bytes, mark, length) == 0;
}

/* As Excel saves "Unicode text", and Windows PowerShell what is redirected. */
static int utf16_decode(char **out, const char *bytes, size_t n, const char *set, char why[256])
{
	/* A unit of two bytes becomes three at most. */
	size_t room = n / 2 * 3 + 1, left = n;
	char *text = malloc(room), *to = text, *from = (char *)bytes;
	iconv_t how = iconv_open("UTF-8", set);
	int rc = text ? 0 : -ENOMEM;

	room--;
	if (!rc && (how == (iconv_t)-1 || iconv(how, &from, &left, &to, &room) == (size_t)-1 ||
			   left || memchr(text, '\0', (size_t)(to - text)))) {
		snprintf(
			why, 256, "cannot be read as UTF-16, as which it begins; save it as UTF-8");
		rc = -EINVAL;
	}
	if (how != (iconv_t)-1)
		iconv_close(how);
	if (rc) {
		free(text);
		return rc;
	}
	*to = '\0';
	*out = text;
	return 0;
}

static int line_at(const char *bytes, size_t n)
{
	int line = 1;

	for (size_t i = 0; i < n; i++)
		line += bytes[i] == '\n';
	return line;
}

static int utf8_copy(char **out, const char *bytes, size_t n, char why[256])
{
	_cleanup_free_ char *text = malloc(n + 1);
	size_t at = 0, length;
	uint32_t c;

	if (!text)
		return -ENOMEM;
	memcpy(text, bytes, n);
	text[n] = '\0';
	while ((length = utf8_decode(&c, text + at)) > 0)
		at += length;
	if (at < n) {
		snprintf(why, 256,
			"line %d: not text in UTF-8; save the file as UTF-8 (in Excel: \"CSV UTF-8\")",
			line_at(text, at));
		return -EINVAL;
	}
	*out = text;
	text = NULL;
	return 0;
}

int intake_decode(char **out, const char *bytes, size_t n, char why[256])
{
	/* .xlsx and .ods are ZIP archives, .xls is a compound file. */
	if (begins(bytes, n, "PK\3\4", 4) || begins(bytes, n, "\xd0\xcf\x11\xe0", 4)) {
		snprintf(why, 256,
			"is a workbook, not text; save the sheet as CSV (in Excel: \"CSV UTF-8\")");
		return -EINVAL;
	}
	if (begins(bytes, n, "\xff\xfe", 2))
		return utf16_decode(out, bytes + 2, n - 2, "UTF-16LE", why);
	if (begins(bytes, n, "\xfe\xff", 2))
		return utf16_decode(out, bytes + 2, n - 2, "UTF-16BE", why);
	size_t mark = begins(bytes, n, "\xef\xbb\xbf", 3) ? 3 : 0;
	return utf8_copy(out, bytes + mark, n - mark, why);
}
