/* Reads the table back: every set, element, chain and rule, all of one generation. */
#include <arpa/inet.h>
#include <string.h>

#include "intact.h"
#include "internal.h"

/* A list of fixed-size items that grows; its head is one of the pointer and count pairs of the state. */
#define LIST_ADD(list, count, capacity)                                                            \
	list_add((void **)&(list), &(count), &(capacity), sizeof(*(list)))

static void *list_add(void **items, size_t *n, size_t *capacity, size_t size)
{
	if (*n == *capacity) {
		size_t more = *capacity ? 2 * *capacity : 32;
		void *moved = reallocarray(*items, more, size);

		if (!moved)
			return NULL;
		*items = moved;
		*capacity = more;
	}
	return memset((char *)*items + size * (*n)++, 0, size);
}

struct reading {
	struct firewall *firewall;
	struct firewall_state *state;
	struct intact *intact;
	size_t allows, guards, trusted, refused; /* capacities */
	instant_t now;
	int64_t began_ms;	  /* the moment that `now` stands for */
	const struct set_id *set; /* being read */
	int r;
};

void firewall_state_free(struct firewall_state *s)
{
	free(s->allows);
	free(s->guards);
	free(s->trusted);
	free(s->refused);
	*s = (struct firewall_state){0};
}

/* The element's comment, bounded whatever the bytes say. */
static void comment_read(char *out, size_t size, struct nftnl_set_elem *e)
{
	uint32_t length = 0;
	const uint8_t *data;

	if (!nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_USERDATA))
		return;
	data = nftnl_set_elem_get(e, NFTNL_SET_ELEM_USERDATA, &length);
	/* Type, length, value; type 0 is the comment with its terminator. */
	while (length >= 2 && length - 2 >= data[1]) {
		if (data[0] == 0) {
			size_t n = strnlen((const char *)data + 2, data[1]);

			n = n < size ? n : size - 1;
			memcpy(out, data + 2, n);
			out[n] = '\0';
			return;
		}
		length -= 2u + data[1];
		data += 2u + data[1];
	}
}

struct counts {
	uint64_t packets, bytes;
};

static int counter_read(struct nftnl_expr *e, void *context)
{
	struct counts *c = context;

	if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter") == 0) {
		c->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
		c->bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
	}
	return 0;
}

static uint64_t elem_u64(const struct nftnl_set_elem *e, uint16_t attribute)
{
	return nftnl_set_elem_is_set(e, attribute)
		       ? nftnl_set_elem_get_u64((struct nftnl_set_elem *)(uintptr_t)e, attribute)
		       : 0;
}

static int allow_read(struct reading *g, struct nftnl_set_elem *e, const struct source *s,
	const struct endpoint *ep)
{
	struct firewall_state *state = g->state;
	bool has_timeout = nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION);
	uint64_t remaining = elem_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	struct counts counts = {0};
	struct observed_allow *a;

	/* Expired and only waiting to be collected: it lets nobody in. */
	if (has_timeout && !remaining)
		return 0;
	a = LIST_ADD(state->allows, state->n_allows, g->allows);
	if (!a)
		return -ENOMEM;
	nftnl_set_elem_expr_foreach(e, counter_read, &counts);
	a->source = *s;
	a->endpoint = *ep;
	a->has_timeout = has_timeout;
	/* As of the beginning: reading a large table takes its time. */
	a->remaining_ms = remaining + (uint64_t)(monotonic_ms() - g->began_ms);
	a->packets = counts.packets;
	a->bytes = counts.bytes;
	comment_read(a->comment, sizeof(a->comment), e);
	return 0;
}

static int refused_read(struct reading *g, struct nftnl_set_elem *e, const struct source *s,
	const struct endpoint *ep)
{
	struct firewall_state *state = g->state;
	uint64_t remaining = elem_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	struct counts counts = {0};
	struct refused *d = LIST_ADD(state->refused, state->n_refused, g->refused);

	if (!d)
		return -ENOMEM;
	nftnl_set_elem_expr_foreach(e, counter_read, &counts);
	d->source = *s;
	d->endpoint = *ep;
	d->packets = counts.packets;
	d->bytes = counts.bytes;
	/* Each packet sets the rest back to a day. */
	if (remaining && remaining <= DENIED_TIMEOUT_MS)
		d->last_seen_latest = g->now - (instant_t)((DENIED_TIMEOUT_MS - remaining) / 1000);
	return 0;
}

static int trusted_read(struct reading *g, struct nftnl_set_elem *e, const struct source *s,
	const struct endpoint *ep)
{
	struct trusted *t = LIST_ADD(g->state->trusted, g->state->n_trusted, g->trusted);

	if (!t)
		return -ENOMEM;
	t->source = *s;
	t->endpoint = *ep;
	comment_read(t->comment, sizeof(t->comment), e);
	return 0;
}

static int element_read(struct nftnl_set_elem *e, void *context)
{
	struct reading *g = context;
	struct source s;
	struct endpoint ep, *guard;
	uint32_t length = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	if (!key || !set_key_read(&s, &ep, g->set, key, length))
		return 0;
	switch (g->set->kind) {
	case SET_ALLOW:
		g->r = allow_read(g, e, &s, &ep);
		break;
	case SET_DENIED:
		g->r = refused_read(g, e, &s, &ep);
		break;
	case SET_TRUSTED:
		g->r = trusted_read(g, e, &s, &ep);
		break;
	case SET_GUARD:
		guard = LIST_ADD(g->state->guards, g->state->n_guards, g->guards);
		if (guard)
			*guard = ep;
		g->r = guard ? 0 : -ENOMEM;
		break;
	}
	return g->r;
}

static int elements_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading *g = context;
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return -ENOMEM;
	g->r = nftnl_set_elems_nlmsg_parse(nlh, set) < 0 ? -EBADMSG : 0;
	if (g->r == 0)
		nftnl_set_elem_foreach(set, element_read, g);
	nftnl_set_free(set);
	return g->r;
}

static int elements_query(struct reading *g, const struct set_id *id)
{
	uint64_t buf[QUERY_ROOM / 8] = {0};
	struct nlmsghdr *nlh = query_make(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	char name[SET_NAME_MAX];

	g->set = id;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set_id_format(name, id));
	return query(g->firewall, nlh, elements_take, g);
}

static int set_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading *g = context;
	struct nftnl_set *set = nftnl_set_alloc();
	int r;

	if (!set)
		return -ENOMEM;
	r = nftnl_set_nlmsg_parse(nlh, set) < 0 ? -EBADMSG : intact_set(g->intact, set);
	nftnl_set_free(set);
	return r;
}

static int chain_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading *g = context;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	int r = 0;

	if (!chain)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, chain) < 0)
		r = -EBADMSG;
	/* The kernel hands out the chains of every table. */
	else if (strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), TABLE_NAME) == 0)
		intact_chain(g->intact, chain);
	nftnl_chain_free(chain);
	return r;
}

static int rule_take(const struct nlmsghdr *nlh, void *context)
{
	struct reading *g = context;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	int r;

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0) {
		r = -EBADMSG;
	} else if (strcmp(nftnl_rule_get_str(rule, NFTNL_RULE_TABLE), TABLE_NAME) != 0) {
		r = 0;
	} else {
		struct counts counts = {0};

		/* Only the rule that drops counts. */
		nftnl_expr_foreach(rule, counter_read, &counts);
		g->state->refused_packets += counts.packets;
		g->intact->refused_bytes += counts.bytes;
		r = intact_rule(g->intact, rule);
	}
	nftnl_rule_free(rule);
	return r;
}

static int query_of_table(struct reading *g, uint16_t type, uint16_t attribute, query_fn fn)
{
	uint64_t buf[QUERY_ROOM / 8] = {0};
	struct nlmsghdr *nlh = query_make(buf, type, NLM_F_DUMP);

	if (attribute)
		mnl_attr_put_strz(nlh, attribute, TABLE_NAME);
	return query(g->firewall, nlh, fn, g);
}

int allow_key_compare(const struct endpoint *e1, const struct source *s1, const struct endpoint *e2,
	const struct source *s2)
{
	int r = endpoint_compare(e1, e2);

	return r ? r : source_compare(s1, s2);
}

static int compare_allows(const void *a, const void *b)
{
	const struct observed_allow *x = a, *y = b;

	return allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

static int compare_trusted(const void *a, const void *b)
{
	const struct trusted *x = a, *y = b;

	return allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

static int compare_refused(const void *a, const void *b)
{
	const struct refused *x = a, *y = b;

	return allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

static int compare_guards(const void *a, const void *b)
{
	return endpoint_compare(a, b);
}

static void list_sort(
	void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n)
		qsort(items, n, size, compare);
}

/* Older kernels may note one source twice, when its packet meets a transaction that notes it too. */
static void refused_merge(struct firewall_state *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_refused; i++) {
		struct refused *to = &s->refused[n ? n - 1 : 0], *from = &s->refused[i];

		if (!n || compare_refused(to, from) != 0) {
			s->refused[n++] = *from;
			continue;
		}
		to->packets += from->packets;
		to->bytes += from->bytes;
		if (from->last_seen_latest > to->last_seen_latest)
			to->last_seen_latest = from->last_seen_latest;
	}
	s->n_refused = n;
}

static void state_sort(struct firewall_state *s)
{
	list_sort(s->allows, s->n_allows, sizeof(*s->allows), compare_allows);
	list_sort(s->guards, s->n_guards, sizeof(*s->guards), compare_guards);
	list_sort(s->trusted, s->n_trusted, sizeof(*s->trusted), compare_trusted);
	list_sort(s->refused, s->n_refused, sizeof(*s->refused), compare_refused);
	refused_merge(s);
}

/* One reading; -EINTR when it is not of one piece. */
static int state_read(struct reading *g)
{
	struct firewall *f = g->firewall;
	int r = query_table(f);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = query_of_table(g, NFT_MSG_GETSET, NFTA_SET_TABLE, set_take);
	if (r == 0)
		r = query_of_table(g, NFT_MSG_GETCHAIN, 0, chain_take);
	if (r == 0)
		r = query_of_table(g, NFT_MSG_GETRULE, NFTA_RULE_TABLE, rule_take);
	for (size_t i = 0; r == 0 && i < g->intact->n_sets; i++)
		if (g->intact->sets[i].readable)
			r = elements_query(g, &g->intact->sets[i].id);
	/* Whatever vanished while we read belongs to another generation. */
	if (r == -ENOENT)
		return -EINTR;
	if (r == 0) {
		g->state->present = true;
		r = intact_verdict(&g->state->intact, g->intact, f);
	}
	return r;
}

static int observe_once(struct firewall_state *out, struct intact *intact, struct firewall *f,
	instant_t now, int64_t began_ms)
{
	struct reading g = {
		.firewall = f, .state = out, .intact = intact, .now = now, .began_ms = began_ms};
	uint32_t before, after;
	int r = query_generation(&before, f);

	if (r == 0)
		r = state_read(&g);
	if (r == 0)
		r = query_generation(&after, f);
	/* Elements are read set by set and announce no interruption. Nobody else can change a table that
	 * is ours, so other people's changes do not count then. */
	if (r == 0 && before != after && f->table_owner != f->portid)
		r = -EINTR;
	if (r < 0)
		return r;
	state_sort(out);
	out->generation = after;
	return 0;
}

int observe_with(
	struct firewall_state *out, struct intact *intact, struct firewall *f, instant_t now)
{
	int64_t began_ms = monotonic_ms();
	int r = -EINTR;

	for (int attempt = 0; attempt < MAX_ATTEMPTS && r == -EINTR; attempt++) {
		struct firewall_state state = {0};
		struct intact found;

		intact_init(&found, &f->settings);
		r = observe_once(&state, &found, f, now, began_ms);
		if (r == 0) {
			*out = state;
			*intact = found;
			return 0;
		}
		firewall_state_free(&state);
		intact_free(&found);
	}
	return firewall_fail(f, r == -EINTR ? -EAGAIN : r, "reading the table");
}

int firewall_observe(struct firewall_state *out, struct firewall *f, instant_t now)
{
	struct intact intact;
	int r = observe_with(out, &intact, f, now);

	if (r == 0)
		intact_free(&intact);
	return r;
}
