/* What `curfew status` shows of the packet filter: that which was not seen is never shown as blocked, nor as fine. */
#include "commands/status_network.h"

#include "curfew/report.h"
#include "program/visible_text.h"

/* Whoever may not read it sees the rest, and "-" for it; whoever may is told why it was not read. */
void status_network_read(struct status_view *seen, struct firewall_state *out,
	const struct cli *cli, const struct context *c, bool root)
{
	struct network network = {0};

	if (cli_network_beside(&network, cli, c->program)) {
		seen->network_unread = root;
	} else if (network.present && !firewall_observe(out, network.firewall, c->now)) {
		seen->network = out;
	} else if (network.present) {
		seen->network_unread = root;
		cli_fail(cli, 0, "cannot read the packet filter: %s",
			firewall_error(network.firewall));
	}
	network_close(&network);
}

void status_network_cell(struct table *t, const struct grant *g, const struct firewall_state *s)
{
	unsigned long long packets = s ? grant_packets(s, g) : 0;

	if (!s)
		table_cell(t, NULL);
	else if (!network_guards(s, g->server))
		table_cell(t, "not guarded");
	else if (!status_is_admitted(s, g))
		table_cell(t, "blocked");
	else if (packets)
		table_cellf(t, "%llu packets", packets);
	else
		table_cell(t, "allowed");
}

bool status_network_blocks(const struct status_view *seen)
{
	const struct context *c = seen->context;
	size_t from = 0;

	return seen->network && !status_unguarded(seen, c->program, c->client, &from);
}

void status_network_print(const struct status_view *seen)
{
	const struct context *c = seen->context;
	const struct server *s;
	size_t from = 0;

	while ((s = status_unguarded(seen, c->program, c->client, &from)))
		text_printf(stdout,
			"%s: not guarded: the packet filter blocks nobody there; run `curfew apply`\n",
			s->name);
	if (seen->network_unread)
		puts("packet filter not read; whether it blocks an address is not known");
}
