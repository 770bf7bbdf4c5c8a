/* In the laboratory of namespaces: lists of what is wanted, and a firewall that they are applied to. */
#ifndef TEST_FIREWALL_LAB_H
#define TEST_FIREWALL_LAB_H

#include "lab_net.h"
#include "table.h"

#define MAX_TEST 16384
struct list {
	struct allowlist w; /* points into the arrays */
	struct allow *allows;
	struct guard *guards;
	struct trusted *trusted;
};

static UNUSED struct endpoint endpoint_of(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text), 0);
	return e;
}

static UNUSED struct source source_of(const char *text)
{
	struct source s;

	assert_int_equal(source_parse(&s, text), 0);
	return s;
}

static UNUSED void list_init(struct list *l)
{
	memset(l, 0, sizeof(*l));
	l->allows = calloc(MAX_TEST, sizeof(*l->allows));
	l->guards = calloc(MAX_TEST, sizeof(*l->guards));
	l->trusted = calloc(MAX_TEST, sizeof(*l->trusted));
	assert_true(l->allows && l->guards && l->trusted);
	l->w.allows = l->allows;
	l->w.guards = l->guards;
	l->w.trusted = l->trusted;
}

static UNUSED void list_free(struct list *l)
{
	free(l->allows);
	free(l->guards);
	free(l->trusted);
	pool_free(&l->w.texts);
}

static UNUSED int compare_allow(const void *a, const void *b)
{
	const struct allow *x = a, *y = b;
	int r = endpoint_compare(&x->endpoint, &y->endpoint);

	return r ? r : source_compare(&x->source, &y->source);
}

static UNUSED int compare_trust(const void *a, const void *b)
{
	const struct trusted *x = a, *y = b;
	int r = endpoint_compare(&x->endpoint, &y->endpoint);

	return r ? r : source_compare(&x->source, &y->source);
}

static UNUSED void list_guard_of(struct list *l, const char *server, const char *endpoint)
{
	assert_true(l->w.n_guards < MAX_TEST);
	l->guards[l->w.n_guards++] = (struct guard){endpoint_of(endpoint), server};
	qsort(l->guards, l->w.n_guards, sizeof(l->guards[0]), guard_compare);
}

/* Of no server, so that each endpoint has entries of its own. */
static UNUSED void list_guard(struct list *l, const char *endpoint)
{
	list_guard_of(l, NULL, endpoint);
}

static UNUSED void list_trust(
	struct list *l, const char *source, const char *endpoint, const char *comment)
{
	struct trusted *t = &l->trusted[l->w.n_trusted++];

	assert_true(l->w.n_trusted <= MAX_TEST);
	t->source = source_of(source);
	t->endpoint = endpoint_of(endpoint);
	snprintf(t->comment, sizeof(t->comment), "%s", comment);
	qsort(l->trusted, l->w.n_trusted, sizeof(l->trusted[0]), compare_trust);
}

static UNUSED void list_allow(struct list *l, const char *source, const char *endpoint,
	instant_t until, const char *comment)
{
	struct allow *a = &l->allows[l->w.n_allows++];

	assert_true(l->w.n_allows <= MAX_TEST);
	a->source = source_of(source);
	a->endpoint = endpoint_of(endpoint);
	a->until = until;
	a->comment = comment;
	qsort(l->allows, l->w.n_allows, sizeof(l->allows[0]), compare_allow);
}

/* The entry of a source on any endpoint, or NULL. */
static UNUSED struct allow *list_find(struct list *l, const char *source)
{
	struct source s = source_of(source);

	for (size_t i = 0; i < l->w.n_allows; i++)
		if (source_compare(&l->allows[i].source, &s) == 0)
			return &l->allows[i];
	return NULL;
}

static UNUSED void list_remove(struct list *l, const char *source)
{
	struct allow *a = list_find(l, source);

	assert_non_null(a);
	memmove(a, a + 1, (size_t)(&l->allows[l->w.n_allows] - (a + 1)) * sizeof(*a));
	l->w.n_allows--;
}

static UNUSED const struct observed_allow *state_find(
	const struct firewall_state *s, const char *source)
{
	struct source wanted = source_of(source);

	for (size_t i = 0; i < s->n_allows; i++)
		if (source_compare(&s->allows[i].source, &wanted) == 0)
			return &s->allows[i];
	return NULL;
}

static const struct firewall_settings LAB_SETTINGS UNUSED = {
	.enabled = true,
	.hooks = HOOK_INPUT | HOOK_FORWARD,
	.priority = -10,
	.log = true,
};

static UNUSED struct firewall *lab_open(const struct firewall_settings *s)
{
	struct firewall *f;

	assert_int_equal(firewall_open(&f, s), 0);
	return f;
}

/* Applies, says what was wrong, and returns how many changes were made. */
static UNUSED size_t applied(struct firewall *f, const struct list *l, instant_t now)
{
	struct firewall_changes done = {0};
	int r = firewall_apply(&done, f, &l->w, now, false);
	size_t n = done.n;

	/* On a machine so busy that ends come late again and again, the next pass mends them. */
	for (int i = 0; i < 20 && r == FIREWALL_UNPROVED; i++)
		r = firewall_apply(NULL, f, &l->w, now, false);
	if (r != 0)
		fail_msg("apply: %d, %s", r, firewall_error(f));
	firewall_changes_free(&done);
	return n;
}

static UNUSED struct firewall_state observed(struct firewall *f)
{
	struct firewall_state s;

	assert_int_equal(firewall_observe(&s, f, real_now()), 0);
	return s;
}

/* The end of a test: no table is left to the next one. */
static UNUSED void lab_close(struct firewall *f)
{
	assert_int_equal(firewall_remove(f), 0);
	firewall_close(f);
}

#endif
