/* Checks names of SQL Server, hosts, and email addresses. */
#include "program/names.h"

#include "curfew/program.h"

#include <locale.h>
#include <string.h>
#include <wctype.h>

#define EMAIL_MAX	254 /* RFC 5321 */
#define EMAIL_LOCAL_MAX 64
#define HOST_MAX	253
#define LABEL_MAX	63

bool character_is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe007f);
}

const char *name_fault(const char *text)
{
	size_t units = 0, length = strlen(text);
	const char *s = text;

	if (!*text)
		return "is empty";
	while (*s) {
		uint32_t c;
		size_t n = utf8_decode(&c, s);

		if (n == 0)
			return "is not UTF-8";
		if (character_is_hidden(c))
			return c < 0x20 || (c >= 0x7f && c < 0xa0)
				       ? "contains a control character"
				       : "contains an invisible character";
		/* SQL Server counts UTF-16 code units. */
		units += c > 0xffff ? 2 : 1;
		s += n;
	}
	if (units > MAX_NAME_CHARS)
		return "is longer than 128 characters";
	/* SQL Server ignores trailing spaces in comparisons, so two such names would be the same. */
	if (text[0] == ' ' || text[length - 1] == ' ')
		return "starts or ends with a space";
	return NULL;
}

bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char to_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

int names_compare(const char *a, const char *b)
{
	/* The C library compares many bytes at once; in this locale ASCII letters alone have a case. */
	static locale_t plain;

	if (!plain)
		plain = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	return strcasecmp_l(a, b, plain);
}

bool names_equal(const char *a, const char *b)
{
	return names_compare(a, b) == 0;
}

bool name_is_plain(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > MAX_NAME_CHARS || *text == '.' || *text == '-')
		return false;
	for (; *text; text++)
		if (!is_letter_or_digit(*text) && !strchr("._-", *text))
			return false;
	return true;
}

static bool label_is_wellformed(const char *label, size_t n)
{
	if (n == 0 || n > LABEL_MAX || label[0] == '-' || label[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		/* Windows allows an underscore in computer names. */
		if (!is_letter_or_digit(label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

/* The number of labels, or 0 if one is invalid. */
static size_t domain_labels(const char *text)
{
	size_t labels = 0;

	if (strlen(text) > HOST_MAX)
		return 0;
	for (;;) {
		size_t n = strcspn(text, ".");

		if (!label_is_wellformed(text, n))
			return 0;
		labels++;
		if (!text[n])
			return labels;
		text += n + 1;
	}
}

bool name_is_host(const char *text)
{
	return domain_labels(text) > 0;
}

bool name_is_email(const char *text)
{
	const char *at = strchr(text, '@');
	size_t local = at ? (size_t)(at - text) : 0;

	if (!at || local == 0 || local > EMAIL_LOCAL_MAX || strlen(text) > EMAIL_MAX)
		return false;
	if (text[0] == '.' || at[-1] == '.')
		return false;
	for (size_t i = 0; i < local; i++) {
		if (!is_letter_or_digit(text[i]) && !strchr(".!#$%&'*+/=?^_`{|}~-", text[i]))
			return false;
		if (text[i] == '.' && text[i + 1] == '.')
			return false;
	}
	return domain_labels(at + 1) >= 2;
}

char *name_fold(const char *text)
{
	/* A lowercase letter may need more bytes than its capital, but at most four. */
	char *folded = malloc(strlen(text) * 4 + 1), *end = folded;
	locale_t locale = (locale_t)0;

	if (!folded)
		return NULL;
	while (*text) {
		uint32_t c = (unsigned char)*text;
		size_t n = utf8_decode(&c, text);

		if (c >= 0x80 && !locale)
			locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
		if (c < 0x80)
			c = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
		else if (n > 0 && locale)
			c = towlower_l(c, locale);
		end += utf8_encode(end, c);
		text += n ? n : 1;
	}
	*end = '\0';
	if (locale)
		freelocale(locale);
	return folded;
}
