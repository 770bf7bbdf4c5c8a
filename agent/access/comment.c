/* Comments of nft elements name the client and login behind an entry. The kernel's table stores them; the journal, the
 * certificate, and people with nft read them. Names are untrusted: no name may end the comment or control a terminal.
 * */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/comment.h"
#include "curfew/text.h"

static const char separator[] = ", ", cut_mark[] = "...";

/* Control characters, bidirectional marks, and line breaks would let one name look like another. Quotes, backslashes,
 * and asterisks have a meaning inside nft strings. */
static bool code_is_hostile(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '"' || c == '\\' || c == '*' ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static void comment_put(struct comment *c, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p && !c->cut) {
		uint32_t code = 0;
		size_t n = utf8_decode(&code, (const char *)p);
		bool bad = n == 0 || code_is_hostile(code);
		size_t out = bad ? 1 : n;

		if (c->length + out > ALLOW_COMMENT_MAX) {
			c->cut = true;
			break;
		}
		memcpy(c->text + c->length, bad ? (const unsigned char *)"_" : p, out);
		c->length += out;
		p += n ? n : 1;
	}
	c->text[c->length] = '\0';
}

void comment_begin(struct comment *c, char text[ALLOW_COMMENT_MAX + 1])
{
	*c = (struct comment){.text = text};
	text[0] = '\0';
}

void comment_add(struct comment *c, const char *client, const char *login)
{
	if (c->length)
		comment_put(c, separator);
	comment_put(c, client);
	if (login) {
		comment_put(c, "/");
		comment_put(c, login);
	}
}

void comment_end(struct comment *c)
{
	size_t n = ALLOW_COMMENT_MAX - (sizeof(cut_mark) - 1);

	if (!c->cut)
		return;
	if (c->length < n)
		n = c->length;
	/* Step back to the first byte of a UTF-8 character. */
	while (n > 0 && ((unsigned char)c->text[n] & 0xc0) == 0x80)
		n--;
	memcpy(c->text + n, cut_mark, sizeof(cut_mark));
}

/* Where the names end and the mark of a cut comment begins. */
static const char *names_end(const char *comment)
{
	return comment + strlen(comment) - (comment_is_cut(comment) ? strlen(cut_mark) : 0);
}

bool comment_is_cut(const char *comment)
{
	size_t n = strlen(comment), mark = strlen(cut_mark);

	return n >= mark && streq(comment + n - mark, cut_mark);
}

/* Characters for which a comment may contain '_': control characters, some non-ASCII letters, nft's special characters.
 * */
static bool may_be_masked(char c)
{
	return (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f || strchr("\"\\*", c) != NULL;
}

enum match { OTHER, WHOLE, BEGUN };

/* Compares `name` with the text at *text, and moves *text behind it. BEGUN: the text ended inside the name. */
static enum match name_match(const char **text, const char *end, const char *name)
{
	const char *at = *text;

	while (*name && at < end) {
		bool masked = *at != *name;

		if (masked && (*at != '_' || !may_be_masked(*name)))
			return OTHER;
		at++;
		name++;
		/* One '_' stands for a whole UTF-8 character. */
		while (masked && ((unsigned char)*name & 0xc0) == 0x80)
			name++;
	}
	*text = at;
	return *name ? BEGUN : WHOLE;
}

static bool is_separator(const char *text)
{
	return !strncmp(text, separator, strlen(separator));
}

static bool login_is_at(const char *text, const char *end, bool begun, const char *login)
{
	enum match m = name_match(&text, end, login);

	return m == WHOLE ? text == end || is_separator(text) : m == BEGUN && begun;
}

bool comment_names(const char *comment, const char *client, const char *login)
{
	const char *end = names_end(comment);
	bool cut = comment_is_cut(comment);

	for (const char *p = comment; p < end; p++) {
		const char *at = p;

		if (!client) {
			/* Without a client, a cut login is no match: "acme/j..." would name every login that begins
			 * with j. */
			if (*p == '/' && (!login || login_is_at(p + 1, end, false, login)))
				return true;
			continue;
		}
		if (p != comment && (p - comment < 2 || !is_separator(p - 2)))
			continue;
		if (name_match(&at, end, client) == WHOLE && at < end && *at == '/' &&
			(!login || login_is_at(at + 1, end, cut, login)))
			return true;
	}
	return false;
}

struct span {
	const char *text;
	size_t size;
};

static bool span_same(const struct span *a, const struct span *b)
{
	return a->size == b->size && !memcmp(a->text, b->text, a->size);
}

/* Splits "client/login". With more than one slash the parts are ambiguous. */
static bool name_part(struct span *client, struct span *login, const char *text, size_t size)
{
	const char *slash = memchr(text, '/', size);

	if (!slash || memchr(slash + 1, '/', size - (size_t)(slash + 1 - text)))
		return false;
	*client = (struct span){text, (size_t)(slash - text)};
	*login = (struct span){slash + 1, size - client->size - 1};
	return true;
}

int comment_only(char **client, char **login, const char *comment)
{
	struct span c = {0}, l = {0}, other, person;
	bool one = !comment_is_cut(comment), same = one;

	for (const char *p = comment; one && p;) {
		const char *end = strstr(p, separator);
		size_t size = end ? (size_t)(end - p) : strlen(p);

		one = name_part(&other, &person, p, size);
		if (p == comment) {
			c = other;
			l = person;
		}
		one = one && span_same(&c, &other);
		same = one && same && span_same(&l, &person);
		p = end ? end + strlen(separator) : NULL;
	}
	char *a = one ? strndup(c.text, c.size) : NULL, *b = same ? strndup(l.text, l.size) : NULL;
	if ((one && !a) || (same && !b)) {
		free(a);
		free(b);
		return -ENOMEM;
	}
	*client = a;
	*login = b;
	return 0;
}

static bool source_is_of(const struct client *c, const struct source *source)
{
	for (size_t i = 0; i < c->n_users; i++)
		for (size_t k = 0; k < c->users[i].n_sources; k++)
			if (!source_compare(&c->users[i].sources[k], source))
				return true;
	return false;
}

static bool endpoint_is_of(
	const struct client *c, const struct program *p, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server *s = &p->servers[i];

		if (!client_uses_server(p, c, s))
			continue;
		for (size_t k = 0; k < s->n_endpoints; k++)
			if (!endpoint_compare(&s->endpoints[k], endpoint))
				return true;
	}
	return false;
}

bool comment_may_name(const char *comment, const struct source *source,
	const struct endpoint *endpoint, const struct program *p, const struct client *c)
{
	return comment_names(comment, c->name, NULL) ||
	       (comment_is_cut(comment) && source_is_of(c, source) &&
		       endpoint_is_of(c, p, endpoint));
}
