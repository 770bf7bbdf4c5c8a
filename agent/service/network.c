/* Network access without a pass: lets passes use the firewall process, and blocks at once, whatever the SQL servers do.
 * */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

/* A child cannot be started again without the capability that the service has dropped: a manager has to start the service
 * anew, behind a pass that closes what is to be closed, and the one that is under way. */
static void lost_tell(struct service *s)
{
	struct filter *f = &s->filter;

	if (f->path) {
		log_send(LOG_FIREWALL_DEAD, NULL,
			"%s; no access is granted, and access on SQL servers is removed on time without it; the kernel "
			"still enforces all end times that it has; trying again",
			f->why);
		return;
	}
	f->passes = s->passes.lane && lane_is_busy(s->passes.lane) ? 2 : 1;
	log_send(LOG_FIREWALL_DEAD, NULL,
		"%s; stopping the service after one more pass, which grants nothing; the kernel still enforces all end times",
		f->why);
}

bool service_firewall_lose(struct service *s, const char *why)
{
	struct filter *f = &s->filter;
	bool news = !f->lost || !streq(f->why, why);

	if (s->firewall && s->dispatcher)
		dispatcher_remove(s->dispatcher, &f->events);
	record_set(f->why, sizeof(f->why), why);
	firewall_process_stop(s->firewall);
	s->firewall = NULL;
	s->witnessed = 0;
	f->late = false;
	f->next = monotonic_ms() + FILTER_RETRY;
	if (!f->lost)
		service_ask(s, REASON_FILTER);
	f->lost = true;
	/* It was made to grant. */
	if (s->early.lane)
		lane_outdate(s->early.lane);
	if (news && !s->stopping)
		lost_tell(s);
	return news;
}

int service_firewall_asked(struct service *s, int rc)
{
	if (rc == -EPIPE)
		service_firewall_lose(s, firewall_client_error(s->firewall));
	if (rc != -ETIMEDOUT || s->filter.late)
		return rc;
	s->filter.late = true;
	log_send(LOG_FIREWALL_DEAD, NULL,
		"the firewall process does not answer; access on SQL servers is removed without it, and the kernel "
		"still enforces all end times");
	return rc;
}

/* False: it was lost meanwhile. */
static bool channel(struct firewall_port *out, const struct service *s)
{
	if (s->firewall)
		*out = firewall_client_port(s->firewall);
	return s->firewall;
}

static int gate_observe(struct firewall_state *out, void *context, instant_t now)
{
	struct service *s = context;
	struct firewall_port port;

	return !channel(&port, s) ? -EPIPE
				  : service_firewall_asked(s, port.observe(out, port.context, now));
}

static int port_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct service *s = context;
	struct firewall_port port;

	return !channel(&port, s) ? -EPIPE
				  : service_firewall_asked(s, port.plan(out, port.context, wanted,
								      now, closings_only));
}

static int port_again(void *context, uint64_t number, instant_t now, bool closings_only)
{
	struct service *s = context;
	struct firewall_port port;

	return !channel(&port, s) ? -EPIPE
				  : service_firewall_asked(s,
					    port.again(port.context, number, now, closings_only));
}

/* A list that is out of date proves nothing, even where the table matches it; apply then says that it is out of date. */
static int plan_result(const struct service *s, instant_t now, int rc)
{
	return rc == FIREWALL_PROVED &&
			       (lane_is_stale(s->passes.lane) || (s->has_next && now >= s->next))
		       ? 0
		       : rc;
}

static int gate_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	return plan_result(context, now, port_plan(out, context, wanted, now, closings_only));
}

static int gate_again(void *context, uint64_t number, instant_t now, bool closings_only)
{
	return plan_result(context, now, port_again(context, number, now, closings_only));
}

static int port_apply(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct service *s = context;
	struct firewall_port port;

	if (!channel(&port, s))
		return -EPIPE;
	return service_firewall_asked(
		s, port.apply(done, port.context, wanted, now, closings_only));
}

/* A pass knows the schedule of its start. Later ends, revocations, and configurations were applied already, and its old
 * list must not undo them. Its times count from now. */
static int gate_apply(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct service *s = context;

	clock_now(&now, NULL, &s->clock);
	if (s->has_next && now >= s->next)
		lane_outdate(s->passes.lane);
	if (lane_is_stale(s->passes.lane))
		return -ECANCELED;
	return port_apply(done, s, wanted, now, closings_only);
}

struct firewall_port service_gate(struct service *s)
{
	return (struct firewall_port){gate_observe, gate_plan, gate_apply, gate_again, s};
}

struct listener {
	struct service *service;
	struct control_call *call; /* the request that asked for it, or NULL */
	struct change_log changes;
};

static int network_record(void *context, const struct record *r)
{
	struct listener *l = context;
	struct service *s = l->service;
	struct log_fields f = {.server = r->server};
	char text[NETWORK_CHANGE_MAX];

	if (l->call)
		control_tell(l->call, r);
	if (r->kind == RECORD_NETWORK_OUTCOME && r->state == STATE_OK) {
		s->metrics.changes++;
		if (change_log_take(&l->changes, r))
			log_send(LOG_CHANGE, &f, "%s: %s %s", r->server,
				firewall_change_name(r->network.kind),
				network_change_text(text, &r->network));
	}
	return 0;
}

static void network_unrecorded(void *context, const struct journal_entry *e)
{
	const struct listener *l = context;

	records_unrecorded(l->service, e);
}

/* As pass_run() without servers. The removals come before what the current pass has written is committed, which may have
 * to wait for a disk; both use the same journal. */
static int network_pass(struct pass_result *out, struct service *s, const struct pass_options *o)
{
	struct pass *p;
	int rc = pass_new(&p, o);

	if (rc < 0)
		return rc;
	pass_close_network(p);
	lane_settle(s->passes.lane);
	rc = pass_finish(out, p);
	pass_free(p);
	return rc;
}

void service_network_now(struct service *s, const char *why, const char *actor, bool outdates,
	struct control_call *call)
{
	struct listener listener = {.service = s, .call = call};
	static const char *const nowhere[] = {NULL};
	struct firewall_port port;
	struct pass_result result;
	struct pass_options o = {.mode = PASS_APPLY,
		.program = s->loaded.program,
		.overrides = &s->overrides,
		.journal = s->journal,
		.last = &s->state_copy,
		.network = &port,
		.now = service_now(s),
		.clock = &s->clock,
		.servers = nowhere,
		.actor = actor,
		.reason = why,
		.unrecorded = network_unrecorded,
		.sink = network_record,
		.context = &listener};

	if (outdates) {
		lane_outdate(s->passes.lane);
		lane_outdate(s->early.lane);
	}
	if (!s->firewall)
		return;
	port = (struct firewall_port){gate_observe, port_plan, port_apply, port_again, s};
	int rc = network_pass(&result, s, &o);
	change_log_end(
		&listener.changes, LOG_CHANGE, &(struct log_fields){.reason = why, .actor = actor});
	if (rc < 0 || result.network_failed)
		log_send(LOG_PASS_FAILED, NULL, "the packet filter does not match the schedule: %s",
			rc < 0	      ? strerror(-rc)
			: s->firewall ? firewall_client_error(s->firewall)
				      : s->filter.why);
}
