/* Finds a duplicate setting: libconfig reports the line of the second one and no name. Parses just enough of its
 * syntax. */
#include "program/odd_characters.h"

#include <ctype.h>
#include <string.h>

#define SETTINGS_MAX 4096

struct written {
	const char *name;
	size_t length;
	int line, depth;
};
struct scan {
	const char *at;
	int line, depth;
	struct written *open; /* settings of the groups that are still open */
	size_t n;
};

/* Skips a string or a comment. False if there is neither. */
static bool scan_skip(struct scan *s)
{
	const char *start = s->at, *end = NULL;

	if (*start == '"') {
		for (s->at++; *s->at && *s->at != '"'; s->at++)
			if (*s->at == '\\' && s->at[1])
				s->at++;
		s->at += *s->at == '"';
	} else if (*start == '#' || (*start == '/' && start[1] == '/')) {
		s->at += strcspn(s->at, "\n");
	} else if (*start == '/' && start[1] == '*') {
		end = strstr(start + 2, "*/");
		s->at = end ? end + 2 : start + strlen(start);
	} else {
		return false;
	}
	for (const char *p = start; p < s->at; p++)
		s->line += *p == '\n';
	return true;
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*text) && *text != '*')
		return 0;
	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("-_*", text[n])))
		n++;
	return n;
}

static const struct written *scan_find(const struct scan *s, const char *name, size_t length)
{
	for (size_t i = s->n; i-- > 0 && s->open[i].depth == s->depth;)
		if (s->open[i].length == length && memcmp(s->open[i].name, name, length) == 0)
			return &s->open[i];
	return NULL;
}

/* A name before = or : is a setting. True if its group has the name already. */
static bool scan_name(struct duplicate *out, struct scan *s, size_t length)
{
	const char *name = s->at, *after = name + length + strspn(name + length, " \t");
	const struct written *first = scan_find(s, name, length);

	s->at += length;
	if (*after != '=' && *after != ':')
		return false;
	if (first) {
		*out = (struct duplicate){name, length, first->line, s->line};
		return true;
	}
	if (s->n < SETTINGS_MAX)
		s->open[s->n++] = (struct written){name, length, s->line, s->depth};
	return false;
}

bool duplicate_find(struct duplicate *out, const char *text)
{
	struct scan s = {.at = text, .line = 1};
	bool found = false;

	s.open = calloc(SETTINGS_MAX, sizeof(*s.open));
	while (s.open && *s.at && !found) {
		size_t length = name_length(s.at);

		if (scan_skip(&s))
			continue;
		if (length > 0) {
			found = scan_name(out, &s, length);
			continue;
		}
		if (*s.at == '{')
			s.depth++;
		if (*s.at == '}')
			for (s.depth--; s.n > 0 && s.open[s.n - 1].depth > s.depth;)
				s.n--;
		s.line += *s.at == '\n';
		s.at++;
	}
	free(s.open);
	return found;
}
