/* The comment of an nft element: whom it names. Pure. */
#ifndef CURFEW_COMMENT_H
#define CURFEW_COMMENT_H

#include "curfew/allowlist.h"

/* A comment while it is written. `cut` is set when a name no longer fits. */
struct comment {
	char *text;
	size_t length;
	bool cut;
};
void comment_begin(struct comment *c, char text[ALLOW_COMMENT_MAX + 1]);
/* login NULL: only a server's name, for a trusted source. */
void comment_add(struct comment *c, const char *client, const char *login);
void comment_end(struct comment *c);

/* Whether a comment "client/login, client/login" names this client, this login, or this login of this client. NULL:
 * any. Characters that a comment cannot contain match '_'. If a comment is ambiguous, assume that it names the user. In
 * a cut comment, the beginning of a login counts as a match. */
bool comment_names(const char *comment, const char *client, const char *login);
/* Not all logins of the entry are named. */
bool comment_is_cut(const char *comment);
/* The client and the login, each only if it is the same for all names; else NULL. 0 or -ENOMEM. */
int comment_only(char **client, char **login, const char *comment);

/* Whether the entry with this source and endpoint may be for the client: its comment names the client, or is cut and
 * the client's users have this source and endpoint. */
bool comment_may_name(const char *comment, const struct source *source,
	const struct endpoint *endpoint, const struct program *p, const struct client *c);

#endif
