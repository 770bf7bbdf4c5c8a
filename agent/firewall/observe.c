/* Reads the table: every set, element, chain, and rule, all of one generation. */
#include <arpa/inet.h>
#include <string.h>

#include "firewall/intact.h"
#include "firewall/netlink.h"
#include "firewall/table_state.h"

/* NFTA_SET_COUNT, which headers of older kernels do not have. */
#define SET_COUNT_ATTRIBUTE 20

/* Attempts until two readings agree. The kernel finishes rehashing within a few. */
#define MAX_READINGS 16

struct reading_draft {
	struct firewall *firewall;
	struct intact *intact;
	struct places places;
	struct state_draft draft;
	bool doubtful; /* a dump of several messages that no element count confirms */
};

static int elements_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading_draft *g = context;

	return state_take_elements(&g->draft, nlh);
}

/* While the kernel rehashes a set, a dump can be wrong without an error: elements move between two messages, so that
 * some appear twice and others are missing. A single message is consistent. Several are if the kernel's element count
 * matches. Otherwise a second, equal dump must confirm the first. */
static bool dump_is_confirmed(const struct state_draft *d, const struct intact_set *s)
{
	return d->messages <= 1 || s->id.kind == SET_DENIED || (s->counted && d->rows == s->count);
}

static int elements_query(struct reading_draft *g, const struct intact_set *s)
{
	uint64_t buf[QUERY_ROOM / 8] = {0};
	struct nlmsghdr *nlh = query_make(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	char name[NFT_NAME_MAX];
	int rc;

	state_set_begin(&g->draft, &s->id, &g->places);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(
		nlh, NFTA_SET_ELEM_LIST_SET, set_name(name, &s->id, &g->firewall->groups));
	rc = query(g->firewall, nlh, elements_take, g);
	if (rc == 0 && !dump_is_confirmed(&g->draft, s))
		g->doubtful = true;
	return rc;
}

static bool set_is_of_guards(const struct set_id *id)
{
	return id->kind == SET_GUARD || id->kind == SET_EARLIER_GUARD;
}

/* First which endpoint leads where, for a server's elements say nothing of endpoints. */
static int elements_read(struct reading_draft *g)
{
	const struct intact *i = g->intact;
	struct firewall_state *s = g->draft.state;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < i->n_sets; k++)
		if (i->sets[k].readable && set_is_of_guards(&i->sets[k].id))
			rc = elements_query(g, &i->sets[k]);
	if (rc == 0 && s->n_guards)
		qsort(s->guards, s->n_guards, sizeof(*s->guards), guard_compare);
	if (rc == 0)
		rc = places_make(&g->places, g->firewall, s->guards, s->n_guards, NULL, 0);
	if (rc < 0)
		return rc;
	g->draft.endpoints = calloc(s->n_guards + 1, sizeof(*g->draft.endpoints));
	if (!g->draft.endpoints)
		return -ENOMEM;
	for (size_t k = 0; rc == 0 && k < i->n_sets; k++)
		if (i->sets[k].readable && !set_is_of_guards(&i->sets[k].id))
			rc = elements_query(g, &i->sets[k]);
	return rc;
}

static int set_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading_draft *g = context;
	struct nftnl_set *set = nftnl_set_alloc();
	int rc;

	if (!set)
		return -ENOMEM;
	rc = nftnl_set_nlmsg_parse(nlh, set) < 0 ? -EBADMSG : intact_set(g->intact, set);
	if (rc == 0 && g->intact->n_sets && message_attribute(nlh, SET_COUNT_ATTRIBUTE)) {
		struct intact_set *s = &g->intact->sets[g->intact->n_sets - 1];

		s->counted = true;
		s->count = message_u32(nlh, SET_COUNT_ATTRIBUTE);
	}
	nftnl_set_free(set);
	return rc;
}

static int chain_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading_draft *g = context;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	int rc = 0;

	if (!chain)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, chain) < 0)
		rc = -EBADMSG;
	/* The kernel returns the chains of every table. */
	else if (streq(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), TABLE_NAME))
		rc = intact_chain(g->intact, chain);
	nftnl_chain_free(chain);
	return rc;
}

static int rule_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading_draft *g = context;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	int rc;

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0) {
		rc = -EBADMSG;
	} else if (!streq(nftnl_rule_get_str(rule, NFTNL_RULE_TABLE), TABLE_NAME)) {
		rc = 0;
	} else {
		struct counts counts = {0};

		/* Only the counter of the drop rule is used. */
		nftnl_expr_foreach(rule, counter_read, &counts);
		g->draft.state->refused_packets += counts.packets;
		g->intact->refused_bytes += counts.bytes;
		rc = intact_rule(g->intact, rule);
	}
	nftnl_rule_free(rule);
	return rc;
}

static int query_of_table(struct reading_draft *g, uint16_t type, uint16_t attribute, query_fn fn)
{
	uint64_t buf[QUERY_ROOM / 8] = {0};
	struct nlmsghdr *nlh = query_make(buf, type, NLM_F_DUMP);

	if (attribute)
		mnl_attr_put_strz(nlh, attribute, TABLE_NAME);
	return query(g->firewall, nlh, fn, g);
}

/* One reading. -EINTR: inconsistent. */
static int state_read(struct reading_draft *g)
{
	struct firewall *f = g->firewall;
	int rc = query_table(f);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = query_of_table(g, NFT_MSG_GETSET, NFTA_SET_TABLE, set_take);
	if (rc == 0)
		rc = query_of_table(g, NFT_MSG_GETCHAIN, 0, chain_take);
	if (rc == 0)
		rc = query_of_table(g, NFT_MSG_GETRULE, NFTA_RULE_TABLE, rule_take);
	if (rc == 0)
		rc = elements_read(g);
	/* An object that vanished while reading belongs to another generation. */
	if (rc == -ENOENT)
		return -EINTR;
	if (rc == 0) {
		g->draft.state->present = true;
		g->intact->broken |= g->draft.broken;
		rc = intact_verdict(&g->draft.state->intact, g->intact, f, g->draft.state);
	}
	return rc;
}

static int observe_once(struct firewall_state *out, bool *doubtful, struct intact *intact,
	struct firewall *f, instant_t now, int64_t began_ms)
{
	struct reading_draft g = {
		.firewall = f,
		.intact = intact,
		.draft = {.state = out, .now = now, .began_ms = began_ms},
	};
	uint32_t before = 0, after = 0;
	int rc = query_generation(&before, f);

	if (rc == 0)
		rc = state_read(&g);
	places_free(&g.places);
	free(g.draft.endpoints);
	if (rc == 0)
		rc = query_generation(&after, f);
	/* Elements are read set by set, and NLM_F_DUMP_INTR does not cover that. If Curfew owns the table, no other
	 * program can change it, and changes elsewhere do not matter. */
	if (rc == 0 && before != after && f->table_owner != f->portid)
		rc = -EINTR;
	if (rc < 0)
		return rc;
	state_sort(out);
	if (state_has_twins(out))
		return -EINTR;
	out->generation = after;
	out->read_ms = began_ms;
	*doubtful = g.doubtful;
	return 0;
}

void reading_free(struct table_reading *r)
{
	firewall_state_free(&r->state);
	intact_free(&r->intact);
	*r = (struct table_reading){0};
}

int observe_with(struct table_reading *out, struct firewall *f, instant_t now)
{
	int64_t began_ms = monotonic_ms();
	struct firewall_state last = {0};
	bool has_last = false;
	int rc = -EINTR;

	for (int attempt = 0; attempt < MAX_READINGS && rc == -EINTR; attempt++) {
		struct table_reading r = {0};
		bool doubtful = false;

		intact_init(&r.intact, &f->settings, &f->groups);
		rc = observe_once(&r.state, &doubtful, &r.intact, f, now, began_ms);
		if (rc == 0 && (!doubtful || (has_last && state_has_same_keys(&last, &r.state)))) {
			firewall_state_free(&last);
			r.fresh = true;
			r.owned = f->table_owner == f->portid;
			*out = r;
			return 0;
		}
		firewall_state_free(&last);
		has_last = rc == 0;
		if (has_last) {
			last = r.state;
			r.state = (struct firewall_state){0};
			rc = -EINTR;
		}
		reading_free(&r);
	}
	firewall_state_free(&last);
	return firewall_fail(f, rc == -EINTR ? -EAGAIN : rc, "reading the table");
}

int firewall_observe(struct firewall_state *out, struct firewall *f, instant_t now)
{
	struct table_reading r;
	int rc = observe_with(&r, f, now);

	if (rc == 0) {
		*out = r.state;
		intact_free(&r.intact);
	}
	return rc;
}
