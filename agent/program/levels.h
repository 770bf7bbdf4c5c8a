/* Access levels in the configuration: a role with permissions that Curfew creates, or existing roles of a server. */
#ifndef PROGRAM_LEVELS_H
#define PROGRAM_LEVELS_H

#include "program/config_reader.h"

/* A permission, by its name in capitals. */
enum permission_scope { SCOPE_DATABASE = 1, SCOPE_SCHEMA = 2 };
enum permission_reach {
	PERMISSION_READS,   /* allowed at every level */
	PERMISSION_WRITES,  /* changes data, not definitions: allowed at write and full */
	PERMISSION_CHANGES, /* allowed only at full */
	PERMISSION_CREATES, /* allowed only at full, with a warning, because the access program forbids it */
	PERMISSION_ESCAPES, /* could undo what Curfew does: never allowed */
};
struct permission_rule {
	const char *name;
	unsigned scopes; /* bits of enum permission_scope */
	enum permission_reach reach;
};
const struct permission_rule *permission_find(const char *name);
/* The known permission with the most similar spelling, or NULL. */
const char *permission_nearest(const char *name);

/* Reads the group `levels` (NULL: missing). Settings that are missing come from `base`, or with base NULL from the
 * built-in levels. Fills all but out[LEVEL_NONE]; free with levels_free() whatever was reported. */
void levels_read(struct level_terms out[LEVELS], struct reading *r, const config_setting_t *group,
	const struct level_terms *base);
void levels_free(struct level_terms terms[LEVELS]);
void strings_free(struct strings *s);
/* Adds a copy. 0 or -ENOMEM. */
int strings_add(struct strings *s, const char *item);

#endif
