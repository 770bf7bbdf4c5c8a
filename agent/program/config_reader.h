/* Reads one configuration file: returns typed settings, and reports every error with its line. */
#ifndef PROGRAM_READING_H
#define PROGRAM_READING_H

#include "curfew/program.h"

#include <libconfig.h>
#include <sys/types.h>

/* The text that replaces a file's content, before it is written. */
struct edited_file {
	const char *path, *text;
};

struct reading {
	struct problems *problems;
	const char *file; /* name for messages */
	size_t errors;	  /* errors found in this file */
	int failure;	  /* 0 or -ENOMEM: reading continued, but the result must not be used */
	instant_t now;	  /* only for advice */
	uid_t owner;	  /* owner accepted besides root and the current user; 0: none */
	const struct edited_file *edited; /* NULL: read the files */
	bool harmless; /* what is wrong with this file holds nothing up: a warning, not an error */
	bool kept; /* this is a last known good version: limits that an upgrade adds must not end its access */
};

/* `at` NULL: the problem concerns the whole file. */
__attribute__((format(printf, 4, 5))) void reading_say(struct reading *r, enum severity severity,
	const config_setting_t *at, const char *format, ...);
__attribute__((format(printf, 4, 5))) void reading_say_line(
	struct reading *r, enum severity severity, int line, const char *format, ...);
#define reading_error(r, at, ...)   reading_say(r, SEVERITY_ERROR, at, __VA_ARGS__)
#define reading_warning(r, at, ...) reading_say(r, SEVERITY_WARNING, at, __VA_ARGS__)
/* Reports an exceeded limit: an error in a current file, a warning in a last known good version, which may be older
 * than the limit. */
#define reading_limit(r, at, ...)                                                                  \
	reading_say(r, (r)->kept ? SEVERITY_WARNING : SEVERITY_ERROR, at, __VA_ARGS__)
#define reading_advice(r, at, ...) reading_say(r, SEVERITY_ADVICE, at, __VA_ARGS__)

/* Copies the text. NULL without memory, which r->failure notes. */
char *reading_copy(struct reading *r, const char *text);
void *reading_array(struct reading *r, size_t n, size_t size);

/* Parses the text of a whole file. Returns false after reporting a syntax error. */
bool reading_parse(struct reading *r, config_t *out, const char *text, size_t size);

/* Reports each setting of the group that is not in `names`. */
void reading_known(struct reading *r, const config_setting_t *group, const char *what,
	const char *const *names, size_t n);

/* Returns the setting or NULL. With `example` a missing setting is reported. */
config_setting_t *reading_member(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* Returns a group; empty if it is missing or not a group (which is reported). */
config_setting_t *reading_group(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* Returns a list of groups. Elements that are not groups are reported; the caller must skip them. */
config_setting_t *reading_groups(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* Returns a list of strings, written with [ ] or ( ). */
config_setting_t *reading_list(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* Returns one element, or NULL after reporting an invalid name. Borrowed. */
const char *reading_item(struct reading *r, const config_setting_t *list, int index);

/* Returns a valid name, or NULL if it is missing or invalid. Borrowed from the setting. */
const char *reading_text(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* Returns an absolute path of at most `max` bytes, or NULL if it is missing or invalid. Borrowed. */
const char *reading_path(struct reading *r, const config_setting_t *group, const char *name,
	const char *example, size_t max);
bool reading_bool(struct reading *r, const config_setting_t *group, const char *name, bool usual);
int reading_number(struct reading *r, const config_setting_t *group, const char *name, int usual,
	int min, int max, const char *unit);

#endif
