/* The order in which changes are applied. What shuts a login comes first, then what else removes access, then what grants it. Within
 * each of these, what one login needs in one database goes before what takes longer elsewhere: whoever may alter a database can make any number
 * of schemas, permissions, and members in it, and nothing of another client waits for them. */
#include <string.h>

#include "access/builder.h"

/* Changes of the roles of one database: about what 60 schemas need. Where there are more, a later pass may go on with them. */
#define MANY_ROLE_CHANGES 1024

enum step { SHUT_LOGIN, END_SESSION, REMOVE, GRANT };

struct rank {
	struct change *c; /* their order in memory is the order in which they were found */
	enum step step;
	size_t weight;	 /* of what it is done together with: the lightest goes first */
	size_t in_roles; /* changes of the roles of its database */
	size_t makes;	 /* those of them that make a role, or deny */
	size_t ahead;	 /* of these and of other removals there, what it comes behind */
	bool moves;	 /* in or out of a role, while the user stays */
};

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static int found_compare(const struct rank *a, const struct rank *b)
{
	return (a->c > b->c) - (a->c < b->c);
}

static int database_compare(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	int d = strcmp(text_of(x->c->database), text_of(y->c->database));

	return d ? d : found_compare(x, y);
}

static int login_compare(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	int d = strcmp(text_of(x->c->login), text_of(y->c->login));

	return d ? d : database_compare(a, b);
}

static int rank_compare(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return found_compare(x, y);
}

static bool prepares(const struct rank *r)
{
	return r->c->kind == CHANGE_ROLE_CREATE || r->c->kind == CHANGE_ROLE_DENY;
}

static bool is_of_roles(const struct rank *r)
{
	return prepares(r) || r->c->kind == CHANGE_ROLE_GRANT ||
	       r->c->kind == CHANGE_ROLE_DENY_REMOVE;
}

/* The end of the run that begins at i. */
static size_t run_end(const struct rank *ranks, size_t n, size_t i, bool by_login, bool by_database)
{
	size_t k = i;

	while (k < n &&
		(!by_login || streq(text_of(ranks[k].c->login), text_of(ranks[i].c->login))) &&
		(!by_database ||
			streq(text_of(ranks[k].c->database), text_of(ranks[i].c->database))))
		k++;
	return k;
}

static bool removes(const struct rank *r)
{
	return r->step < GRANT && !prepares(r);
}

/* A user that is dropped needs no role first. */
static void place_mark(struct rank *ranks, size_t n)
{
	bool stays = ranks[0].c->login && ranks[0].c->database;

	for (size_t i = 0; i < n; i++)
		stays = stays && ranks[i].c->kind != CHANGE_USER_DROP;
	for (size_t i = 0; i < n; i++)
		ranks[i].moves = stays && (ranks[i].c->kind == CHANGE_MEMBER_RESTRICT ||
						  ranks[i].c->kind == CHANGE_MEMBER_DROP);
}

/* The changes of one database. Before a user leaves one role for another, that one is made, has its DENYs, and has no more than
 * it should: the user may be one who goes on working. */
static void database_rank(struct rank *ranks, size_t n)
{
	size_t in_roles = 0, makes = 0, of_roles = 0;
	bool moves = false;

	for (size_t i = 0; i < n; i++) {
		makes += prepares(&ranks[i]);
		in_roles += is_of_roles(&ranks[i]);
		of_roles += removes(&ranks[i]) && !ranks[i].c->login;
		moves = moves || ranks[i].moves;
	}
	for (size_t i = 0; i < n; i++) {
		struct rank *r = &ranks[i];
		r->in_roles = r->weight = in_roles;
		r->makes = makes;
		r->ahead = r->moves ? makes + of_roles : 0;
		if (!moves || !prepares(r))
			continue;
		r->step = REMOVE;
		r->weight = makes;
	}
}

/* What is removed from one login in one database stays together. Returns its weight. */
static size_t place_rank(struct rank *ranks, size_t n)
{
	size_t weight = 0, ahead = 0;

	for (size_t i = 0; i < n; i++) {
		weight += removes(&ranks[i]);
		ahead = ranks[i].ahead > ahead ? ranks[i].ahead : ahead;
	}
	weight += ahead;
	for (size_t i = 0; i < n; i++)
		if (removes(&ranks[i]))
			ranks[i].weight = weight;
	return weight;
}

/* The changes of one login. It is dropped behind its users, and gets what it gets in one piece. */
static void login_rank(struct rank *ranks, size_t n)
{
	size_t longest = 0, in_roles = 0;

	for (size_t i = 0, end; i < n; i = end) {
		end = run_end(ranks, n, i, false, true);
		size_t weight = place_rank(&ranks[i], end - i);
		longest = weight > longest ? weight : longest;
	}
	for (size_t i = 0; i < n; i++)
		if (ranks[i].step == GRANT && ranks[i].in_roles > in_roles)
			in_roles = ranks[i].in_roles;
	for (size_t i = 0; i < n && ranks[0].c->login; i++)
		if (ranks[i].step == GRANT)
			ranks[i].weight = in_roles;
		else if (ranks[i].c->kind == CHANGE_LOGIN_DROP)
			ranks[i].weight = longest;
}

/* Whoever waits for it is shut, or goes on with what he had. */
static bool may_wait(const struct rank *r)
{
	size_t many = r->step == GRANT ? r->weight : r->moves || prepares(r) ? r->makes : 0;

	return many > MANY_ROLE_CHANGES;
}

static enum step step_of(const struct change *c, bool is_removal)
{
	if (!is_removal)
		return GRANT;
	return c->kind == CHANGE_LOGIN_DISABLE	? SHUT_LOGIN
	       : c->kind == CHANGE_SESSION_KILL ? END_SESSION
						: REMOVE;
}

static void ranks_each(struct rank *ranks, size_t n, bool by_login, bool by_database,
	void (*each)(struct rank *ranks, size_t n))
{
	qsort(ranks, n, sizeof(*ranks), by_login ? login_compare : database_compare);
	for (size_t i = 0, end; i < n; i = end) {
		end = run_end(ranks, n, i, by_login, by_database);
		each(&ranks[i], end - i);
	}
}

int changes_order(struct change *all, size_t n, size_t removals, size_t n_removals)
{
	_cleanup_free_ struct rank *ranks = calloc(n + 1, sizeof(*ranks));
	_cleanup_free_ struct change *sorted = calloc(n + 1, sizeof(*sorted));

	if (!ranks || !sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranks[i] = (struct rank){.c = &all[i],
			.step = step_of(&all[i], i >= removals && i - removals < n_removals)};
	ranks_each(ranks, n, true, true, place_mark);
	ranks_each(ranks, n, false, true, database_rank);
	ranks_each(ranks, n, true, false, login_rank);
	qsort(ranks, n, sizeof(*ranks), rank_compare);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = *ranks[i].c;
		sorted[i].may_wait = may_wait(&ranks[i]);
	}
	if (n)
		memcpy(all, sorted, n * sizeof(*all));
	return 0;
}
