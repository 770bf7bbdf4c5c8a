/* Network access without a pass: lets passes use the firewall process, and blocks at once, whatever the SQL servers do.
 * */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

void service_firewall_died(struct service *s, int code)
{
	if (s->stopping)
		return;
	log_send(LOG_FIREWALL_DEAD, NULL,
		"%s (%s); stopping the service; the kernel still enforces all end times",
		firewall_client_error(s->firewall), strerror(-code));
	service_stop(s, CODE_FAILED);
}

static int gate_observe(struct firewall_state *out, void *context, instant_t now)
{
	struct service *s = context;
	struct firewall_port port = firewall_client_port(s->firewall);
	int rc = port.observe(out, port.context, now);

	if (rc == -EPIPE || rc == -ETIMEDOUT)
		service_firewall_died(s, rc);
	return rc;
}

static int port_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct service *s = context;
	struct firewall_port port = firewall_client_port(s->firewall);
	int rc = port.plan(out, port.context, wanted, now, closings_only);

	if (rc == -EPIPE || rc == -ETIMEDOUT)
		service_firewall_died(s, rc);
	return rc;
}

/* From an old list nothing follows, also where the table matches it: apply says that it is old. */
static int gate_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	const struct service *s = context;
	int rc = port_plan(out, context, wanted, now, closings_only);

	return rc == FIREWALL_PROVED &&
			       (lane_is_stale(s->passes.lane) || (s->has_next && now >= s->next))
		       ? 0
		       : rc;
}

/* Access is granted by a time only if that time is saved. */
static int port_apply(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct service *s = context;
	struct firewall_port port = firewall_client_port(s->firewall);

	if (!closings_only)
		service_time_save(s);
	int rc = port.apply(done, port.context, wanted, now, closings_only);
	if (rc == -EPIPE || rc == -ETIMEDOUT)
		service_firewall_died(s, rc);
	return rc;
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
	return (struct firewall_port){gate_observe, gate_plan, gate_apply, s};
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
		.servers = nowhere,
		.actor = actor,
		.reason = why,
		.unrecorded = network_unrecorded,
		.sink = network_record,
		.context = &listener};

	if (outdates)
		lane_outdate(s->passes.lane);
	if (!s->firewall)
		return;
	port = (struct firewall_port){gate_observe, port_plan, port_apply, s};
	int rc = network_pass(&result, s, &o);
	change_log_end(
		&listener.changes, LOG_CHANGE, &(struct log_fields){.reason = why, .actor = actor});
	if (rc < 0 || result.network_failed)
		log_send(LOG_PASS_FAILED, NULL, "the packet filter does not match the schedule: %s",
			rc < 0 ? strerror(-rc) : firewall_client_error(s->firewall));
	/* This call only checks whether the firewall process is alive; the pass has reported the failure already. */
	bool changed;
	char who[64];
	rc = firewall_client_read(&changed, who, s->firewall);
	if (rc < 0)
		service_firewall_died(s, rc);
}
