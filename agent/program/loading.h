/* The stages of program_load(): each reads one part of the configuration into the program. */
#ifndef PROGRAM_LOADING_H
#define PROGRAM_LOADING_H

#include "program/file.h"

#include <dirent.h>

/* "acme.conf", by its name alone. */
bool name_is_client_file(const char *name);
/* The names in the folder, in order. How many, or negative errno. */
int entries_list(struct dirent ***out, int folder);
bool entries_contain(struct dirent **entries, int n, const char *name);
void entries_free(struct dirent **entries, int n);

/* A client on its way into the program. */
struct draft {
	struct client client;
	bool kept;    /* a last known good version */
	bool broken;  /* its file has errors: kept only to name what clashes with it */
	bool clashes; /* with another client that is whole */
};
struct drafts {
	struct draft *items;
	size_t n;
};

/* Everything of curfew.conf but the servers. `clients` is the folder as written, borrowed from the
 * setting, or "clients.d". */
void settings_read(struct settings *out, const char **clients, struct reading *r,
	const config_setting_t *root);
/* The setting "timezone", a zone that exists; NULL when it is missing, or reported. Borrowed. */
const char *zone_read(struct reading *r, const config_setting_t *group);
void settings_free(struct settings *s);
/* The days of the lists `holidays` and of the calendar file `holidays_file`. */
void holidays_read(struct settings *out, struct reading *r, const config_setting_t *group);
/* A date of the group in that zone; false when it is missing or was reported. `ends`: a date alone is the end of that
 * day. */
bool instant_read(instant_t *out, struct reading *r, const config_setting_t *group,
	const char *name, const char *example, const char *zone, bool ends);
/* A list of texts; empty where it is missing. */
void strings_read(
	struct strings *out, struct reading *r, const config_setting_t *group, const char *key);

/* The maintenance windows of curfew.conf. Needs the servers, in their final order. */
void maintenance_read(struct program *p, struct reading *r, const config_setting_t *root);
void maintenance_free(struct program *p);
/* The index of the server, or SIZE_MAX after reporting. */
size_t server_find(struct reading *r, const config_setting_t *group, const struct program *p);
/* Where notices are sent, and as what. */
void notice_settings_read(
	struct notice_settings *out, struct reading *r, const config_setting_t *root);
void notice_settings_free(struct notice_settings *n);
/* The operator's templates, in their folder beside curfew.conf; `folder` NULL: none is read. One with a fault is reported, and ours stands in. */
void notice_templates_read(struct notice_settings *out, struct reading *r,
	const config_setting_t *root, const char *folder);
/* Looks at the files that the notices' settings name. */
void notice_files_check(const struct program *p, struct reading *r, enum secret_rule rule);
/* Looks at the files of credentials and certificates that curfew.conf names. */
void credentials_check(const struct program *p, struct reading *r, int journal_key_line);

/* Fills servers, sorted by name; those without a name are dropped. `file` is owned by the program. */
void servers_read(
	struct program *p, struct reading *r, const config_setting_t *root, const char *file);
void server_free(struct server *s);
/* Reads a list of prefixes; `widest4` and `widest6` are the shortest prefix lengths allowed. */
struct source *sources_read(size_t *n, struct reading *r, const config_setting_t *list,
	unsigned widest4, unsigned widest6, const char *bound);
/* A user's: strings, and groups of an address and the date on which it ends, in the client's zone. */
void user_sources_read(struct user *u, struct reading *r, const config_setting_t *list,
	const struct client *c, const struct settings *s);

/* Reads one client file; its instants are resolved. The client is to be freed whatever was reported. */
void client_read(struct client *out, struct reading *r, const config_setting_t *root,
	const struct program *p);
void client_free(struct client *c);
/* Its dates, as instants. Needs timezone. */
void course_read(struct client *c, struct reading *r, const config_setting_t *group,
	const struct settings *s, bool zone_known);
/* What makes a go-live that is still to come riskier than it need be. */
void advice_check(const struct client *c, struct reading *r, const config_setting_t *go_live,
	const struct settings *s);
/* Its people. Needs the name, which makes their logins. */
void users_read(struct client *c, struct reading *r, const config_setting_t *group,
	const struct program *p);

/* program_load(), with the client files named in `substitutes` read from the folder `kept`; both may be NULL. The files
 * in `kept` may be their folder's owner's. `owner`: whose all others may be, beside root and ourselves; 0: nobody's. */
int program_load_with(struct program **out, struct problems *problems, const char *file,
	const char *kept, const struct strings *substitutes, uid_t owner, instant_t now);

/* program_load(), with one client file's text as given, whether the file is there yet or not. */
int program_load_edited(struct program **out, struct problems *problems, const char *file,
	const struct edited_file *edited, instant_t now);

/* The whole of what the service keeps in `folder`, its clients beside curfew.conf whatever that says. */
int program_load_kept(
	struct program **out, struct problems *problems, const char *folder, instant_t now);

/* Finds what two clients cannot both have (a database only where they are not shared), and marks both: which of them opens must not hang on the order
 * of files. A broken client takes nothing away from a whole one. 0 or -ENOMEM. */
int clashes_check(struct drafts *d, struct problems *problems, bool shared_databases);

#endif
