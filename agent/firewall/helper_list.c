/* The list that the service sends entry by entry. An unchanged list keeps its number, so the table is not compared
 * with it again. That is seen here, entry by entry; the service only sends. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "firewall/helper_message.h"

/* Doubles the array at powers of two, up to the limit. */
static void *room_for(void *items, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return items;
	if (n >= MAX_FIREWALL_ENTRIES)
		helper_refuse("more than %d entries", MAX_FIREWALL_ENTRIES);
	*room = *room ? *room * 2 : 256;
	items = reallocarray(items, *room, size);
	if (!items)
		helper_refuse("%s", strerror(ENOMEM));
	return items;
}

void helper_list_forget(struct firewall_process *f)
{
	struct allowlist *w = &f->wanted;

	w->n_allows = w->n_guards = w->n_trusted = 0;
	w->number = 0;
	pool_free(&w->texts);
	pool_free(&f->before.texts);
	f->before = (struct list_before){0};
	f->sent = f->sent_before = 0;
	f->same = false;
}

static bool list_has_begun(const struct firewall_process *f)
{
	return f->wanted.n_allows || f->wanted.n_guards || f->wanted.n_trusted;
}

void helper_list_begin(struct firewall_process *f, const struct firewall_request *r)
{
	if (list_has_begun(f))
		helper_list_forget(f); /* half a list, which has overwritten the one before */
	f->same = f->wanted.number != 0;
	f->sent = r->until;
	f->sent_before = 0;
}

bool helper_list_again(struct firewall_process *f, const struct firewall_request *r)
{
	struct allowlist *w = &f->wanted;
	struct list_before *b = &f->before;

	if (!r->until || r->until != f->sent_before || !w->number || list_has_begun(f))
		return false;
	w->n_allows = b->n_allows;
	w->n_guards = b->n_guards;
	w->n_trusted = b->n_trusted;
	w->texts = b->texts;
	b->texts = (struct pool){0};
	f->sent = r->until;
	f->same = true;
	return true;
}

void helper_list_renumber(struct firewall_process *f)
{
	f->wanted.number = ++f->lists;
	f->same = false;
}

void helper_list_complete(struct firewall_process *f)
{
	const struct allowlist *w = &f->wanted;
	const struct list_before *b = &f->before;

	if (!f->same || w->n_allows != b->n_allows || w->n_guards != b->n_guards ||
		w->n_trusted != b->n_trusted)
		helper_list_renumber(f);
}

/* Its entries stay where they are, for the next list to be compared with while it overwrites them. */
void helper_list_end(struct firewall_process *f, bool as_sent)
{
	struct allowlist *w = &f->wanted;

	if (!as_sent) {
		helper_list_forget(f);
		return;
	}
	pool_free(&f->before.texts);
	f->before = (struct list_before){w->n_allows, w->n_guards, w->n_trusted, w->texts};
	w->n_allows = w->n_guards = w->n_trusted = 0;
	w->texts = (struct pool){0};
	f->sent_before = f->sent;
	f->sent = 0;
	f->same = false;
}

static _Noreturn void refuse_entry(const struct firewall_request *r, const char *why)
{
	char source[SOURCE_TEXT_MAX] = "?", endpoint[ENDPOINT_TEXT_MAX] = "?";

	if (r->source.family == AF_INET || r->source.family == AF_INET6)
		source_format(source, &r->source);
	if (r->endpoint.family == AF_INET || r->endpoint.family == AF_INET6)
		endpoint_format(endpoint, &r->endpoint);
	helper_refuse("%s -> %s: %s", r->verb == VERB_GUARD ? "guard" : source, endpoint, why);
}

static bool allow_is_same(const struct allow *a, const struct allow *b)
{
	return endpoint_compare(&a->endpoint, &b->endpoint) == 0 &&
	       source_compare(&a->source, &b->source) == 0 && a->until == b->until &&
	       streq(a->comment, b->comment);
}

static bool trusted_is_same(const struct trusted *a, const struct trusted *b)
{
	return endpoint_compare(&a->endpoint, &b->endpoint) == 0 &&
	       source_compare(&a->source, &b->source) == 0 && streq(a->comment, b->comment);
}

void helper_list_allow(struct firewall_process *f, const struct firewall_request *r)
{
	struct allowlist *w = &f->wanted;
	struct allow a = {.source = r->source,
		.endpoint = r->endpoint,
		.until = r->until,
		.comment = r->text};

	f->same = f->same && w->n_allows < f->before.n_allows &&
		  allow_is_same(&w->allows[w->n_allows], &a);
	/* Where files have errors, the service may go by another version of one: commit() leaves out what is not
	 * confirmed. The same entry was admitted by the same policy before. */
	const char *why = f->same      ? NULL
			  : f->partial ? firewall_policy_form(f->policy, &a)
				       : firewall_policy_allow(f->policy, &a);
	if (why)
		refuse_entry(r, why);
	/* diff needs a sorted list without duplicates. Check the order; do not sort. */
	if (w->n_allows) {
		const struct allow *last = &w->allows[w->n_allows - 1];
		int c = endpoint_compare(&last->endpoint, &a.endpoint);
		if (c > 0 || (c == 0 && source_compare(&last->source, &a.source) >= 0))
			refuse_entry(r, "the entries are not sorted");
	}
	w->allows = room_for(w->allows, w->n_allows, &f->room_allows, sizeof(*w->allows));
	a.comment = pool_text(&w->texts, r->text);
	if (!a.comment)
		helper_refuse("%s", strerror(ENOMEM));
	w->allows[w->n_allows++] = a;
}

void helper_list_guard(struct firewall_process *f, const struct firewall_request *r)
{
	struct allowlist *w = &f->wanted;

	if (w->n_guards &&
		endpoint_compare(&w->guards[w->n_guards - 1].endpoint, &r->endpoint) >= 0)
		refuse_entry(r, "the entries are not sorted");
	f->same = f->same && w->n_guards < f->before.n_guards &&
		  endpoint_compare(&w->guards[w->n_guards].endpoint, &r->endpoint) == 0;
	w->guards = room_for(w->guards, w->n_guards, &f->room_guards, sizeof(*w->guards));
	w->guards[w->n_guards++] =
		(struct guard){r->endpoint, firewall_policy_server(f->policy, &r->endpoint)};
}

void helper_list_trusted(struct firewall_process *f, const struct firewall_request *r)
{
	struct allowlist *w = &f->wanted;
	struct trusted t = {.source = r->source, .endpoint = r->endpoint};

	memcpy(t.comment, r->text, sizeof(t.comment));
	const char *why = firewall_policy_trusted(f->policy, &t);
	if (why)
		refuse_entry(r, why);
	f->same = f->same && w->n_trusted < f->before.n_trusted &&
		  trusted_is_same(&w->trusted[w->n_trusted], &t);
	w->trusted = room_for(w->trusted, w->n_trusted, &f->room_trusted, sizeof(*w->trusted));
	w->trusted[w->n_trusted++] = t;
}
