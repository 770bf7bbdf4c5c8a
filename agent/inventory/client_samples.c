#include "curfew/client_samples.h"

typedef int (*read_fn)(
	struct samples *out, struct journal *j, const char *server, const char *database);

static int places_read(struct samples *out, struct journal *j, const struct program *p,
	const struct client *c, read_fn read)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_databases && !rc; i++) {
		const char *server = p->servers[c->databases[i].server].name;

		if (!sample_of(out, server, c->databases[i].name))
			rc = read(out, j, server, c->databases[i].name);
		/* Jobs and linked servers belong to no database. */
		if (!rc && !sample_of(out, server, ""))
			rc = read(out, j, server, "");
	}
	return rc;
}

int client_samples_read(
	struct samples *out, struct journal *j, const struct program *p, const struct client *c)
{
	return places_read(out, j, p, c, sample_read);
}

int client_tallies_read(
	struct samples *out, struct journal *j, const struct program *p, const struct client *c)
{
	return places_read(out, j, p, c, sample_tallies_read);
}
