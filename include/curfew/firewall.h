/* The allowlist in the kernel: one nftables table of our own, read, compared, changed, read back. */
#ifndef CURFEW_FIREWALL_H
#define CURFEW_FIREWALL_H

#include "curfew/allowlist.h"

struct firewall; /* a netlink socket; owns the table where the kernel knows owners */

struct firewall_features {   /* probed once at open, never assumed from a version */
	bool owner_persist;  /* NFT_TABLE_F_OWNER|PERSIST */
	bool update_timeout; /* a re-add changes an element's deadline */
	bool destroy;	     /* NFT_MSG_DESTROYSETELEM */
};

struct observed_allow {
	struct source source;
	struct endpoint endpoint;
	bool has_timeout;      /* false: permanent, which is never right */
	uint64_t remaining_ms; /* from the state's `read_ms` on */
	uint64_t packets, bytes;
	char comment[256];
};
struct refused { /* an element of denied4/denied6 */
	struct source source;
	struct endpoint endpoint;
	uint64_t packets, bytes;
	instant_t last_seen_latest; /* from the remaining timeout: not later than this, or 0 */
};
struct firewall_state {
	bool present; /* the table exists */
	bool intact;  /* chains, rules, hooks, priority, set flags as we make them */
	uint32_t generation;
	int64_t read_ms; /* CLOCK_MONOTONIC, milliseconds: the moment from which remaining times count */
	struct observed_allow *allows; /* sorted by endpoint, source */
	size_t n_allows;
	struct endpoint *guards;
	size_t n_guards;
	struct trusted *trusted;
	size_t n_trusted;
	struct refused *refused;
	size_t n_refused;
	uint64_t refused_packets;
};

struct firewall_change {
	enum firewall_change_kind kind;
	struct source source;
	struct endpoint endpoint;
	instant_t until;	  /* wanted; 0 for removals */
	instant_t observed_until; /* by the observed remaining time; 0 for additions */
	char comment[ALLOW_COMMENT_MAX + 1];
};
struct firewall_changes {
	struct firewall_change *items; /* closings first */
	size_t n;
};
/* 0; -EPERM without CAP_NET_ADMIN or when another process owns the table; other negative errno. */
int firewall_open(struct firewall **out, const struct firewall_settings *s);
/* To observe only, also while another process owns the table: probes nothing, changes nothing. */
int firewall_open_reader(struct firewall **out, const struct firewall_settings *s);
void firewall_close(struct firewall *f);
/* As of the last reading: the netlink port of another living owner (as a rule its process id), or 0. */
uint32_t firewall_other_owner(const struct firewall *f);
/* The last failure in words: "adding elements of allow4_32: File exists". Never NULL. */
const char *firewall_error(const struct firewall *f);
void firewall_features_get(const struct firewall *f, struct firewall_features *out);

/* Reads the whole table, consistent (one generation). `now` only turns remaining times into instants. */
int firewall_observe(struct firewall_state *out, struct firewall *f, instant_t now);
void firewall_state_free(struct firewall_state *s);
/* The same elements with their remaining times counted from `to_ms`, later or earlier than the reading: both sides of a
 * comparison must mean one moment. What has expired by then is left out. */
void firewall_state_age(struct firewall_state *s, int64_t to_ms);

/* Pure. A deadline up to the tolerance before the wanted one is equal; a later one never is. An element
 * whose end has come or that is about to expire by itself is left to expire; an end nearer than the
 * tolerance is not begun any more. */
#define FIREWALL_TOLERANCE                                                                         \
	3 /* seconds: a margin of 1.25 to 2.25 is taken off, so as never to be late */
int firewall_diff(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, instant_t now);
/* The order of the changes in such a list; 0: the same change of the same thing. */
int firewall_change_compare(const void *a, const void *b);
void firewall_changes_free(struct firewall_changes *c);

/* One atomic batch, its generation checked; retried a bounded number of times on ERESTART by observing
 * and computing the difference again. Only closings (removals, shortenings, guards) when `closings_only`.
 * After the commit reads back and compares: 0 only when the kernel holds what was wanted (within the part
 * asked for); FIREWALL_UNPROVED when it does not. *done (may be NULL) is what was changed; it is set, and
 * to be freed, whenever the result is not negative.
 * `now` may be a practice time and counts as cut to whole seconds; the deadlines are moved up for that.
 * Deadlines <= now are refused in code (never a timeout of 0). -ERANGE when a deadline lies more than ten
 * years ahead: that entry is not let in, everything else is done. -EPERM: another process owns the table
 * or the capability is missing; firewall_other_owner() tells which. Trusted sources count as closings:
 * a guard never comes without them. */
enum { FIREWALL_UNPROVED = 1 };
int firewall_apply(struct firewall_changes *done, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only);

/* Removes our table, for `make demo`'s end, tests and uninstall. */
int firewall_remove(struct firewall *f);

/* Watches the ruleset: a descriptor to poll; firewall_monitor_read() drains it and says whether somebody
 * else than ourselves changed our table, or events were lost (overflow): then observe again.
 * *who is the other's process name and id when the kernel told (NFTA_GEN_PROC_*). */
struct firewall_monitor;
int firewall_monitor_open(struct firewall_monitor **out, struct firewall *ours);
int firewall_monitor_fd(const struct firewall_monitor *m);
int firewall_monitor_read(bool *changed, char who[64], struct firewall_monitor *m);
void firewall_monitor_close(struct firewall_monitor *m);

#endif
