/* What the journal's memory says beyond the client's file: access that was given and is named no more. */
#ifndef COMMANDS_CERTIFICATE_MEMORY_H
#define COMMANDS_CERTIFICATE_MEMORY_H

#include "commands/audit_collect.h"
#include "curfew/memory.h"

/* One place where access was given once and that the client's file does not name any more. */
struct left_place {
	const char *login, *server, *database; /* the history's */
	instant_t gone;			       /* when it was verified gone; 0: it is not */
	const char
		*forgotten; /* the operator's reason, when it is not looked for any more; owned */
};
struct left_places {
	struct left_place *items;
	size_t n;
	struct verified_list verified;
};
int left_places_read(
	struct left_places *out, const struct collected *c, const struct client *client);
void left_places_free(struct left_places *l);
/* A pass has verified that nothing is there, and put that in memory: of what was never given there is no other record. */
bool place_needs_no_record(const struct left_places *l, const struct audit_proof *p);

#endif
