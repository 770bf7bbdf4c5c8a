/* Stores what was read from the table: elements in lists, sorted at the end. */
#include <string.h>

#include "firewall/table_state.h"

/* Appends a zeroed item to a list of the state, which is a pointer and a count. */
#define LIST_ADD(list, count) list_add((void **)&(list), &(count), sizeof(*(list)))

static void *list_add(void **items, size_t *n, size_t size)
{
	void *grown = array_grown(*items, *n, size);

	if (!grown)
		return NULL;
	*items = grown;
	return memset((char *)grown + size * (*n)++, 0, size);
}

void firewall_state_free(struct firewall_state *s)
{
	free(s->allows);
	free(s->guards);
	free(s->trusted);
	free(s->refused);
	*s = (struct firewall_state){0};
}

void firewall_state_age(struct firewall_state *s, int64_t to_ms)
{
	int64_t passed = to_ms - s->read_ms;
	size_t n = 0;

	for (size_t i = 0; i < s->n_allows; i++) {
		struct observed_allow *a = &s->allows[i];

		if (a->has_timeout && (int64_t)a->remaining_ms <= passed)
			continue;
		if (a->has_timeout)
			a->remaining_ms = (uint64_t)((int64_t)a->remaining_ms - passed);
		s->allows[n++] = *a;
	}
	s->n_allows = n;
	s->read_ms = to_ms;
}

/* Copies the element's comment, bounded whatever its length byte says. */
static void comment_read(char *out, size_t size, struct nftnl_set_elem *e)
{
	uint32_t length = 0;
	const uint8_t *data;

	if (!nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_USERDATA))
		return;
	data = nftnl_set_elem_get(e, NFTNL_SET_ELEM_USERDATA, &length);
	/* Type, length, value. Type 0 is the comment with its terminator. */
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

int counter_read(struct nftnl_expr *e, void *context)
{
	struct counts *c = context;

	if (streq(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter")) {
		c->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
		c->bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
	}
	return 0;
}

static uint64_t elem_u64(struct nftnl_set_elem *e, uint16_t attribute)
{
	return nftnl_set_elem_is_set(e, attribute) ? nftnl_set_elem_get_u64(e, attribute) : 0;
}

static int allow_read(struct state_draft *d, struct nftnl_set_elem *e, const struct source *s,
	const struct endpoint *ep)
{
	struct firewall_state *state = d->state;
	bool has_timeout = nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION);
	uint64_t remaining = elem_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	struct counts counts = {0};
	struct observed_allow *a;

	/* Expired, and not collected yet: it allows nobody. */
	if (has_timeout && !remaining)
		return 0;
	a = LIST_ADD(state->allows, state->n_allows);
	if (!a)
		return -ENOMEM;
	nftnl_set_elem_expr_foreach(e, counter_read, &counts);
	a->source = *s;
	a->endpoint = *ep;
	a->has_timeout = has_timeout;
	/* Counted from the start, because reading a large table takes time. */
	a->remaining_ms = remaining + (uint64_t)(monotonic_ms() - d->began_ms);
	a->packets = counts.packets;
	a->bytes = counts.bytes;
	comment_read(a->comment, sizeof(a->comment), e);
	return 0;
}

static int refused_read(struct state_draft *d, struct nftnl_set_elem *e, const struct source *s,
	const struct endpoint *ep)
{
	struct firewall_state *state = d->state;
	uint64_t remaining = elem_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	struct counts counts = {0};
	struct refused *to = LIST_ADD(state->refused, state->n_refused);

	if (!to)
		return -ENOMEM;
	nftnl_set_elem_expr_foreach(e, counter_read, &counts);
	to->source = *s;
	to->endpoint = *ep;
	to->packets = counts.packets;
	to->bytes = counts.bytes;
	/* Each packet resets the timeout to one day. */
	if (remaining && remaining <= DENIED_TIMEOUT_MS)
		to->last_seen_latest = d->now - (instant_t)((DENIED_TIMEOUT_MS - remaining) / 1000);
	return 0;
}

static int trusted_read(struct state_draft *d, struct nftnl_set_elem *e, const struct source *s,
	const struct endpoint *ep)
{
	struct trusted *t = LIST_ADD(d->state->trusted, d->state->n_trusted);

	if (!t)
		return -ENOMEM;
	t->source = *s;
	t->endpoint = *ep;
	comment_read(t->comment, sizeof(t->comment), e);
	return 0;
}

static int element_read(struct nftnl_set_elem *e, void *context)
{
	struct state_draft *d = context;
	struct source s;
	struct endpoint ep, *guard;
	uint32_t length = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	d->rows++;

	if (!key || !set_key_read(&s, &ep, d->set, key, length))
		return 0;
	switch (d->set->kind) {
	case SET_ALLOW:
		d->rc = allow_read(d, e, &s, &ep);
		break;
	case SET_DENIED:
		d->rc = refused_read(d, e, &s, &ep);
		break;
	case SET_TRUSTED:
		d->rc = trusted_read(d, e, &s, &ep);
		break;
	case SET_GUARD:
		guard = LIST_ADD(d->state->guards, d->state->n_guards);
		if (guard)
			*guard = ep;
		d->rc = guard ? 0 : -ENOMEM;
		break;
	}
	return d->rc;
}

int state_take_elements(struct state_draft *d, const struct nlmsghdr *nlh)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return -ENOMEM;
	d->messages++;
	d->rc = nftnl_set_elems_nlmsg_parse(nlh, set) < 0 ? -EBADMSG : 0;
	if (d->rc == 0)
		nftnl_set_elem_foreach(set, element_read, d);
	nftnl_set_free(set);
	return d->rc;
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
	list_sort(s->allows, s->n_allows, sizeof(*s->allows), compare_allows);
	list_sort(s->guards, s->n_guards, sizeof(*s->guards), compare_guards);
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
	return has_twins(s->allows, s->n_allows, sizeof(*s->allows), compare_allows) ||
	       has_twins(s->guards, s->n_guards, sizeof(*s->guards), compare_guards) ||
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
		       compare_allows) &&
	       same_keys(a->guards, a->n_guards, b->guards, b->n_guards, sizeof(*a->guards),
		       compare_guards) &&
	       same_keys(a->trusted, a->n_trusted, b->trusted, b->n_trusted, sizeof(*a->trusted),
		       compare_trusted);
}
