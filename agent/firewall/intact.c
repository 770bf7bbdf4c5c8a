/* Compares chains, rules, and sets with those that Curfew creates. Rules are compared by their expressions as libnftnl
 * prints them, without counters and handles. So a rule that was replaced by one with the same comment is found, and so
 * is an additional accept. */
#include <string.h>

#include "firewall/intact.h"

static const char *const CHAINS[INTACT_CHAINS] = {CHAIN_CHECK, CHAIN_INPUT, CHAIN_FORWARD};

void intact_init(struct intact *i, const struct firewall_settings *s)
{
	*i = (struct intact){.settings = *s};
}

void intact_free(struct intact *i)
{
	for (size_t c = 0; c < INTACT_CHAINS; c++) {
		for (size_t n = 0; n < i->rules[c].n; n++)
			free(i->rules[c].items[n]);
		free(i->rules[c].items);
	}
	free(i->sets);
	*i = (struct intact){0};
}

static int chain_index(const char *name)
{
	for (int c = 0; c < INTACT_CHAINS; c++)
		if (name && streq(name, CHAINS[c]))
			return c;
	return -1;
}

int intact_set(struct intact *i, const struct nftnl_set *set)
{
	struct intact_set *sets, found = {0};

	if (!set_id_parse(&found.id, nftnl_set_get_str(set, NFTNL_SET_NAME))) {
		i->broken = true;
		return 0;
	}
	found.readable = set_is_as_made(set, &found.id);
	if (!found.readable)
		i->broken = true;
	sets = reallocarray(i->sets, i->n_sets + 1, sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	sets[i->n_sets++] = found;
	i->sets = sets;
	return 0;
}

void intact_chain(struct intact *i, const struct nftnl_chain *chain)
{
	int c = chain_index(nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));

	if (c >= 0 && chain_is_as_made(chain, &i->settings))
		i->chains[c] = true;
	else
		i->broken = true;
}

int intact_rule(struct intact *i, struct nftnl_rule *rule)
{
	int c = chain_index(nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	struct intact_rules *rules;
	char **items;

	if (c < 0) {
		i->broken = true;
		return 0;
	}
	rules = &i->rules[c];
	items = reallocarray(rules->items, rules->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	rules->items = items;
	items[rules->n] = rule_text(rule);
	if (!items[rules->n])
		return -ENOMEM;
	rules->n++;
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
static int rules_match(bool *out, const struct intact_rules *rules, size_t first,
	struct nftnl_rule *wanted[], int n)
{
	bool same = rules->n == first + (size_t)n;
	int rc = 0;

	for (int k = 0; k < n; k++) {
		same = same && rule_text_matches(&rc, wanted[k], rules->items[first + (size_t)k]);
		nftnl_rule_free(wanted[k]);
	}
	if (rc == 0)
		*out = same;
	return rc;
}

/* The check chain starts with one accept for each set, in any order. */
static int accepts_match(size_t *n, struct intact *i)
{
	const struct intact_rules *rules = &i->rules[0];

	*n = 0;
	for (size_t k = 0; k < i->n_sets; k++) {
		struct nftnl_rule *rule;
		_cleanup_free_ char *text = NULL;
		int rc;

		if (!set_id_per_prefix(&i->sets[k].id))
			continue;
		++*n;
		rc = rule_accept(&rule, &i->sets[k].id);
		if (rc < 0)
			return rc;
		text = rule_text(rule);
		nftnl_rule_free(rule);
		if (!text)
			return -ENOMEM;
		for (size_t m = 0; m < rules->n; m++)
			if (streq(rules->items[m], text))
				i->sets[k].has_rule = true;
		if (!i->sets[k].has_rule)
			i->broken = true;
	}
	return 0;
}

static int check_chain_matches(bool *out, struct intact *i)
{
	struct nftnl_rule *tail[8];
	size_t accepts;
	int n, rc = accepts_match(&accepts, i);

	if (rc < 0)
		return rc;
	n = rules_tail(tail, &i->settings, 0, 0);
	return n < 0 ? n : rules_match(out, &i->rules[0], accepts, tail, n);
}

static int guard_chain_matches(bool *out, const struct intact *i, int c)
{
	struct nftnl_rule *rules[8];
	int n;

	if (!chain_is_wanted(CHAINS[c], &i->settings)) {
		*out = !i->chains[c];
		return 0;
	}
	n = rules_guard(rules, &i->settings, CHAINS[c]);
	return n < 0 ? n : rules_match(out, &i->rules[c], 0, rules, n);
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

int intact_verdict(bool *out, struct intact *i, const struct firewall *f)
{
	static const struct set_id always[] = {
		{SET_GUARD, AF_INET, 0},
		{SET_GUARD, AF_INET6, 0},
		{SET_DENIED, AF_INET, 0},
		{SET_DENIED, AF_INET6, 0},
	};
	bool good = flags_match(f), same;
	int rc = check_chain_matches(&same, i);

	if (rc < 0)
		return rc;
	good = good && same && i->chains[0];
	for (int c = 1; c < INTACT_CHAINS; c++) {
		rc = guard_chain_matches(&same, i, c);
		if (rc < 0)
			return rc;
		good = good && same && i->chains[c] == chain_is_wanted(CHAINS[c], &i->settings);
	}
	for (size_t k = 0; k < ARRAY_SIZE(always); k++)
		good = good && intact_has_set(i, &always[k]);
	*out = good && !i->broken;
	return 0;
}
