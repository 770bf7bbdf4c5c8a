/* The guards that the firewall process remembers: those that its table had last. So a boot puts them back also where the
 * configuration no longer names them and the service's journal is lost. A request adds or removes one only as a change of
 * the table. */
#ifndef FIREWALL_HELPER_GUARDS_H
#define FIREWALL_HELPER_GUARDS_H

#include "curfew/firewall.h"
#include "curfew/firewall_record.h"

/* The lines by which a memory comes to the guards of this list, which is in force; "": it has them. Of an endpoint that
 * left the configuration it keeps what it has. 0, -ENOMEM, or -E2BIG. The caller frees *out. */
int helper_guards_changes(
	char **out, const struct firewall_memory *m, const struct allowlist *w, instant_t now);
/* Writes a guard as lines. */
int helper_guard_print(FILE *to, const char *server, const struct endpoint *e,
	const struct source *trusted, size_t n, instant_t now);
/* Adds the remembered guards to a table as it was read: they may be put back where it lost them. 0 or -ENOMEM. */
int helper_guards_join(struct firewall_state *held, const struct kept_guards *g);

#endif
