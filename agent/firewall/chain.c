/* The chains of the table: one for each hook, one for each server, and the one that refuses. */
#include <string.h>

#include "firewall/netlink.h"

bool chain_is_wanted(const char *name, const struct firewall_settings *s)
{
	return streq(name, CHAIN_REFUSE) || (streq(name, CHAIN_INPUT) && s->hooks & HOOK_INPUT) ||
	       (streq(name, CHAIN_FORWARD) && s->hooks & HOOK_FORWARD);
}

static bool chain_is_base(const char *name)
{
	return streq(name, CHAIN_INPUT) || streq(name, CHAIN_FORWARD);
}

static uint32_t chain_hook(const char *name)
{
	return streq(name, CHAIN_INPUT) ? NF_INET_LOCAL_IN : NF_INET_FORWARD;
}

struct nftnl_chain *chain_make(const char *name, const struct firewall_settings *s)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		return NULL;
	if (nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE_NAME) < 0 ||
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name) < 0)
		goto fail;
	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	if (!chain_is_base(name))
		return c;
	if (nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter") < 0)
		goto fail;
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, chain_hook(name));
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, s->priority);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	return c;
fail:
	nftnl_chain_free(c);
	return NULL;
}

bool chain_is_as_made(const struct nftnl_chain *c, const struct firewall_settings *s)
{
	const char *name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);

	if (!chain_is_base(name))
		return !nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM);
	return chain_is_wanted(name, s) && nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
	       nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM) == chain_hook(name) &&
	       nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO) == s->priority &&
	       nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_ACCEPT &&
	       streq(nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE), "filter");
}
