/* Guards that stay in the list although the configuration no longer names their server. */
#include <errno.h>
#include <string.h>

#include "curfew/allowlist.h"
#include "curfew/comment.h"

/* The kept ones are not sorted yet. */
static bool is_guarded(const struct allowlist *a, const struct endpoint *e)
{
	for (size_t i = 0; i < a->n_guards; i++)
		if (!endpoint_compare(&a->guards[i].endpoint, e))
			return true;
	return false;
}

static int trusted_compare(const void *a, const void *b)
{
	const struct trusted *x = a, *y = b;
	int rc = endpoint_compare(&x->endpoint, &y->endpoint);

	return rc ? rc : source_compare(&x->source, &y->source);
}

static int guard_keep(struct allowlist *a, const struct kept_guard *k)
{
	struct guard *guards = reallocarray(a->guards, a->n_guards + 1, sizeof(*guards));

	if (!guards)
		return -ENOMEM;
	a->guards = guards;
	guards[a->n_guards++] = (struct guard){.endpoint = k->endpoint};
	struct trusted *trusted =
		reallocarray(a->trusted, a->n_trusted + k->n_trusted + 1, sizeof(*trusted));
	if (!trusted)
		return -ENOMEM;
	a->trusted = trusted;
	for (size_t i = 0; i < k->n_trusted; i++) {
		struct trusted *t = &trusted[a->n_trusted];
		struct comment c;

		if (k->trusted[i].family != k->endpoint.family)
			continue;
		*t = (struct trusted){.source = k->trusted[i], .endpoint = k->endpoint};
		comment_begin(&c, t->comment);
		comment_add(&c, k->server, NULL);
		comment_end(&c);
		a->n_trusted++;
	}
	return 0;
}

int allowlist_keep(struct allowlist *a, const struct kept_guard *const *kept, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		if (!is_guarded(a, &kept[i]->endpoint))
			rc = guard_keep(a, kept[i]);
	if (a->n_guards)
		qsort(a->guards, a->n_guards, sizeof(*a->guards), guard_compare);
	if (a->n_trusted)
		qsort(a->trusted, a->n_trusted, sizeof(*a->trusted), trusted_compare);
	return rc;
}

void kept_guards_free(struct kept_guards *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->items[i].server);
		free(k->items[i].trusted);
	}
	free(k->items);
	*k = (struct kept_guards){0};
}
