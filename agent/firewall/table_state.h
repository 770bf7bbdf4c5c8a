/* What was read from the table, while the lists are built. */
#ifndef FIREWALL_STATE_H
#define FIREWALL_STATE_H

#include "firewall/netlink.h"

struct state_draft {
	struct firewall_state *state;
	instant_t now;
	int64_t began_ms; /* monotonic time for `now` */
	int64_t received_ms; /* the same for this message: what is left of its elements is no more than it says */
	const struct set_id *set; /* the set whose elements are read */
	/* Endpoints that lead to it; the first one's rows have the counters. */
	const struct endpoint **endpoints;
	size_t n_endpoints;
	bool broken;	       /* an endpoint leads to a chain that Curfew did not create */
	size_t rows, messages; /* of this set's dump */
};

/* Stores the elements of one message of a dump. */
int state_take_elements(struct state_draft *d, const struct nlmsghdr *nlh);
/* From now on the elements of this set. Guards must have been read, sorted, and laid out before sets of servers. */
void state_set_begin(struct state_draft *d, const struct set_id *id, const struct places *l);
void state_sort(struct firewall_state *s);
/* A state with duplicate elements was read during a rehash, so other elements are missing from it. */
bool state_has_twins(const struct firewall_state *s);
/* Both states have the same elements. The denied sets do not count, because every packet changes them. */
bool state_has_same_keys(const struct firewall_state *a, const struct firewall_state *b);
int observed_compare(const void *a, const void *b); /* two struct observed_allow */

struct counts {
	uint64_t packets, bytes;
};
/* For nftnl_expr_foreach(): adds the values of a counter to a struct counts. */
int counter_read(struct nftnl_expr *e, void *counts);

#endif
