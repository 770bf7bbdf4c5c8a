/* Chains, rules, and sets within a transaction. */
#include <string.h>

#include "firewall/worklist.h"

static int build_rules(struct batch *b, struct nftnl_rule *rules[], int n)
{
	int rc = n < 0 ? n : 0;

	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = batch_rule(b, rules[i], true);
		nftnl_rule_free(rules[i]);
	}
	return rc;
}

static int build_rule(struct batch *b, struct nftnl_rule *rule, bool append)
{
	int rc = batch_rule(b, rule, append);

	nftnl_rule_free(rule);
	return rc;
}

static int build_sets(struct batch *b, enum set_kind kind)
{
	struct set_id id = {.kind = kind, .family = AF_INET};
	int rc = batch_set(b, &id);

	id.family = AF_INET6;
	return rc < 0 ? rc : batch_set(b, &id);
}

int structure_server(struct worklist *w, uint32_t server)
{
	const char *chain = w->batch->firewall->groups.items[server];
	struct nftnl_rule *refuse = NULL;
	int rc = batch_chain(w->batch, chain);

	w->restructured = true;
	if (rc == 0)
		rc = rule_refuse(&refuse, chain);
	return rc < 0 ? rc : build_rule(w->batch, refuse, true);
}

static int build_hooks(struct batch *b)
{
	static const char *const hooks[] = {CHAIN_INPUT, CHAIN_FORWARD};
	const struct firewall_settings *s = &b->firewall->settings;
	struct nftnl_rule *rules[8];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(hooks); i++) {
		if (!chain_is_wanted(hooks[i], s))
			continue;
		rc = batch_chain(b, hooks[i]);
		if (rc == 0)
			rc = build_rules(b, rules, rules_guard(rules, s, hooks[i]));
	}
	return rc;
}

int structure_build(struct worklist *w)
{
	struct batch *b = w->batch;
	const struct table_reading *o = w->observed;
	struct nftnl_rule *rules[8];
	int rc = build_sets(b, SET_DENIED);

	if (rc == 0)
		rc = build_sets(b, SET_GUARD);
	if (rc == 0)
		rc = batch_chain(b, CHAIN_REFUSE);
	if (rc == 0)
		rc = build_rules(b, rules,
			rules_refuse(rules, &b->firewall->settings, o->state.refused_packets,
				o->intact.refused_bytes));
	return rc < 0 ? rc : build_hooks(b);
}

static bool set_is_made(const struct worklist *w, const struct set_id *id)
{
	for (size_t i = 0; i < w->n_made; i++)
		if (set_id_compare(&w->made[i], id) == 0)
			return true;
	return false;
}

int structure_set(struct worklist *w, const struct set_id *id)
{
	struct batch *b = w->batch;
	struct nftnl_rule *rule;
	int rc;

	/* Elements come set by set. */
	if ((b->open && set_id_compare(&b->set, id) == 0) || set_is_made(w, id))
		return 0;
	if (ARRAY_ADD(w->made, w->n_made, *id))
		return -ENOMEM;
	w->restructured = true;
	rc = batch_set(b, id);
	if (rc == 0)
		rc = rule_accept(&rule, id, &b->firewall->groups);
	/* In front of the rule that refuses. */
	if (rc == 0)
		rc = build_rule(b, rule, false);
	return rc;
}

int structure_remove(struct worklist *w, uint32_t server)
{
	const struct intact *there = &w->observed->intact;
	const struct names *names = &w->batch->firewall->groups;
	char name[NFT_NAME_MAX];
	int rc = batch_delete(w->batch, NFT_MSG_DELCHAIN, "deleting chain ", names->items[server]);

	w->restructured = true;
	for (size_t i = 0; rc == 0 && i < there->n_sets; i++)
		if (set_is_of_server(&there->sets[i].id) && there->sets[i].id.server == server)
			rc = batch_delete(w->batch, NFT_MSG_DELSET, "deleting set ",
				set_name(name, &there->sets[i].id, names));
	return rc;
}
