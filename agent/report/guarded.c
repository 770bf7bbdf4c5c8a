/* Whether the packet filter stands before a server. Without its table everybody can connect, so entries that are missing
 * then block nobody. */
#include "curfew/report.h"

bool network_guards(const struct firewall_state *s, const struct server *server)
{
	if (!s->present || !s->intact)
		return false;
	for (size_t i = 0; i < server->n_endpoints; i++)
		if (!guard_find(s->guards, s->n_guards, &server->endpoints[i]))
			return false;
	return true;
}
