/* Last known good versions are read in place of client files that have errors. */
#include "curfew/last_good.h"
#include "curfew/text.h"
#include "program/levels.h"
#include "program/loading.h"
#include "program/problems.h"

#include <errno.h>
#include <string.h>

static int strings_add(struct strings *s, const char *item)
{
	char **items = reallocarray(s->items, s->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	s->items = items;
	items[s->n] = strdup(item);
	return items[s->n++] ? 0 : -ENOMEM;
}

/* Adds the client files that have errors and are not in the list yet; how many, or -ENOMEM. */
static int strings_add_broken(struct strings *s, const struct problems *problems, const char *file)
{
	int added = 0;

	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		if (p->severity != SEVERITY_ERROR || streq(p->file, file) ||
			strings_contain(s, base_name(p->file)))
			continue;
		int r = strings_add(s, base_name(p->file));
		if (r < 0)
			return r;
		added++;
	}
	return added;
}

/* Those of the list that are in force by their last good version; each is told. */
static int kept_tell(struct strings *kept, struct problems *problems, const struct program *p,
	const char *folder)
{
	size_t n = strlen(folder);
	int r = 0;

	for (size_t i = 0; i < p->n_clients && r == 0; i++) {
		const struct client *c = &p->clients[i];
		struct reading told = {.problems = problems, .file = c->file};
		if (strncmp(c->file, folder, n) != 0 || c->file[n] != '/')
			continue;
		r = strings_add(kept, base_name(c->file));
		if (r == 0)
			reading_warning(&told, NULL,
				"client \"%s\": the file has errors, so Curfew uses its last known good "
				"version and its end times; fix the file, then reload",
				c->name);
		if (r == 0)
			r = told.failure;
	}
	return r;
}

int last_good_complete(struct program **out, struct problems *problems, struct strings *kept,
	const char *file, const struct last_good *g, instant_t now)
{
	struct strings substitutes = {0}, names = {0};
	struct problems again;
	struct program *p;
	int r = program_load(&p, problems, file, now);

	if (r < 0 || problems->fatal) {
		if (r == 0)
			*out = NULL;
		return r;
	}
	int added = strings_add_broken(&substitutes, problems, file);
	/* A file may clash with another's last good version: then its own comes back too, until all agree. */
	while (added > 0) {
		program_free(p);
		p = NULL;
		r = program_load_with(&p, &again, file, g->clients, &substitutes, 0, now);
		if (r < 0)
			break;
		added = strings_add_broken(&substitutes, &again, file);
		problems_free(&again);
	}
	if (r == 0 && added < 0)
		r = added;
	if (r == 0 && p)
		r = kept_tell(&names, problems, p, g->clients);
	if (r == 0)
		problems_sort(problems);
	strings_free(&substitutes);
	if (r < 0) {
		program_free(p);
		problems_free(problems);
		strings_free(&names);
		return r;
	}
	*out = p;
	*kept = names;
	return 0;
}
