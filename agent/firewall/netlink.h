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
#define CHAIN_REFUSE  "refuse"
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

/* Texts with numbers that stay. */
struct names {
	char **items;
	size_t n;
};

/* How late the ends in the kernel are against the scheduled ones; negative: early. */
struct diff_span {
	int64_t earliest_ms, latest_ms;
};
/* The list that the last reading was proved to hold, entry by entry. */
struct proof {
	uint64_t list;	  /* its number; 0: none */
	int64_t ahead_ms; /* of the clock of apply against the monotonic one */
	struct diff_span late;
};

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
	struct names groups; /* chains of the servers: their number is that of a set's server */
	struct table_reading *last; /* what the table was proved to hold; NULL: nothing is */
	struct proof proof;
	char error[256];
};

/* Identifies a set of the table: server4, server.sql01.trusted6_64, server.sql01.allow4_32, denied4, and what earlier
 * versions had instead: guard4, trusted6_64, allow4_32. */
enum set_kind {
	SET_GUARD,
	SET_TRUSTED,
	SET_ALLOW,
	SET_DENIED,
	SET_EARLIER_GUARD,
	SET_EARLIER_TRUSTED,
	SET_EARLIER_ALLOW,
};
struct set_id {
	enum set_kind kind;
	int family;
	uint8_t prefix;	 /* only for trusted and allow */
	uint32_t server; /* the same: number of the server's chain */
};
/* As in the kernel (NFT_NAME_MAXLEN). */
#define NFT_NAME_MAX 256
/* Source address, endpoint address, port, each padded to 4 bytes. */
#define KEY_MAX (16 + 16 + 4)
struct set_key {
	uint8_t bytes[KEY_MAX];
	uint32_t length;
};

/* set_id.c */
bool set_is_of_server(const struct set_id *id); /* has its own accept rule */
bool set_is_earlier(const struct set_id *id);	/* of an earlier version: read, never written */
bool set_has_timeout(const struct set_id *id);
int set_id_compare(const struct set_id *a, const struct set_id *b);
/* Names of chains and sets. A server's begin with a prefix and a dot, so that none is a keyword of nft. */
const char *chain_name(char buf[NFT_NAME_MAX], const struct guard *g);
/* The server of a chain; NULL in *out: that of an endpoint without a server. False: not a name of ours. */
bool chain_name_parse(struct guard *g, const char *name, struct pool *texts);
/* Number of a name, which is kept. -ENOMEM. */
int names_number(uint32_t *out, struct names *n, const char *name);
void names_free(struct names *n);
const char *set_name(char buf[NFT_NAME_MAX], const struct set_id *id, const struct names *servers);
/* 0, -EINVAL for a name that is not ours, -ENOMEM. */
int set_name_parse(struct set_id *out, const char *name, struct names *servers);

/* set.c */
void set_key_make(struct set_key *out, const struct set_id *id, const struct source *s,
	const struct endpoint *e);
/* Fills in those of the two that are in the key. */
bool set_key_read(struct source *s, struct endpoint *e, const struct set_id *id, const void *key,
	uint32_t length);
struct nftnl_set *set_make(const struct set_id *id, const struct names *servers);
bool set_is_as_made(const struct nftnl_set *s, const struct set_id *id);
/* Also without the mark of a concatenation, which nft does not restore. */
bool set_is_readable(const struct nftnl_set *s, const struct set_id *id);

/* places.c: which server's chain an endpoint leads to, and which endpoints share its sets. */
struct endpoint_place {
	const struct guard *guard;
	uint32_t server;
	size_t endpoints; /* of this server and family */
	bool first;	  /* the first of them, which stands for all */
};
struct places {
	struct endpoint_place *items; /* sorted by endpoint */
	struct guard *guards;
	size_t n;
	size_t last; /* that was found: entries are sorted by endpoint too */
};
/* Places of all guards in both lists. If both have an endpoint, the server of the first list counts. */
int places_make(struct places *out, struct firewall *f, const struct guard *a, size_t n_a,
	const struct guard *b, size_t n_b);
void places_free(struct places *l);
const struct endpoint_place *places_find(struct places *l, const struct endpoint *e);
/* All endpoints of a server have the same entries, because they share its sets. */
bool places_agree(struct places *l, const struct allowlist *wanted);
/* Makes a list for which places_agree() is true: drops a source that not all endpoints allow, and uses the earliest of
 * different ends. Free its `allows`. */
int places_make_agree(struct allowlist *out, struct places *l, const struct allowlist *wanted);
/* An endpoint is in another server's chain than it should be, or shares one with an endpoint that it should not. Then the
 * table is built again: at one instant in the old places, at the next in the new ones. */
bool places_differ(const struct guard *wanted, size_t n_wanted, const struct guard *observed,
	size_t n_observed);

/* element.c: one element to write, or to delete. */
enum element_order { ELEMENT_ADD, ELEMENT_UPDATE, ELEMENT_DELETE };
struct element {
	struct set_id set;
	enum element_order order;    /* UPDATE: it exists, and the kernel can change its timeout */
	const struct source *source; /* not for guards */
	const struct endpoint *endpoint; /* for guards and denied */
	const char *chain;		 /* of a guard that is added */
	int64_t end_ms;			 /* on the clock of apply; 0 for sets without timeouts */
	uint64_t packets, bytes;
	const char *comment; /* NULL: none */
};
int element_build(struct nlmsghdr *nlh, const struct element *e, uint64_t timeout_ms);
/* The timeout for the kernel. False if no time is left: it must never become 0. */
bool element_timeout(uint64_t *out, int64_t end_ms, int64_t now_ms, int64_t allowance_ms);

/* rule.c */
int rule_accept(struct nftnl_rule **out, const struct set_id *id, const struct names *servers);
/* The last one of a server's chain. */
int rule_refuse(struct nftnl_rule **out, const char *chain);
int rules_refuse(struct nftnl_rule *out[8], const struct firewall_settings *s, uint64_t packets,
	uint64_t bytes);
int rules_guard(struct nftnl_rule *out[8], const struct firewall_settings *s, const char *chain);
/* rule_text.c: the rule's expressions as text, without counters, handle, and comment. Free it. NULL: out of memory. */
char *rule_text(struct nftnl_rule *r);

/* chain.c */
struct nftnl_chain *chain_make(const char *name, const struct firewall_settings *s);
bool chain_is_as_made(const struct nftnl_chain *c, const struct firewall_settings *s);
/* Of those that do not belong to a server. */
bool chain_is_wanted(const char *name, const struct firewall_settings *s);

/* batch.c: messages for one sendto, which the kernel applies completely or not at all. */
struct batch_step {
	uint32_t sequence;
	const char *verb; /* static */
	char object[NFT_NAME_MAX];
};
struct batch {
	struct firewall *firewall; /* not owned */
	uint8_t *data;
	size_t length, capacity;
	size_t zeroed; /* from the beginning to here all was zero or is written */
	struct batch_step *steps;
	size_t n_steps;
	size_t n_elements;
	int64_t allowance_ms; /* time that the elements may take from here until they are active */
	int64_t began_ms;     /* when the timeout of the first element was computed */
	int64_t ahead_ms;     /* of the clock of apply against the monotonic one */
	/* The elements of the last message, which may get more. */
	struct nlmsghdr *open;
	struct nlattr *nest;
	struct set_id set;
	enum element_order order;
};
int batch_begin(struct batch *b, struct firewall *f, uint32_t generation, bool check_generation);
/* A message to fill; valid until the next call. NULL: out of memory. */
struct nlmsghdr *batch_message(
	struct batch *b, uint16_t type, uint16_t flags, const char *verb, const char *object);
void batch_message_end(struct batch *b, const struct nlmsghdr *nlh);
/* Number of elements that stay within the allowance and the send buffer. */
size_t batch_capacity(const struct firewall *f);
/* Begins the time that `n` elements may take. */
void batch_clock(struct batch *b, size_t n, int64_t ahead_ms);
/* An element without time left, or for which no room is left, is left out. */
int batch_element(struct batch *b, const struct element *e);
bool batch_is_full(const struct batch *b);
int batch_table(struct batch *b, bool delete_first);
int batch_chain(struct batch *b, const char *name);
int batch_set(struct batch *b, const struct set_id *id);
int batch_rule(struct batch *b, struct nftnl_rule *r, bool append);
int batch_delete(struct batch *b, uint16_t type, const char *verb, const char *name);
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

/* diff.c: in milliseconds, because apply keeps counting while it works. */
struct diff_moment {
	int64_t now_ms;
	int64_t passed_ms; /* since the reading: remaining times are shorter by that */
	int64_t cut_ms; /* how far the clock may be behind the real time before a timeout counts as late */
	int64_t early_ms; /* by how much more than the tolerance an end may be early */
};
/* *late spans the entries without a change, and what the tolerance leaves open for those that it leaves alone. */
int diff_at(struct firewall_changes *out, struct diff_span *late, const struct allowlist *wanted,
	const struct firewall_state *observed, const struct diff_moment *m);
/* The same where all but the entries in `made` is as it was when it was compared: *late spans those already. */
int diff_made(struct firewall_changes *out, struct diff_span *late, const struct allowlist *wanted,
	const struct firewall_state *observed, const struct diff_moment *m,
	const struct firewall_changes *made);
/* The change that one entry needs; false: none. Either side may be NULL. */
bool diff_allow(enum firewall_change_kind *out, const struct allow *wanted,
	const struct observed_allow *observed, const struct diff_moment *m);

/* probe.c */
int probe_features(struct firewall_features *out, struct firewall *f);

int firewall_fail(struct firewall *f, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether an attribute lies within another, as mnl_attr_for_each_nested() has it. */
static inline bool attribute_is_in(const struct nlattr *a, const struct nlattr *in)
{
	const char *end = (const char *)mnl_attr_get_payload(in) + mnl_attr_get_payload_len(in);

	return mnl_attr_ok(a, (int)(end - (const char *)a));
}

static inline size_t address_length(int family)
{
	return family == AF_INET ? 4 : 16;
}

#endif
