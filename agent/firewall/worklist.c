/* From changes to a transaction: which elements it deletes and adds, and what they need. All endpoints of a server share
 * its sets, so that of equal changes of several endpoints the first one's counts. */
#include <string.h>

#include "firewall/worklist.h"

/* A change at its place, with the entry that it changes. */
struct job {
	const struct firewall_change *change;
	const struct endpoint_place *
		place; /* NULL: the element also belongs to another endpoint, whose change includes this one */
	const struct observed_allow *observed;
	bool replaces; /* deletes and adds */
};

/* Where the last entry was found: changes of one kind come in the order of the entries. */
struct cursor {
	const struct firewall_state *state;
	size_t at;
};

static const struct observed_allow *allow_find(
	struct cursor *c, const struct firewall_change *change)
{
	const struct firewall_state *s = c->state;
	const struct firewall_change *k = change;
	size_t step = 1;

	if (c->at >= s->n_allows || allow_key_compare(&s->allows[c->at].endpoint,
					    &s->allows[c->at].source, &k->endpoint, &k->source) > 0)
		c->at = 0;
	/* In steps that grow, then back in halves. */
	while (step) {
		size_t next = c->at + step;

		if (next < s->n_allows &&
			allow_key_compare(&s->allows[next].endpoint, &s->allows[next].source,
				&k->endpoint, &k->source) <= 0) {
			c->at = next;
			step *= 2;
		} else {
			step /= 2;
		}
	}
	if (c->at < s->n_allows && allow_key_compare(&s->allows[c->at].endpoint,
					   &s->allows[c->at].source, &k->endpoint, &k->source) == 0)
		return &s->allows[c->at];
	return NULL;
}

static int trusted_compare(const void *change, const void *trusted)
{
	const struct firewall_change *c = change;
	const struct observed_trusted *t = trusted;

	return allow_key_compare(&c->endpoint, &c->source, &t->endpoint, &t->source);
}

static bool trusted_is_there(const struct firewall_state *s, const struct firewall_change *c)
{
	return s->n_trusted &&
	       bsearch(c, s->trusted, s->n_trusted, sizeof(*s->trusted), trusted_compare);
}

static bool is_of_allow(enum firewall_change_kind k)
{
	return k >= FIREWALL_ALLOW_ADD;
}

static bool is_of_trusted(enum firewall_change_kind k)
{
	return k == FIREWALL_TRUSTED_ADD || k == FIREWALL_TRUSTED_REMOVE;
}

static struct job job_make(
	struct worklist *w, struct cursor *c, const struct firewall_change *change)
{
	const struct firewall *f = w->batch->firewall;
	struct job j = {.change = change};

	if (change->kind == FIREWALL_TABLE)
		return j;
	j.place = places_find(&w->places, &change->endpoint);
	if (j.place && !j.place->first &&
		(is_of_allow(change->kind) || is_of_trusted(change->kind)))
		j.place = NULL;
	if (!j.place)
		return j;
	/* Some kernels silently ignore a new timeout for an existing element, and none changes a comment. */
	if (is_of_allow(change->kind) && change->kind != FIREWALL_ALLOW_ADD) {
		j.observed = allow_find(c, change);
		j.replaces = change->kind != FIREWALL_ALLOW_REMOVE && j.observed &&
			     !(f->features.update_timeout &&
				     streq(change->comment, j.observed->comment));
	}
	if (change->kind == FIREWALL_TRUSTED_ADD)
		j.replaces = trusted_is_there(&w->observed->state, change);
	return j;
}

static struct set_id set_of(const struct job *j)
{
	enum firewall_change_kind k = j->change->kind;
	int family = j->place->guard->endpoint.family;

	if (!is_of_allow(k) && !is_of_trusted(k))
		return (struct set_id){.kind = SET_GUARD, .family = family};
	return (struct set_id){
		.kind = is_of_allow(k) ? SET_ALLOW : SET_TRUSTED,
		.family = family,
		.prefix = j->change->source.prefix,
		.server = j->place->server,
	};
}

static struct element element_of(const struct job *j, enum element_order order)
{
	return (struct element){
		.set = set_of(j),
		.order = order,
		.source = &j->change->source,
		.endpoint = &j->change->endpoint,
	};
}

static bool job_deletes(const struct job *j)
{
	enum firewall_change_kind k = j->change->kind;

	return j->replaces || k == FIREWALL_ALLOW_REMOVE || k == FIREWALL_TRUSTED_REMOVE;
}

static bool job_adds(const struct job *j)
{
	enum firewall_change_kind k = j->change->kind;

	return k != FIREWALL_ALLOW_REMOVE && k != FIREWALL_TRUSTED_REMOVE && k != FIREWALL_TABLE &&
	       k != FIREWALL_GUARD_ADD && k != FIREWALL_GUARD_REMOVE;
}

static int phase_delete(struct worklist *w, const struct job *j)
{
	struct element e;

	if (!job_deletes(j))
		return 0;
	/* A replaced element keeps its counters, so they must have been read first. */
	if (j->replaces && !w->observed->fresh)
		return -EINTR;
	e = element_of(j, ELEMENT_DELETE);
	return batch_element(w->batch, &e);
}

static bool server_is_there(const struct worklist *w, uint32_t server)
{
	const char *name = w->batch->firewall->groups.items[server];
	const struct intact *there = &w->observed->intact;

	for (size_t i = 0; i < there->n_chains; i++)
		if (streq(there->chains[i].name, name))
			return true;
	return false;
}

/* No endpoint before it in this transaction has made the server's chain. */
static bool is_first_of_server(const struct worklist *w, const struct endpoint_place *p)
{
	for (const struct endpoint_place *other = w->places.items; other < p; other++)
		if (other->server == p->server)
			return false;
	return true;
}

/* The first transaction has all new guards, so that what does not fit is closed meanwhile, not open. */
static int phase_guard(struct worklist *w, const struct job *j)
{
	struct element e;
	int rc = 0;

	if (j->change->kind != FIREWALL_GUARD_ADD)
		return 0;
	if (!server_is_there(w, j->place->server) && is_first_of_server(w, j->place))
		rc = structure_server(w, j->place->server);
	if (rc < 0)
		return rc;
	w->restructured = true;
	e = element_of(j, ELEMENT_ADD);
	e.chain = w->batch->firewall->groups.items[j->place->server];
	return batch_element(w->batch, &e);
}

static int phase_add(struct worklist *w, const struct job *j)
{
	const struct firewall_change *c = j->change;
	struct element e;
	int rc = 0;

	if (!job_adds(j))
		return 0;
	e = element_of(j, ELEMENT_ADD);
	e.end_ms = is_of_allow(c->kind) ? c->until * 1000 : 0;
	e.comment = c->comment;
	if (j->observed && !j->replaces)
		e.order = ELEMENT_UPDATE;
	/* The new element continues the counters of the old one. */
	if (j->observed && j->replaces) {
		e.packets = j->observed->packets;
		e.bytes = j->observed->bytes;
	}
	if (!intact_has_set(&w->observed->intact, &e.set))
		rc = structure_set(w, &e.set);
	return rc < 0 ? rc : batch_element(w->batch, &e);
}

/* Whether the server keeps an endpoint once those with a change are gone. */
static bool server_stays(const struct worklist *w, uint32_t server)
{
	for (size_t i = 0; i < w->places.n; i++)
		if (w->places.items[i].server == server &&
			guard_find(w->wanted->guards, w->wanted->n_guards,
				&w->places.guards[i].endpoint))
			return true;
	return false;
}

static int phase_unguard(struct worklist *w, const struct job *j)
{
	struct element e;

	if (j->change->kind != FIREWALL_GUARD_REMOVE)
		return 0;
	w->restructured = true;
	e = element_of(j, ELEMENT_DELETE);
	return batch_element(w->batch, &e);
}

/* After the last endpoint of a server has gone, in one transaction with all of them. */
static int phase_remove(struct worklist *w, const struct job *j)
{
	if (j->change->kind != FIREWALL_GUARD_REMOVE || server_stays(w, j->place->server) ||
		!is_first_of_server(w, j->place))
		return 0;
	return structure_remove(w, j->place->server);
}

typedef int (*phase_fn)(struct worklist *w, const struct job *j);

static int phase_run(
	struct worklist *w, phase_fn phase, const struct firewall_changes *changes, size_t n)
{
	struct cursor c = {.state = &w->observed->state};

	for (size_t i = 0; i < n; i++) {
		struct job j = job_make(w, &c, &changes->items[i]);
		int rc = j.place ? phase(w, &j) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A change that deletes and adds must not be split over two transactions, even if that exceeds the limit by one; nor must
 * the guards of a server. *elements counts them all. */
static size_t changes_that_fit(
	size_t *elements, struct worklist *w, const struct firewall_changes *changes, size_t limit)
{
	struct cursor c = {.state = &w->observed->state};
	size_t i = 0;

	for (*elements = 0; i < changes->n; i++) {
		struct job j;

		if (*elements >= limit && changes->items[i].kind != FIREWALL_GUARD_REMOVE)
			break;
		j = job_make(w, &c, &changes->items[i]);
		if (j.place)
			*elements += 1u + j.replaces;
	}
	return i;
}

int worklist_changes(size_t *taken, struct worklist *w, const struct firewall_changes *changes)
{
	static const phase_fn phases[] = {
		phase_delete, phase_guard, phase_add, phase_unguard, phase_remove};
	const struct firewall_state *s = &w->observed->state;
	struct firewall *f = w->batch->firewall;
	size_t elements = 0;
	int rc = places_make(
		&w->places, f, w->wanted->guards, w->wanted->n_guards, s->guards, s->n_guards);

	if (rc < 0)
		return rc;
	*taken = changes_that_fit(&elements, w, changes, batch_capacity(f));
	batch_clock(w->batch, elements, w->ahead_ms);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(phases); i++)
		rc = phase_run(w, phases[i], changes, *taken);
	return rc;
}

void worklist_free(struct worklist *w)
{
	places_free(&w->places);
	free(w->made);
}
