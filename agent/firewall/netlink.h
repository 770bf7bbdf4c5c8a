/* Used only by firewall/: what its files share. */
#ifndef FIREWALL_INTERNAL_H
#define FIREWALL_INTERNAL_H

#include <errno.h>
#include <netinet/in.h> /* before the kernel headers, which then do not define its types */
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

/* Newer than the headers of Debian 12; the values are the same on every kernel that has them. */
#define TABLE_F_PERSIST	   0x4u
#define MSG_DESTROYSETELEM 30

#define ALLOW_TIMEOUT_DEFAULT_MS (60 * 1000ull)	       /* for an element without its own timeout */
#define DENIED_TIMEOUT_MS	 (24 * 3600 * 1000ull) /* a denied source is remembered for a day */
#define MAX_DENIED		 65536u /* a port scan must not fill the kernel's memory */
/* anything longer is refused: no access lasts ten years */
#define MAX_DEADLINE_S	   (3660LL * 24 * 3600)
#define MAX_BATCH_ELEMENTS 100000u
#define MAX_MESSAGE	   (128u * 1024) /* one message: a nested attribute of 64 KiB and its frame */
#define MAX_ATTEMPTS	   8		 /* attempts if concurrent changes make commits fail */

/* Room that is taken off every deadline, so as never to be late: `now` has been cut to whole seconds by up
 * to one, and the kernel counts from the moment it reaches the element, a while after we worked out the rest.
 * How long that while may be is allowed for by the batch's size and by what earlier ones took; it is measured,
 * and elements of a batch that took longer are written again. */
#define CUT_MS	     1000
#define ALLOWANCE_MS 250 /* for any batch: to be scheduled, to be sent */
#define MAX_SPREAD_MS                                                                              \
	700 /* for all elements of a batch; otherwise each pass would find them too early */
/* For a batch on a host so busy that the last one took longer than that: an end is then as much early as it must be for
 * none to be late. */
#define MAX_BUSY_MS    30000
#define ELEMENT_US     7 /* minimum for one element */
#define MAX_ELEMENT_US 5000
#define TOLERANCE_MS   (FIREWALL_TOLERANCE * 1000LL)

struct firewall {
	struct mnl_socket *socket;
	uint32_t portid;
	uint32_t sequence;
	size_t send_limit; /* the longest batch that one sendto accepts */
	struct firewall_settings settings;
	struct firewall_features features;
	/* Measured time between computing a timeout and its start in the kernel, for a batch and for each of its
	 * elements. */
	int64_t batch_ms, element_us;
	bool reader; /* opened read-only: nothing was probed, nothing may be written */
	/* As of the last observation. */
	uint32_t table_flags, table_owner;
	char error[256];
};

/* Identifies a set of the table: guard4, trusted6_64, allow4_32, denied4, ... */
enum set_kind { SET_GUARD, SET_TRUSTED, SET_ALLOW, SET_DENIED };
struct set_id {
	enum set_kind kind;
	int family;
	uint8_t prefix; /* only for trusted and allow */
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
bool set_id_per_prefix(const struct set_id *id); /* has its own accept rule */
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
	uint8_t phase;	/* order within a batch and across batches: enum element_phase */
	bool update;	/* the element exists, and the kernel can change its timeout */
	int64_t end_ms; /* on the clock of apply; 0 for sets without timeouts */
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
/* The timeout for the kernel. False if no time is left: it must never become 0. */
bool element_timeout(uint64_t *out, int64_t end_ms, int64_t now_ms, int64_t allowance_ms);

/* rule.c */
int rule_accept(struct nftnl_rule **out, const struct set_id *id);
int rules_tail(struct nftnl_rule *out[8], const struct firewall_settings *s, uint64_t packets,
	uint64_t bytes);
int rules_guard(struct nftnl_rule *out[8], const struct firewall_settings *s, const char *chain);
/* The rule's expressions as text, without counters, handle, and comment. Free it. NULL: out of memory. */
char *rule_text(struct nftnl_rule *r);

/* chain.c */
struct nftnl_chain *chain_make(const char *name, const struct firewall_settings *s);
bool chain_is_as_made(const struct nftnl_chain *c, const struct firewall_settings *s);
bool chain_is_wanted(const char *name, const struct firewall_settings *s);

/* batch.c: messages for one sendto, which the kernel applies completely or not at all. */
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
	int64_t allowance_ms; /* time that the elements may take from here until they are active */
	int64_t began_ms;     /* when the timeout of the first element was computed */
};
int batch_begin(struct batch *b, struct firewall *f, uint32_t generation, bool check_generation);
/* A message to fill; valid until the next call. NULL: out of memory. */
struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags, const char *what,
	...) __attribute__((format(printf, 4, 5)));
void batch_message_end(struct batch *b, const struct nlmsghdr *nlh);
/* Number of elements that stay within the allowance and the send buffer. */
size_t batch_capacity(const struct firewall *f);
/* As many as fit. */
int batch_elements(
	struct batch *b, const struct elements *list, int64_t now_ms, int64_t started_ms);
int batch_table(struct batch *b, bool delete_first);
int batch_set(struct batch *b, const struct set_id *id);
int batch_rule(struct batch *b, struct nftnl_rule *r, bool append);
/* Ends and sends the batch. 0, or the kernel's error; -ERESTART if the generation changed. */
int batch_commit(struct batch *b);
void batch_free(struct batch *b);

/* query.c */
typedef int (*query_fn)(const struct nlmsghdr *nlh, void *context);
/* Sends one request and passes every answer to `fn`. -EINTR: the dump is inconsistent; repeat it. */
int query(struct firewall *f, struct nlmsghdr *request, query_fn fn, void *context);
/* Size of a buffer for a request. */
#define QUERY_ROOM 512
struct nlmsghdr *query_make(void *buf, uint16_t type, uint16_t flags);
/* The first attribute of a type, or NULL. */
const struct nlattr *message_attribute(const struct nlmsghdr *nlh, uint16_t type);
/* A number in network byte order; 0 if the attribute is missing. */
uint32_t message_u32(const struct nlmsghdr *nlh, uint16_t type);
int query_generation(uint32_t *out, struct firewall *f);
/* Reads flags and owner of the table into `f`. 0 or -ENOENT. */
int query_table(struct firewall *f);

/* walk.c: calls the visitor for each item on either side; a missing side is NULL. A negative result ends the walk. */
typedef int (*walk_fn)(const void *wanted, const void *observed, void *context);
int walk_allows(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context);
int walk_trusted(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context);
int walk_guards(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context);
int allow_key_compare(const struct endpoint *e1, const struct source *s1, const struct endpoint *e2,
	const struct source *s2);

/* diff.c: in milliseconds, because apply keeps counting while it works. `cut_ms`: how far the clock may be behind the
 * real time before a timeout counts as late. `early_ms`: by how much more than the tolerance an end may be early. */
int diff_at(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, int64_t cut_ms, int64_t early_ms);
/* The change that one entry needs; false: none. Either side may be NULL. */
bool diff_allow(enum firewall_change_kind *out, const struct allow *wanted,
	const struct observed_allow *observed, int64_t now_ms, int64_t cut_ms, int64_t early_ms);
/* worklist.c: which elements a batch has to write. */
/* The first *taken changes: no more than `limit` elements. */
int worklist_changes(size_t *taken, struct elements *out, const struct firewall *f,
	const struct firewall_changes *changes, const struct firewall_state *observed,
	size_t limit);
int worklist_rebuild(struct elements *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, bool closings_only);

/* probe.c */
int probe_features(struct firewall_features *out, struct firewall *f);

int firewall_fail(struct firewall *f, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline size_t address_length(int family)
{
	return family == AF_INET ? 4 : 16;
}

#endif
