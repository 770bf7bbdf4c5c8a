/* The names of databases that a proof could not read, as its evidence has them. */
#include "curfew/unread_names.h"

/* " and 32767 more" */
#define MORE_MAX 16

void unread_names_write(
	char *to, size_t size, const char *words, const char *const *names, size_t n)
{
	size_t used = strlen(to), told = 0;
	int more = snprintf(to + used, size - used, "%s", words);

	if (more < 0 || (size_t)more >= size - used) {
		to[used] = '\0';
		return;
	}
	used += (size_t)more;
	for (; told < n; told++) {
		more = snprintf(to + used, size - used, "%s[%s]", told ? ", " : "", names[told]);
		/* A name that is cut would be another one. */
		if (more < 0 || used + (size_t)more + (told + 1 < n ? MORE_MAX : 0) >= size) {
			to[used] = '\0';
			break;
		}
		used += (size_t)more;
	}
	if (told < n)
		snprintf(to + used, size - used, "%s%zu%s", told ? " and " : "", n - told,
			told ? " more" : "");
}

static bool names_have(const char *evidence, const char *words, const char *database)
{
	const char *names = evidence ? strstr(evidence, words) : NULL;
	size_t n = strlen(database);

	for (const char *at = names; at && (at = strchr(at, '[')); at++)
		if (!strncmp(at + 1, database, n) && at[n + 1] == ']')
			return true;
	return false;
}

bool unread_names_have(const char *evidence, const char *database)
{
	return names_have(evidence, UNREAD_NAMES, database);
}

bool unread_names_forgotten(const char *evidence, const char *database)
{
	const char *names = evidence ? strstr(evidence, UNREAD_FORGOTTEN) : NULL;
	size_t n = names ? strlen(names) : 0;

	return names_have(evidence, UNREAD_FORGOTTEN, database) ||
	       (n > 5 && streq(names + n - 5, " more")) ||
	       (names && names[strlen(UNREAD_FORGOTTEN)] != '[');
}
