/* Changes one thing in the text of a configuration file. Everything else stays the same, byte for byte. */
#ifndef PROGRAM_EDIT_H
#define PROGRAM_EDIT_H

#include "curfew/base.h"

enum edit_kind {
	EDIT_SET,     /* sets the setting `name` of the group `path`, whether it exists or not */
	EDIT_UNSET,   /* removes that setting; returns 0 and the same text if there is none */
	EDIT_ADD,     /* adds an element at the end of the list `path` */
	EDIT_REPLACE, /* replaces element `index` of the list `path` */
	EDIT_REMOVE,  /* removes that element */
};
struct edit {
	enum edit_kind kind;
	const char *path; /* "client.users.[1]" */
	const char *name;
	const char *after; /* a new setting follows this one; NULL: at the end of its group */
	size_t index;
	const char *value; /* in libconfig's syntax */
};
/* *out is the new text, which the caller frees. It was parsed again and differs from `text` by exactly this change.
 * Returns 0; -ENOMEM; -ENOENT: there is no such place; -EINVAL: this layout cannot be edited; -EBADMSG: the result is
 * not the intended one. */
int edit_apply(char **out, const char *text, const struct edit *e);

struct source;
/* The index of the source in the list at `path`, as a string or as a temporary source; -ENOENT: none. */
int edit_source_find(bool *temporary, const char *text, const char *path, const struct source *s);

/* The string in libconfig's syntax. The caller frees it; NULL without memory. */
char *edit_quote(const char *text);

/* The line of a comment before the first setting that says that another tool writes this file; 0: none. */
int edit_managed_line(const char *text);

#endif
