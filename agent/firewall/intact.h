/* Whether the table is as Curfew creates it: collected while reading, compared at the end. */
#ifndef FIREWALL_INTACT_H
#define FIREWALL_INTACT_H

#include "firewall/netlink.h"

struct intact_set {
	struct set_id id;
	bool readable; /* has the expected type and flags, so its elements can be read */
	bool has_rule;
	bool counted;	/* this kernel returns the number of elements */
	uint32_t count; /* number of elements, including expired ones */
};
struct intact_chain {
	char *name;
	bool as_made;
	char **rules; /* as text, in order */
	size_t n_rules;
};
struct intact {
	struct firewall_settings settings;
	struct names *servers; /* not owned */
	struct intact_set *sets;
	size_t n_sets;
	struct intact_chain *chains;
	size_t n_chains;
	bool broken; /* something was added or changed */
	uint64_t refused_bytes;
};

void intact_init(struct intact *i, const struct firewall_settings *s, struct names *servers);
void intact_free(struct intact *i);
int intact_set(struct intact *i, const struct nftnl_set *set);
int intact_chain(struct intact *i, const struct nftnl_chain *chain);
int intact_rule(struct intact *i, struct nftnl_rule *rule);
int intact_verdict(
	bool *out, struct intact *i, const struct firewall *f, const struct firewall_state *s);
bool intact_has_set(const struct intact *i, const struct set_id *id);

/* observe.c: firewall_observe(), and what the table consists of. */
struct table_reading {
	struct firewall_state state;
	struct intact intact;
	bool fresh; /* read just now, so that its counters are those of now */
	bool owned; /* the table was this process's own, so nobody else can change it */
};
int observe_with(struct table_reading *out, struct firewall *f, instant_t now);
void reading_free(struct table_reading *r);

/* last_reading.c: what is kept of the last reading, in firewall.last. */
/* Nothing has changed the table since: the generation is the same, or it is ours alone. False also when in doubt. */
bool reading_is_current(struct firewall *f);
void reading_drop(struct firewall *f);
/* The last reading was compared with this list at this moment, and nothing is to be done: not now, and not later while the
 * table and the clocks are as they are. */
void reading_prove(struct firewall *f, const struct allowlist *wanted, const struct diff_moment *m,
	const struct diff_span *late);
/* The same list again. Nothing is compared, and all of this is proof: the kernel's word that no transaction has touched
 * the table since, or that it is ours alone; and for each end that, by both clocks as they are now, it is neither late
 * nor early. */
bool reading_proves(struct firewall *f, const struct allowlist *wanted, instant_t now);
/* Reads back the first `n` changes, which were committed and touched only elements. Drops the reading when in doubt. */
int reading_refresh(
	struct firewall *f, const struct firewall_changes *changes, size_t n, instant_t now);

#endif
