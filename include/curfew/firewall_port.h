/* The allowlist's two verbs, whoever carries them out: this process (one-shot commands, boot) or the
 * firewall process (the service). */
#ifndef CURFEW_FIREWALL_PORT_H
#define CURFEW_FIREWALL_PORT_H

#include "curfew/firewall.h"

struct firewall_port {
	/* As firewall_observe() and firewall_apply(), with `context` in the place of the firewall. */
	int (*observe)(struct firewall_state *out, void *context, instant_t now);
	int (*apply)(struct firewall_changes *done, void *context, const struct allowlist *wanted,
		instant_t now, bool closings_only);
	void *context;
};

/* In this process. The port borrows `f`. */
struct firewall_port firewall_port_direct(struct firewall *f);

#endif
