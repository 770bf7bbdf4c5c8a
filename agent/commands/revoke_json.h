/* The result of revoke and reinstate as JSON. */
#ifndef CURFEW_COMMANDS_REVOKE_JSON_H
#define CURFEW_COMMANDS_REVOKE_JSON_H

#include "commands/command.h"
#include "curfew/control.h"

/* Adds a user who was named: { client login still_revoked }, the last being "client", "user", or null. */
int revoke_target_add(struct json_t *targets, const struct overrides *left, const char *client,
	const char *login);
/* As pass_json(), with the targets, which are taken over, and where the revocation is recorded. 0 or -EIO. */
int revoke_json_print(const struct pass_result *r, const struct records *k, instant_t now,
	enum recorded recorded, struct json_t *targets);

#endif
