/* Each server's failures, its next try, and its last complete pass. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "curfew/log.h"
#include "service/retries.h"
#include "service/reason.h"

struct retries {
	struct server_retry *items; /* in the configuration's order */
	size_t n;
	int64_t (*monotonic)(void);
};

int retries_new(struct retries **out, int64_t (*monotonic)(void))
{
	struct retries *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->monotonic = monotonic;
	*out = h;
	return 0;
}

static void items_free(struct server_retry *items, size_t n)
{
	for (size_t i = 0; items && i < n; i++)
		free(items[i].name);
	free(items);
}

void retries_free(struct retries *h)
{
	if (!h)
		return;
	items_free(h->items, h->n);
	free(h);
}

static struct server_retry *find(const struct retries *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (streq(h->items[i].name, name))
			return &h->items[i];
	return NULL;
}

int retries_set(struct retries *h, const struct program *p)
{
	struct server_retry *items = calloc(p->n_servers + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server_retry *known = find(h, p->servers[i].name);
		if (known)
			items[i] = *known;
		items[i].name = strdup(p->servers[i].name);
		if (!items[i].name) {
			items_free(items, i);
			return -ENOMEM;
		}
	}
	items_free(h->items, h->n);
	h->items = items;
	h->n = p->n_servers;
	return 0;
}

size_t retries_count(const struct retries *h)
{
	return h->n;
}

size_t retries_silent(const struct retries *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->items[i].silent_since != 0;
	return n;
}

void retries_grants(size_t *excess, size_t *unread, const struct retries *h)
{
	*excess = *unread = 0;
	for (size_t i = 0; i < h->n; i++) {
		*excess += h->items[i].excess;
		*unread += h->items[i].unread;
	}
}

const struct server_retry *retries_at(const struct retries *h, size_t i)
{
	return &h->items[i];
}

const struct server_retry *retries_find(const struct retries *h, const char *name)
{
	return find(h, name);
}

int64_t retries_delay(unsigned failures, uint16_t chance)
{
	int64_t delay = RETRY_FIRST * 1000;

	for (unsigned i = 1; i < failures && delay < RETRY_MOST * 1000; i++)
		delay *= 2;
	if (delay > RETRY_MOST * 1000)
		delay = RETRY_MOST * 1000;
	return delay * 3 / 4 + delay / 2 * chance / UINT16_MAX;
}

static void failed(struct retries *h, struct server_retry *s, int code, const char *detail)
{
	struct log_fields f = {.server = s->name};
	uint16_t chance = 0;

	/* The service canceled this worker. Do not count a failure; retry soon. */
	if (code == -ECANCELED) {
		s->retry = h->monotonic() + (s->waiting ? 0 : RETRY_FIRST * 1000);
		return;
	}
	(void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK);
	s->failures++;
	s->retry = h->monotonic() + retries_delay(s->failures, chance);
	if (s->told || s->quiet)
		return;
	s->told = true;
	log_send(LOG_SERVER_UNREACHABLE, &f, "%s: pass failed: %s; retrying", s->name,
		*detail ? detail : strerror(code < 0 ? -code : EPROTO));
}

void retries_quiet(struct retries *h, const char *name, bool quiet)
{
	struct server_retry *s = find(h, name);

	if (s)
		s->quiet = quiet;
}

void retries_remember(struct retries *h, const struct verified_list *v)
{
	for (size_t i = 0; i < v->n; i++) {
		struct server_retry *s = find(h, v->items[i].server);

		if (s)
			s->excess += v->items[i].result == VERIFICATION_EXCESS;
	}
}

void retries_begin(struct retries *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->items[i].excess_now = h->items[i].unread_now = 0;
}

void retries_grant(struct retries *h, const char *name, enum state state)
{
	struct server_retry *s = find(h, name);

	if (!s)
		return;
	s->excess_now += state == STATE_EXCESS;
	s->unread_now += state == STATE_UNREAD;
}

void retries_ended(struct retries *h, const char *name, int code, const char *detail, bool whole,
	uint64_t round_trips, instant_t now)
{
	struct server_retry *s = find(h, name);
	struct log_fields f = {.server = name};

	if (!s)
		return;
	if (code < 0 || !s->reachable) {
		failed(h, s, code, detail);
		return;
	}
	/* A pass for one client does not show that the server works for the others. */
	if (!whole)
		return;
	s->round_trips = round_trips;
	s->excess = s->excess_now;
	s->unread = s->unread_now;
	if (s->told)
		log_send(LOG_SERVER_BACK, &f, "%s: pass complete after %u failed passes", s->name,
			s->failures);
	s->told = false;
	s->failures = 0;
	s->retry = 0;
	s->has_complete_pass = true;
	s->complete_pass = now;
}

void retries_answered(
	struct retries *h, const char *name, enum state state, int code, bool began, instant_t now)
{
	struct server_retry *s = find(h, name);

	if (!s)
		return;
	s->waiting = code == -ECANCELED && !began;
	/* The service canceled the worker before or during its work, so this says nothing about the server. */
	if (code == -ECANCELED && (s->reachable || !began))
		return;
	s->reachable = state != STATE_UNREACHABLE;
	if (s->reachable)
		s->silent_since = 0;
	else if (!s->silent_since)
		s->silent_since = now;
}

void retries_came_back(struct retries *h, const char *name)
{
	struct server_retry *s = find(h, name);

	if (s)
		s->retry = 1;
}

void retries_correct(struct retries *h, instant_t now)
{
	for (size_t i = 0; i < h->n; i++) {
		struct server_retry *s = &h->items[i];
		if (s->complete_pass > now)
			s->complete_pass = now;
		if (s->silent_since > now)
			s->silent_since = now;
	}
}

bool retries_is_due(const struct retries *h, size_t i, unsigned reasons)
{
	const struct server_retry *s = &h->items[i];

	if (reasons & (REASON_START | REASON_TRANSITION | REASON_RELOAD | REASON_ASKED |
			      REASON_CLOCK | REASON_OVERRIDE))
		return true;
	if (s->retry)
		return s->retry <= h->monotonic();
	/* A healthy server is visited in every pass except a retry of another server. */
	return (reasons & ~(unsigned)REASON_RETRY) != 0;
}

int64_t retries_next(const struct retries *h)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].retry && h->items[i].retry < next)
			next = h->items[i].retry;
	return next;
}
