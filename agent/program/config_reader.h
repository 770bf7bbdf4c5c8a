/* One configuration file being read: typed settings out, every fault reported with its line. */
#ifndef PROGRAM_READING_H
#define PROGRAM_READING_H

#include "curfew/program.h"

#include <libconfig.h>
#include <sys/types.h>

/* A text that stands for a file's, before it is written. */
struct edited_file {
	const char *path, *text;
};

struct reading {
	struct problems *problems;
	const char *file; /* as messages name it */
	size_t errors;	  /* found in this file so far */
	int failure;	  /* 0 or -ENOMEM: reading went on, but its result must not be used */
	instant_t now;	  /* for advice only */
	uid_t owner;	  /* whose files are read beside root's and our own; 0: nobody's */
	const struct edited_file *edited; /* NULL: files are as they are */
	bool kept; /* a last known good version: an upgrade's new limits must not end what it gives */
};

/* at NULL: the file as a whole. */
__attribute__((format(printf, 4, 5))) void reading_say(struct reading *r, enum severity severity,
	const config_setting_t *at, const char *format, ...);
__attribute__((format(printf, 4, 5))) void reading_say_line(
	struct reading *r, enum severity severity, int line, const char *format, ...);
#define reading_error(r, at, ...)   reading_say(r, SEVERITY_ERROR, at, __VA_ARGS__)
#define reading_warning(r, at, ...) reading_say(r, SEVERITY_WARNING, at, __VA_ARGS__)
/* A limit: an error in what is written now, a warning in what was taken before there was the limit. */
#define reading_limit(r, at, ...)                                                                  \
	reading_say(r, (r)->kept ? SEVERITY_WARNING : SEVERITY_ERROR, at, __VA_ARGS__)
#define reading_advice(r, at, ...) reading_say(r, SEVERITY_ADVICE, at, __VA_ARGS__)

/* Allocation that notes a failure in the reading; NULL then. */
char *reading_copy(struct reading *r, const char *text);
void *reading_array(struct reading *r, size_t n, size_t size);

/* Parses the text of a whole file; false after a syntax error was reported. */
bool reading_parse(struct reading *r, config_t *out, const char *text, size_t size);

/* Reports each setting of the group that is not among the names. */
void reading_known(struct reading *r, const config_setting_t *group, const char *what,
	const char *const *names, size_t n);

/* The setting, or NULL; where `example` is given, one that is missing is reported with it. */
config_setting_t *reading_member(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* A group of settings, an empty pointer when it is missing or something else (which is reported). */
config_setting_t *reading_group(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* A list of groups; elements that are none are reported and must be skipped by the caller. */
config_setting_t *reading_groups(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* A list of strings, written with [ ] or ( ). */
config_setting_t *reading_list(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* One element of it, or NULL when it is no valid name, which is reported. Borrowed. */
const char *reading_item(struct reading *r, const config_setting_t *list, int index);

/* A string that is a valid name; NULL when it is missing or faulty. Borrowed from the setting. */
const char *reading_text(
	struct reading *r, const config_setting_t *group, const char *name, const char *example);
/* An absolute path of at most max bytes; NULL when it is missing or faulty. Borrowed. */
const char *reading_path(struct reading *r, const config_setting_t *group, const char *name,
	const char *example, size_t max);
bool reading_bool(struct reading *r, const config_setting_t *group, const char *name, bool usual);
int reading_number(struct reading *r, const config_setting_t *group, const char *name, int usual,
	int min, int max, const char *unit);

#endif
