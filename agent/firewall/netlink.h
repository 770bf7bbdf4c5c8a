/* What the files of the firewall share among themselves; nothing outside this folder includes it. */
#ifndef FIREWALL_INTERNAL_H
#define FIREWALL_INTERNAL_H

#include <errno.h>
#include <netinet/in.h> /* before the kernel's headers, which then keep away from its types */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include "curfew/firewall.h"

#define TABLE_NAME    "curfew"
#define CHAIN_CHECK   "check"
#define CHAIN_INPUT   "guard_input"
#define CHAIN_FORWARD "guard_forward"

/* Newer than the headers of Debian 12, the same on every kernel that has them. */
#define TABLE_F_PERSIST	   0x4u
#define MSG_DESTROYSETELEM 30

#define ALLOW_TIMEOUT_DEFAULT_MS (60 * 1000ull) /* what an element without its own would get */
#define DENIED_TIMEOUT_MS	 (24 * 3600 * 1000ull) /* a refused source is remembered for a day */
#define MAX_DENIED		 65536u		       /* a scan must not eat the kernel's memory */
#define MAX_DEADLINE_S		 (3660LL * 24 * 3600) /* refused beyond: no access lasts ten years */
#define MAX_BATCH_ELEMENTS	 100000u
#define MAX_MESSAGE		 (128u * 1024) /* one message: a nest of 64 KiB and its frame */
#define MAX_ATTEMPTS		 8	       /* commits that a concurrent change may void */

/* Room that is taken off every deadline, so as never to be late: `now` has been cut to whole seconds by up
 * to one, and the kernel counts from the moment it reaches the element, a while after we worked out the rest.
 * How long that while may be is allowed for by the batch's size and by what earlier ones took; it is measured,
 * and elements of a batch that took longer are written again. */
#define CUT_MS	       1000
#define ALLOWANCE_MS   250 /* for any batch: to be scheduled, to be sent */
#define MAX_SPREAD_MS  700 /* for all elements of a batch, or each pass would find them too early */
#define ELEMENT_US     7   /* at the least, for one element */
#define MAX_ELEMENT_US 5000
#define TOLERANCE_MS   (FIREWALL_TOLERANCE * 1000LL)

struct firewall {
	struct mnl_socket *socket;
	uint32_t portid;
	uint32_t sequence;
	size_t send_limit; /* the longest batch that one sendto takes */
	struct firewall_settings settings;
	struct firewall_features features;
	/* What a batch, and each element of it, may take from being worked out to being in force; by what
	 * earlier ones took. */
	int64_t batch_ms, element_us;
	bool reader; /* opened for reading: nothing was probed, nothing may be written */
	/* As of the last observation. */
	uint32_t table_flags, table_owner;
	char error[256];
};

/* Which set of the table: guard4, trusted6_64, allow4_32, denied4 ... */
enum set_kind { SET_GUARD, SET_TRUSTED, SET_ALLOW, SET_DENIED };
struct set_id {
	enum set_kind kind;
	int family;
	uint8_t prefix; /* trusted and allow only */
};
#define SET_NAME_MAX 16
/* Source address, endpoint address, port, each padded to 4 bytes. */
#define KEY_MAX (16 + 16 + 4)
struct set_key {
	uint8_t bytes[KEY_MAX];
	uint32_t length;
};

/* set.c */
struct set_id set_id_guard(const struct endpoint *e);
struct set_id set_id_of(enum set_kind kind, const struct source *s);
int set_id_compare(const struct set_id *a, const struct set_id *b);
const char *set_id_format(char buf[SET_NAME_MAX], const struct set_id *id);
bool set_id_parse(struct set_id *out, const char *name);
bool set_id_per_prefix(const struct set_id *id); /* has an accept rule of its own */
void set_key_make(struct set_key *out, const struct set_id *id, const struct source *s,
	const struct endpoint *e);
bool set_key_read(struct source *s, struct endpoint *e, const struct set_id *id, const void *key,
	uint32_t length);
struct nftnl_set *set_make(const struct set_id *id);
bool set_is_as_made(const struct nftnl_set *s, const struct set_id *id);

/* element.c: one element to write, or to delete. */
struct element {
	struct set_id set;
	struct source source; /* not for guards */
	struct endpoint endpoint;
	uint8_t phase;	/* order within a batch, and over several: enum element_phase */
	bool update;	/* exists; the kernel changes its deadline in place */
	int64_t end_ms; /* by the clock of apply; 0 for sets without timeouts */
	uint64_t packets, bytes;
	const char *comment; /* not owned; NULL: none */
};
enum element_phase { PHASE_DELETE, PHASE_ADD, PHASE_DELETE_GUARD };
struct elements {
	struct element *items;
	size_t n;
};
int elements_add(struct elements *list, const struct element *e);
void elements_sort(struct elements *list);
void elements_free(struct elements *list);
int element_build(struct nlmsghdr *nlh, const struct element *e, uint64_t timeout_ms);
/* The rest of a deadline for the kernel; false when nothing is left, which must never become 0. */
bool element_timeout(uint64_t *out, int64_t end_ms, int64_t now_ms, int64_t allowance_ms);

/* rule.c */
int rule_accept(struct nftnl_rule **out, const struct set_id *id);
int rules_tail(struct nftnl_rule *out[8], const struct firewall_settings *s, uint64_t packets,
	uint64_t bytes);
int rules_guard(struct nftnl_rule *out[8], const struct firewall_settings *s, const char *chain);
/* What the rule does, as text without counters, handle and comment; free() it. NULL: out of memory. */
char *rule_text(struct nftnl_rule *r);

/* chain.c */
struct nftnl_chain *chain_make(const char *name, const struct firewall_settings *s);
bool chain_is_as_made(const struct nftnl_chain *c, const struct firewall_settings *s);
bool chain_is_wanted(const char *name, const struct firewall_settings *s);

/* batch.c: messages for one sendto, which the kernel takes wholly or not at all. */
struct batch_step {
	uint32_t sequence;
	char what[48];
};
struct batch {
	struct firewall *firewall; /* not owned */
	uint8_t *data;
	size_t length, capacity;
	struct batch_step *steps;
	size_t n_steps;
	size_t n_elements;
	int64_t allowance_ms; /* how long the elements may take from here into force */
	int64_t began_ms;     /* when the first of them was worked out */
};
int batch_begin(struct batch *b, struct firewall *f, uint32_t generation, bool check_generation);
/* A message to fill; valid until the next call. NULL: out of memory. */
struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags, const char *what,
	...) __attribute__((format(printf, 4, 5)));
void batch_message_end(struct batch *b, const struct nlmsghdr *nlh);
/* How many elements keep to the allowance and surely fit. */
size_t batch_capacity(const struct firewall *f);
/* As many as fit. */
int batch_elements(
	struct batch *b, const struct elements *list, int64_t now_ms, int64_t started_ms);
int batch_table(struct batch *b, bool delete_first);
int batch_set(struct batch *b, const struct set_id *id);
int batch_rule(struct batch *b, struct nftnl_rule *r, bool append);
/* Ends and sends. 0, or what the kernel answered: -ERESTART when the generation has moved on. */
int batch_commit(struct batch *b);
void batch_free(struct batch *b);

/* query.c */
typedef int (*query_fn)(const struct nlmsghdr *nlh, void *context);
/* Sends one request, hands every answer to `fn`. -EINTR: the dump is not of one piece, ask again. */
int query(struct firewall *f, struct nlmsghdr *request, query_fn fn, void *context);
/* A request in a buffer of the caller's. */
#define QUERY_ROOM 512
struct nlmsghdr *query_make(void *buf, uint16_t type, uint16_t flags);
/* The first attribute of a type, or NULL. */
const struct nlattr *message_attribute(const struct nlmsghdr *nlh, uint16_t type);
/* A number in network order; 0 when it is not there. */
uint32_t message_u32(const struct nlmsghdr *nlh, uint16_t type);
int query_generation(uint32_t *out, struct firewall *f);
/* Reads flags and owner of our table into `f`. 0, or -ENOENT. */
int query_table(struct firewall *f);

/* walk.c: visits what is on either side, or on both; the absent one is NULL. A negative result of the
 * visitor ends the walk. */
typedef int (*walk_fn)(const void *wanted, const void *observed, void *context);
int walk_allows(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context);
int walk_trusted(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context);
int walk_guards(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context);
int allow_key_compare(const struct endpoint *e1, const struct source *s1, const struct endpoint *e2,
	const struct source *s2);

/* diff.c: with milliseconds, because apply goes on counting while it works. `cut_ms` is by how much the
 * clock may be behind the real one without its being late for a deadline. */
int diff_at(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, int64_t cut_ms);
/* What one element needs; false: nothing. Either side may be NULL. */
bool diff_allow(enum firewall_change_kind *out, const struct allow *wanted,
	const struct observed_allow *observed, int64_t now_ms, int64_t cut_ms);
/* worklist.c: which elements a batch has to write. */
/* The first *taken changes: no more than `limit` elements. */
int worklist_changes(size_t *taken, struct elements *out, const struct firewall *f,
	const struct firewall_changes *changes, const struct firewall_state *observed,
	size_t limit);
int worklist_rebuild(struct elements *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, bool closings_only);

/* probe.c */
int probe_features(struct firewall_features *out, struct firewall *f);

int firewall_fail(struct firewall *f, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline size_t address_length(int family)
{
	return family == AF_INET ? 4 : 16;
}

#endif
