/* The steps of program_load(): each reads one part of the configuration into the program. */
#ifndef PROGRAM_LOADING_H
#define PROGRAM_LOADING_H

#include "program/file.h"

#include <dirent.h>

/* Whether a name such as "acme.conf" is that of a client file. */
bool name_is_client_file(const char *name);
/* The names in the directory, sorted. Returns their number, or negative errno. */
int entries_list(struct dirent ***out, int folder);
bool entries_contain(struct dirent **entries, int n, const char *name);
void entries_free(struct dirent **entries, int n);

/* A client that is not in the program yet. */
struct draft {
	struct client client;
	bool kept;    /* from its last known good version */
	bool broken;  /* its file has errors: kept only to report conflicts with it */
	bool clashes; /* conflicts with another valid client */
};
struct drafts {
	struct draft *items;
	size_t n;
};

/* Reads everything in curfew.conf except the servers. `clients` is the directory as written, borrowed from the
 * setting, or "clients.d". */
void settings_read(struct settings *out, const char **clients, struct reading *r,
	const config_setting_t *root);
/* The setting "timezone" if the zone exists; NULL if it is missing or was reported. Borrowed. */
const char *zone_read(struct reading *r, const config_setting_t *group);
void settings_free(struct settings *s);
/* The days of the list `holidays` and of the calendar file `holidays_file`. */
void holidays_read(struct settings *out, struct reading *r, const config_setting_t *group);
/* A date of the group in this zone; false if it is missing or was reported. `ends`: a date without a time means the
 * end of that day. */
bool instant_read(instant_t *out, struct reading *r, const config_setting_t *group,
	const char *name, const char *example, const char *zone, bool ends);
/* A list of strings; empty if missing. */
void strings_read(
	struct strings *out, struct reading *r, const config_setting_t *group, const char *key);

/* The maintenance windows of curfew.conf. Requires the servers in their final order. */
void maintenance_read(struct program *p, struct reading *r, const config_setting_t *root);
void maintenance_free(struct program *p);
/* Reports windows that quiet nothing: over, or of a database that no client has. `complete`: every client file was read. */
void maintenance_check(const struct program *p, struct reading *r, bool complete);
/* The server's index, or SIZE_MAX after reporting. */
size_t server_find(struct reading *r, const config_setting_t *group, const struct program *p);
/* The mail server and addresses of notices. */
void notice_settings_read(
	struct notice_settings *out, struct reading *r, const config_setting_t *root);
void notice_settings_free(struct notice_settings *n);
/* The operator's templates, in their directory beside curfew.conf; `folder` NULL: none. A template with an error is
 * reported, and Curfew's own is used. */
void notice_templates_read(struct notice_settings *out, struct reading *r,
	const config_setting_t *root, const char *folder);
/* Checks the files that the settings of notices name. */
void notice_files_check(const struct program *p, struct reading *r, enum secret_rule rule);
/* Checks the files of credentials and certificates that curfew.conf names. */
void credentials_check(const struct program *p, struct reading *r, int journal_key_line);

/* Reads the servers, sorted by name, without those that have no name. The program owns `file`. */
void servers_read(
	struct program *p, struct reading *r, const config_setting_t *root, const char *file);
void server_free(struct server *s);
/* Reads a list of prefixes. Shorter prefixes than `widest4` and `widest6` are errors. */
struct source *sources_read(size_t *n, struct reading *r, const config_setting_t *list,
	unsigned widest4, unsigned widest6, const char *bound);
/* Reads a user's sources: strings, or groups of an address and the date on which it ends, in the client's zone. */
void user_sources_read(struct user *u, struct reading *r, const config_setting_t *list,
	const struct client *c, const struct settings *s);

/* Reads one client file and converts its dates. Free the client whatever was reported. */
void client_read(struct client *out, struct reading *r, const config_setting_t *root,
	const struct program *p);
void client_free(struct client *c);
/* Reads its dates and converts them to UTC. Requires its timezone. */
void course_read(struct client *c, struct reading *r, const config_setting_t *group,
	const struct settings *s, bool zone_known);
/* Advises on risks of a coming go-live. */
void advice_check(const struct client *c, struct reading *r, const config_setting_t *go_live,
	const struct settings *s);
/* Reads its users. Requires its name, which is part of their logins. */
void users_read(struct client *c, struct reading *r, const config_setting_t *group,
	const struct program *p);

struct saved;

/* program_load(), but takes the client files in `substitutes` from the last known good versions; NULL: none. `kept` names
 * their folder in messages. */
int program_load_with(struct program **out, struct problems *problems, const char *file,
	const struct saved *saved, const char *kept, const struct strings *substitutes,
	instant_t now);

/* program_load(), with the given text instead of one client file's content, whether that file exists or not. */
int program_load_edited(struct program **out, struct problems *problems, const char *file,
	const struct edited_file *edited, instant_t now);

/* Loads the complete last known good version, whatever its settings say of a folder of client files. `file` names its
 * curfew.conf in messages. */
int program_load_kept(struct program **out, struct problems *problems, const struct saved *saved,
	const char *file, instant_t now);

/* Finds conflicts between clients and marks both clients, because which one is loaded must not depend on the order of
 * files. A client with errors does not affect a valid one. 0 or -ENOMEM. */
int clashes_check(struct drafts *d, struct problems *problems, bool shared_databases);

#endif
