/* The order in which changes are applied. What shuts a login comes first, then what else removes access, then what
 * grants it. Within each of these, what one login needs in one database goes before what takes longer elsewhere:
 * whoever may alter a database can make any number of schemas, permissions, and members in it, and nothing of another
 * client waits for them. So where very much is to be removed in one database, that comes behind what others get, and
 * what is granted there comes behind that: whoever it concerns is shut first all the same, or has been verified to have
 * no more than its level, and gets nothing before all of it is removed. */
#include <string.h>

#include "access/builder.h"

/* Changes of the roles of one database, about what 60 schemas need, or removals in it. Where there are more, a later
 * pass may go on with them. */
#define MANY_CHANGES 1024

enum step { SHUT_LOGIN, END_SESSION, REMOVE, GRANT, REMOVE_LATER, GRANT_LATER };

struct rank {
	struct change *c; /* their order in memory is the order in which they were found */
	enum step step;
	size_t weight;	 /* of what it is done together with: the lightest goes first */
	size_t in_roles; /* changes of the roles of its database */
	size_t makes;	 /* those of them that make a role, or deny */
	size_t ahead;	 /* of these and of other removals there, what it comes behind */
	size_t removals; /* from roles, or others, of its login in its database, or of the roles there */
	bool moves;	 /* in or out of a role, while the user stays */
	bool later;	 /* behind what others get, and a later pass may go on with it */
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

static bool is_of_member(const struct rank *r)
{
	return r->c->kind == CHANGE_MEMBER_RESTRICT || r->c->kind == CHANGE_MEMBER_DROP;
}

/* With a change of owner goes all that it has to grant again. */
static size_t removal_cost(const struct rank *r)
{
	return r->c->database && removes(r) ? 1 + r->c->n_regrants : 0;
}

/* Who leaves a role does not wait for very many permissions; a user that is dropped is not dropped between the two. */
static void removals_count(struct rank *ranks, size_t n, bool drops_user)
{
	size_t of_members = 0, others = 0;

	for (size_t i = 0; i < n; i++)
		*(is_of_member(&ranks[i]) ? &of_members : &others) += removal_cost(&ranks[i]);
	if (drops_user && of_members > others)
		of_members = others = of_members + others;
	for (size_t i = 0; i < n; i++)
		ranks[i].removals = is_of_member(&ranks[i]) ? of_members : others;
}

/* A user that is dropped needs no role first. */
static void place_mark(struct rank *ranks, size_t n)
{
	bool drops_user = false;

	for (size_t i = 0; i < n; i++)
		drops_user = drops_user || ranks[i].c->kind == CHANGE_USER_DROP;
	for (size_t i = 0; i < n; i++)
		ranks[i].moves = ranks[0].c->login && ranks[0].c->database && !drops_user &&
				 is_of_member(&ranks[i]);
	removals_count(ranks, n, drops_user);
}

/* The most removals of one login, or of the roles, that do not wait in this database: all of these together are no more
 * than MANY_CHANGES, and the fewest go first. */
static size_t removals_at_once(const struct rank *ranks, size_t n)
{
	size_t of_size[MANY_CHANGES + 1] = {0}, sum = 0, most = 0;

	for (size_t i = 0; i < n; i++)
		if (ranks[i].removals <= MANY_CHANGES)
			of_size[ranks[i].removals] += removal_cost(&ranks[i]);
	while (most < MANY_CHANGES && (sum += of_size[most + 1]) <= MANY_CHANGES)
		most++;
	return most;
}

/* What is granted in the database is granted behind what is removed later there. */
static void database_delay(struct rank *ranks, size_t n)
{
	size_t most = removals_at_once(ranks, n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		ranks[i].later = removal_cost(&ranks[i]) && ranks[i].removals > most;
		any = any || ranks[i].later;
	}
	for (size_t i = 0; i < n; i++)
		ranks[i].later = ranks[i].later || (any && ranks[i].step == GRANT);
}

/* The changes of one database. Before a user leaves one role for another, that one is made, has its DENYs, and has no
 * more than it should: the user may be one who goes on working. */
static void database_rank(struct rank *ranks, size_t n)
{
	size_t in_roles = 0, makes = 0, of_roles = 0;
	bool moves = false;

	database_delay(ranks, n);
	for (size_t i = 0; i < n; i++) {
		makes += prepares(&ranks[i]);
		in_roles += is_of_roles(&ranks[i]);
		of_roles += removes(&ranks[i]) && !ranks[i].c->login && !ranks[i].later;
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
		r->later = false;
	}
}

/* What is removed from one login in one database stays together. Returns the most that any of it weighs. */
static size_t place_rank(struct rank *ranks, size_t n)
{
	size_t weight = 0, ahead = 0, most;

	for (size_t i = 0; i < n; i++) {
		weight += removes(&ranks[i]) && !ranks[i].later;
		ahead = ranks[i].ahead > ahead ? ranks[i].ahead : ahead;
	}
	most = weight += ahead;
	for (size_t i = 0; i < n; i++) {
		struct rank *r = &ranks[i];
		if (removes(r))
			r->weight = r->later ? r->removals : weight;
		most = removes(r) && r->weight > most ? r->weight : most;
	}
	return most;
}

/* The changes of one login. It is dropped behind its users, and gets what it gets in one piece. */
static void login_rank(struct rank *ranks, size_t n)
{
	size_t longest = 0, in_roles = 0;
	bool later = false;

	for (size_t i = 0, end; i < n; i = end) {
		end = run_end(ranks, n, i, false, true);
		size_t weight = place_rank(&ranks[i], end - i);
		longest = weight > longest ? weight : longest;
	}
	for (size_t i = 0; i < n; i++) {
		later = later || ranks[i].later;
		if (ranks[i].step == GRANT && ranks[i].in_roles > in_roles)
			in_roles = ranks[i].in_roles;
	}
	for (size_t i = 0; i < n && ranks[0].c->login; i++) {
		bool drops = ranks[i].c->kind == CHANGE_LOGIN_DROP;
		if (ranks[i].step == GRANT)
			ranks[i].weight = in_roles;
		else if (drops)
			ranks[i].weight = longest;
		if (ranks[i].step == GRANT || drops)
			ranks[i].later = later;
	}
}

/* Whoever waits for it is shut, or goes on with what he had. */
static bool may_wait(const struct rank *r)
{
	size_t many = r->step == GRANT ? r->weight : r->moves || prepares(r) ? r->makes : 0;

	return r->later || many > MANY_CHANGES;
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
	for (size_t i = 0; i < n; i++) {
		ranks[i].c->may_wait = may_wait(&ranks[i]);
		if (ranks[i].later)
			ranks[i].step = ranks[i].step == GRANT ? GRANT_LATER : REMOVE_LATER;
	}
	qsort(ranks, n, sizeof(*ranks), rank_compare);
	for (size_t i = 0; i < n; i++)
		sorted[i] = *ranks[i].c;
	if (n)
		memcpy(all, sorted, n * sizeof(*all));
	return 0;
}
