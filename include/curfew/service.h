/* `curfew run`: waits for the next scheduled change, and makes a pass then and for every other reason. */
#ifndef CURFEW_SERVICE_H
#define CURFEW_SERVICE_H

#include "curfew/base.h"

struct service_options {
	const char *config; /* path of curfew.conf */
	bool unconfined; /* only for tests with instruments that no system-call filter allows: keeps all privileges */
};

/* Runs until told to stop. Returns the exit status: 0, 1 failed, 78 configuration. Logs what it does. */
int service_run(const struct service_options *o);

/* The firewall process, started by systemd, on the socket that systemd passes. Returns the exit status. */
int service_firewall(const struct service_options *o);

/* Before the network is up: guards the endpoints, and allows users whose last verified level is not above the
 * scheduled level, by configuration, journal, and latest time seen. Contacts no server and writes only the kernel's
 * table. Returns the exit status. */
int service_boot(const struct service_options *o);

#endif
