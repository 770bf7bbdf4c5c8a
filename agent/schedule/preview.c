/* Two configurations at one instant: both sides sorted by one key, one walk. */
#include "curfew/preview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int c = names_compare(x->client->name, y->client->name);

	if (!c)
		c = names_compare(x->user->login, y->user->login);
	if (!c)
		c = names_compare(x->server->name, y->server->name);
	return c ? c : names_compare(x->database->name, y->database->name);
}

static instant_t source_end(const struct user *u, const struct source *s)
{
	for (size_t i = 0; i < u->n_sources; i++)
		if (!source_compare(&u->sources[i], s))
			return user_source_end(u, i);
	return 0;
}

const struct source *source_gained(const struct user *had, const struct user *has)
{
	for (size_t i = 0; has && had && i < has->n_sources; i++)
		if (source_end(had, &has->sources[i]) < user_source_end(has, i))
			return &has->sources[i];
	return NULL;
}

/* No access now, and none to come. */
static bool is_empty(const struct grant *g)
{
	return !g || (g->level == LEVEL_NONE && g->next_level == LEVEL_NONE);
}

static unsigned grant_effect(const struct grant *a, const struct grant *b)
{
	unsigned effect = 0;

	if (is_empty(a) || is_empty(b))
		return is_empty(a) ? is_empty(b) ? 0 : PREVIEW_GIVES : PREVIEW_TAKES;
	if (b->level != a->level)
		effect |= b->level < a->level ? PREVIEW_TAKES : PREVIEW_GIVES;
	if (b->end != a->end)
		effect |= b->end < a->end ? PREVIEW_TAKES : PREVIEW_GIVES;
	/* The same level for longer is more if less follows, and less if more follows. */
	if (b->level == a->level && (b->until != a->until || b->next_level != a->next_level)) {
		bool narrows = a->next_level < a->level;
		bool later = b->until > a->until ||
			     (b->until == a->until && b->next_level > a->next_level);
		if (b->until == a->until)
			narrows = true;
		effect |= later == narrows ? PREVIEW_GIVES : PREVIEW_TAKES;
	}
	if (source_gained(a->user, b->user))
		effect |= PREVIEW_GIVES;
	if (source_gained(b->user, a->user))
		effect |= PREVIEW_TAKES;
	return effect;
}

static void change_add(struct preview *p, const struct grant *before, const struct grant *after)
{
	unsigned effect = grant_effect(before, after);

	if (!effect)
		return;
	p->items[p->n++] = (struct preview_change){before, after, effect};
	p->takes += (effect & PREVIEW_TAKES) != 0;
	p->gives += (effect & PREVIEW_GIVES) != 0;
}

int preview_make(struct preview *out, const struct program *from, const struct program *to,
	const struct overrides *o, instant_t now)
{
	struct preview p = {.from = from, .to = to, .now = now};
	int rc = from ? schedule_at(&p.before, from, o, now) : 0;

	if (!rc)
		rc = schedule_at(&p.after, to, o, now);
	if (!rc) {
		p.items = calloc(p.before.n + p.after.n + 1, sizeof(*p.items));
		rc = p.items ? 0 : -ENOMEM;
	}
	if (rc) {
		preview_free(&p);
		return rc;
	}
	if (p.before.n)
		qsort(p.before.items, p.before.n, sizeof(*p.before.items), grant_compare);
	if (p.after.n)
		qsort(p.after.items, p.after.n, sizeof(*p.after.items), grant_compare);
	for (size_t i = 0, k = 0; i < p.before.n || k < p.after.n;) {
		const struct grant *a = i < p.before.n ? &p.before.items[i] : NULL;
		const struct grant *b = k < p.after.n ? &p.after.items[k] : NULL;
		int c = !a ? 1 : !b ? -1 : grant_compare(a, b);

		change_add(&p, c <= 0 ? a : NULL, c >= 0 ? b : NULL);
		i += c <= 0;
		k += c >= 0;
	}
	*out = p;
	return 0;
}

void preview_free(struct preview *p)
{
	grants_free(&p->before);
	grants_free(&p->after);
	free(p->items);
	*p = (struct preview){0};
}

size_t clients_removed(
	const struct client **out, const struct program *from, const struct program *to)
{
	size_t n = 0;

	for (size_t i = 0; from && i < from->n_clients; i++)
		if (!program_client(to, from->clients[i].name))
			out[n++] = &from->clients[i];
	return n;
}
