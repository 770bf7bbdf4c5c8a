/* What the journal knows of a client's customizations: of all of its databases together. */
#ifndef CURFEW_CLIENT_SAMPLES_H
#define CURFEW_CLIENT_SAMPLES_H

#include "curfew/program.h"
#include "curfew/samples.h"

/* Whether no other client has a database on the server. */
bool client_is_alone(const struct program *p, const struct client *c, size_t server);
/* Everything, also of the servers' jobs and linked servers. Adds; 0 or negative errno. */
int client_samples_read(
	struct samples *out, struct journal *j, const struct program *p, const struct client *c);
/* Only the tallies. */
int client_tallies_read(
	struct samples *out, struct journal *j, const struct program *p, const struct client *c);

#endif
