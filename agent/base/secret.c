/* Reads a secret as editors, shells, and Windows write it, or says why it is none: a password that was read otherwise than
 * it was meant fails later, as one that the server does not know. */
#include "curfew/secret.h"
#include "curfew/text.h"

#include <string.h>

/* FreeTDS refuses longer ones (TDS_MAX_LOGIN_STR_SZ); it counts bytes. */
#define SQL_BYTES_MAX 128

static bool begins(const char *text, size_t n, const char *mark)
{
	return n >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0;
}

static const char *file_fault(const char *text, size_t n)
{
	if (begins(text, n, "\xef\xbb\xbf"))
		return "starts with a byte order mark (BOM), as some editors on Windows write it";
	if (begins(text, n, "\xff\xfe") || begins(text, n, "\xfe\xff"))
		return "is UTF-16, as Windows writes \"Unicode\", but must be UTF-8";
	if (memchr(text, '\0', n))
		return "contains a zero byte, as UTF-16 does, but must be text in UTF-8";
	return NULL;
}

static const char *line_fault(const char *line, enum secret_use use)
{
	if (!*line)
		return "has an empty first line, but must begin with the secret";
	if (strchr(line, '\r'))
		return "has a carriage return within its first line, but must be one line";
	if (use == SECRET_SQL && strlen(line) > SQL_BYTES_MAX)
		return "is longer than 128 bytes, which is the limit of FreeTDS; give the login a shorter password";
	if (strlen(line) >= SECRET_BYTES - 1)
		return "has a first line of more than 1022 bytes, but must be shorter";
	if (use == SECRET_SQL && !utf8_is_valid(line))
		return "is not UTF-8";
	return NULL;
}

static const char *key_fault(const char *text, size_t n)
{
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	return n < SECRET_KEY_MIN
		       ? "is shorter than 32 characters, but must be longer; `openssl rand -hex 32` prints a good one"
		       : NULL;
}

const char *secret_line(char *text, size_t n, enum secret_use use)
{
	if (use == SECRET_KEY) {
		text[n] = '\0';
		return key_fault(text, n);
	}
	const char *fault = n ? file_fault(text, n) : "is empty";

	if (fault)
		return fault;
	text[n] = '\0';
	size_t end = strcspn(text, "\n");
	while (end > 0 && text[end - 1] == '\r')
		end--;
	text[end] = '\0';
	return line_fault(text, use);
}
