/* Observe and apply, implemented by this process (single commands, boot) or by the firewall process (the service). */
#ifndef CURFEW_FIREWALL_PORT_H
#define CURFEW_FIREWALL_PORT_H

#include "curfew/firewall.h"

struct firewall_port {
	/* Like firewall_observe(), firewall_plan(), and firewall_apply(), with `context` instead of the firewall. */
	int (*observe)(struct firewall_state *out, void *context, instant_t now);
	int (*plan)(struct firewall_changes *out, void *context, const struct allowlist *wanted,
		instant_t now, bool closings_only);
	int (*apply)(struct firewall_changes *done, void *context, const struct allowlist *wanted,
		instant_t now, bool closings_only);
	/* Plans the list that was last planned or applied with this number, without its being built and sent: what plan()
	 * would answer, or -ESTALE. NULL: lists are not kept. */
	int (*again)(void *context, uint64_t number, instant_t now, bool closings_only);
	void *context;
};

/* Implemented by this process. The port borrows `f`. */
struct firewall_port firewall_port_direct(struct firewall *f);

#endif
