/* Where last known good versions are. */
#include "curfew/last_good.h"
#include "program/saved.h"

#include <errno.h>
#include <string.h>

#define FOLDER "last-good"
/* Names in messages: what is read comes from one archive. */
#define CONFIG_FILE SAVED_CURRENT "/curfew.conf"
#define CLIENTS	    SAVED_CURRENT "/clients.d"
/* The state directory if neither a configuration nor systemd names one. */
#define USUAL_STATE "/var/lib/curfew"

static char *path_of(const char *folder, const char *name)
{
	char *path = NULL;

	return folder && asprintf(&path, "%s/%s", folder, name) >= 0 ? path : NULL;
}

int last_good_locate(struct last_good *out, const char *state_directory)
{
	const char *managed = getenv("STATE_DIRECTORY");
	struct last_good g = {0};

	if (!state_directory)
		state_directory = managed && *managed ? managed : USUAL_STATE;
	g.folder = path_of(state_directory, FOLDER);
	g.config = path_of(g.folder, CONFIG_FILE);
	g.clients = path_of(g.folder, CLIENTS);
	if (!g.config || !g.clients) {
		last_good_free(&g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void last_good_free(struct last_good *g)
{
	free(g->folder);
	free(g->config);
	free(g->clients);
	*g = (struct last_good){0};
}

void strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct strings){0};
}
