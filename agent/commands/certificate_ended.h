/* When the end of access that a certificate covers was confirmed. */
#ifndef COMMANDS_CERTIFICATE_ENDED_H
#define COMMANDS_CERTIFICATE_ENDED_H

#include "commands/certificate_scope.h"

/* Of the last end of any access, by the records of access; 0: they show none. `events`: of all clients. */
instant_t certificate_ended(const struct collected *c, const struct certificate_scope *s,
	const struct journal_entries *events);

#endif
