/* One set element in the kernel's format, and the list of elements of a commit. */
#include <string.h>

#include <libnftnl/udata.h>

#include "firewall/netlink.h"

int elements_add(struct elements *list, const struct element *e)
{
	struct element *items = array_grown(list->items, list->n, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->items[list->n++] = *e;
	return 0;
}

/* By phase, then by message (set and flags). Within a message, the earliest end comes first, because it can wait least.
 * */
static int element_compare(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int rc;

	if (x->phase != y->phase)
		return x->phase < y->phase ? -1 : 1;
	rc = set_id_compare(&x->set, &y->set);
	if (rc != 0)
		return rc;
	if (x->update != y->update)
		return x->update ? 1 : -1;
	return (x->end_ms > y->end_ms) - (x->end_ms < y->end_ms);
}

void elements_sort(struct elements *list)
{
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), element_compare);
}

void elements_free(struct elements *list)
{
	free(list->items);
	*list = (struct elements){0};
}

bool element_timeout(uint64_t *out, int64_t end_ms, int64_t now_ms, int64_t allowance_ms)
{
	int64_t rest = end_ms - now_ms - CUT_MS - allowance_ms;

	if (rest <= 0)
		return false;
	*out = (uint64_t)rest;
	return true;
}

static int element_set_comment(struct nftnl_set_elem *elem, const char *comment)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(UINT8_MAX + 2u);
	int rc = -ENOMEM;

	if (buf && nftnl_udata_put_strz(buf, NFTNL_UDATA_SET_ELEM_COMMENT, comment))
		rc = nftnl_set_elem_set(elem, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(buf),
			     nftnl_udata_buf_len(buf)) < 0
			     ? -ENOMEM
			     : 0;
	if (buf)
		nftnl_udata_buf_free(buf);
	return rc;
}

static int element_set_counter(struct nftnl_set_elem *elem, uint64_t packets, uint64_t bytes)
{
	struct nftnl_expr *counter = nftnl_expr_alloc("counter");

	if (!counter)
		return -ENOMEM;
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, packets);
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, bytes);
	nftnl_set_elem_add_expr(elem, counter);
	return 0;
}

static int element_fill(struct nftnl_set_elem *elem, const struct element *e, uint64_t timeout_ms)
{
	struct set_key key;
	int rc = 0;

	set_key_make(&key, &e->set, &e->source, &e->endpoint);
	if (nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, key.bytes, key.length) < 0)
		return -ENOMEM;
	if (e->phase != PHASE_ADD)
		return 0;
	/* Both: a kernel that changes an element in place looks at its timeout in ticks, and does nothing where that is the
	 * same as before, however little of it is left (nft_add_set_elem() in net/netfilter/nf_tables_api.c, since 6.12). */
	if (timeout_ms) {
		nftnl_set_elem_set_u64(elem, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
		nftnl_set_elem_set_u64(elem, NFTNL_SET_ELEM_EXPIRATION, timeout_ms);
	}
	if (e->comment && *e->comment)
		rc = element_set_comment(elem, e->comment);
	if (rc == 0 && (e->packets || e->bytes))
		rc = element_set_counter(elem, e->packets, e->bytes);
	return rc;
}

int element_build(struct nlmsghdr *nlh, const struct element *e, uint64_t timeout_ms)
{
	struct nftnl_set_elem *elem;
	int rc;

	/* A timeout of 0 would mean no timeout. */
	if (e->phase == PHASE_ADD && (e->set.kind == SET_ALLOW || e->set.kind == SET_DENIED) &&
		!timeout_ms)
		return -EINVAL;
	elem = nftnl_set_elem_alloc();
	if (!elem)
		return -ENOMEM;
	rc = element_fill(elem, e, timeout_ms);
	if (rc == 0 && !nftnl_set_elem_nlmsg_build(nlh, elem, 1))
		rc = -ENOMEM;
	nftnl_set_elem_free(elem);
	return rc;
}
