/* When the password that a login has was handed over, by the journal's events. */
#include "curfew/report.h"

/* The handover has Curfew's time, the login the server's; allow for a difference. */
#define CLOCKS_APART 60

instant_t handed_over_at(const struct journal_entries *handovers, const char *server,
	const char *login, instant_t created)
{
	instant_t last = 0;

	for (size_t i = 0; i < handovers->n; i++) {
		const struct journal_entry *e = &handovers->items[i];

		/* Records of older versions do not say where. */
		if (e->login && names_equal(e->login, login) && e->at > last &&
			(!e->server || streq(e->server, server)))
			last = e->at;
	}
	return last < created - CLOCKS_APART ? 0 : last;
}
