/* Changes the kernel's table to what is scheduled: observe, compare, commit, observe again. Each round reads the table
 * and writes at most one transaction. A round that finds nothing to write proves that the table matches. If another
 * program changes the table, or an element expires meanwhile, the whole transaction fails, and the next round starts
 * again. */
#include <string.h>

#include "firewall/intact.h"
#include "firewall/netlink.h"

/* After this many commits without the expected result, report an error instead of trying again. */
#define MAX_FRUITLESS 2

struct table_update {
	struct firewall *firewall;
	const struct allowlist *wanted;
	int64_t now_ms, started_ms;
	bool closings_only;
	int64_t late_ms; /* how much longer a batch took than allowed: the margin for its timeouts grows by that */
	int64_t early_ms; /* how much more than usual was allowed: an end that is early by it is as it was written */
	/* Of this round. */
	struct firewall_state observed;
	struct intact intact;
	struct firewall_changes changes;
	int64_t turn_ms, turn_late_ms;
};

static int64_t update_now(const struct table_update *p)
{
	return p->now_ms + (monotonic_ms() - p->started_ms);
}

static void update_turn_free(struct table_update *p)
{
	firewall_state_free(&p->observed);
	intact_free(&p->intact);
	firewall_changes_free(&p->changes);
}

static void changes_keep_closings(struct firewall_changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!firewall_change_opens(c->items[i].kind))
			c->items[n++] = c->items[i];
	c->n = n;
}

static int update_observe(struct table_update *p)
{
	int rc;

	p->turn_ms = update_now(p);
	p->turn_late_ms = p->late_ms;
	rc = observe_with(&p->observed, &p->intact, p->firewall, p->turn_ms / 1000);
	if (rc < 0)
		return rc;
	if (firewall_other_owner(p->firewall))
		return firewall_fail(p->firewall, -EPERM,
			"the table belongs to the process of netlink port %u",
			p->firewall->table_owner);
	rc = diff_at(&p->changes, p->wanted, &p->observed, p->turn_ms, p->late_ms ? CUT_MS : 0,
		p->early_ms);
	if (rc == 0 && p->closings_only)
		changes_keep_closings(&p->changes);
	return rc;
}

/* Curfew owns the table, as far as this kernel supports it. */
static bool table_is_held(const struct firewall *f)
{
	return !f->features.owner_persist || f->table_owner == f->portid;
}

static int build_set(struct batch *b, const struct set_id *id)
{
	struct nftnl_rule *rule;
	int rc = batch_set(b, id);

	if (rc < 0 || !set_id_per_prefix(id))
		return rc;
	rc = rule_accept(&rule, id);
	if (rc < 0)
		return rc;
	/* In front of the rules that log and drop. */
	rc = batch_rule(b, rule, false);
	nftnl_rule_free(rule);
	return rc;
}

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

static int build_chain(struct batch *b, const char *name)
{
	struct nftnl_chain *c = chain_make(name, &b->firewall->settings);
	struct nlmsghdr *nlh = NULL;

	if (c)
		nlh = batch_message(
			b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, "adding chain %s", name);
	if (nlh) {
		nftnl_chain_nlmsg_build_payload(nlh, c);
		batch_message_end(b, nlh);
	}
	if (c)
		nftnl_chain_free(c);
	return nlh ? 0 : -ENOMEM;
}

static int build_structure(struct batch *b, const struct table_update *p)
{
	static const struct set_id always[] = {
		{SET_GUARD, AF_INET, 0},
		{SET_GUARD, AF_INET6, 0},
		{SET_DENIED, AF_INET, 0},
		{SET_DENIED, AF_INET6, 0},
	};
	static const char *const hooks[] = {CHAIN_INPUT, CHAIN_FORWARD};
	const struct firewall_settings *s = &b->firewall->settings;
	struct nftnl_rule *rules[8];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(always); i++)
		rc = batch_set(b, &always[i]);
	if (rc == 0)
		rc = build_chain(b, CHAIN_CHECK);
	if (rc == 0)
		rc = build_rules(b, rules,
			rules_tail(rules, s, p->observed.refused_packets, p->intact.refused_bytes));
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(hooks); i++) {
		if (!chain_is_wanted(hooks[i], s))
			continue;
		rc = build_chain(b, hooks[i]);
		if (rc == 0)
			rc = build_rules(b, rules, rules_guard(rules, s, hooks[i]));
	}
	return rc;
}

/* Sets that the elements need and that do not exist. Within a phase the elements are sorted by set. */
static int build_missing_sets(
	struct batch *b, const struct elements *list, const struct intact *there)
{
	const struct set_id *last = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct set_id *id = &list->items[i].set;
		int rc;

		if (list->items[i].phase != PHASE_ADD || !set_id_per_prefix(id) ||
			(last && set_id_compare(last, id) == 0))
			continue;
		last = id;
		if (there && intact_has_set(there, id))
			continue;
		rc = build_set(b, id);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Timeouts assume that the kernel receives each element within the allowance. If that took longer, some may be late by
 * the difference: the next round finds and corrects them, with a larger allowance. */
static void update_measure(struct table_update *p, const struct batch *b)
{
	const int64_t usual = ALLOWANCE_MS + MAX_SPREAD_MS;
	int64_t took = monotonic_ms() - b->began_ms, each;

	if (took - b->allowance_ms > p->late_ms)
		p->late_ms = took - b->allowance_ms;
	if (b->allowance_ms - usual > p->early_ms)
		p->early_ms = b->allowance_ms - usual;
	/* A busy host gets the full allowance, or more than it just took, until it answers quickly again. */
	if (took > b->allowance_ms) {
		int64_t busy = took + took / 2;
		busy = busy < MAX_BUSY_MS ? busy : MAX_BUSY_MS;
		p->firewall->batch_ms = busy > usual ? busy : usual;
	}
	if (took < ALLOWANCE_MS / 2)
		p->firewall->batch_ms = ALLOWANCE_MS;
	/* A small batch shows how busy the host is, not how fast. */
	if (b->n_elements < 100)
		return;
	each = took * 1500 / (int64_t)b->n_elements;
	each = each < MAX_ELEMENT_US ? each : MAX_ELEMENT_US;
	p->firewall->element_us = each > ELEMENT_US ? each : ELEMENT_US;
}

/* Fills and sends one transaction. *taken is lowered to the number of changes in it. */
static int update_commit(size_t *taken, struct table_update *p, bool check_generation)
{
	struct firewall *f = p->firewall;
	bool rebuild = !p->observed.present || !p->observed.intact;
	_cleanup_(elements_free) struct elements list = {0};
	_cleanup_(batch_free) struct batch b = {0};
	int rc;

	if (rebuild)
		rc = worklist_rebuild(&list, p->wanted, &p->observed, p->turn_ms, p->closings_only);
	else
		rc = worklist_changes(
			taken, &list, f, &p->changes, &p->observed, batch_capacity(f));
	if (rc == 0)
		rc = batch_begin(&b, f, p->observed.generation, check_generation);
	if (rc == 0 && (rebuild || !table_is_held(f)))
		rc = batch_table(&b, rebuild && p->observed.present);
	if (rc == 0 && rebuild)
		rc = build_structure(&b, p);
	if (rc == 0)
		rc = build_missing_sets(&b, &list, rebuild ? NULL : &p->intact);
	if (rc == 0)
		rc = batch_elements(&b, &list, p->now_ms, p->started_ms);
	if (rc == 0)
		rc = batch_commit(&b);
	if (rc == 0)
		update_measure(p, &b);
	return rc;
}

/* A correction of a timeout that took too long to reach the kernel; the schedule did not change. */
static bool change_is_correction(const struct firewall_change *c, int64_t late_ms)
{
	return late_ms && c->kind == FIREWALL_ALLOW_SHORTEN && c->observed_until &&
	       (c->observed_until - c->until) * 1000 <= late_ms;
}

static int changes_append(
	struct firewall_changes *to, const struct firewall_changes *from, int64_t late_ms)
{
	struct firewall_change *items;

	if (!from->n)
		return 0;
	items = reallocarray(to->items, to->n + from->n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	to->items = items;
	for (size_t i = 0; i < from->n; i++)
		if (!change_is_correction(&from->items[i], late_ms))
			items[to->n++] = from->items[i];
	return 0;
}

/* Replaces the attempts of each round with what was done: each change once, and none that is still to do. */
static void changes_settle(struct firewall_changes *done, const struct firewall_changes *left)
{
	size_t n = 0;

	if (done->n)
		qsort(done->items, done->n, sizeof(*done->items), firewall_change_compare);
	for (size_t i = 0; i < done->n; i++) {
		const struct firewall_change *c = &done->items[i];

		if (n && firewall_change_compare(&done->items[n - 1], c) == 0)
			continue;
		if (left->n && bsearch(c, left->items, left->n, sizeof(*left->items),
				       firewall_change_compare))
			continue;
		done->items[n++] = *c;
	}
	done->n = n;
}

static bool deadlines_in_range(const struct allowlist *wanted, instant_t now)
{
	for (size_t i = 0; i < wanted->n_allows; i++)
		if (wanted->allows[i].until > now && wanted->allows[i].until - now > MAX_DEADLINE_S)
			return false;
	return true;
}

/* Errors after a concurrent change, or after an element expired meanwhile. */
static bool worth_retrying(int rc)
{
	return rc == -ERESTART || rc == -ENOENT || rc == -EEXIST || rc == -EBUSY || rc == -EINTR;
}

/* Repeats rounds until nothing is left to do. If a round leaves fewer changes than the one before, a transaction was
 * too small for all, which is progress and not a failure. */
static int update_run(struct firewall_changes *done, struct table_update *p)
{
	int voided = 0, fruitless = 0;
	size_t before = SIZE_MAX;

	for (;;) {
		size_t n, taken;
		int rc;

		update_turn_free(p);
		rc = update_observe(p);
		if (rc < 0)
			return rc;
		n = p->changes.n;
		if (n == 0 && table_is_held(p->firewall))
			return 0;
		if (n >= before && ++fruitless >= MAX_FRUITLESS) {
			firewall_fail(p->firewall, -EIO,
				"%zu changes are not in the kernel after the commit", n);
			return FIREWALL_UNPROVED;
		}
		/* A program that writes without a pause must not prevent removals: the last attempt ignores the
		 * generation. */
		taken = n;
		rc = update_commit(&taken, p, voided < MAX_ATTEMPTS - 1);
		if (rc == 0) {
			before = n;
			p->changes.n = taken;
			rc = changes_append(done, &p->changes, p->turn_late_ms);
			if (rc < 0)
				return rc;
		} else if (!worth_retrying(rc) || ++voided >= MAX_ATTEMPTS) {
			return rc;
		}
	}
}

int firewall_apply(struct firewall_changes *done, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only)
{
	struct firewall_changes changes = {0};
	struct table_update p = {
		.firewall = f,
		.wanted = wanted,
		.now_ms = now * 1000,
		.started_ms = monotonic_ms(),
		.closings_only = closings_only,
	};
	int rc = f->reader ? -EPERM : update_run(&changes, &p);

	changes_settle(&changes, &p.changes);
	update_turn_free(&p);
	if (rc == 0 && !closings_only && !deadlines_in_range(wanted, now))
		rc = firewall_fail(f, -ERANGE, "a timeout of more than ten years was refused");
	if (rc >= 0 && done)
		*done = changes;
	else
		firewall_changes_free(&changes);
	return rc;
}
