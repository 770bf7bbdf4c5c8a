/* The allowlist in the kernel: one nftables table, read, compared, changed, read back. */
#ifndef CURFEW_FIREWALL_H
#define CURFEW_FIREWALL_H

#include "curfew/allowlist.h"
#include "curfew/pool.h"

struct firewall; /* a netlink socket; owns the table if the kernel supports owners */

struct firewall_features {   /* probed at open, never assumed from a version */
	bool owner_persist;  /* NFT_TABLE_F_OWNER|PERSIST */
	bool update_timeout; /* adding an element again changes its timeout */
	bool destroy;	     /* NFT_MSG_DESTROYSETELEM */
};

struct observed_allow {
	struct source source;
	struct endpoint endpoint;
	bool has_timeout;	 /* false: permanent, which is always an error */
	uint64_t remaining_ms;	 /* counted from the state's `read_ms` */
	uint64_t packets, bytes; /* of the server: at the first of its endpoints; 0 at the others */
	const char *comment;	 /* owned by the state */
};
struct observed_trusted {
	struct source source;
	struct endpoint endpoint;
	const char *comment;
};
struct refused { /* an element of denied4 or denied6 */
	struct source source;
	struct endpoint endpoint;
	uint64_t packets, bytes;
	instant_t
		last_seen_latest; /* from the remaining timeout: not later than this; 0: unknown */
};
struct firewall_state {
	bool present; /* the table exists */
	bool intact;  /* chains, rules, hooks, priority, and set flags are as Curfew creates them */
	uint32_t generation;
	int64_t read_ms; /* CLOCK_MONOTONIC in milliseconds: remaining times count from here */
	struct observed_allow *allows; /* sorted by endpoint and source */
	size_t n_allows;
	struct guard *guards; /* sorted; the server is "" in a table of an earlier version */
	size_t n_guards;
	struct observed_trusted *trusted;
	size_t n_trusted;
	struct refused *refused;
	size_t n_refused;
	uint64_t refused_packets;
	struct pool texts;
};

struct firewall_change {
	enum firewall_change_kind kind;
	struct source source;
	struct endpoint endpoint;
	instant_t until;	  /* scheduled; 0 for removals */
	instant_t observed_until; /* by the remaining time that was read; 0 for additions */
	const char *comment;	  /* never NULL */
};
struct firewall_changes {
	struct firewall_change *items; /* removals first */
	size_t n;
	struct pool texts; /* of the comments */
};
/* 0, -EPERM without CAP_NET_ADMIN or if another process owns the table, or another negative errno. */
int firewall_open(struct firewall **out, const struct firewall_settings *s);
/* For reading only, even if another process owns the table. Probes nothing and changes nothing. */
int firewall_open_reader(struct firewall **out, const struct firewall_settings *s);
void firewall_close(struct firewall *f);
/* In the last reading: netlink port of another owner that is alive (usually its process id), or 0. */
uint32_t firewall_other_owner(const struct firewall *f);
/* Text of the last failure: "adding elements of allow4_32: File exists". Never NULL. */
const char *firewall_error(const struct firewall *f);
void firewall_features_get(const struct firewall *f, struct firewall_features *out);

/* Reads the whole table, consistently (one generation). `now` only converts remaining times to ends. */
int firewall_observe(struct firewall_state *out, struct firewall *f, instant_t now);
void firewall_state_free(struct firewall_state *s);
/* The counter of refused packets alone: of all elements nothing is asked. */
int firewall_refused_packets(uint64_t *out, struct firewall *f);

/* An end up to the tolerance before the scheduled one counts as equal; a later one never does. An element whose
 * end has come, or that expires within the tolerance, is left to expire; a new one is not added. */
#define FIREWALL_TOLERANCE                                                                         \
	3 /* seconds: a margin of 1.25 to 2.25 is subtracted, so that no end is late */
/* The order of changes in a list. 0: the same change of the same entry. */
int firewall_change_compare(const void *a, const void *b);
void firewall_changes_free(struct firewall_changes *c);

/* Applies one atomic batch and checks its generation. On ERESTART it observes and compares again, a limited number of
 * times. With `closings_only`, only removals, shorter timeouts, and guards. Then reads back: 0 only if the kernel has
 * what is scheduled (or that part of it), else FIREWALL_UNPROVED. *done (may be NULL) is what was changed. It is set,
 * and must be freed, whenever the result is not negative. */
enum {
	FIREWALL_UNPROVED = 1,
	FIREWALL_UNCONFIRMED = 2, /* the firewall process left something as it was */
	FIREWALL_PROVED = 3,	  /* of a plan: nothing is to be done */
};
int firewall_apply(struct firewall_changes *done, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only);

/* What firewall_apply() would change. FIREWALL_PROVED: nothing, and it has nothing to say: the table is as it should
 * be, and held. 0: there is something to apply, or the process has to take the table over. */
int firewall_plan(struct firewall_changes *out, struct firewall *f, const struct allowlist *wanted,
	instant_t now, bool closings_only);

/* Watches the ruleset. firewall_monitor_read() reads all pending events and returns whether another program changed the
 * table, or events were lost (overflow): then observe again. *who is the other process's name and id, if the kernel
 * sent them (NFTA_GEN_PROC_*). */
struct firewall_monitor;
int firewall_monitor_open(struct firewall_monitor **out, struct firewall *ours);
int firewall_monitor_fd(const struct firewall_monitor *m);
int firewall_monitor_read(bool *changed, char who[64], struct firewall_monitor *m);
void firewall_monitor_close(struct firewall_monitor *m);

#endif
