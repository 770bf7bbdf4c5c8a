/* Access of the client that the journal knows and the file no longer names. */
#ifndef COMMANDS_CERTIFICATE_FORMER_H
#define COMMANDS_CERTIFICATE_FORMER_H

#include "commands/audit_collect.h"
#include "curfew/state_tables.h"

/* A database on which a login had access, and which the client's file no longer names for it. */
struct left_place {
	const char *login, *server, *database; /* borrowed from the history */
	const struct journal_entry *given;     /* the last record of access there */
	instant_t gone;			       /* when removal was verified; 0: not verified */
	const struct journal_entry
		*forgotten; /* an operator's decision to stop looking for it, or NULL */
};
struct left_places {
	struct left_place *items;
	size_t n;
	struct verified_list verified;
	const struct journal_entries *events; /* borrowed: of all clients, oldest first */
};
int left_places_read(struct left_places *out, const struct collected *c,
	const struct client *client, const struct journal_entries *events);
/* The decision that marked a login as removed in the inventory although nobody saw it go; NULL: it was seen. */
const struct journal_entry *login_forgotten(
	const struct left_places *l, const char *server, instant_t removed);
void left_places_free(struct left_places *l);
/* The journal has a record of access of the login there. database NULL: in any of the server's. */
bool place_was_given(
	const struct collected *c, const char *server, const char *login, const char *database);
/* Whether a pass has verified absence where access was never granted, so that no other record exists. */
bool place_needs_no_record(const struct left_places *l, const struct audit_proof *p);

#endif
