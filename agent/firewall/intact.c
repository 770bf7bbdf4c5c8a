/* Compares chains, rules, and sets with those that Curfew creates. Rules are compared by their expressions as libnftnl
 * prints them, without counters and handles. So a rule that was replaced by one with the same comment is found, and so
 * is an additional accept. */
#include <string.h>

#include "firewall/intact.h"

static const char *const BASE_CHAINS[] = {CHAIN_INPUT, CHAIN_FORWARD};

void intact_init(struct intact *i, const struct firewall_settings *s, struct names *servers)
{
	*i = (struct intact){.settings = *s, .servers = servers};
}

void intact_free(struct intact *i)
{
	for (size_t c = 0; c < i->n_chains; c++) {
		for (size_t n = 0; n < i->chains[c].n_rules; n++)
			free(i->chains[c].rules[n]);
		free(i->chains[c].rules);
		free(i->chains[c].name);
	}
	free(i->chains);
	free(i->sets);
	*i = (struct intact){0};
}

int intact_set(struct intact *i, const struct nftnl_set *set)
{
	struct intact_set found = {0};
	int rc = set_name_parse(&found.id, nftnl_set_get_str(set, NFTNL_SET_NAME), i->servers);

	if (rc == -EINVAL) {
		i->broken = true;
		return 0;
	}
	if (rc < 0)
		return rc;
	found.readable = set_is_readable(set, &found.id);
	if (!set_is_as_made(set, &found.id) || set_is_earlier(&found.id))
		i->broken = true;
	return ARRAY_ADD(i->sets, i->n_sets, found);
}

int intact_chain(struct intact *i, const struct nftnl_chain *chain)
{
	char *name = strdup(nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	struct intact_chain *c = name ? ARRAY_MORE(i->chains, i->n_chains) : NULL;

	if (!c) {
		free(name);
		return -ENOMEM;
	}
	*c = (struct intact_chain){.name = name, .as_made = chain_is_as_made(chain, &i->settings)};
	return 0;
}

static struct intact_chain *chain_find(const struct intact *i, const char *name)
{
	/* Rules come chain by chain, in the order of the chains. */
	for (size_t c = i->n_chains; c-- > 0;)
		if (streq(i->chains[c].name, name))
			return &i->chains[c];
	return NULL;
}

int intact_rule(struct intact *i, struct nftnl_rule *rule)
{
	struct intact_chain *c = chain_find(i, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));

	if (!c) {
		i->broken = true;
		return 0;
	}
	char *text = rule_text(rule);
	if (!text || ARRAY_ADD(c->rules, c->n_rules, text)) {
		free(text);
		return -ENOMEM;
	}
	return 0;
}

bool intact_has_set(const struct intact *i, const struct set_id *id)
{
	for (size_t n = 0; n < i->n_sets; n++)
		if (set_id_compare(&i->sets[n].id, id) == 0)
			return true;
	return false;
}

static bool rule_text_matches(int *r, struct nftnl_rule *wanted, const char *observed)
{
	_cleanup_free_ char *text = rule_text(wanted);

	if (!text)
		*r = -ENOMEM;
	return text && streq(text, observed);
}

/* The rules from `first` on are exactly these. Frees them. */
static int rules_match(
	bool *out, const struct intact_chain *c, size_t first, struct nftnl_rule *wanted[], int n)
{
	bool same = c->n_rules == first + (size_t)n;
	int rc = 0;

	for (int k = 0; k < n; k++) {
		same = same && rule_text_matches(&rc, wanted[k], c->rules[first + (size_t)k]);
		nftnl_rule_free(wanted[k]);
	}
	if (rc == 0)
		*out = same;
	return rc;
}

static int accept_matches(struct intact *i, struct intact_set *set, const struct intact_chain *c)
{
	_cleanup_free_ char *text = NULL;
	struct nftnl_rule *rule;
	int rc = rule_accept(&rule, &set->id, i->servers);

	if (rc < 0)
		return rc;
	text = rule_text(rule);
	nftnl_rule_free(rule);
	if (!text)
		return -ENOMEM;
	for (size_t m = 0; m < c->n_rules; m++)
		set->has_rule |= streq(c->rules[m], text);
	return 0;
}

/* A server's chain: one accept for each of its sets, in any order, and then the refusal. */
static int server_chain_matches(bool *out, struct intact *i, const struct intact_chain *c)
{
	struct nftnl_rule *last;
	uint32_t server;
	size_t accepts = 0;
	bool all = true;
	int rc = names_number(&server, i->servers, c->name);

	for (size_t k = 0; rc == 0 && k < i->n_sets; k++) {
		struct intact_set *set = &i->sets[k];

		if (!set_is_of_server(&set->id) || set->id.server != server)
			continue;
		accepts++;
		rc = accept_matches(i, set, c);
		all = all && set->has_rule;
	}
	if (rc == 0)
		rc = rule_refuse(&last, c->name);
	if (rc == 0)
		rc = rules_match(out, c, accepts, &last, 1);
	*out = rc == 0 && *out && all;
	return rc;
}

/* Some endpoint leads to the chain. One to which none does is a remainder, and its entries are nobody's. */
static bool chain_is_used(const struct intact_chain *c, const struct firewall_state *s)
{
	char name[NFT_NAME_MAX];

	for (size_t k = 0; k < s->n_guards; k++)
		if (streq(chain_name(name, &s->guards[k]), c->name))
			return true;
	return false;
}

static int server_chains_match(bool *out, struct intact *i, const struct firewall_state *s)
{
	bool good = true;

	for (size_t c = 0; c < i->n_chains; c++) {
		const struct intact_chain *chain = &i->chains[c];
		bool same = false;

		if (streq(chain->name, CHAIN_REFUSE) || streq(chain->name, CHAIN_INPUT) ||
			streq(chain->name, CHAIN_FORWARD))
			continue;
		int rc = server_chain_matches(&same, i, chain);
		if (rc < 0)
			return rc;
		good = good && same && chain->as_made && chain_is_used(chain, s);
	}
	/* A set without a chain lets nobody in. */
	for (size_t k = 0; k < i->n_sets; k++)
		good = good && (!set_is_of_server(&i->sets[k].id) || i->sets[k].has_rule);
	*out = good;
	return 0;
}

static int refuse_chain_matches(bool *out, const struct intact *i)
{
	const struct intact_chain *c = chain_find(i, CHAIN_REFUSE);
	struct nftnl_rule *rules[8];
	int n;

	*out = false;
	if (!c || !c->as_made)
		return 0;
	n = rules_refuse(rules, &i->settings, 0, 0);
	return n < 0 ? n : rules_match(out, c, 0, rules, n);
}

static int base_chain_matches(bool *out, const struct intact *i, const char *name)
{
	const struct intact_chain *c = chain_find(i, name);
	struct nftnl_rule *rules[8];
	int n;

	if (!c || !chain_is_wanted(name, &i->settings)) {
		*out = !c && !chain_is_wanted(name, &i->settings);
		return 0;
	}
	n = rules_guard(rules, &i->settings, name);
	n = n < 0 ? n : rules_match(out, c, 0, rules, n);
	*out = n == 0 && *out && c->as_made;
	return n;
}

/* A dormant table, or one that vanishes with its owner, does not filter. */
static bool flags_match(const struct firewall *f)
{
	uint32_t flags = f->table_flags;

	if (flags & NFT_TABLE_F_DORMANT ||
		(flags & NFT_TABLE_F_OWNER && !(flags & TABLE_F_PERSIST)))
		return false;
	return f->reader || !f->features.owner_persist || flags & TABLE_F_PERSIST;
}

int intact_verdict(
	bool *out, struct intact *i, const struct firewall *f, const struct firewall_state *s)
{
	static const struct set_id always[] = {
		{.kind = SET_GUARD, .family = AF_INET},
		{.kind = SET_GUARD, .family = AF_INET6},
		{.kind = SET_DENIED, .family = AF_INET},
		{.kind = SET_DENIED, .family = AF_INET6},
	};
	bool good = flags_match(f), same;
	int rc = refuse_chain_matches(&same, i);

	good = good && rc == 0 && same;
	for (size_t c = 0; rc == 0 && c < ARRAY_SIZE(BASE_CHAINS); c++) {
		rc = base_chain_matches(&same, i, BASE_CHAINS[c]);
		good = good && rc == 0 && same;
	}
	if (rc == 0)
		rc = server_chains_match(&same, i, s);
	if (rc < 0)
		return rc;
	good = good && same;
	for (size_t k = 0; k < ARRAY_SIZE(always); k++)
		good = good && intact_has_set(i, &always[k]);
	*out = good && !i->broken;
	return 0;
}
