/* Probes what this kernel supports with a temporary table, instead of relying on its version. The table has no chains,
 * so no packet meets it. If the kernel supports owners, the table vanishes with this process. */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "firewall/netlink.h"

#define PROBE_SET "probe"
#define SHORT_MS  (3600 * 1000ull)
#define LONG_MS	  (7200 * 1000ull)

struct probe {
	struct firewall *firewall;
	char table[32];
	struct batch batch;
};

static int probe_table(struct probe *p, uint16_t type, uint32_t flags)
{
	struct nlmsghdr *nlh = batch_message(&p->batch, type,
		type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "probing a table", "");

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, p->table);
	if (type == NFT_MSG_NEWTABLE)
		mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(flags));
	batch_message_end(&p->batch, nlh);
	return 0;
}

static int probe_set(struct probe *p)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nlmsghdr *nlh = NULL;

	if (set && nftnl_set_set_str(set, NFTNL_SET_TABLE, p->table) == 0 &&
		nftnl_set_set_str(set, NFTNL_SET_NAME, PROBE_SET) == 0)
		nlh = batch_message(&p->batch, NFT_MSG_NEWSET, NLM_F_CREATE, "probing a set", "");
	if (nlh) {
		nftnl_set_set_u32(set, NFTNL_SET_ID, 1);
		nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_TIMEOUT);
		nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, 4);
		nftnl_set_nlmsg_build_payload(nlh, set);
		batch_message_end(&p->batch, nlh);
	}
	if (set)
		nftnl_set_free(set);
	return nlh ? 0 : -ENOMEM;
}

static int probe_element(struct probe *p, uint16_t type, uint32_t key, uint64_t timeout_ms)
{
	struct nlmsghdr *nlh = batch_message(&p->batch, type,
		type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, "probing an element", "");
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();
	struct nlattr *nest;
	int rc = -ENOMEM;

	if (nlh && elem && nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, &key, sizeof(key)) == 0) {
		if (timeout_ms)
			nftnl_set_elem_set_u64(elem, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, p->table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, PROBE_SET);
		nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		rc = nftnl_set_elem_nlmsg_build(nlh, elem, 1) ? 0 : -ENOMEM;
		mnl_attr_nest_end(nlh, nest);
		batch_message_end(&p->batch, nlh);
	}
	if (elem)
		nftnl_set_elem_free(elem);
	return rc;
}

static int probe_begin(struct probe *p)
{
	batch_free(&p->batch);
	return batch_begin(&p->batch, p->firewall, 0, false);
}

/* -EPERM and -ENOMEM do not tell what the kernel supports. */
static int probe_verdict(bool *out, int rc)
{
	if (rc == -EPERM || rc == -ENOMEM || rc == -ENOBUFS)
		return rc;
	*out = rc == 0;
	return 0;
}

/* Created and deleted in one transaction, so that nothing is left. */
static int probe_owner_persist(bool *out, struct probe *p, uint32_t flags)
{
	int rc = probe_begin(p);

	if (rc == 0)
		rc = probe_table(p, NFT_MSG_NEWTABLE, flags);
	if (rc == 0)
		rc = probe_table(p, NFT_MSG_DELTABLE, 0);
	return rc < 0 ? rc : probe_verdict(out, batch_commit(&p->batch));
}

static int timeout_take(struct nftnl_set_elem *e, void *context)
{
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION))
		*(uint64_t *)context = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	return 0;
}

static int probe_take(const struct nlmsghdr *nlh, void *context)
{
	struct nftnl_set *set = nftnl_set_alloc();
	int rc = set && nftnl_set_elems_nlmsg_parse(nlh, set) >= 0 ? 0 : -ENOMEM;

	if (rc == 0)
		nftnl_set_elem_foreach(set, timeout_take, context);
	if (set)
		nftnl_set_free(set);
	return rc;
}

/* Adds an element again with a longer timeout, and reads which of the two counts. */
static int probe_update(bool *out, struct probe *p)
{
	uint64_t buf[QUERY_ROOM / 8] = {0}, remaining = 0;
	struct nlmsghdr *nlh;
	int rc = probe_begin(p);

	if (rc == 0)
		rc = probe_element(p, NFT_MSG_NEWSETELEM, 1, LONG_MS);
	if (rc == 0)
		rc = probe_verdict(out, batch_commit(&p->batch));
	if (rc < 0 || !*out)
		return rc;
	nlh = query_make(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, p->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, PROBE_SET);
	rc = query(p->firewall, nlh, probe_take, &remaining);
	*out = remaining > SHORT_MS;
	return rc;
}

static int probe_destroy(bool *out, struct probe *p)
{
	int rc = probe_begin(p);

	if (rc == 0)
		rc = probe_element(p, MSG_DESTROYSETELEM, 2, 0);
	return rc < 0 ? rc : probe_verdict(out, batch_commit(&p->batch));
}

static int probe_all(struct firewall_features *out, struct probe *p)
{
	uint32_t flags = 0;
	bool owner = false, ignored;
	int rc = probe_owner_persist(&out->owner_persist, p, NFT_TABLE_F_OWNER | TABLE_F_PERSIST);
	int end;

	if (rc == 0)
		rc = probe_owner_persist(&owner, p, NFT_TABLE_F_OWNER);
	flags = owner ? NFT_TABLE_F_OWNER : 0;
	if (rc == 0)
		rc = probe_begin(p);
	if (rc == 0)
		rc = probe_table(p, NFT_MSG_NEWTABLE, flags);
	if (rc == 0)
		rc = probe_set(p);
	if (rc == 0)
		rc = probe_element(p, NFT_MSG_NEWSETELEM, 1, SHORT_MS);
	if (rc == 0)
		rc = batch_commit(&p->batch);
	if (rc < 0)
		return rc;
	rc = probe_update(&out->update_timeout, p);
	if (rc == 0)
		rc = probe_destroy(&out->destroy, p);
	end = probe_begin(p);
	if (end == 0)
		end = probe_table(p, NFT_MSG_DELTABLE, 0);
	if (end == 0)
		end = probe_verdict(&ignored, batch_commit(&p->batch));
	return rc < 0 ? rc : end;
}

int probe_features(struct firewall_features *out, struct firewall *f)
{
	struct firewall_features found = {0};
	struct probe p = {.firewall = f};
	int rc;

	snprintf(p.table, sizeof(p.table), "curfew-probe-%ld", (long)getpid());
	rc = probe_all(&found, &p);
	batch_free(&p.batch);
	if (rc == 0)
		*out = found;
	f->error[0] = '\0';
	return rc;
}
