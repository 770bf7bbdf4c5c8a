/* One change of the text of a configuration file: everything else in it stays as it is, byte for byte. */
#ifndef PROGRAM_EDIT_H
#define PROGRAM_EDIT_H

#include "curfew/base.h"

enum edit_kind {
	EDIT_SET,     /* the setting `name` of the group `path`, whether it is there or not */
	EDIT_UNSET,   /* that setting is taken out; 0 and the same text where there is none */
	EDIT_ADD,     /* an element at the end of the list `path` */
	EDIT_REPLACE, /* the element `index` of the list `path` */
	EDIT_REMOVE,  /* that element is taken out */
};
struct edit {
	enum edit_kind kind;
	const char *path; /* "client.users.[1]" */
	const char *name;
	const char *
		after; /* where a new setting goes: behind this one; NULL: at the end of its group */
	size_t index;
	const char *value; /* as libconfig writes it */
};
/* *out is the new text, to be freed; it was read again, and is exactly the change. 0; -ENOMEM; -ENOENT: the text has no
 * such place; -EINVAL: the text is written in a way that this cannot change; -EBADMSG: the result is not the intended
 * one. */
int edit_apply(char **out, const char *text, const struct edit *e);

struct source;
/* Which element of the list of sources at `path` is that source, as a string or as a temporary one; -ENOENT: none. */
int edit_source_find(bool *temporary, const char *text, const char *path, const struct source *s);

/* A string as libconfig writes it. The caller frees it; NULL without memory. */
char *edit_quote(const char *text);

/* The line that says that another tool writes this file, among the comments before its first setting; 0: none does. */
int edit_managed_line(const char *text);

#endif
