/* Users that a denied source may belong to. Pure: the packet filter's state in, words out. */
#ifndef CURFEW_DENIED_H
#define CURFEW_DENIED_H

#include "curfew/access.h"
#include "curfew/firewall.h"

struct denied_hint {
	const struct user *user;
	const struct client *client;
	bool own; /* the address is one of the user's sources (on another server, or at another time) */
	struct source source;
};
/* Finds the best explanation for an address: its user, else the user of a near address. `only` may be NULL. */
bool denied_hint_find(struct denied_hint *out, const struct program *p, const struct client *only,
	const struct source *refused);
/* The user's grant on that server with the highest level, or NULL. */
const struct grant *denied_grant(
	const struct grants *g, const struct user *u, const struct server *s);
/* "near 203.0.113.0/29 of acme.jane.doe; ...". `s` may be NULL. */
void denied_hint_words(char buf[RECORD_TEXT_MAX], const struct denied_hint *h,
	const struct grants *g, const struct server *s, enum answer admitted, instant_t now);
/* The configured server with this endpoint, or NULL. */
const struct server *denied_server(const struct program *p, const struct endpoint *e);

#endif
