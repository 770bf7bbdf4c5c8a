/* A reader of T-SQL that knows its quotes and nothing of how the agent writes it. */
#ifndef TESTS_FUZZ_TSQL_H
#define TESTS_FUZZ_TSQL_H

#include "fuzz.h"

/* Behind the quote that closes what begins here; doubled ones stand for themselves. */
static inline const char *quoted_end(const char *text, char close)
{
	for (; *text != close || text[1] == close; text += *text == close ? 2 : 1)
		REQUIRE(*text != '\0');
	return text + 1;
}

/* A text or name that is read back, with doubled quotes halved. The caller frees it. */
static inline char *quoted_read(const char **text, char close)
{
	const char *end = quoted_end(*text, close);
	char *out = malloc((size_t)(end - *text));
	size_t n = 0;

	REQUIRE(out != NULL);
	for (const char *s = *text; s < end - 1; s += *s == close ? 2 : 1)
		out[n++] = *s;
	out[n] = '\0';
	*text = end;
	return out;
}

/* What stands outside of quotes in a statement of the agent: its own words. No comment, no other quote, no second
 * line. */
static inline bool is_plain(char c)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_ .,;:=()@<>*";

	return memchr(allowed, c, sizeof(allowed) - 1) != NULL;
}

#define MAX_NAMES 1024

/* The names that may occur. Borrowed; NULL counts as none. */
struct names {
	const char *items[MAX_NAMES];
	size_t n;
};

static inline void names_add(struct names *names, const char *name)
{
	REQUIRE(names->n < MAX_NAMES);
	names->items[names->n++] = name;
}

static inline bool names_have(const struct names *names, const char *name)
{
	/* The agent's own words. */
	static const char *const words[] = {"The transfer would take permissions from others.",
		"A DDL trigger was created or changed since this database was read, or is hidden from the agent login: nothing was run.",
		"A server trigger is not reviewed, or was created or changed since this server was read: nothing was run.",
		"This name belongs to another login than when this server was read: nothing was run.",
		"VIEW DEFINITION", "dbo", "@agent int"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(name, words[i]) == 0)
			return true;
	/* Kinds of events in the check of DDL triggers: capitals, or nothing for one without a kind. */
	if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] == '\0')
		return true;
	for (size_t i = 0; i < names->n; i++)
		if (names->items[i] && strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* Reads a statement; every name in brackets and every string in it must be one of these. */
static inline void statement_check(const char *text, const struct names *names)
{
	while (*text) {
		bool bracket = *text == '[', string = text[0] == 'N' && text[1] == '\'';

		/* The name of the hash, or a moment, which holds no letter but the one in its middle. */
		if (*text == '\'') {
			static const char hash[] = "SHA2_256";
			bool is_hash = strncmp(text + 1, hash, strlen(hash)) == 0;

			text += 1 + (is_hash ? strlen(hash) : strspn(text + 1, "0123456789-:.T"));
			REQUIRE(*text++ == '\'');
			continue;
		}
		if (!bracket && !string) {
			REQUIRE(is_plain(*text));
			text++;
			continue;
		}
		text += bracket ? 1 : 2;
		_cleanup_free_ char *read = quoted_read(&text, bracket ? ']' : '\'');
		REQUIRE(names_have(names, read));
	}
}

#endif
