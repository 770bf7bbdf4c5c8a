/* Whom a certificate is about, and what stands against it. */
#ifndef COMMANDS_CERTIFICATE_SCOPE_H
#define COMMANDS_CERTIFICATE_SCOPE_H

#include "commands/certificate_memory.h"

struct certificate_scope {
	const struct client *client;
	const char *login;	 /* one person; NULL: the whole client */
	const struct user *user; /* of the file; NULL: somebody who left it, or the whole client */
};
/* USER is a name of the file, or of somebody who left it: the login, or what stands behind the client's name in it. 0 or
 * exit code. */
int scope_find(struct certificate_scope *out, const struct cli *cli, const struct collected *c,
	const char *name);
bool scope_has(const struct certificate_scope *s, const char *login);
/* A login of the client's that its file does not name any more: somebody who was replaced. */
bool scope_is_former(const struct certificate_scope *s, const struct journal_entry *e);
/* When the inventory saw the login gone; 0 while it has not. */
instant_t scope_login_gone(const struct identities *ids, const struct journal_entry *e);
/* The journal's last verification that it is gone, and when; 0: there is none. database NULL: the login. */
int64_t scope_proof(instant_t *at, const struct collected *c, const char *login, const char *server,
	const char *database);
/* What is missing, each in a line on standard error; the number of them. */
size_t scope_missing(const struct cli *cli, const struct collected *c,
	const struct certificate_scope *s, const struct identities *ids,
	const struct left_places *left);

#endif
