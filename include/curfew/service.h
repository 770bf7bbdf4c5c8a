/* `curfew run`: sleeps to the next transition, makes a pass then and whenever something else asks for one. */
#ifndef CURFEW_SERVICE_H
#define CURFEW_SERVICE_H

#include "curfew/base.h"

struct service_options {
	const char *config; /* path of curfew.conf */
	bool unconfined;    /* for tests under instruments that no filter admits: nothing is shed */
};

/* Runs until it is told to stop. 0, or an exit status: 1 failed, 78 configuration. Logs what it does. */
int service_run(const struct service_options *o);

/* The firewall process where a service manager starts it, on the socket that it hands over. Exit status. */
int service_firewall(const struct service_options *o);

/* Before the network comes up: guards the endpoints, and lets in whom SQL has last proved at the right level, by
 * configuration and ratchet alone. Asks no server and writes nothing but the kernel's table. Exit status. */
int service_boot(const struct service_options *o);

#endif
