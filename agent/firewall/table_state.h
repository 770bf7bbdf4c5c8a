/* What was read of the table, on its way into lists. */
#ifndef FIREWALL_STATE_H
#define FIREWALL_STATE_H

#include "firewall/netlink.h"

struct state_draft {
	struct firewall_state *state;
	instant_t now;
	int64_t began_ms;	  /* the moment that `now` stands for */
	const struct set_id *set; /* whose elements come */
	int r;
	size_t rows, messages; /* of this set's dump */
};

/* The elements of one message of a dump. */
int state_take_elements(struct state_draft *d, const struct nlmsghdr *nlh);
void state_sort(struct firewall_state *s);
/* A sorted state that names an element twice was read while the kernel moved elements: others are missing from it. */
bool state_has_twins(const struct firewall_state *s);
/* Two sorted states hold the same elements (the denied sets, which change with every packet, aside). */
bool state_has_same_keys(const struct firewall_state *a, const struct firewall_state *b);

struct counts {
	uint64_t packets, bytes;
};
/* For foreach over expressions: into struct counts when it is a counter. */
int counter_read(struct nftnl_expr *e, void *counts);

#endif
