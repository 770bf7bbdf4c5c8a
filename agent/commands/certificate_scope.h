/* The user or client of a certificate, and the reasons not to issue it. */
#ifndef COMMANDS_CERTIFICATE_SCOPE_H
#define COMMANDS_CERTIFICATE_SCOPE_H

#include "commands/certificate_former.h"

struct certificate_scope {
	const struct client *client;
	const char *login;	 /* one user; NULL: the whole client */
	const struct user *user; /* NULL: the whole client, or a user who left the file */
};
/* USER is a configured user or a former one: the login, or the part of it after the client's name. 0 or exit code. */
int scope_find(struct certificate_scope *out, const struct cli *cli, const struct collected *c,
	const char *name);
bool scope_has(const struct certificate_scope *s, const char *login);
/* A login of the client that the file no longer names, because its user was replaced. */
bool scope_is_former(const struct certificate_scope *s, const struct journal_entry *e);
/* When the inventory recorded the login as removed last; 0: it is not. */
instant_t scope_login_gone(const struct identities *ids, const struct journal_entry *e);
/* The journal's last verification of the place, if it is of the removal, and its time; else 0. database NULL: of the
 * login. */
int64_t scope_proof(instant_t *at, const struct collected *c, const char *login, const char *server,
	const char *database);
/* Prints what is missing to standard error, one line each; returns the number of lines. */
size_t scope_missing(const struct cli *cli, const struct collected *c,
	const struct certificate_scope *s, const struct identities *ids,
	const struct left_places *left);

#endif
