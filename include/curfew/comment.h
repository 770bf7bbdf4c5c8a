/* An element's comment: whom it names, written and read again. Pure. */
#ifndef CURFEW_COMMENT_H
#define CURFEW_COMMENT_H

#include "curfew/allowlist.h"

/* A comment under construction; what does not fit any more is remembered, not written. */
struct comment {
	char *text;
	size_t length;
	bool cut;
};
void comment_begin(struct comment *c, char text[ALLOW_COMMENT_MAX + 1]);
/* login NULL: a server's name alone, of what it trusts. */
void comment_add(struct comment *c, const char *client, const char *login);
void comment_end(struct comment *c);

/* Whether "client/login, client/login" names that client, that login, or that login of that client; NULL: any.
 * Names are compared as they are written into a comment, hostile characters as '_'. A name may hold a separator, so
 * that one text can be read in two ways: told is then that somebody is named rather than that he is not. Of a comment
 * that was cut, the login that it ends within counts as far as it goes. */
bool comment_names(const char *comment, const char *client, const char *login);
/* Somebody behind the element may not be named. */
bool comment_is_cut(const char *comment);
/* The client, and the login, if everybody who is named is of that one, else NULL. 0 or -ENOMEM. */
int comment_only(char **client, char **login, const char *comment);

/* Whether the element of that source and endpoint may let somebody of the client in: its comment names one, or was cut,
 * and the element is one that the client's people would have. */
bool comment_may_name(const char *comment, const struct source *source,
	const struct endpoint *endpoint, const struct program *p, const struct client *c);

#endif
