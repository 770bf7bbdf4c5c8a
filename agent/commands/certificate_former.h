/* Access of the client that the journal knows and the file no longer names. */
#ifndef COMMANDS_CERTIFICATE_FORMER_H
#define COMMANDS_CERTIFICATE_FORMER_H

#include "commands/audit_collect.h"
#include "curfew/state_tables.h"

/* A database on which a login had access, and which the client's file no longer names for it. */
struct left_place {
	const char *login, *server, *database; /* borrowed from the history */
	instant_t gone;			       /* when removal was verified; 0: not verified */
	const char *forgotten; /* an operator's reason to stop looking for it; owned */
};
struct left_places {
	struct left_place *items;
	size_t n;
	struct verified_list verified;
};
int left_places_read(
	struct left_places *out, const struct collected *c, const struct client *client);
void left_places_free(struct left_places *l);
/* Whether a pass has verified absence where access was never granted, so that no other record exists. */
bool place_needs_no_record(const struct left_places *l, const struct audit_proof *p);

#endif
