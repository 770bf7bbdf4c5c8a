/* Stores what was read from the table: elements in lists, sorted at the end. */
#include <string.h>

#include "firewall/row.h"
#include "firewall/table_state.h"

void firewall_state_free(struct firewall_state *s)
{
	free(s->allows);
	free(s->guards);
	free(s->trusted);
	free(s->refused);
	pool_free(&s->texts);
	*s = (struct firewall_state){0};
}

int counter_read(struct nftnl_expr *e, void *context)
{
	struct counts *c = context;

	if (streq(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter")) {
		c->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
		c->bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
	}
	return 0;
}

static int allow_add(struct state_draft *d, const struct row *r, const struct source *s)
{
	struct firewall_state *state = d->state;
	const char *comment;

	/* Expired, and not collected yet: it allows nobody. */
	if (r->expires && !r->expires_ms)
		return 0;
	comment = pool_bytes(&state->texts, r->comment, r->comment_length);
	if (!comment)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_endpoints; i++) {
		struct observed_allow *a = ARRAY_MORE(state->allows, state->n_allows);

		if (!a)
			return -ENOMEM;
		a->source = *s;
		a->endpoint = *d->endpoints[i];
		a->has_timeout = r->expires;
		/* Counted from the start, because reading a large table takes time. */
		a->remaining_ms = r->expires_ms + (uint64_t)(d->received_ms - d->began_ms);
		a->packets = i ? 0 : r->packets;
		a->bytes = i ? 0 : r->bytes;
		a->comment = comment;
	}
	return 0;
}

static int refused_add(struct state_draft *d, const struct row *r, const struct source *s,
	const struct endpoint *ep)
{
	struct refused *to = ARRAY_MORE(d->state->refused, d->state->n_refused);

	if (!to)
		return -ENOMEM;
	to->source = *s;
	to->endpoint = *ep;
	to->packets = r->packets;
	to->bytes = r->bytes;
	/* Each packet resets the timeout to one day. */
	if (r->expires_ms && r->expires_ms <= DENIED_TIMEOUT_MS)
		to->last_seen_latest =
			d->now - (instant_t)((DENIED_TIMEOUT_MS - r->expires_ms) / 1000);
	return 0;
}

static int trusted_add(struct state_draft *d, const struct row *r, const struct source *s)
{
	const char *comment = pool_bytes(&d->state->texts, r->comment, r->comment_length);

	for (size_t i = 0; comment && i < d->n_endpoints; i++) {
		struct observed_trusted *t = ARRAY_MORE(d->state->trusted, d->state->n_trusted);

		if (!t)
			return -ENOMEM;
		*t = (struct observed_trusted){*s, *d->endpoints[i], comment};
	}
	return comment ? 0 : -ENOMEM;
}

static int guard_add(struct state_draft *d, const struct row *r, const struct endpoint *ep)
{
	struct guard *g = ARRAY_MORE(d->state->guards, d->state->n_guards);

	if (!g)
		return -ENOMEM;
	g->endpoint = *ep;
	g->server = ""; /* as it was in earlier versions */
	if (d->set->kind == SET_GUARD &&
		(!r->chain || !chain_name_parse(g, r->chain, &d->state->texts)))
		d->broken = true;
	return 0;
}

static int row_add(struct state_draft *d, const struct row *r)
{
	const struct endpoint *own = NULL;
	struct source s;
	struct endpoint ep;

	if (!set_key_read(&s, &ep, d->set, r->key, r->key_length))
		return 0;
	own = &ep;
	if (set_is_earlier(d->set) && d->set->kind != SET_EARLIER_GUARD) {
		d->endpoints[0] = own;
		d->n_endpoints = 1;
	}
	switch (d->set->kind) {
	case SET_ALLOW:
	case SET_EARLIER_ALLOW:
		return allow_add(d, r, &s);
	case SET_DENIED:
		return refused_add(d, r, &s, own);
	case SET_TRUSTED:
	case SET_EARLIER_TRUSTED:
		return trusted_add(d, r, &s);
	case SET_GUARD:
	case SET_EARLIER_GUARD:
		break;
	}
	return guard_add(d, r, own);
}

int state_take_elements(struct state_draft *d, const struct nlmsghdr *nlh)
{
	const struct nlattr *list = message_attribute(nlh, NFTA_SET_ELEM_LIST_ELEMENTS), *e;

	d->messages++;
	d->received_ms = monotonic_ms();
	if (!list)
		return 0;
	for (e = mnl_attr_get_payload(list); attribute_is_in(e, list); e = mnl_attr_next(e)) {
		struct row r;
		int rc = -EBADMSG;

		d->rows++;
		if (row_parse(&r, e))
			rc = row_add(d, &r);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void state_set_begin(struct state_draft *d, const struct set_id *id, const struct places *l)
{
	d->set = id;
	d->rows = d->messages = 0;
	d->n_endpoints = 0;
	if (!set_is_of_server(id))
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].server == id->server && l->guards[i].endpoint.family == id->family)
			d->endpoints[d->n_endpoints++] = &l->guards[i].endpoint;
}

int observed_compare(const void *a, const void *b)
{
	const struct observed_allow *x = a, *y = b;

	return allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

static int compare_trusted(const void *a, const void *b)
{
	const struct observed_trusted *x = a, *y = b;

	return allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

static int compare_refused(const void *a, const void *b)
{
	const struct refused *x = a, *y = b;

	return allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

static void list_sort(
	void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	size_t i = 1;

	/* Dumps of small sets often come in order, and a list that is sorted again does. */
	while (i < n &&
		compare((const char *)items + (i - 1) * size, (const char *)items + i * size) <= 0)
		i++;
	if (i < n)
		qsort(items, n, size, compare);
}

/* Older kernels may store a source twice if its packet arrives during a transaction that adds it too. */
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

void state_sort(struct firewall_state *s)
{
	list_sort(s->allows, s->n_allows, sizeof(*s->allows), observed_compare);
	list_sort(s->guards, s->n_guards, sizeof(*s->guards), guard_compare);
	list_sort(s->trusted, s->n_trusted, sizeof(*s->trusted), compare_trusted);
	list_sort(s->refused, s->n_refused, sizeof(*s->refused), compare_refused);
	refused_merge(s);
}

static bool has_twins(
	const void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = 1; i < n; i++)
		if (compare((const char *)items + (i - 1) * size, (const char *)items + i * size) ==
			0)
			return true;
	return false;
}

bool state_has_twins(const struct firewall_state *s)
{
	return has_twins(s->allows, s->n_allows, sizeof(*s->allows), observed_compare) ||
	       has_twins(s->guards, s->n_guards, sizeof(*s->guards), guard_compare) ||
	       has_twins(s->trusted, s->n_trusted, sizeof(*s->trusted), compare_trusted);
}

static bool same_keys(const void *a, size_t n_a, const void *b, size_t n_b, size_t size,
	int (*compare)(const void *, const void *))
{
	bool same = n_a == n_b;

	for (size_t i = 0; i < n_a && same; i++)
		same = compare((const char *)a + i * size, (const char *)b + i * size) == 0;
	return same;
}

bool state_has_same_keys(const struct firewall_state *a, const struct firewall_state *b)
{
	return same_keys(a->allows, a->n_allows, b->allows, b->n_allows, sizeof(*a->allows),
		       observed_compare) &&
	       same_keys(a->guards, a->n_guards, b->guards, b->n_guards, sizeof(*a->guards),
		       guard_compare) &&
	       same_keys(a->trusted, a->n_trusted, b->trusted, b->n_trusted, sizeof(*a->trusted),
		       compare_trusted);
}
