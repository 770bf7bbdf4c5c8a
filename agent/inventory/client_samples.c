/* Samples of use and tallies of all databases of one client, from the journal. */
#include "curfew/client_samples.h"

#include <stdlib.h>

/* Jobs and linked servers that belong to no database are counted for a client only if there is no other. */
bool client_is_alone(const struct program *p, const struct client *c, size_t server)
{
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases && &p->clients[i] != c; k++)
			if (p->clients[i].databases[k].server == server)
				return false;
	return true;
}

static void tallies_forget(struct sample *s)
{
	free(s->tallies);
	s->tallies = NULL;
	s->n_tallies = 0;
}

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
		if (rc || sample_of(out, server, ""))
			continue;
		size_t before = out->n;
		rc = read(out, j, server, "");
		if (!rc && out->n > before && !client_is_alone(p, c, c->databases[i].server))
			tallies_forget(&out->items[before]);
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
