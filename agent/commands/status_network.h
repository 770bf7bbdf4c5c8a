/* What `curfew status` shows of the packet filter. */
#ifndef COMMANDS_STATUS_NETWORK_H
#define COMMANDS_STATUS_NETWORK_H

#include "commands/status_view.h"

struct table;
/* Reads it into `out`, which the caller frees. `root`: this user may read it, so that not to read it is a failure. */
void status_network_read(struct status_view *seen, struct firewall_state *out,
	const struct cli *cli, const struct context *c, bool root);
void status_network_cell(struct table *t, const struct grant *g, const struct firewall_state *s);
/* It was seen to guard every server that is shown. */
bool status_network_blocks(const struct status_view *seen);
/* Servers that it does not guard, and that it was not read. */
void status_network_print(const struct status_view *seen);

#endif
