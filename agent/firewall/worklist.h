/* Fills a transaction: with changes, or with a whole table. */
#ifndef FIREWALL_WORKLIST_H
#define FIREWALL_WORKLIST_H

#include "firewall/intact.h"

struct worklist {
	struct batch *batch;
	const struct allowlist *wanted;
	const struct table_reading *observed;
	const struct diff_moment *moment;
	bool closings_only;
	int64_t ahead_ms; /* of the clock of apply against the monotonic one */
	struct places places;
	struct set_id *made; /* sets that this transaction adds */
	size_t n_made;
	bool restructured; /* more than elements of sets that were there */
};

void worklist_free(struct worklist *w);
/* worklist.c: the first changes, no more than fit. *taken is lowered to their number. */
int worklist_changes(size_t *taken, struct worklist *w, const struct firewall_changes *changes);
/* rebuild.c: the table and all that it holds. */
int worklist_rebuild(struct worklist *w);

/* structure.c */
int structure_build(struct worklist *w);
/* A set of a server, with its rule, unless it is there. */
int structure_set(struct worklist *w, const struct set_id *id);
/* A server's chain, which refuses whom no rule before accepts. */
int structure_server(struct worklist *w, uint32_t server);
/* Its chain and its sets, once no endpoint leads there any more. */
int structure_remove(struct worklist *w, uint32_t server);

#endif
