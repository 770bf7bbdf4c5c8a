/* The service's orders to the firewall process: lists, questions, lines for its memory. */
#include <errno.h>
#include <string.h>
#include "curfew/record.h"
#include "curfew/text.h"
#include "firewall/helper_client.h"

/* Set members one by one in zeroed memory, because padding would leak memory of this process. */
static struct firewall_request *request_set(struct firewall_request *r, uint32_t verb,
	const struct endpoint *endpoint, const struct source *source, const char *comment)
{
	memset(r, 0, sizeof(*r));
	r->verb = verb;
	r->endpoint.family = endpoint->family;
	memcpy(r->endpoint.addr, endpoint->addr, sizeof(r->endpoint.addr));
	r->endpoint.port = endpoint->port;
	if (!source)
		return r;
	r->source.family = source->family;
	memcpy(r->source.addr, source->addr, sizeof(r->source.addr));
	r->source.prefix = source->prefix;
	memcpy(r->text, comment, strnlen(comment, sizeof(r->text) - 1));
	return r;
}

static int list_send(struct firewall_client *c, const struct allowlist *w)
{
	struct firewall_request r = {.verb = VERB_BEGIN, .until = (instant_t)w->number};
	int rc = firewall_client_add(c, &r);

	for (size_t i = 0; rc == 0 && i < w->n_guards; i++)
		rc = firewall_client_add(
			c, request_set(&r, VERB_GUARD, &w->guards[i].endpoint, NULL, NULL));
	for (size_t i = 0; rc == 0 && i < w->n_trusted; i++) {
		const struct trusted *t = &w->trusted[i];
		rc = firewall_client_add(
			c, request_set(&r, VERB_TRUSTED, &t->endpoint, &t->source, t->comment));
	}
	for (size_t i = 0; rc == 0 && i < w->n_allows; i++) {
		const struct allow *a = &w->allows[i];
		request_set(&r, VERB_ALLOW, &a->endpoint, &a->source, a->comment)->until = a->until;
		rc = firewall_client_add(c, &r);
	}
	return rc;
}

static int change_take(struct firewall_changes *c, struct firewall_answer *a)
{
	a->u.change.comment = pool_text(&c->texts, a->text);
	return a->u.change.comment ? ARRAY_ADD(c->items, c->n, a->u.change) : -ENOMEM;
}

/* Sends the list with an order, and takes the changes that answer it. `wanted` NULL: it was sent before. */
static int list_order(struct firewall_changes *out, struct firewall_client *c,
	const struct allowlist *wanted, const struct firewall_request *order)
{
	struct firewall_changes changes = {0};
	struct firewall_answer a;
	int rc = firewall_client_begin(c, order->closings_only);

	if (rc == 0 && wanted)
		rc = list_send(c, wanted);
	if (rc == 0)
		rc = firewall_client_send(c, order);
	if (rc == 0)
		rc = firewall_client_receive(c, &a);
	int memory = 0;
	while (rc == 0 && a.kind == ANSWER_CHANGE) {
		if (memory == 0)
			memory = change_take(&changes, &a);
		rc = firewall_client_receive(c, &a);
	}
	if (rc == 0)
		rc = firewall_client_result(c, &a);
	if (rc >= 0 && memory < 0)
		rc = memory;
	if (rc < 0 || !out) {
		firewall_changes_free(&changes);
		return rc;
	}
	*out = changes;
	return rc;
}

static int client_apply(struct firewall_changes *done, void *context,
	const struct allowlist *wanted, instant_t now, bool closings_only)
{
	const struct firewall_request r = {
		.verb = VERB_COMMIT, .now = now, .closings_only = closings_only};

	return list_order(done, context, wanted, &r);
}

static int client_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	const struct firewall_request r = {
		.verb = VERB_PLAN, .now = now, .closings_only = closings_only};

	return list_order(out, context, wanted, &r);
}

static int client_again(void *context, uint64_t number, instant_t now, bool closings_only)
{
	const struct firewall_request r = {.verb = VERB_AGAIN,
		.until = (instant_t)number,
		.now = now,
		.closings_only = closings_only};

	return list_order(NULL, context, NULL, &r);
}

static int state_take(struct firewall_state *s, struct firewall_answer *a)
{
	const char *text = pool_text(&s->texts, a->text);

	if (!text)
		return -ENOMEM;
	switch ((enum firewall_answer_kind)a->kind) {
	case ANSWER_STATE:
		s->present = a->u.state.present;
		s->intact = a->u.state.intact;
		s->generation = a->u.state.generation;
		s->read_ms = a->u.state.read_ms;
		s->refused_packets = a->u.state.refused_packets;
		return 0;
	case ANSWER_STATE_ALLOW:
		a->u.allow.comment = text;
		return ARRAY_ADD(s->allows, s->n_allows, a->u.allow);
	case ANSWER_STATE_GUARD:
		a->u.guard.server = a->code ? text : NULL;
		return ARRAY_ADD(s->guards, s->n_guards, a->u.guard);
	case ANSWER_STATE_TRUSTED:
		a->u.trusted.comment = text;
		return ARRAY_ADD(s->trusted, s->n_trusted, a->u.trusted);
	case ANSWER_STATE_REFUSED:
		return ARRAY_ADD(s->refused, s->n_refused, a->u.refused);
	case ANSWER_RESULT:
	case ANSWER_CHANGE:
	case ANSWER_TEXT:
	case ANSWER_EVENT:
		break;
	}
	return -EPROTO;
}

static int state_ask(
	struct firewall_state *out, struct firewall_client *c, const struct firewall_request *r)
{
	struct firewall_state s = {0};
	struct firewall_answer a;
	int rc = firewall_client_begin(c, false), taken = 0;

	if (rc == 0)
		rc = firewall_client_send(c, r);
	if (rc == 0)
		rc = firewall_client_receive(c, &a);
	while (rc == 0 && a.kind != ANSWER_RESULT) {
		if (taken == 0)
			taken = state_take(&s, &a);
		rc = firewall_client_receive(c, &a);
	}
	if (rc == 0)
		rc = firewall_client_result(c, &a);
	if (rc >= 0 && taken < 0)
		rc = taken;
	if (rc < 0) {
		firewall_state_free(&s);
		return rc;
	}
	*out = s;
	return rc;
}

static int client_observe(struct firewall_state *out, void *context, instant_t now)
{
	return state_ask(
		out, context, &(struct firewall_request){.verb = VERB_OBSERVE, .now = now});
}

int firewall_client_refused(uint64_t *out, struct firewall_client *c)
{
	struct firewall_state s;
	int rc = state_ask(&s, c, &(struct firewall_request){.verb = VERB_REFUSED});

	if (rc == 0) {
		*out = s.refused_packets;
		firewall_state_free(&s);
	}
	return rc;
}

struct firewall_port firewall_client_port(struct firewall_client *c)
{
	return (struct firewall_port){client_observe, client_plan, client_apply, client_again, c};
}

const char *firewall_client_error(const struct firewall_client *c)
{
	return c->error;
}

static int client_answer(struct firewall_client *c, const struct firewall_request *r)
{
	struct firewall_answer a;
	int rc = firewall_client_send(c, r);

	if (rc == 0)
		rc = firewall_client_receive(c, &a);
	if (rc == 0 && a.kind != ANSWER_RESULT)
		rc = -EPROTO;
	return rc ? rc : firewall_client_result(c, &a);
}

static int client_ask(struct firewall_client *c, const struct firewall_request *r)
{
	int rc = firewall_client_begin(c, false);

	return rc ? rc : client_answer(c, r);
}

int firewall_client_reload(char digest[65], struct firewall_client *c)
{
	struct firewall_request r = {.verb = VERB_RELOAD};
	int rc = client_ask(c, &r);

	if (rc == 0)
		record_set(digest, 65, c->error);
	return rc;
}

int firewall_client_adopt(struct firewall_client *c, const char *digest)
{
	struct firewall_request r = {.verb = VERB_ADOPT};

	record_set(r.text, sizeof(r.text), digest);
	return client_ask(c, &r);
}

int firewall_client_record(struct firewall_client *c, const struct firewall_record *record)
{
	char line[FIREWALL_RECORD_MAX];
	int rc = firewall_record_write(line, record);
	const char *at = line;

	if (rc == 0)
		rc = firewall_client_begin(c, false);
	/* In one message, for half a line would be in the way of the next. */
	for (bool last = false; rc == 0 && !last;) {
		struct firewall_request r = {.verb = VERB_LINE};
		size_t n = strnlen(at, sizeof(r.text) - 1);
		memcpy(r.text, at, n);
		at += n;
		last = !*at;
		r.verb = last ? VERB_RECORD : VERB_LINE;
		rc = last ? client_answer(c, &r) : firewall_client_add(c, &r);
	}
	return rc;
}

int firewall_client_memory(struct firewall_memory *out, struct firewall_client *c)
{
	struct firewall_request r = {.verb = VERB_RECALL};
	struct firewall_memory m = {0};
	struct firewall_answer a;
	struct text text;
	size_t unreadable = 0;
	int memory = text_begin(&text) ? 0 : -ENOMEM;
	int rc = firewall_client_begin(c, false);

	if (rc == 0)
		rc = firewall_client_send(c, &r);
	while (rc == 0 && (rc = firewall_client_receive(c, &a)) == 0 && a.kind == ANSWER_TEXT)
		if (memory == 0)
			fputs(a.text, text.to);
	if (rc == 0)
		rc = a.kind == ANSWER_RESULT ? firewall_client_result(c, &a) : -EPROTO;
	_cleanup_free_ char *all = text_end(&text);
	if (rc == 0)
		rc = all ? firewall_memory_read(&m, &unreadable, all) : -ENOMEM;
	if (rc < 0)
		firewall_memory_free(&m);
	else
		*out = m;
	return rc;
}
