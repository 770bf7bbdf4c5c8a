/* The firewall port for a process that has CAP_NET_ADMIN itself. */
#include "curfew/firewall_port.h"

static int port_observe(struct firewall_state *out, void *context, instant_t now)
{
	return firewall_observe(out, context, now);
}

static int port_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	return firewall_plan(out, context, wanted, now, closings_only);
}

static int port_apply(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	return firewall_apply(done, context, wanted, now, closings_only);
}

struct firewall_port firewall_port_direct(struct firewall *f)
{
	return (struct firewall_port){port_observe, port_plan, port_apply, NULL, f};
}
