/* Reads last known good versions in place of client files that have errors. */
#include "curfew/last_good.h"
#include "curfew/text.h"
#include "program/levels.h"
#include "program/loading.h"
#include "program/problems.h"
#include "program/vanished.h"

#include <errno.h>
#include <string.h>

/* Adds the client files with errors that are not in the list yet. Returns their number, or -ENOMEM. */
static int strings_add_broken(struct strings *s, const struct problems *problems, const char *file)
{
	int added = 0;

	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		if (p->severity != SEVERITY_ERROR || streq(p->file, file) ||
			strings_contain(s, base_name(p->file)))
			continue;
		int rc = strings_add(s, base_name(p->file));
		if (rc < 0)
			return rc;
		added++;
	}
	return added;
}

/* Keeps the names of clients that were loaded from their last known good version, and reports each. */
static int kept_tell(struct strings *kept, struct problems *problems, const struct program *p,
	const char *folder)
{
	size_t n = strlen(folder);
	int rc = 0;

	for (size_t i = 0; i < p->n_clients && rc == 0; i++) {
		const struct client *c = &p->clients[i];
		struct reading told = {.problems = problems, .file = c->file};
		if (strncmp(c->file, folder, n) != 0 || c->file[n] != '/')
			continue;
		rc = strings_add(kept, base_name(c->file));
		if (rc == 0)
			reading_warning(&told, NULL,
				"client \"%s\": the file has errors, so Curfew uses its last known good "
				"version and its end times; fix the file, then reload",
				c->name);
		if (rc == 0)
			rc = told.failure;
	}
	return rc;
}

int last_good_complete(struct program **program, struct problems *problems, struct strings *kept,
	const char *file, const struct last_good *g, instant_t now)
{
	struct strings substitutes = {0}, names = {0};
	struct problems again;
	struct program *p = *program;
	int rc = 0;

	/* Without curfew.conf there is nothing to complete. */
	if (!p)
		return 0;
	*program = NULL;
	int added = strings_add_broken(&substitutes, problems, file);
	int vanished = added < 0 ? 0 : vanished_find(&substitutes, p, problems, file, g);
	added = vanished < 0 ? vanished : added + vanished;
	/* A new file may conflict with another client's last known good version. Then its own is used too, until none
	 * conflict. */
	while (added > 0) {
		program_free(p);
		p = NULL;
		rc = program_load_with(&p, &again, file, g->clients, &substitutes, 0, now);
		if (rc < 0)
			break;
		added = strings_add_broken(&substitutes, &again, file);
		problems_free(&again);
	}
	if (rc == 0 && added < 0)
		rc = added;
	if (rc == 0 && p)
		rc = kept_tell(&names, problems, p, g->clients);
	if (rc == 0)
		problems_sort(problems);
	strings_free(&substitutes);
	if (rc < 0) {
		program_free(p);
		problems_free(problems);
		strings_free(&names);
		return rc;
	}
	*program = p;
	*kept = names;
	return 0;
}
