/* What the service knows of each server: whether it works, when it is tried again, when it last had a whole pass. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "service/internal.h"

void service_servers_free(struct service *s)
{
	for (size_t i = 0; i < s->n_servers; i++)
		free(s->servers[i].name);
	free(s->servers);
	s->servers = NULL;
	s->n_servers = 0;
}

struct server_state *server_find(struct service *s, const char *name)
{
	for (size_t i = 0; i < s->n_servers; i++)
		if (strcmp(s->servers[i].name, name) == 0)
			return &s->servers[i];
	return NULL;
}

int service_servers_set(struct service *s)
{
	size_t n = s->program->n_servers;
	struct server_state *items = calloc(n + 1, sizeof(*items));

	for (size_t i = 0; items && i < n; i++) {
		const char *name = s->program->servers[i].name;
		const struct server_state *known = server_find(s, name);
		if (known)
			items[i] = *known;
		items[i].name = strdup(name);
		if (!items[i].name) {
			while (i-- > 0)
				free(items[i].name);
			free(items);
			return -ENOMEM;
		}
	}
	if (!items)
		return -ENOMEM;
	service_servers_free(s);
	s->servers = items;
	s->n_servers = n;
	return 0;
}

static int64_t retry_delay(unsigned failures)
{
	int64_t delay = RETRY_FIRST * 1000;
	uint16_t chance = 0;

	for (unsigned i = 1; i < failures && delay < RETRY_MOST * 1000; i++)
		delay *= 2;
	if (delay > RETRY_MOST * 1000)
		delay = RETRY_MOST * 1000;
	(void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK);
	return delay * 3 / 4 + delay / 2 * chance / UINT16_MAX;
}

static void server_failed(struct server_state *state, const struct record *r)
{
	struct log_fields f = {.server = state->name};

	/* Cut short by us: no fault of its own, and it has not had its turn. */
	if (r->code == -ECANCELED) {
		state->retry = service_monotonic() + RETRY_FIRST * 1000;
		return;
	}
	state->failures++;
	state->retry = service_monotonic() + retry_delay(state->failures);
	if (state->failures == 1)
		log_send(LOG_SERVER_UNREACHABLE, &f,
			"%s: no complete pass: %s; it is tried again until it works", state->name,
			r->detail[0] ? r->detail : strerror(r->code < 0 ? -r->code : EPROTO));
}

void server_ended(struct service *s, const struct record *r)
{
	struct server_state *state = server_find(s, r->server);
	struct log_fields f = {.server = r->server};

	if (!state)
		return;
	if (r->code < 0 || !state->reachable) {
		server_failed(state, r);
		return;
	}
	/* That it did what one client needed says nothing of the others. */
	if (s->run.options.client)
		return;
	state->round_trips = r->end.round_trips;
	if (state->failures)
		log_send(LOG_SERVER_BACK, &f, "%s: works again after %u failed passes", state->name,
			state->failures);
	state->failures = 0;
	state->retry = 0;
	state->has_good_pass = true;
	state->good_pass = s->run.options.now;
}

void service_servers_correct(struct service *s, instant_t now)
{
	for (size_t i = 0; i < s->n_servers; i++) {
		struct server_state *k = &s->servers[i];
		if (k->good_pass > now)
			k->good_pass = now;
		if (k->silent_since > now)
			k->silent_since = now;
	}
}

void server_answered(struct service *s, const struct record *r)
{
	struct server_state *state = server_find(s, r->server);

	if (!state)
		return;
	/* Cut short before its turn, or in the midst of work as far as we know: says nothing of it. */
	if (r->code == -ECANCELED &&
		(state->reachable || workers_age(s->run.workers, r->server) < 0))
		return;
	state->reachable = r->state != STATE_UNREACHABLE;
	if (state->reachable)
		state->silent_since = 0;
	else if (!state->silent_since)
		state->silent_since = s->run.options.now;
}

bool server_is_due(const struct service *s, size_t i, unsigned reasons)
{
	bool due = s->servers[i].retry <= service_monotonic();

	if (reasons & (REASON_START | REASON_RELOAD | REASON_ASKED))
		return true;
	if (s->servers[i].retry)
		return due;
	/* One that is well is visited for anything but another's retry. */
	return (reasons & ~(unsigned)REASON_RETRY) != 0;
}
