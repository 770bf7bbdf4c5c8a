/* The last reading of the table, kept while it is still proof: the kernel's generation shows that no transaction has
 * touched any table since, or this process owns the table, so that nobody else can. Entries expire meanwhile, as their
 * timeouts say. After a commit only what it changed is read again. */
#include <string.h>

#include "firewall/intact.h"
#include "firewall/table_state.h"

/* Read it all again after this long, whatever the generation says. */
#define MAX_AGE_MS (5 * 60 * 1000)
/* Beyond that share of all entries, a dump is quicker than asking for each. */
#define FEW_DIVISOR  8
#define FEW_AT_LEAST 64
/* The default receive buffer holds 256 answers. */
#define KEYS_PER_REQUEST 200
#define REQUEST_ROOM	 (16 * 1024)

void reading_drop(struct firewall *f)
{
	f->proof = (struct proof){0};
	if (!f->last)
		return;
	reading_free(f->last);
	free(f->last);
	f->last = NULL;
}

static bool is_ours(const struct firewall *f)
{
	return f->table_owner == f->portid && f->table_flags & NFT_TABLE_F_OWNER &&
	       f->table_flags & TABLE_F_PERSIST && !(f->table_flags & NFT_TABLE_F_DORMANT);
}

bool reading_is_current(struct firewall *f)
{
	struct table_reading *r = f->last;
	uint32_t generation;

	if (!r || !r->state.present || !r->state.intact ||
		monotonic_ms() - r->state.read_ms > MAX_AGE_MS || query_table(f) < 0 ||
		query_generation(&generation, f) < 0)
		return false;
	if (generation != r->state.generation && !(r->owned && is_ours(f)))
		return false;
	r->state.generation = generation;
	r->fresh = false;
	return true;
}

void reading_prove(struct firewall *f, const struct allowlist *wanted, const struct diff_moment *m,
	const struct diff_span *late)
{
	f->proof = (struct proof){
		.list = wanted->number,
		.ahead_ms = m->now_ms - (f->last->state.read_ms + m->passed_ms),
		.late = *late,
	};
}

bool reading_proves(struct firewall *f, const struct allowlist *wanted, instant_t now)
{
	const struct proof *p = &f->proof;
	int64_t moved = now * 1000 - monotonic_ms() - p->ahead_ms;

	return wanted->number && wanted->number == p->list && p->late.latest_ms + moved <= 0 &&
	       p->late.earliest_ms + moved >= -TOLERANCE_MS && reading_is_current(f);
}

/* An entry that was changed, by its set and key. */
struct asked {
	struct set_id set;
	struct source source;
};

struct rereading {
	struct firewall *firewall;
	struct places places;
	struct state_draft draft;
	struct firewall_state found; /* what the kernel has of the changed entries */
	size_t answers;
};

static int answer_take(const struct nlmsghdr *nlh, void *context)
{
	struct rereading *r = context;
	size_t before = r->draft.rows;
	int rc = state_take_elements(&r->draft, nlh);

	r->answers += r->draft.rows - before;
	return rc;
}

static int keys_query(struct rereading *r, const struct asked *asked, size_t n)
{
	uint64_t buf[REQUEST_ROOM / 8] = {0};
	struct nlmsghdr *nlh = query_make(buf, NFT_MSG_GETSETELEM, 0);
	struct nlattr *list;
	char name[NFT_NAME_MAX];

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(
		nlh, NFTA_SET_ELEM_LIST_SET, set_name(name, &asked->set, &r->firewall->groups));
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < n; i++) {
		struct element e = {.set = asked[i].set,
			.order = ELEMENT_DELETE, /* the key alone */
			.source = &asked[i].source};
		int rc = element_build(nlh, &e, 0);

		if (rc < 0)
			return rc;
	}
	mnl_attr_nest_end(nlh, list);
	r->answers = 0;
	state_set_begin(&r->draft, &asked->set, &r->places);
	return query(r->firewall, nlh, answer_take, r);
}

/* The kernel answers in the order of the keys, and ends at the first that it does not have. */
static int asked_read(struct rereading *r, const struct asked *asked, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t count = 1;
		int rc;

		while (at + count < n && count < KEYS_PER_REQUEST &&
			set_id_compare(&asked[at].set, &asked[at + count].set) == 0)
			count++;
		rc = keys_query(r, &asked[at], count);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		/* Each key has its answer, or none after it was looked at. */
		if (rc == 0 ? r->answers != count : r->answers >= count)
			return -EINTR;
		at += r->answers + (rc == -ENOENT);
	}
	return 0;
}

static bool is_of_elements(const struct firewall_change *c)
{
	return c->kind == FIREWALL_TRUSTED_ADD || c->kind == FIREWALL_TRUSTED_REMOVE ||
	       c->kind >= FIREWALL_ALLOW_ADD;
}

static int asked_make(size_t *n, struct asked *out, struct rereading *r,
	const struct firewall_changes *changes, size_t n_changes)
{
	*n = 0;
	for (size_t i = 0; i < n_changes; i++) {
		const struct firewall_change *c = &changes->items[i];
		const struct endpoint_place *p = places_find(&r->places, &c->endpoint);

		if (!p || !is_of_elements(c))
			return -EINVAL;
		if (!p->first)
			continue;
		out[(*n)++] = (struct asked){
			.set = {.kind = c->kind >= FIREWALL_ALLOW_ADD ? SET_ALLOW : SET_TRUSTED,
				.family = c->source.family,
				.prefix = c->source.prefix,
				.server = p->server},
			.source = c->source,
		};
	}
	return 0;
}

static int change_key_compare(const void *a, const void *b)
{
	const struct firewall_change *const *x = a, *const *y = b;

	return allow_key_compare(&(*x)->endpoint, &(*x)->source, &(*y)->endpoint, &(*y)->source);
}

/* Room for `n`, as ARRAY_MORE() expects it. */
static int allows_reserve(struct firewall_state *s, size_t n)
{
	struct observed_allow *allows;
	size_t room = 1;

	while (room < n)
		room *= 2;
	if (n <= s->n_allows)
		return 0;
	allows = reallocarray(s->allows, room, sizeof(*allows));
	if (!allows)
		return -ENOMEM;
	s->allows = allows;
	return 0;
}

static int allow_compare(const void *item, const void *change)
{
	const struct observed_allow *o = item;
	const struct firewall_change *c = change;

	return allow_key_compare(&o->endpoint, &o->source, &c->endpoint, &c->source);
}

/* Takes out the entries that changed, and puts in what was found of them: all are sorted, and what lies between moves as a
 * whole. */
static int allows_merge(struct firewall_state *to, const struct firewall_state *found,
	const struct firewall_change **changed, size_t n_changed)
{
	struct observed_allow *allows;
	size_t kept = 0, from = 0, at, k = found->n_allows;
	int rc = allows_reserve(to, to->n_allows + k);

	if (rc < 0)
		return rc;
	allows = to->allows;
	for (size_t c = 0; c <= n_changed; c++) {
		size_t left = to->n_allows - from, n = left;

		if (c < n_changed)
			n = array_first(
				&allows[from], left, sizeof(*allows), changed[c], allow_compare);
		if (kept != from)
			memmove(&allows[kept], &allows[from], n * sizeof(*allows));
		kept += n;
		from += n;
		if (c < n_changed && from < to->n_allows &&
			!allow_compare(&allows[from], changed[c]))
			from++;
	}
	to->n_allows = at = kept + k;
	/* From the end, so that each moves once. */
	while (k) {
		size_t first = array_first(
			allows, kept, sizeof(*allows), &found->allows[k - 1], observed_compare);

		at -= kept - first;
		memmove(&allows[at], &allows[first], (kept - first) * sizeof(*allows));
		kept = first;
		allows[--at] = found->allows[--k];
	}
	return 0;
}

static int found_merge(struct firewall_state *to, struct firewall_state *found,
	const struct firewall_changes *changes, size_t n)
{
	const struct firewall_change **changed = calloc(n + 1, sizeof(*changed));
	int rc;

	if (!changed)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		changed[i] = &changes->items[i];
	qsort(changed, n, sizeof(*changed), change_key_compare);
	state_sort(found);
	rc = allows_merge(to, found, changed, n);
	free(changed);
	return rc;
}

static int changes_reread(struct rereading *r, const struct firewall_changes *changes, size_t n)
{
	struct firewall *f = r->firewall;
	struct firewall_state *s = &f->last->state;
	struct asked *asked = calloc(n + 1, sizeof(*asked));
	size_t n_asked = 0;
	int rc = asked ? places_make(&r->places, f, s->guards, s->n_guards, NULL, 0) : -ENOMEM;

	r->draft.endpoints = calloc(s->n_guards + 1, sizeof(*r->draft.endpoints));
	if (rc == 0 && !r->draft.endpoints)
		rc = -ENOMEM;
	if (rc == 0)
		rc = asked_make(&n_asked, asked, r, changes, n);
	if (rc == 0)
		rc = asked_read(r, asked, n_asked);
	if (rc == 0)
		rc = found_merge(s, &r->found, changes, n);
	free(asked);
	free(r->draft.endpoints);
	places_free(&r->places);
	return rc;
}

/* Only for a few changes of allowed sources. Trusted sources seldom change. */
static bool is_worth_asking(
	const struct firewall *f, const struct firewall_changes *changes, size_t n)
{
	if (!f->last || n > FEW_AT_LEAST + f->last->state.n_allows / FEW_DIVISOR)
		return false;
	for (size_t i = 0; i < n; i++)
		if (changes->items[i].kind < FIREWALL_ALLOW_ADD)
			return false;
	return true;
}

int reading_refresh(
	struct firewall *f, const struct firewall_changes *changes, size_t n, instant_t now)
{
	struct rereading r = {.firewall = f};
	uint32_t before = 0, after = 0;
	int rc = 0;

	if (!is_worth_asking(f, changes, n)) {
		reading_drop(f);
		return 0;
	}
	/* Texts of what is found belong with the rest. */
	r.found.texts = f->last->state.texts;
	r.draft = (struct state_draft){
		.state = &r.found, .now = now, .began_ms = f->last->state.read_ms};
	rc = query_generation(&before, f);
	/* Without ownership of the table, the generation number shows whether this transaction was the only one. */
	if (rc == 0 && !f->last->owned && before != f->last->state.generation + 1)
		rc = -EINTR;
	if (rc == 0)
		rc = changes_reread(&r, changes, n);
	if (rc == 0)
		rc = query_generation(&after, f);
	if (rc == 0 && !f->last->owned && after != before)
		rc = -EINTR;
	f->last->state.texts = r.found.texts;
	f->last->state.generation = after;
	r.found.texts = (struct pool){0};
	firewall_state_free(&r.found);
	/* In doubt it is all read again. */
	if (rc < 0)
		reading_drop(f);
	return rc == -ENOMEM ? rc : 0;
}
