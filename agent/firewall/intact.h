/* Whether the table is as Curfew creates it: collected while reading, compared at the end. */
#ifndef FIREWALL_INTACT_H
#define FIREWALL_INTACT_H

#include "firewall/netlink.h"

enum { INTACT_CHAINS = 3 }; /* check, guard_input, guard_forward */

struct intact_set {
	struct set_id id;
	bool readable; /* has the expected type and flags, so its elements can be read */
	bool has_rule;
	bool counted;	/* this kernel returns the number of elements */
	uint32_t count; /* number of elements, including expired ones */
};
struct intact {
	struct firewall_settings settings;
	struct intact_set *sets;
	size_t n_sets;
	struct intact_rules {
		char **items; /* as text, in order */
		size_t n;
	} rules[INTACT_CHAINS];
	bool chains[INTACT_CHAINS]; /* those that exist as created */
	bool broken;		    /* something was added or changed */
	uint64_t refused_bytes;
};

void intact_init(struct intact *i, const struct firewall_settings *s);
void intact_free(struct intact *i);
int intact_set(struct intact *i, const struct nftnl_set *set);
void intact_chain(struct intact *i, const struct nftnl_chain *chain);
int intact_rule(struct intact *i, struct nftnl_rule *rule);
int intact_verdict(bool *out, struct intact *i, const struct firewall *f);
bool intact_has_set(const struct intact *i, const struct set_id *id);

/* observe.c: firewall_observe(), and what the table consists of. Free both. */
int observe_with(
	struct firewall_state *out, struct intact *intact, struct firewall *f, instant_t now);

#endif
