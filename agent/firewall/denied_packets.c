/* How many packets were denied, without a reading of the table: a number for the metrics, by which nothing is decided. */
#include "firewall/intact.h"
#include "firewall/netlink.h"
#include "firewall/table_state.h"

static int rule_take(const struct nlmsghdr *nlh, void *context)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct counts counts = {0};
	uint64_t *packets = context;
	int rc = 0;

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0)
		rc = -EBADMSG;
	else if (streq(nftnl_rule_get_str(rule, NFTNL_RULE_TABLE), TABLE_NAME))
		nftnl_expr_foreach(rule, counter_read, &counts);
	*packets += counts.packets;
	nftnl_rule_free(rule);
	return rc;
}

int firewall_refused_packets(uint64_t *out, struct firewall *f)
{
	uint64_t buf[QUERY_ROOM / 8] = {0}, packets = 0;
	struct nlmsghdr *nlh = query_make(buf, NFT_MSG_GETRULE, NLM_F_DUMP);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, TABLE_NAME);
	int rc = query(f, nlh, rule_take, &packets);
	if (rc == 0)
		*out = packets;
	return rc;
}
