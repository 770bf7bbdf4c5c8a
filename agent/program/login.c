/* Logins of users: made from their names, or checked if the configuration gives one. */
#include "program/names.h"

#include "curfew/program.h"

#include <errno.h>
#include <iconv.h>
#include <locale.h>
#include <string.h>

/* iconv writes some characters as several ("3/4", "(c)"). iconv checks this size itself. */
#define ASCII_PER_BYTE 8

static size_t count_char(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

/* iconv's transliteration depends on the locale. Use a fixed one, so that a login does not depend on who starts
 * Curfew. */
static int ascii_convert(char *out, size_t size, const char *text)
{
	char *in = (char *)(uintptr_t)text;
	size_t left = strlen(text), converted = (size_t)-1;
	locale_t locale, before;
	iconv_t table;

	/* Most names are ASCII, and loading the locale reads a file. */
	if (is_ascii(text)) {
		memcpy(out, text, left + 1);
		return 0;
	}
	locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!locale)
		return errno == ENOMEM ? -ENOMEM : LOGIN_UNSPEAKABLE;
	before = uselocale(locale);
	table = iconv_open("ASCII//TRANSLIT", "UTF-8");
	if (table != (iconv_t)-1) {
		size--;
		converted = iconv(table, &in, &left, &out, &size);
		*out = '\0';
		iconv_close(table);
	}
	uselocale(before);
	freelocale(locale);
	return converted == (size_t)-1 ? LOGIN_UNSPEAKABLE : 0;
}

/* One part of a login: lowercase letters, digits, '.', and '-'. */
static int login_part(char **out, const char *text)
{
	size_t size = strlen(text) * ASCII_PER_BYTE + 1, n = 0;
	_cleanup_free_ char *part = malloc(size);
	int rc;

	if (!part)
		return -ENOMEM;
	rc = ascii_convert(part, size, text);
	if (rc)
		return rc;
	/* iconv writes '?' for a letter that it cannot convert. Dropping it would make a different name. */
	if (count_char(part, '?') > count_char(text, '?'))
		return LOGIN_UNSPEAKABLE;
	for (const char *s = part; *s; s++)
		if (is_letter_or_digit(*s) || *s == '-' || (*s == '.' && n > 0))
			part[n++] = to_small(*s);
	while (n > 0 && part[n - 1] == '.')
		n--;
	part[n] = '\0';
	if (n == 0)
		return LOGIN_UNSPEAKABLE;
	*out = part;
	part = NULL;
	return 0;
}

int login_make(char **out, const char *client, const char *first, const char *last)
{
	const char *const texts[] = {client, first, last};
	size_t n = *last ? 3 : 2;
	char *parts[3] = {NULL};
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = login_part(&parts[i], texts[i]);
	if (rc == 0 && asprintf(out, "%s.%s%s%s", parts[0], parts[1], *last ? "." : "",
			       *last ? parts[2] : "") < 0)
		rc = -ENOMEM;
	for (size_t i = 0; i < 3; i++)
		free(parts[i]);
	return rc;
}

const char *login_fault(const char *login)
{
	/* A login is also the user's name in each database, where users and roles share one namespace. */
	static const char *const taken[] = {"sa", "dbo", "guest", "public", "sys",
		"INFORMATION_SCHEMA", "sysadmin", "securityadmin", "serveradmin", "setupadmin",
		"processadmin", "diskadmin", "dbcreator", "bulkadmin", "db_owner", "db_accessadmin",
		"db_securityadmin", "db_ddladmin", "db_backupoperator", "db_datareader",
		"db_datawriter", "db_denydatareader", "db_denydatawriter"};

	if (name_fault(login))
		return name_fault(login);
	if (strchr(login, '\\'))
		return "contains a backslash, which makes it a Windows login";
	if (strncmp(login, "##", 2) == 0)
		return "starts with ##, which SQL Server reserves";
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (names_equal(login, taken[i]))
			return "is a name that SQL Server reserves";
	return NULL;
}
