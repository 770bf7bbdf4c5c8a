/* The difference between list and reading is pure: by examples, and by the property that its changes lead to what is wanted. */
#include "lab.h"

#define NOW 1800000000

static void observe(struct firewall_state *s, const char *source, const char *endpoint,
	int64_t remaining_ms, const char *comment)
{
	struct observed_allow *o;

	s->allows = reallocarray(s->allows, s->n_allows + 1, sizeof(*s->allows));
	assert_non_null(s->allows);
	o = &s->allows[s->n_allows++];
	memset(o, 0, sizeof(*o));
	o->source = source_of(source);
	o->endpoint = endpoint_of(endpoint);
	o->has_timeout = remaining_ms >= 0;
	o->remaining_ms = remaining_ms >= 0 ? (uint64_t)remaining_ms : 0;
	o->comment = comment;
}

#define E1 "192.0.2.10:1433"
#define S1 "203.0.113.7"

static const struct example {
	const char *name;
	int64_t wanted_s, observed_ms; /* seconds until the wanted end, or NONE */
	const char *wanted_comment, *observed_comment;
	int change; /* or NONE */
} EXAMPLES[] = {
#define NONE	  (-1000)
#define PERMANENT (-1)
	{"missing", 3600, NONE, "a", "", FIREWALL_ALLOW_ADD},
	{"equal", 3600, 3600000, "a", "a", NONE},
	{"early within the tolerance", 3600, 3597000, "a", "a", NONE},
	{"early beyond the tolerance", 3600, 3596999, "a", "a", FIREWALL_ALLOW_EXTEND},
	{"late by a millisecond", 3600, 3600001, "a", "a", FIREWALL_ALLOW_SHORTEN},
	{"permanent", 3600, PERMANENT, "a", "a", FIREWALL_ALLOW_SHORTEN},
	{"permanent and not wanted", NONE, PERMANENT, "", "a", FIREWALL_ALLOW_REMOVE},
	{"not wanted", NONE, 3600000, "", "a", FIREWALL_ALLOW_REMOVE},
	{"not wanted, about to expire", NONE, 3000, "", "a", NONE},
	{"other people", 3600, 3599000, "b", "a", FIREWALL_ALLOW_COMMENT},
	{"other people and later", 7200, 3599000, "b", "a", FIREWALL_ALLOW_EXTEND},
	{"ends now", 0, NONE, "a", "", NONE},
	{"ended", -1, NONE, "a", "", NONE},
	{"ended long ago", -NOW, NONE, "a", "", NONE},
	{"ends within the tolerance", 3, NONE, "a", "", NONE},
	{"ends after the tolerance", 4, NONE, "a", "", FIREWALL_ALLOW_ADD},
	{"ends at once but stands for an hour", 2, 3600000, "a", "a", FIREWALL_ALLOW_REMOVE},
	{"ends at once and stands no longer", 2, 2000, "a", "a", NONE},
	{"ended but stands for a second", 0, 1000, "a", "a", FIREWALL_ALLOW_REMOVE},
	{"ten years and a day", 3661LL * 86400, NONE, "a", "", NONE},
	{"beyond all bounds", INT64_MAX - NOW, 1000000, "a", "a", NONE},
	{"beyond all bounds, permanent", INT64_MAX - NOW, PERMANENT, "a", "a",
		FIREWALL_ALLOW_REMOVE},
};

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(EXAMPLES); i++) {
		const struct example *e = &EXAMPLES[i];
		struct list l;
		struct firewall_state s = {.present = true, .intact = true};
		struct firewall_changes c;

		list_init(&l);
		if (e->wanted_s != NONE)
			list_allow(&l, S1, E1, NOW + e->wanted_s, e->wanted_comment);
		if (e->observed_ms != NONE)
			observe(&s, S1, E1, e->observed_ms, e->observed_comment);
		assert_int_equal(firewall_diff(&c, &l.w, &s, NOW), 0);
		if (c.n != (e->change == NONE ? 0 : 1) ||
			(c.n && (int)c.items[0].kind != e->change))
			fail_msg("%s: %zu changes, first %s", e->name, c.n,
				c.n ? firewall_change_name(c.items[0].kind) : "none");
		firewall_changes_free(&c);
		firewall_state_free(&s);
		list_free(&l);
	}
}

static void test_nothing(void **state)
{
	struct allowlist none = {0};
	struct firewall_state s = {0};
	struct firewall_changes c;

	(void)state;
	assert_int_equal(firewall_diff(&c, &none, &s, NOW), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.items[0].kind, FIREWALL_TABLE);
	firewall_changes_free(&c);
	s.present = s.intact = true;
	assert_int_equal(firewall_diff(&c, &none, &s, NOW), 0);
	assert_int_equal(c.n, 0);
	firewall_changes_free(&c);
}

static void test_order(void **state)
{
	struct list l;
	struct firewall_state s = {.present = true};
	struct firewall_changes c;
	struct guard old = {endpoint_of("192.0.2.99:1433"), NULL};
	static const enum firewall_change_kind expected[] = {FIREWALL_TABLE, FIREWALL_GUARD_ADD,
		FIREWALL_TRUSTED_ADD, FIREWALL_ALLOW_SHORTEN, FIREWALL_ALLOW_REMOVE,
		FIREWALL_ALLOW_ADD, FIREWALL_ALLOW_EXTEND, FIREWALL_GUARD_REMOVE};

	(void)state;
	list_init(&l);
	list_guard(&l, E1);
	list_trust(&l, "10.0.0.0/8", E1, "sql07");
	list_allow(&l, "203.0.113.1", E1, NOW + 3600, "new");
	list_allow(&l, "203.0.113.2", E1, NOW + 3600, "longer");
	list_allow(&l, "203.0.113.3", E1, NOW + 3600, "shorter");
	observe(&s, "203.0.113.2", E1, 10000, "longer");
	observe(&s, "203.0.113.3", E1, 7200000, "shorter");
	observe(&s, "203.0.113.4", E1, 7200000, "gone");
	s.guards = &old;
	s.n_guards = 1;
	assert_int_equal(firewall_diff(&c, &l.w, &s, NOW), 0);
	assert_int_equal(c.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < c.n; i++)
		assert_int_equal(c.items[i].kind, expected[i]);
	/* Whatever opens comes after whatever closes. */
	for (size_t i = 1; i < c.n; i++)
		assert_true(firewall_change_opens(c.items[i].kind) ||
			    !firewall_change_opens(c.items[i - 1].kind));
	firewall_changes_free(&c);
	s.guards = NULL;
	s.n_guards = 0;
	firewall_state_free(&s);
	list_free(&l);
}

/* The property: carry the changes out on the observed side as the kernel would, and nothing is left. */
static void carry_out(struct firewall_state *s, const struct firewall_changes *c)
{
	struct firewall_state next = {.present = true, .intact = true};
	size_t room = s->n_allows + s->n_guards + s->n_trusted + c->n + 1;

	next.allows = calloc(room, sizeof(*next.allows));
	next.guards = calloc(room, sizeof(*next.guards));
	next.trusted = calloc(room, sizeof(*next.trusted));
	for (size_t i = 0; i < s->n_allows; i++) {
		bool touched = false;

		for (size_t k = 0; k < c->n; k++)
			touched = touched || (c->items[k].kind >= FIREWALL_ALLOW_ADD &&
						     endpoint_compare(&c->items[k].endpoint,
							     &s->allows[i].endpoint) == 0 &&
						     source_compare(&c->items[k].source,
							     &s->allows[i].source) == 0);
		if (!touched)
			next.allows[next.n_allows++] = s->allows[i];
	}
	for (size_t i = 0; i < s->n_guards; i++) {
		bool touched = false;

		for (size_t k = 0; k < c->n; k++)
			touched = touched || (c->items[k].kind == FIREWALL_GUARD_REMOVE &&
						     endpoint_compare(&c->items[k].endpoint,
							     &s->guards[i].endpoint) == 0);
		if (!touched)
			next.guards[next.n_guards++] = s->guards[i];
	}
	for (size_t i = 0; i < s->n_trusted; i++) {
		bool touched = false;

		for (size_t k = 0; k < c->n; k++)
			touched = touched || ((c->items[k].kind == FIREWALL_TRUSTED_REMOVE ||
						      c->items[k].kind == FIREWALL_TRUSTED_ADD) &&
						     endpoint_compare(&c->items[k].endpoint,
							     &s->trusted[i].endpoint) == 0 &&
						     source_compare(&c->items[k].source,
							     &s->trusted[i].source) == 0);
		if (!touched)
			next.trusted[next.n_trusted++] = s->trusted[i];
	}
	for (size_t k = 0; k < c->n; k++) {
		const struct firewall_change *x = &c->items[k];

		if (x->kind == FIREWALL_GUARD_ADD)
			next.guards[next.n_guards++] = (struct guard){x->endpoint, NULL};
		if (x->kind == FIREWALL_TRUSTED_ADD) {
			struct observed_trusted *t = &next.trusted[next.n_trusted++];

			t->source = x->source;
			t->endpoint = x->endpoint;
			t->comment = pool_text(&next.texts, x->comment);
		}
		if (x->kind >= FIREWALL_ALLOW_ADD && x->kind != FIREWALL_ALLOW_REMOVE) {
			struct observed_allow *o = &next.allows[next.n_allows++];

			o->source = x->source;
			o->endpoint = x->endpoint;
			o->has_timeout = true;
			/* As the margin leaves it. */
			o->remaining_ms = (uint64_t)(x->until - NOW) * 1000 - 1250;
			o->comment = pool_text(&next.texts, x->comment);
		}
	}
	firewall_state_free(s);
	*s = next;
}

static int compare_observed(const void *a, const void *b)
{
	const struct observed_allow *x = a, *y = b;
	int r = endpoint_compare(&x->endpoint, &y->endpoint);

	return r ? r : source_compare(&x->source, &y->source);
}

static void sort_state(struct firewall_state *s)
{
	if (s->n_allows)
		qsort(s->allows, s->n_allows, sizeof(*s->allows), compare_observed);
	if (s->n_trusted)
		qsort(s->trusted, s->n_trusted, sizeof(*s->trusted), compare_trust);
	if (s->n_guards)
		qsort(s->guards, s->n_guards, sizeof(*s->guards), guard_compare);
}

static unsigned draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

static void random_pair(struct list *l, struct firewall_state *s, unsigned *seed)
{
	static const char *const endpoints[] = {E1, "192.0.2.11:1433", "[2001:db8::5]:1433"};

	for (unsigned e = 0; e < 3; e++) {
		if (draw(seed, 2))
			list_guard(l, endpoints[e]);
		if (draw(seed, 2)) {
			s->guards = reallocarray(s->guards, s->n_guards + 1, sizeof(*s->guards));
			s->guards[s->n_guards++] = (struct guard){endpoint_of(endpoints[e]), NULL};
		}
		for (unsigned i = 0; i < 12; i++) {
			char source[64];
			unsigned what = draw(seed, 4);
			static const int64_t ends[] = {
				-5, 0, 1, 3, 4, 60, 3600, 86400, 4000LL * 86400};

			snprintf(source, sizeof(source),
				e == 2 ? "2001:db8:%x::/48" : "203.0.%u.0/24", i + 1);
			if (what & 1)
				list_allow(l, source, endpoints[e],
					NOW + ends[draw(seed, ARRAY_SIZE(ends))],
					draw(seed, 2) ? "one" : "two");
			if (what & 2)
				observe(s, source, endpoints[e],
					draw(seed, 8) ? (int64_t)draw(seed, 32768) * 100
						      : PERMANENT,
					draw(seed, 2) ? "one" : "two");
		}
		if (draw(seed, 2))
			list_trust(l, e == 2 ? "2001:db8::/32" : "10.0.0.0/8", endpoints[e],
				draw(seed, 2) ? "s" : "t");
		if (draw(seed, 2)) {
			s->trusted =
				reallocarray(s->trusted, s->n_trusted + 1, sizeof(*s->trusted));
			memset(&s->trusted[s->n_trusted], 0, sizeof(*s->trusted));
			s->trusted[s->n_trusted].source =
				source_of(e == 2 ? "2001:db8::/32" : "10.0.0.0/8");
			s->trusted[s->n_trusted].endpoint = endpoint_of(endpoints[e]);
			s->trusted[s->n_trusted++].comment = "s";
		}
	}
	s->present = draw(seed, 4) != 0;
	s->intact = s->present && draw(seed, 4) != 0;
	sort_state(s);
}

static void test_property(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct list l;
		struct firewall_state s = {0};
		struct firewall_changes c;

		list_init(&l);
		random_pair(&l, &s, &seed);
		assert_int_equal(firewall_diff(&c, &l.w, &s, NOW), 0);
		carry_out(&s, &c);
		sort_state(&s);
		firewall_changes_free(&c);
		assert_int_equal(firewall_diff(&c, &l.w, &s, NOW), 0);
		if (c.n)
			fail_msg("round %d: %zu changes left, first %s", round, c.n,
				firewall_change_name(c.items[0].kind));
		firewall_changes_free(&c);
		/* And what stands is never wider than what is wanted. */
		for (size_t i = 0; i < s.n_allows; i++) {
			bool justified = s.allows[i].remaining_ms <= FIREWALL_TOLERANCE * 1000;

			for (size_t k = 0; k < l.w.n_allows; k++)
				justified =
					justified ||
					(endpoint_compare(&l.allows[k].endpoint,
						 &s.allows[i].endpoint) == 0 &&
						source_compare(&l.allows[k].source,
							&s.allows[i].source) == 0 &&
						NOW * 1000LL + (int64_t)s.allows[i].remaining_ms <=
							l.allows[k].until * 1000);
			assert_true(justified);
			assert_true(s.allows[i].has_timeout);
		}
		firewall_state_free(&s);
		list_free(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
