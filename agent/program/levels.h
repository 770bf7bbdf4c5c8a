/* Levels in the configuration: a role of ours with permissions, or roles that a server has. */
#ifndef PROGRAM_LEVELS_H
#define PROGRAM_LEVELS_H

#include "program/config_reader.h"

/* One permission by name, in capitals. */
enum permission_scope { SCOPE_DATABASE = 1, SCOPE_SCHEMA = 2 };
enum permission_reach {
	PERMISSION_READS,   /* may be granted at any level */
	PERMISSION_WRITES,  /* data, not definitions: at the levels write and full */
	PERMISSION_CHANGES, /* only at level full */
	PERMISSION_CREATES, /* only at level full, and against the program's rule: with a warning */
	PERMISSION_ESCAPES, /* could undo what Curfew does: never granted */
};
struct permission_rule {
	const char *name;
	unsigned scopes; /* enum permission_scope, or-ed */
	enum permission_reach reach;
};
const struct permission_rule *permission_find(const char *name);
/* The known permission that is spelt most like it, or NULL. */
const char *permission_nearest(const char *name);

/* Reads the group `levels` (NULL: there is none) over `base`, which stands for what is not written; with
 * base NULL, over the built-in levels. Fills all but out[LEVEL_NONE]; to be freed with
 * levels_free() whatever was reported. */
void levels_read(struct level_terms out[LEVELS], struct reading *r, const config_setting_t *group,
	const struct level_terms *base);
void levels_free(struct level_terms terms[LEVELS]);
void strings_free(struct strings *s);
/* A copy of it. 0 or -ENOMEM. */
int strings_add(struct strings *s, const char *item);

#endif
