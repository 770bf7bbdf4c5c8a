/* Reads last known good versions in place of client files that have errors. */
#include "curfew/last_good.h"
#include "curfew/text.h"
#include "program/levels.h"
#include "program/loading.h"
#include "program/problems.h"
#include "program/saved.h"
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

static const char *damage_text(int error)
{
	return error == -EBADMSG ? "damaged" : strerror(-error);
}

/* Reports a current generation that cannot be read. */
static int damage_tell(struct problems *problems, const struct saved *s, const struct last_good *g)
{
	struct reading told = {.problems = problems, .file = g->folder};

	if (s->damage)
		reading_warning(&told, NULL,
			"cannot read the last known good versions in %s (%s), so Curfew uses those before them%s, and "
			"their end times; correct the configuration files, then reload",
			SAVED_CURRENT, damage_text(s->damage),
			s->base.is_folder ? "" : ", in " SAVED_PREVIOUS);
	return told.failure;
}

/* Reports each version that had to be replaced by the one before, or that could not be read at all. */
static int versions_tell(struct problems *problems, const struct strings *names,
	const struct saved *s, const struct last_good *g)
{
	int rc = damage_tell(problems, s, g);

	for (size_t i = 0; i < names->n && rc == 0; i++) {
		struct reading told = {.problems = problems};
		_cleanup_free_ char *file = path_join(&told, g->clients, names->items[i]);
		_cleanup_free_ char *entry = path_join(&told, SAVED_CLIENTS, names->items[i]);
		size_t size;

		if (!file || !entry)
			return -ENOMEM;
		told.file = file;
		/* A new client has none, and the errors of its file were reported. */
		if (saved_has(s, entry))
			free(saved_text(&told, &size, s, "", entry));
		rc = told.failure;
	}
	return rc;
}

int last_good_load(
	struct program **out, struct problems *problems, const struct last_good *g, instant_t now)
{
	struct saved *s = NULL;
	struct program *p = NULL;
	int rc = saved_open(&s, g->folder);

	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		struct reading told = {.problems = problems, .file = g->config};
		*problems = (struct problems){.fatal = true};
		reading_error(
			&told, NULL, "cannot read a last known good version: %s", damage_text(rc));
		if (told.failure == 0)
			*out = NULL;
		return told.failure;
	}
	rc = program_load_kept(&p, problems, s, g->config, now);
	if (rc == 0) {
		rc = damage_tell(problems, s, g);
		problems_sort(problems);
	}
	if (rc < 0)
		program_free(p);
	else
		*out = p;
	saved_close(s);
	return rc;
}

/* A new file may conflict with another client's last known good version. Then its own is used too, until none
 * conflict. */
static int substitutes_load(struct program **p, struct strings *substitutes, int added,
	const char *file, const struct saved *s, const struct last_good *g, instant_t now)
{
	struct problems again;
	int rc = 0;

	while (added > 0) {
		program_free(*p);
		*p = NULL;
		rc = program_load_with(p, &again, file, s, g->clients, substitutes, now);
		if (rc < 0)
			return rc;
		added = strings_add_broken(substitutes, &again, file);
		problems_free(&again);
	}
	return added;
}

/* Requires at least one error. */
static int completed(struct program **p, struct problems *problems, struct strings *names,
	const char *file, const struct saved *s, const struct last_good *g, instant_t now)
{
	struct strings substitutes = {0};
	int added = strings_add_broken(&substitutes, problems, file);
	int vanished = added < 0 ? 0 : vanished_find(&substitutes, *p, problems, file, s, g);
	int rc = added < 0 ? added : vanished;

	if (rc >= 0)
		rc = substitutes_load(p, &substitutes, added + vanished, file, s, g, now);
	if (rc == 0)
		rc = versions_tell(problems, &substitutes, s, g);
	if (rc == 0 && *p)
		rc = kept_tell(names, problems, *p, g->clients);
	strings_clear(&substitutes);
	return rc;
}

/* That they cannot be read is reported; the clients of files with errors are then left out, as without any. */
static int unreadable_tell(struct problems *problems, int error, const struct last_good *g)
{
	struct reading told = {.problems = problems, .file = g->folder};

	if (error == -ENOMEM)
		return error;
	if (error != -ENOENT)
		reading_warning(&told, NULL,
			"cannot read the last known good versions: %s; a client whose file has errors is not loaded",
			damage_text(error));
	return told.failure;
}

int last_good_complete(struct program **program, struct problems *problems, struct strings *kept,
	const char *file, const struct last_good *g, instant_t now)
{
	struct strings names = {0};
	struct program *p = *program;
	struct saved *s = NULL;

	/* Without curfew.conf there is nothing to complete. */
	if (!p || !problems->n_errors)
		return 0;
	*program = NULL;
	int rc = saved_open(&s, g->folder);
	rc = rc < 0 ? unreadable_tell(problems, rc, g)
		    : completed(&p, problems, &names, file, s, g, now);
	saved_close(s);
	if (rc < 0) {
		program_free(p);
		problems_free(problems);
		strings_clear(&names);
		return rc;
	}
	problems_sort(problems);
	*program = p;
	*kept = names;
	return 0;
}
